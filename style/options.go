package style

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/impasto/impasto/vgg"
)

// Options are all the parameters that decide a picture, apart from the input
// pictures and the network. Their JSON names are the command's flags, so the
// JSON form of an Options is the parameter part of a recipe: the same Options,
// inputs and network give the same picture. The groups are embedded, so that
// o.StyleWeight is o.LossOptions.StyleWeight and the JSON form is flat.
//
// Weights read as "1 = balanced" under ScaleRelative: they do not depend on
// the picture's size nor on the network's units.
//
// Begin with DefaultOptions or Preset and change what should differ; the zero
// Options is not valid.
type Options struct {
	Mode   Mode   `json:"mode"`   // ModeArt ...; Art, Texture, Patch, Doodle and Analogy set it
	Preset string `json:"preset"` // where the values come from; does nothing by itself
	Size   string `json:"size"`   // of the result, after the content (or the first style); as "512" (long side), "640x480", "2x", "50%", "content", "512+" (area) or "max"

	LossOptions
	MixOptions
	PatchOptions
	NeighbourOptions

	TemporalWeight float64 `json:"temporal-weight,omitempty"` // of Inputs.Earlier, where there is one

	StartOptions
	ScaleOptions
	OptimizerOptions
	NetworkOptions
}

// LossOptions say what is minimised:
//
//	total = content-weight * content + style-weight * style + patch-weight * patches
//		+ analogy-weight * analogy + temporal-weight * temporal + tv-weight * tv
type LossOptions struct {
	ContentWeight float64        `json:"content-weight"`     // alpha
	StyleWeight   float64        `json:"style-weight"`       // beta
	TVWeight      float64        `json:"tv-weight"`          // of the total variation, a penalty of noise
	TVSpare       float64        `json:"tv-spare,omitempty"` // how far detail of the photograph is spared that: 1 wholly, 0 not at all
	ContentLayers []LayerWeight  `json:"content-layers"`
	StyleLayers   []LayerWeight  `json:"style-layers"`
	StyleLoss     StyleLoss      `json:"style-loss"`             // LossGram ...
	SlicedHold    int            `json:"sliced-hold,omitempty"`  // iterations that LossSliced holds its directions; 0: those of a scale
	ContentLoss   ContentLoss    `json:"content-loss,omitempty"` // ContentFeatures, also where empty, or ContentSelfSim
	LossScale     LossScale      `json:"loss-scale"`             // ScaleRelative ...
	Normalize     Normalization  `json:"normalize-gradients"`    // NormalizeOff ...
	TV            TotalVariation `json:"tv"`                     // TVSquares ...
	TVInLoss      bool           `json:"tv-in-loss"`             // false: only its gradient acts (neural-style)
}

// MixOptions say how paintings are sized and mixed.
type MixOptions struct {
	StyleWeights   []float64 `json:"style-weights,omitempty"`   // one for each style; none means equal
	StyleBlend     Blend     `json:"style-blend"`               // BlendTargets ...
	StyleScale     float64   `json:"style-scale"`               // style's scale-side over the canvas's
	Tileable       bool      `json:"tileable,omitempty"`        // of a texture: the right edge continues at the left one, the lower at the upper
	LayerPositions float64   `json:"layer-positions,omitempty"` // positions for each channel that a style layer needs to weigh in full; with fewer it weighs less; 0: always in full
	StyleUpscale   bool      `json:"style-upscale"`             // enlarge styles smaller than that
}

// PatchOptions are those of the modes that match patches: ModePatch, ModeDoodle
// and ModeAnalogy.
type PatchOptions struct {
	PatchWeight    float64       `json:"patch-weight,omitempty"`
	PatchLayers    []LayerWeight `json:"patch-layers,omitempty"`
	PatchSize      int           `json:"patch-size,omitempty"`      // side, in positions of the layer
	PatchStride    []int         `json:"patch-stride,omitempty"`    // on the canvas, for each patch layer; the last repeats
	StyleStride    []int         `json:"style-stride,omitempty"`    // in the paintings
	PatchAverage   bool          `json:"patch-average,omitempty"`   // overlapping patches count as one (CNNMRF)
	Match          Match         `json:"match,omitempty"`           // MatchPatch ...
	Rematch        int           `json:"rematch,omitempty"`         // iterations that matches are held
	Confidence     float64       `json:"confidence,omitempty"`      // patches that match less well have no say
	Variety        float64       `json:"variety,omitempty"`         // favour patches that are wanted little
	StyleRotations int           `json:"style-rotations,omitempty"` // turned views of the paintings to each side, 7.5 degrees apart
	StyleScales    int           `json:"style-scales,omitempty"`    // smaller and larger views, 5 % apart
	MapWeight      float64       `json:"map-weight,omitempty"`
	MapLayers      []LayerWeight `json:"map-layers,omitempty"`    // factors of it by layer; 1 where not named
	MapForm        MapForm       `json:"map-form,omitempty"`      // MapLabels ...
	MapWeights     []float64     `json:"map-weights,omitempty"`   // of several guides, times map-weight
	RegionStyles   string        `json:"region-styles,omitempty"` // painting of each region, in the words of whoever made the guide: see StylePerRegion
	AnalogyWeight  float64       `json:"analogy-weight,omitempty"`
}

// NeighbourOptions are those of nearest-neighbour style transfer, and the choice
// of it.
type NeighbourOptions struct {
	Method      Method `json:"method,omitempty"`       // MethodLosses where empty
	Refine      int    `json:"refine,omitempty"`       // iterations at full size that match anew each time
	StyleTurns  bool   `json:"style-turns,omitempty"`  // also match the paintings turned by 90, 180 and 270 degrees
	ColorFinish bool   `json:"color-finish,omitempty"` // bring the result's colours to the paintings' mean and covariance
}

// StartOptions say what the first iteration begins with, and whose colours the
// result has.
type StartOptions struct {
	Init       Init       `json:"init"`        // InitContent ...
	NoiseRange Range      `json:"noise-range"` // uniform noise, in 0..255
	NoiseStd   float64    `json:"noise-std"`   // > 0: normal noise round the network's mean instead
	Seed       uint64     `json:"seed"`
	Color      Color      `json:"color"`                 // ColorStyle ...
	ColorSpace ColorSpace `json:"color-space,omitempty"` // ColorYUV where empty
}

// ScaleOptions lay out the pyramid: the picture is painted small first, then
// larger and larger.
type ScaleOptions struct {
	Iterations []int   `json:"iterations"`           // of each scale, coarsest first; the last repeats
	Scales     int     `json:"scales"`               // 0: as many as MinScale allows
	ScaleStep  float64 `json:"scale-step"`           // ratio of neighbouring scales
	MinScale   int     `json:"min-scale"`            // least scale-side of the coarsest scale, in pixels
	ScaleSide  Side    `json:"scale-side,omitempty"` // what min-scale and style-scale measure: SideLong, also where empty, or SideShort
	ScaleFrom  float64 `json:"scale-from,omitempty"` // > 0: scales lie evenly from this share of the size to 1
	CarryState bool    `json:"carry-state"`          // the optimiser's, resampled: good for Adam; L-BFGS may overshoot on a net with sharp features
	Plateau    float64 `json:"plateau"`              // end a scale when 50 iterations gain less than this share; 0: never
}

// OptimizerOptions say how pixels move.
type OptimizerOptions struct {
	Optimizer  Optimizer `json:"optimizer"`   // OptimizerLBFGS ...
	LR         float64   `json:"lr"`          // learning rate, in 0..255 pixel values for Adam; step length for L-BFGS; 0: the usual
	History    int       `json:"history"`     // of L-BFGS: pairs of steps and gradients kept
	LineSearch bool      `json:"line-search"` // of L-BFGS
	Box        bool      `json:"box"`         // keep every pixel value within 0..255
	Beta1      float64   `json:"adam-beta1"`
	Beta2      float64   `json:"adam-beta2"`
	Epsilon    float64   `json:"adam-epsilon"`
	Average    float64   `json:"average"` // decay of the bias-corrected mean of iterates; 0: off
}

// NetworkOptions say how the network is run.
type NetworkOptions struct {
	Pooling   vgg.Pool `json:"pooling"`       // vgg.PoolAvg ...
	PoolScale float64  `json:"pool-scale"`    // factor after each pooling
	PoolRound Rounding `json:"pool-rounding"` // RoundFloor ...
	Padding   Padding  `json:"padding"`       // PadZero ...
	// Tile cuts images wider or higher than it: "1024" or "2048x512" pixels, ""
	// for as large as memory allows, "off" for never. The picture is the same
	// but for rounding.
	Tile string `json:"tile,omitempty"`

	ImageRange float64 `json:"image-range"` // value of white before the mean is taken off: 255, or neural-style's 256
}

// OptionNames lists the JSON names of the options, in the order of a recipe.
func OptionNames() []string {
	fields := optionFields()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// Field returns a pointer to the field with that JSON name: a *float64, *int,
// *[]LayerWeight and so on. It is nil where no option has the name.
func (o *Options) Field(name string) any {
	for _, f := range optionFields() {
		if f.name == name {
			return reflect.ValueOf(o).Elem().FieldByIndex(f.index).Addr().Interface()
		}
	}
	return nil
}

// value is that of the option with that JSON name, nil where none has it.
func (o Options) value(name string) any {
	if p := o.Field(name); p != nil {
		return reflect.ValueOf(p).Elem().Interface()
	}
	return nil
}

// optionField is a field of Options, by its JSON name.
type optionField struct {
	name  string
	index []int
}

var optionFields = sync.OnceValue(func() []optionField {
	var list []optionField
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Options]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			list = append(list, optionField{name, f.Index})
		}
	}
	return list
})

// LayerWeight is a layer of the network and the share its loss has.
// As text it is "relu3_1" (weight 1) or "relu3_1:0.5".
type LayerWeight struct {
	Layer  string
	Weight float64
}

func (l LayerWeight) String() string {
	if l.Weight == 1 {
		return l.Layer
	}
	return l.Layer + ":" + strconv.FormatFloat(l.Weight, 'g', -1, 64)
}

// MarshalText writes the flag's form.
func (l LayerWeight) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the flag's form.
func (l *LayerWeight) UnmarshalText(text []byte) error {
	name, weight, weighted := strings.Cut(strings.TrimSpace(string(text)), ":")
	*l = LayerWeight{Layer: canonicalLayer(name), Weight: 1}
	if !weighted {
		return nil
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
	if err != nil {
		return fmt.Errorf("layer weight %q is not a number", weight)
	}
	l.Weight = w
	return nil
}

// ParseLayers reads a flag such as "relu1_1,3_1:0.5,conv4_1".
func ParseLayers(text string) ([]LayerWeight, error) {
	var layers []LayerWeight
	for field := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(field) == "" {
			continue
		}
		var l LayerWeight
		if err := l.UnmarshalText([]byte(field)); err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// canonicalLayer spells conv3_1 and 3_1 as relu3_1: losses are always taken
// after the rectifier, as in all the systems the presets follow.
func canonicalLayer(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "relu"), "conv")
	if len(bare) == 3 && bare[1] == '_' {
		return "relu" + bare
	}
	return name
}

// Range is an interval of pixel values. As text it is "0:255".
type Range struct{ Lo, Hi float64 }

func (r Range) String() string {
	return strconv.FormatFloat(r.Lo, 'g', -1, 64) + ":" + strconv.FormatFloat(r.Hi, 'g', -1, 64)
}

// MarshalText writes the flag's form.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the flag's form.
func (r *Range) UnmarshalText(text []byte) error {
	lo, hi, ok := strings.Cut(string(text), ":")
	low, err := strconv.ParseFloat(strings.TrimSpace(lo), 64)
	high, err2 := strconv.ParseFloat(strings.TrimSpace(hi), 64)
	if !ok || err != nil || err2 != nil || math.IsNaN(low+high) {
		return fmt.Errorf("range %q is not two numbers such as 0:255", text)
	}
	*r = Range{low, high}
	return nil
}
