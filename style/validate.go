package style

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// VGG19Layers are the sixteen layers at which losses can be computed, from shallow to
// deep.
var VGG19Layers = []string{
	"relu1_1", "relu1_2", "relu2_1", "relu2_2",
	"relu3_1", "relu3_2", "relu3_3", "relu3_4",
	"relu4_1", "relu4_2", "relu4_3", "relu4_4",
	"relu5_1", "relu5_2", "relu5_3", "relu5_4",
}

// Validate checks o and finds every fault. The error is a Problems, or nil. layers are
// the names of the network's layers; none means VGG-19's.
func (o Options) Validate(layers ...string) error {
	if len(layers) == 0 {
		layers = VGG19Layers
	}
	c := checker{options: o}
	c.size(o)
	c.preset(o)
	c.choices(o, false)
	c.numbers(o)
	c.iterations(o)
	c.tile(o)
	c.layers("content-layers", o.ContentLayers, layers)
	c.layers("style-layers", o.StyleLayers, layers)
	c.losses(o)
	c.patches(o, layers)
	c.neighbours(o)
	c.supersample(o)
	return c.problems.err()
}

// checker collects faults.
type checker struct {
	problems Problems
	options  Options // whose values are at fault
}

func (c *checker) add(option string, try []Suggestion, format string, args ...any) {
	c.problems = append(c.problems, &OptionError{option, c.options.value(option), fmt.Sprintf(format, args...), try})
}

func (c *checker) size(o Options) {
	_, err := picture.ParseSize(o.Size)
	if err == nil {
		return
	}
	c.add("size", []Suggestion{{"size", "512", "the long side; or 640x480, 2x, 50%, content, max"}}, "%v", err)
}

func (c *checker) preset(o Options) {
	if o.Preset != "" && !slices.Contains(PresetNames(), o.Preset) {
		c.problems = append(c.problems, unknownPreset(o.Preset))
	}
}

// interval is the range of an option's number. lo is excluded if open is set. NaN is in
// no interval.
type interval struct {
	option        string
	value, lo, hi float64
	open          bool
}

func (c *checker) intervals(list ...interval) {
	for _, n := range list {
		if n.value >= n.lo && n.value <= n.hi && !(n.open && n.value == n.lo) {
			continue
		}
		from := "from"
		if n.open {
			from = "above"
		}
		c.add(n.option, nil, "%s is %g; it must lie %s %g to %g", n.option, n.value, from, n.lo, n.hi)
	}
}

// weights checks a list of weights. what is their name in messages.
func (c *checker) weights(option, what string, list []float64) {
	for i, w := range list {
		if !(w >= 0) || math.IsInf(w, 0) {
			c.add(option, nil, "%s %d is %g; weights are numbers from 0", what, i+1, w)
		}
	}
}

// numbers checks the numbers of all modes.
func (c *checker) numbers(o Options) {
	c.intervals([]interval{
		{"content-weight", o.ContentWeight, 0, 1e12, false},
		{"style-weight", o.StyleWeight, 0, 1e12, false},
		{"tv-weight", o.TVWeight, 0, 1e12, false},
		{"tv-spare", o.TVSpare, 0, 1, false},
		{"temporal-weight", o.TemporalWeight, 0, 1e12, false},
		{"style-scale", o.StyleScale, 0, 64, true},
		{"layer-positions", o.LayerPositions, 0, 1e6, false},
		{"noise-std", o.NoiseStd, 0, 255, false},
		{"noise-range", o.NoiseRange.Lo, 0, 255, false},
		{"noise-range", o.NoiseRange.Hi, 0, 255, false},
		{"scale-step", o.ScaleStep, 1, 16, true},
		{"plateau", o.Plateau, 0, 1, false},
		{"lr", o.LR, 0, 1e6, false},
		{"adam-beta1", o.Beta1, 0, 0.999999, false},
		{"adam-beta2", o.Beta2, 0, 0.999999, true},
		{"adam-epsilon", o.Epsilon, 0, 1e6, true},
		{"average", o.Average, 0, 0.999999, false},
		{"pool-scale", o.PoolScale, 0, 100, true},
		{"image-range", o.ImageRange, 0, 65535, true},
		{"scales", float64(o.Scales), 0, 32, false},
		{"min-scale", float64(o.MinScale), 1, 65536, false},
		{"history", float64(o.History), 1, 1000, false},
		{"sliced-hold", float64(o.SlicedHold), 0, 1_000_000, false},
	}...)
	if r := o.NoiseRange; r.Lo > r.Hi {
		c.add("noise-range", nil, "noise-range is %g:%g; the lowest pixel value comes first, then the highest, both from 0 to 255", r.Lo, r.Hi)
	}
	c.weights("style-weights", "style weight", o.StyleWeights)
	if len(o.StyleWeights) > 0 && sum(o.StyleWeights) == 0 {
		c.add("style-weights", nil, "style weights are all 0")
	}
}

func (c *checker) supersample(o Options) {
	f := o.Supersample
	if f == 0 {
		return
	}
	c.intervals(interval{"supersample", f, 1, 4, false})
	off := []Suggestion{{"supersample", "1", ""}}
	if f != 1 && o.Mode != ModeArt {
		c.add("supersample", off, "supersample is %g; only mode %s paints larger than the result, not %s", f, ModeArt, o.Mode)
	}
	if f != 1 && o.TemporalWeight > 0 {
		c.add("supersample", off, "supersample is %g; frames of a film are painted at their own size", f)
	}
}

func (c *checker) tile(o Options) {
	asked, err := parseTile(o.Tile)
	if err != nil {
		c.add("tile", []Suggestion{{"tile", "1024", ""}}, "%v", err)
	}
	if (asked.size != TileSize{} || asked.cut != nil) && !o.cuttable() {
		if o.Method == MethodNNST {
			c.add("tile", []Suggestion{{"tile", "off", ""}}, "%s", tilesOfNeighbours(asked.size))
			return
		}
		c.add("tile", []Suggestion{{"tile", "off", ""}, {"normalize-gradients", "off", ""}},
			"normalised gradients need the whole image at once, not tiles of %v", asked.size)
	}
}

func (c *checker) iterations(o Options) {
	if len(o.Iterations) == 0 {
		c.add("iterations", []Suggestion{{"iterations", "200", ""}}, "no iterations given")
	}
	for i, n := range o.Iterations {
		if n < 0 || n > 1_000_000 {
			c.add("iterations", nil, "iterations of scale %d are %d; they must lie from 0 to 1000000", i+1, n)
		}
	}
}

func (c *checker) layers(option string, given []LayerWeight, known []string) {
	seen := map[string]bool{}
	for _, l := range given {
		if !slices.Contains(known, l.Layer) {
			c.add(option, nearest(option, l.Layer, known), "unknown layer %q; the network has %s", l.Layer, span(known))
		}
		if seen[l.Layer] {
			c.add(option, nil, "layer %q is named twice", l.Layer)
		}
		seen[l.Layer] = true
		if !(l.Weight >= 0) || math.IsInf(l.Weight, 0) {
			c.add(option, nil, "layer %q has weight %g; weights are numbers from 0", l.Layer, l.Weight)
		}
	}
}

// losses checks that there is a loss to minimise.
func (c *checker) losses(o Options) {
	switch {
	case o.StyleWeight > 0 && weightSum(o.StyleLayers) == 0:
		c.add("style-layers", []Suggestion{{"style-layers", "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1", ""}, {"style-weight", "0", ""}},
			"style has weight %g but no style layer has any", o.StyleWeight)
	case o.ContentWeight > 0 && weightSum(o.ContentLayers) == 0 && o.Method != MethodNNST:
		c.add("content-layers", []Suggestion{{"content-layers", "relu4_2", ""}, {"content-weight", "0", ""}},
			"content has weight %g but no content layer has any", o.ContentWeight)
	case o.ContentWeight == 0 && o.StyleWeight == 0 && o.PatchWeight == 0 && o.AnalogyWeight == 0:
		c.add("style-weight", []Suggestion{{"style-weight", "1", ""}}, "content and style both have weight 0: nothing to paint")
	}
	if o.Mode == ModeTexture && o.StyleWeight == 0 {
		c.add("style-weight", []Suggestion{{"style-weight", "1", ""}}, "a texture needs a style weight above 0")
	}
	if o.Tileable && o.Mode != ModeTexture {
		c.add("tileable", []Suggestion{{"tileable", "false", ""}}, "only a texture is tileable: other pictures have the edges of a photograph or of a map")
	}
	if o.Tileable && o.TV == TVStencil && o.TVWeight > 0 {
		c.add("tv", []Suggestion{{"tv", string(TVSquares), ""}}, "the total variation %q stops at the edges, which a tileable texture has none of", o.TV)
	}
	if o.Mode == ModeTexture && (o.Init == InitContent || o.Color != ColorStyle) {
		c.add("init", []Suggestion{{"init", "noise", ""}, {"color", "style", ""}}, "a texture has no content picture to start from or take colours from")
	}
}

// span lists a network's layers, or only the first and the last if there are many.
func span(layers []string) string {
	if len(layers) > 9 {
		return layers[0] + " ... " + layers[len(layers)-1]
	}
	return strings.Join(layers, ", ")
}

func weightSum(layers []LayerWeight) float64 {
	total := 0.0
	for _, l := range layers {
		total += l.Weight
	}
	return total
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// checkInputs checks that the inputs hold the pictures that the options need.
func checkInputs(in Inputs, o Options) error {
	c := checker{options: o}
	if o.Mode == ModeArt && in.Content == nil {
		c.add("content", nil, "art needs a content picture")
	}
	if len(in.Styles) == 0 && (o.StyleWeight > 0 || o.Mode == ModeTexture) {
		c.add("style", []Suggestion{{"style-weight", "0", "the content alone"}}, "no style picture given")
	}
	if len(in.Styles) == 0 && o.Init == InitStyle {
		c.add("init", nil, "there is no style picture to start from")
	}
	c.modes(in, o)
	c.temporal(in)
	if n := len(o.StyleWeights); n > 0 && n != len(in.Styles) {
		c.add("style-weights", nil, "%d style weights given for %d style pictures", n, len(in.Styles))
	}
	if o.Init == InitFile && in.Init == nil {
		c.add("init", nil, "no picture to start from given")
	}
	if n := len(o.ContentLayers) + len(o.StyleLayers)*len(in.Styles) + 1; n > spareSlot && o.StyleLoss != LossGram && o.StyleLoss != LossSliced && o.StyleBlend == BlendLosses {
		c.add("style-blend", []Suggestion{{"style-blend", "targets", ""}}, "%d losses are more than the %d there is room for", n, spareSlot)
	}
	for _, p := range append([]*Picture{in.Content, in.Init, in.A, in.B}, in.Styles...) {
		if p != nil && (p.W < 1 || p.H < 1 || len(p.Pix) != p.W*p.H*3) {
			c.add("content", nil, "a picture of %dx%d pixels holds %d values", p.W, p.H, len(p.Pix))
		}
	}
	return c.problems.err()
}
