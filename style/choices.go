package style

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/vgg"
)

// Mode is a way of painting.
type Mode string

// The modes.
const (
	ModeArt     Mode = "art"     // a photograph painted after one or more paintings
	ModeTexture Mode = "texture" // the look of a painting alone, at any size
	ModePatch   Mode = "patch"   // a photograph rebuilt from the most similar patches of paintings
	ModeDoodle  Mode = "doodle"  // a painting from a map of regions
	ModeAnalogy Mode = "analogy" // A is to A' as B is to the result
)

// StyleLoss selects what the style loss compares of the features of two pictures.
type StyleLoss string

// The style losses. None of them depends on where in the picture a feature is.
const (
	LossGram       StyleLoss = "gram"       // correlations of channels
	LossCovariance StyleLoss = "covariance" // means and covariances of channels, each channel weighted; always ScaleRelative
	LossMoments    StyleLoss = "moments"    // Gram matrices, means and standard deviations of channels
	LossW2         StyleLoss = "w2"         // Wasserstein-2 distance of the normal distributions with these means and covariances
	LossSliced     StyleLoss = "sliced"     // sliced Wasserstein distance of whole distributions (Heitz et al. 2021)
)

// W2Root is how LossW2 computes roots of matrices.
type W2Root string

// The ways to compute roots. Pictures look alike with both.
const (
	RootFast W2Root = "fast" // factors of low rank and scaled steps; see gpu.W2Fast
	RootFull W2Root = "full" // whole matrices and plain steps; see gpu.W2Full
)

// ContentLoss selects what the content loss compares of the features of two pictures.
type ContentLoss string

// The content losses.
const (
	ContentFeatures ContentLoss = "features" // the features themselves, position by position
	ContentSelfSim  ContentLoss = "selfsim"  // how similar the features of one picture are to each other (STROTSS)
)

// LossScale is the unit of the losses.
type LossScale string

// The units of losses.
const (
	ScaleRelative LossScale = "relative" // every layer's error over the target's own size
	ScalePaper    LossScale = "paper"    // sums, as Gatys, Ecker and Bethge print them
	ScaleMean     LossScale = "mean"     // means, as neural-style computes them
	ScaleSum      LossScale = "sum"      // sums, as image-analogies computes them
)

// Match is how the similarity of two patches is measured.
type Match string

// The similarities of patches.
const (
	MatchPatch Match = "patch" // cosine of whole patches (Li & Wand)
	MatchPixel Match = "pixel" // mean cosine of their pixels (neural-doodle); maps are compared in addition to features
)

// MapForm is how the values of two maps are compared.
type MapForm string

// The comparisons of maps.
const (
	MapLabels    MapForm = "labels"    // a channel for each region: the same region or another
	MapColours   MapForm = "colours"   // distance of the values
	MapDirection MapForm = "direction" // angle between the values (neural-doodle)
)

// Blend is how the losses of several paintings are mixed.
type Blend string

// The mixtures of paintings.
const (
	BlendTargets Blend = "targets" // one target, the weighted mean of the paintings' targets
	BlendLosses  Blend = "losses"  // one loss for each painting, weighted
)

// Normalization is how the gradient of each layer's loss is scaled.
type Normalization string

// The normalisations of gradients.
const (
	NormalizeOff  Normalization = "off"
	NormalizeL1   Normalization = "l1"   // to an L1 norm of 1 (neural-style)
	NormalizeMean Normalization = "mean" // to a mean magnitude of 1 (style_transfer)
)

// TotalVariation is a measure of noise: a sum over pixels of their differences dx and
// dy to the next pixels.
type TotalVariation string

// The total variations.
const (
	TVL1      TotalVariation = "l1"      // |dx| + |dy|
	TVSquares TotalVariation = "l2"      // (dx^2 + dy^2) / 2
	TVPower   TotalVariation = "1.25"    // (dx^2 + dy^2)^1.25
	TVInner   TotalVariation = "inner"   // as TVPower, without the last row and column (neural-doodle, image-analogies)
	TVStencil TotalVariation = "stencil" // nine-point sum of squares on pixels 0..1
)

// Init is the picture that painting begins with.
type Init string

// The pictures to begin with.
const (
	InitContent Init = "content"
	InitNoise   Init = "noise"
	InitStyle   Init = "style" // the first painting
	InitGray    Init = "gray"
	InitFile    Init = "file" // Inputs.Init
)

// Color is where the colours of the result come from.
type Color string

// The sources of colours.
const (
	ColorStyle   Color = "style"   // the painting
	ColorContent Color = "content" // luma of the result, chroma of the photograph
	ColorMatch   Color = "match"   // paintings recoloured to the photograph's mean and covariance first
)

// Rounding is what pooling does with an odd row or column.
type Rounding string

// The roundings of pooling.
const (
	RoundFloor Rounding = "floor" // it is dropped (PyTorch)
	RoundCeil  Rounding = "ceil"  // it is pooled alone (Caffe, Torch7)
)

// Padding is what the first convolution sees beyond the edge of the picture. All
// other convolutions see zeros.
type Padding string

// The paddings of the first convolution.
const (
	PadZero      Padding = "zero"
	PadReplicate Padding = "replicate" // the pixels of the edge
)

// Side is one of the sides of a picture.
type Side string

// The sides.
const (
	SideLong  Side = "long"
	SideShort Side = "short"
)

// Optimizer is the algorithm that changes the pixels.
type Optimizer string

// The optimisers.
const (
	OptimizerLBFGS Optimizer = "lbfgs"
	OptimizerAdam  Optimizer = "adam"
)

// Flow is how a frame of a film begins with the frame before it.
type Flow string

// The ways from one frame to the next.
const (
	FlowDense Flow = "dense" // the frame before, moved along optical flow
	FlowNone  Flow = "none"  // the frame before as it is
)

// choices lists the values of every option that takes one of a few words, in the order
// of the help. The checks of Validate and the command's flags derive from it. A new
// value needs a constant above and a word here.
var choices = []wordOption{
	{"mode", words(ModeArt, ModeTexture, ModePatch, ModeDoodle, ModeAnalogy), false},
	{"method", words(MethodLosses, MethodNNST), false},
	{"style-loss", words(LossGram, LossCovariance, LossMoments, LossW2, LossSliced), false},
	{"w2-root", words(RootFast, RootFull), false},
	{"content-loss", words(ContentFeatures, ContentSelfSim), false},
	{"loss-scale", words(ScaleRelative, ScalePaper, ScaleMean, ScaleSum), false},
	{"style-blend", words(BlendTargets, BlendLosses), false},
	{"normalize-gradients", words(NormalizeOff, NormalizeL1, NormalizeMean), false},
	{"tv", words(TVL1, TVSquares, TVPower, TVInner, TVStencil), false},
	{"init", words(InitContent, InitNoise, InitStyle, InitGray, InitFile), false},
	{"color", words(ColorStyle, ColorContent, ColorMatch), false},
	{"color-space", words(ColorYUV, ColorOklab), false},
	{"pooling", words(vgg.PoolMax, vgg.PoolAvg, vgg.PoolL2), false},
	{"pool-rounding", words(RoundFloor, RoundCeil), false},
	{"padding", words(PadZero, PadReplicate), false},
	{"scale-side", words(SideLong, SideShort), false},
	{"optimizer", words(OptimizerLBFGS, OptimizerAdam), false},
	{"match", words(MatchPatch, MatchPixel), true},
	{"map-form", words(MapLabels, MapColours, MapDirection), true},
	{"flow", words(FlowDense, FlowNone), false},
}

// omitted are options that recipes of older versions do not have. If they are empty,
// the picture is painted as by those versions.
var omitted = map[string]bool{"method": true, "color-space": true, "content-loss": true, "scale-side": true, "w2-root": true}

// wordOption is an option that takes one of a few words.
type wordOption struct {
	option  string
	words   []string
	patches bool // it is an option of patch losses only
}

// Choices lists the values of an option that takes one of a few words, by its
// JSON name. It is nil for any other option.
func Choices(option string) []string {
	for _, c := range choices {
		if c.option == option {
			return slices.Clone(c.words)
		}
	}
	return nil
}

func words[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

// choices checks the options that take one of a few words: those of all modes, or with
// patches those of patch losses.
func (c *checker) choices(o Options, patches bool) {
	for _, choice := range choices {
		field := o.value(choice.option)
		if field == nil || choice.patches != patches {
			continue
		}
		if word := fmt.Sprint(field); word != "" || !omitted[choice.option] {
			c.oneOf(choice.option, word)
		}
	}
}

func (c *checker) oneOf(option, value string) {
	if known := Choices(option); !slices.Contains(known, value) {
		c.add(option, nearest(option, value, known), "%s %q is not one of %s", option, value, strings.Join(known, ", "))
	}
}
