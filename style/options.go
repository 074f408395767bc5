package style

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The values an option may take. They are plain strings because they are
// spelled the same on the command line, in a recipe and in Go.
const (
	ModeArt     = "art"     // a photograph painted after one or more paintings
	ModeTexture = "texture" // the look of a painting alone, at any size
	ModePatch   = "patch"   // a photograph rebuilt from the most similar patches of paintings
	ModeDoodle  = "doodle"  // a painting from a map of regions
	ModeAnalogy = "analogy" // A is to A' as B is to the result

	LossGram = "gram" // correlations of features: where things are is thrown away
	LossW2   = "w2"   // Wasserstein-2 distance of Gaussians: mean and covariance

	ScaleRelative = "relative" // every layer's error over the target's own size
	ScalePaper    = "paper"    // sums, as Gatys, Ecker and Bethge print them
	ScaleMean     = "mean"     // means, as neural-style computes them
	ScaleSum      = "sum"      // sums, as image-analogies computes them

	MatchPatch = "patch" // cosine of whole patches (Li & Wand)
	MatchPixel = "pixel" // mean cosine of their pixels (neural-doodle); maps count beside features

	MapLabels    = "labels"    // maps have a channel for each region
	MapColours   = "colours"   // maps are told apart by the distance of their values
	MapDirection = "direction" // by the angle between them (neural-doodle)

	BlendTargets = "targets" // one target, the weighted mean of the styles' targets
	BlendLosses  = "losses"  // one loss for each style, weighted

	NormalizeOff  = "off"
	NormalizeL1   = "l1"   // each layer's gradient has L1 norm 1 (neural-style)
	NormalizeMean = "mean" // each layer's gradient has mean magnitude 1 (style_transfer)

	TVL1      = "l1"      // |dx| + |dy|
	TVSquares = "l2"      // (dx^2 + dy^2) / 2
	TVPower   = "1.25"    // (dx^2 + dy^2)^1.25
	TVInner   = "inner"   // the same, without the last row and column (neural-doodle, image-analogies)
	TVStencil = "stencil" // nine-point sum of squares on pixels 0..1

	InitContent = "content"
	InitNoise   = "noise"
	InitStyle   = "style"
	InitGray    = "gray"
	InitFile    = "file" // Inputs.Init

	ColorStyle   = "style"   // colours of the painting
	ColorContent = "content" // luma of the result, chroma of the photograph
	ColorMatch   = "match"   // paintings recoloured to the photograph's mean and covariance first

	PoolMax = "max"
	PoolAvg = "avg"
	PoolL2  = "l2"

	RoundFloor = "floor" // odd row or column dropped (PyTorch)
	RoundCeil  = "ceil"  // odd row or column pooled alone (Caffe, Torch7)

	PadZero      = "zero"
	PadReplicate = "replicate" // first convolution only; the others pad with zeros

	OptimizerLBFGS = "lbfgs"
	OptimizerAdam  = "adam"
)

// Options are all the parameters that decide a picture, apart from the input
// pictures and the network. Their JSON names are the command's flags, so the
// JSON form of an Options is the parameter part of a recipe: the same Options,
// inputs and network give the same picture.
//
// Weights read as "1 = balanced" under ScaleRelative: they do not depend on
// the picture's size nor on the network's units.
type Options struct {
	Mode   string `json:"mode"`
	Preset string `json:"preset"`
	Size   string `json:"size"` // picture.ParseSize's grammar, of the content (or of the first style)

	// total = content-weight * content + style-weight * style + patch-weight * patches
	//	+ analogy-weight * analogy + temporal-weight * temporal + tv-weight * tv
	ContentWeight float64       `json:"content-weight"` // alpha
	StyleWeight   float64       `json:"style-weight"`   // beta
	TVWeight      float64       `json:"tv-weight"`
	ContentLayers []LayerWeight `json:"content-layers"`
	StyleLayers   []LayerWeight `json:"style-layers"`
	StyleLoss     string        `json:"style-loss"`
	LossScale     string        `json:"loss-scale"`
	Normalize     string        `json:"normalize-gradients"`
	TV            string        `json:"tv"`
	TVInLoss      bool          `json:"tv-in-loss"` // false: only its gradient acts (neural-style)

	StyleWeights []float64 `json:"style-weights,omitempty"` // one for each style; none means equal
	StyleBlend   string    `json:"style-blend"`
	StyleScale   float64   `json:"style-scale"`   // style's long side over the canvas's
	StyleUpscale bool      `json:"style-upscale"` // enlarge styles smaller than that

	PatchWeight    float64       `json:"patch-weight,omitempty"`
	PatchLayers    []LayerWeight `json:"patch-layers,omitempty"`
	PatchSize      int           `json:"patch-size,omitempty"`
	PatchStride    []int         `json:"patch-stride,omitempty"`  // on the canvas, for each patch layer; the last repeats
	StyleStride    []int         `json:"style-stride,omitempty"`  // in the paintings
	PatchAverage   bool          `json:"patch-average,omitempty"` // overlapping patches count as one (CNNMRF)
	Match          string        `json:"match,omitempty"`
	Rematch        int           `json:"rematch,omitempty"`         // iterations that matches are held
	Confidence     float64       `json:"confidence,omitempty"`      // patches that match less well have no say
	Variety        float64       `json:"variety,omitempty"`         // favour patches that are wanted little
	StyleRotations int           `json:"style-rotations,omitempty"` // turned views of the paintings to each side, 7.5 degrees apart
	StyleScales    int           `json:"style-scales,omitempty"`    // smaller and larger views, 5 % apart
	MapWeight      float64       `json:"map-weight,omitempty"`
	MapLayers      []LayerWeight `json:"map-layers,omitempty"` // factors of it by layer; 1 where not named
	MapForm        string        `json:"map-form,omitempty"`
	MapWeights     []float64     `json:"map-weights,omitempty"`   // of several guides, times map-weight
	RegionStyles   string        `json:"region-styles,omitempty"` // painting of each region, in the words of whoever made the guide: see StylePerRegion
	AnalogyWeight  float64       `json:"analogy-weight,omitempty"`
	TemporalWeight float64       `json:"temporal-weight,omitempty"` // of Inputs.Earlier, where there is one

	Init       string  `json:"init"`
	NoiseRange Range   `json:"noise-range"` // uniform noise, in 0..255
	NoiseStd   float64 `json:"noise-std"`   // > 0: normal noise round the network's mean instead
	Seed       uint64  `json:"seed"`
	Color      string  `json:"color"`

	Iterations []int   `json:"iterations"`           // of each scale, coarsest first; the last repeats
	Scales     int     `json:"scales"`               // 0: as many as MinScale allows
	ScaleStep  float64 `json:"scale-step"`           // ratio of neighbouring scales
	MinScale   int     `json:"min-scale"`            // least long side of the coarsest scale, in pixels
	ScaleFrom  float64 `json:"scale-from,omitempty"` // > 0: scales lie evenly from this share of the size to 1
	CarryState bool    `json:"carry-state"`          // the optimiser's, resampled: good for Adam; L-BFGS may overshoot on a net with sharp features
	Plateau    float64 `json:"plateau"`              // end a scale when 50 iterations gain less than this share; 0: never

	Optimizer  string  `json:"optimizer"`
	LR         float64 `json:"lr"` // in 0..255 pixel values for Adam; step length for L-BFGS
	History    int     `json:"history"`
	LineSearch bool    `json:"line-search"`
	Box        bool    `json:"box"` // keep every pixel value within 0..255
	Beta1      float64 `json:"adam-beta1"`
	Beta2      float64 `json:"adam-beta2"`
	Epsilon    float64 `json:"adam-epsilon"`
	Average    float64 `json:"average"` // decay of the bias-corrected mean of iterates; 0: off

	Pooling   string  `json:"pooling"`
	PoolScale float64 `json:"pool-scale"` // factor after each pooling
	PoolRound string  `json:"pool-rounding"`
	Padding   string  `json:"padding"`
	// Tile cuts images wider or higher than it: "1024" or "2048x512" pixels, ""
	// for as large as memory allows, "off" for never. The picture is the same
	// but for rounding.
	Tile string `json:"tile,omitempty"`

	ImageRange float64 `json:"image-range"` // value of white before the mean is taken off: 255, or neural-style's 256
}

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
