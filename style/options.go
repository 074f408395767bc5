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
// inputs and network give the same picture. The groups are embedded, so
// o.StyleWeight is o.LossOptions.StyleWeight, and the JSON form is flat.
//
// With ScaleRelative a weight of 1 is about balanced, whatever the picture's size
// and the network's units.
//
// Begin with DefaultOptions or Preset and change single fields; the zero Options is
// not valid.
type Options struct {
	Mode   Mode   `json:"mode"`   // ModeArt ...; Art, Texture, Patch, Doodle and Analogy set it
	Preset string `json:"preset"` // the preset of the values, for information only
	Size   string `json:"size"`   // of the result, with the proportions of the content (or the first style): "512" (long side), "640x480", "2x", "50%", "content", "512+" (area) or "max"

	LossOptions
	MixOptions
	PatchOptions
	NeighbourOptions

	TemporalWeight float64 `json:"temporal-weight,omitempty"` // weight of likeness to Inputs.Earlier, if there is one

	StartOptions
	ScaleOptions
	OptimizerOptions
	NetworkOptions
}

// LossOptions are the terms of the objective and their weights:
//
//	total = content-weight * content + style-weight * style + patch-weight * patches
//		+ analogy-weight * analogy + temporal-weight * temporal + tv-weight * tv
type LossOptions struct {
	ContentWeight float64        `json:"content-weight"`     // alpha
	StyleWeight   float64        `json:"style-weight"`       // beta
	TVWeight      float64        `json:"tv-weight"`          // weight of the total variation, a measure of noise
	TVSpare       float64        `json:"tv-spare,omitempty"` // how far detail of the photograph is not smoothed by TVWeight: 1 not at all, 0 like the rest
	ContentLayers []LayerWeight  `json:"content-layers"`
	StyleLayers   []LayerWeight  `json:"style-layers"`
	StyleLoss     StyleLoss      `json:"style-loss"`             // LossGram ...
	SlicedHold    int            `json:"sliced-hold,omitempty"`  // iterations that LossSliced keeps its directions; 0: all of a scale
	W2Root        W2Root         `json:"w2-root,omitempty"`      // RootFull (also "") or RootFast
	ContentLoss   ContentLoss    `json:"content-loss,omitempty"` // ContentFeatures (also "") or ContentSelfSim
	LossScale     LossScale      `json:"loss-scale"`             // ScaleRelative ...
	Normalize     Normalization  `json:"normalize-gradients"`    // NormalizeOff ...
	TV            TotalVariation `json:"tv"`                     // TVSquares ...
	TVInLoss      bool           `json:"tv-in-loss"`             // false: only its gradient is used (neural-style)
}

// MixOptions say how paintings are sized and mixed.
type MixOptions struct {
	StyleWeights   []float64 `json:"style-weights,omitempty"`   // one for each style; none means equal
	StyleBlend     Blend     `json:"style-blend"`               // BlendTargets ...
	StyleScale     float64   `json:"style-scale"`               // side of a painting over that of the canvas, as ScaleSide measures them
	Tileable       bool      `json:"tileable,omitempty"`        // a texture repeats without seams
	LayerPositions float64   `json:"layer-positions,omitempty"` // positions for each channel with which a style layer has its full weight; with fewer it has less; 0: always its full weight
	StyleUpscale   bool      `json:"style-upscale"`             // enlarge paintings that are smaller than StyleScale asks for
}

// PatchOptions are for the modes that match patches: ModePatch, ModeDoodle and
// ModeAnalogy.
type PatchOptions struct {
	PatchWeight    float64       `json:"patch-weight,omitempty"`
	PatchLayers    []LayerWeight `json:"patch-layers,omitempty"`
	PatchSize      int           `json:"patch-size,omitempty"`      // side, in positions of the layer
	PatchStride    []int         `json:"patch-stride,omitempty"`    // distance between patches of the canvas at each patch layer; the last value repeats
	StyleStride    []int         `json:"style-stride,omitempty"`    // distance between patches of the paintings
	PatchAverage   bool          `json:"patch-average,omitempty"`   // average overlapping patches into one target (CNNMRF)
	Match          Match         `json:"match,omitempty"`           // MatchPatch ...
	Rematch        int           `json:"rematch,omitempty"`         // iterations between two matchings
	Confidence     float64       `json:"confidence,omitempty"`      // cosine below which a match is left out
	Variety        float64       `json:"variety,omitempty"`         // preference for unused patches, 0 to 1
	StyleRotations int           `json:"style-rotations,omitempty"` // copies of the paintings turned to each side, 7.5 degrees apart
	StyleScales    int           `json:"style-scales,omitempty"`    // smaller and larger copies of the paintings, 5 % apart
	MapWeight      float64       `json:"map-weight,omitempty"`
	MapLayers      []LayerWeight `json:"map-layers,omitempty"`    // factors of MapWeight by layer; 1 for other layers
	MapForm        MapForm       `json:"map-form,omitempty"`      // MapLabels ...
	MapWeights     []float64     `json:"map-weights,omitempty"`   // factors of MapWeight for several guides
	RegionStyles   string        `json:"region-styles,omitempty"` // painting of each region, as text; see StylePerRegion
	AnalogyWeight  float64       `json:"analogy-weight,omitempty"`
}

// NeighbourOptions choose nearest-neighbour style transfer and hold its parameters.
type NeighbourOptions struct {
	Method      Method `json:"method,omitempty"`       // "" is MethodLosses
	Refine      int    `json:"refine,omitempty"`       // last iterations, at full size, each of which finds new matches
	StyleTurns  bool   `json:"style-turns,omitempty"`  // also match the paintings turned by 90, 180 and 270 degrees
	ColorFinish bool   `json:"color-finish,omitempty"` // give the result the mean and covariance of the paintings' colours
}

// StartOptions choose the picture that the first iteration begins with, and the colours
// of the result.
type StartOptions struct {
	Init       Init       `json:"init"`        // InitContent ...
	NoiseRange Range      `json:"noise-range"` // of uniform noise, in 0..255
	NoiseStd   float64    `json:"noise-std"`   // > 0: normal noise around the network's mean, instead of uniform noise
	Seed       uint64     `json:"seed"`
	Color      Color      `json:"color"`                 // ColorStyle ...
	ColorSpace ColorSpace `json:"color-space,omitempty"` // "" is ColorYUV
}

// ScaleOptions choose the scales. The picture is painted small first, then larger and
// larger.
type ScaleOptions struct {
	Iterations []int   `json:"iterations"`           // of each scale, coarsest first; the last value repeats
	Scales     int     `json:"scales"`               // 0: as many as MinScale allows
	ScaleStep  float64 `json:"scale-step"`           // ratio of neighbouring scales
	MinScale   int     `json:"min-scale"`            // least side of the coarsest scale, in pixels, as ScaleSide measures it
	ScaleSide  Side    `json:"scale-side,omitempty"` // the side that MinScale and StyleScale measure: SideLong (also "") or SideShort
	ScaleFrom  float64 `json:"scale-from,omitempty"` // > 0: scales grow in even steps from this share of the size

	// Supersample is the side of the canvas over that of the result. The canvas is reduced
	// to the result by Lanczos resampling. 0 and 1 leave it as it is. Only ModeArt takes
	// more than 1.
	Supersample float64 `json:"supersample,omitempty"`

	CarryState bool    `json:"carry-state"` // keep the optimiser's state, resampled, from scale to scale: good for Adam; L-BFGS may overshoot
	Plateau    float64 `json:"plateau"`     // end a scale when 50 iterations lower the loss by less than this share; 0: never
}

// OptimizerOptions are the optimiser and its parameters.
type OptimizerOptions struct {
	Optimizer  Optimizer `json:"optimizer"`   // OptimizerLBFGS ...
	LR         float64   `json:"lr"`          // learning rate, for Adam in pixel values 0..255, for L-BFGS a factor of the step; 0: 5 for Adam, 1 for L-BFGS
	History    int       `json:"history"`     // L-BFGS: pairs of steps and gradients kept
	LineSearch bool      `json:"line-search"` // L-BFGS: search for a step that lowers the loss
	Box        bool      `json:"box"`         // keep every pixel value within 0..255
	Beta1      float64   `json:"adam-beta1"`
	Beta2      float64   `json:"adam-beta2"`
	Epsilon    float64   `json:"adam-epsilon"`
	Average    float64   `json:"average"` // decay of the bias-corrected mean of iterates; 0: off
}

// NetworkOptions say how the network is computed.
type NetworkOptions struct {
	Pooling   vgg.Pool `json:"pooling"`       // vgg.PoolAvg ...
	PoolScale float64  `json:"pool-scale"`    // factor after each pooling
	PoolRound Rounding `json:"pool-rounding"` // RoundFloor ...
	Padding   Padding  `json:"padding"`       // PadZero ...
	// Tile is the largest tile: "1024" or "2048x512" pixels, "" for as large as memory
	// allows, "off" for no tiles. The picture is the same except for rounding.
	Tile string `json:"tile,omitempty"`

	ImageRange float64 `json:"image-range"` // value of white before the mean is subtracted: 255, or 256 as in neural-style
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
// *[]LayerWeight and so on. It is nil if no option has the name.
func (o *Options) Field(name string) any {
	for _, f := range optionFields() {
		if f.name == name {
			return reflect.ValueOf(o).Elem().FieldByIndex(f.index).Addr().Interface()
		}
	}
	return nil
}

// value returns the value of the option with that JSON name, or nil.
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

// LayerWeight is a layer of the network and the weight of its loss.
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

// canonicalLayer returns relu3_1 for conv3_1 and 3_1. Losses are always computed after
// the rectifier, as in all the systems that presets reproduce.
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
