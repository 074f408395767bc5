package style

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/wording"
	"github.com/impasto/impasto/vgg"
)

// PresetNames lists the presets, Impasto's own first.
func PresetNames() []string {
	return []string{"default", "best", "gatys", "jj", "pt", "cp", "spst", "spst-fast", "cnnmrf", "cnnmrf-trans", "nd", "ia"}
}

// gatysStyleLayers returns the five style layers of Gatys et al., which most later
// systems use too.
func gatysStyleLayers(weights ...float64) []LayerWeight {
	layers := make([]LayerWeight, 5)
	for i := range layers {
		layers[i] = LayerWeight{fmt.Sprintf("relu%d_1", i+1), 1}
		if len(weights) == 5 {
			layers[i].Weight = weights[i]
		}
	}
	return layers
}

// DefaultOptions returns the options to start from in a mode. device is "cpu" or
// "cuda"; network is "vgg19" or "mini". Sizes and iterations suit the device. The
// losses do not depend on it.
func DefaultOptions(mode Mode, device, network string) Options {
	o := Options{Mode: mode, Preset: "default", Size: "384"}
	o.LossOptions = LossOptions{
		ContentWeight: 1,
		StyleWeight:   1,
		TVWeight:      1,
		ContentLayers: []LayerWeight{{"relu4_2", 1}},
		StyleLayers:   gatysStyleLayers(),
		StyleLoss:     LossGram,
		W2Root:        RootFast,
		ContentLoss:   ContentFeatures,
		LossScale:     ScaleRelative,
		Normalize:     NormalizeOff,
		TV:            TVSquares,
		TVInLoss:      true,
	}
	o.MixOptions = MixOptions{StyleBlend: BlendTargets, StyleScale: 1}
	o.StartOptions = StartOptions{Init: InitContent, NoiseRange: Range{0, 255}, Seed: 1, Color: ColorStyle, ColorSpace: ColorOklab}
	o.ScaleOptions = ScaleOptions{Iterations: []int{200, 100, 60}, ScaleStep: 2, MinScale: 96, ScaleSide: SideLong, Plateau: 1e-4}
	o.OptimizerOptions = OptimizerOptions{
		Optimizer:  OptimizerLBFGS,
		History:    10,
		LineSearch: true, // costs no time while full steps are good
		Box:        true,
		Beta1:      0.9,
		Beta2:      0.99,
		Epsilon:    1e-8,
	}
	o.NetworkOptions = NetworkOptions{Pooling: vgg.PoolAvg, PoolScale: 1, PoolRound: RoundFloor, Padding: PadZero, ImageRange: 255}
	if device == "cuda" {
		o.Size = "1024"
		o.Iterations = []int{500, 300, 200, 150}
	}
	if network == "mini" {
		o.TVWeight = 4 // mini has a tenth of VGG19's filters and sees fewer fine patterns
	}
	if !matches(mode) {
		cleanDefaults(&o, network)
	}
	if mode == ModeTexture {
		o.Init = InitNoise
		o.ContentWeight = 0
		o.ContentLayers = nil
		o.Tileable, o.LayerPositions = true, 8
	}
	if matches(mode) {
		patchDefaults(&o, device)
	}
	return o
}

// cleanDefaults sets Impasto's defaults for modes that match no patches. With these
// values flat areas had the least noise after the same time, and the result was near
// the painting; see docs/looks.md.
func cleanDefaults(o *Options, network string) {
	if o.Mode != ModeTexture {
		o.UseStyleLoss(LossMoments, network)
		return
	}
	o.StyleLoss, o.TVWeight = LossCovariance, 16 // without a photograph there is no detail to spare
	if network == "mini" {
		o.TVWeight = 20
	}
}

// UseStyleLoss sets a style loss and the weights of content and of smoothness that go
// with it on a network, "vgg19" or "mini". The moments loss is a sum of three, so the
// other terms have larger weights with it. Only ModeArt changes these weights.
// LossSliced also sets the style layers, to SlicedLayers.
func (o *Options) UseStyleLoss(loss StyleLoss, network string) {
	o.useSlicedLayers(o.StyleLoss, loss, network)
	o.StyleLoss = loss
	if o.Mode != ModeArt {
		return
	}
	onVGG19, onMini := artWeights{1.2, 50, 0.95}, artWeights{1.2, 70, 0.95}
	if loss == LossMoments {
		onVGG19, onMini = artWeights{1.5, 180, 0.96}, artWeights{2, 700, 0.985}
	}
	use := onVGG19
	if network == "mini" {
		use = onMini
	}
	o.ContentWeight, o.TVWeight, o.TVSpare = use.content, use.tv, use.spare
}

// artWeights are the weights of content and smoothness that go with a style loss.
type artWeights struct{ content, tv, spare float64 }

// bestSupersample is the Supersample of the preset "best".
const bestSupersample = 1.5

// Best returns the options of the preset "best", given the default options of a mode.
// A picture is painted larger, through scales that are as much larger, and then reduced:
// edges and strokes are clearer, in about twice the time. Frames of films and the other
// modes make three times the iterations instead, which changes them little. See
// docs/looks.md.
func Best(o Options) Options {
	o.Preset = "best"
	if o.Mode == ModeArt && o.TemporalWeight == 0 {
		o.Supersample = bestSupersample
		o.MinScale = atLeastOne(bestSupersample * float64(o.MinScale))
		return o
	}
	o.Iterations = slices.Clone(o.Iterations)
	for i := range o.Iterations {
		o.Iterations[i] *= 3
	}
	o.Plateau /= 10
	return o
}

// Preset returns the options that reproduce another system: its formulas, scaling,
// layers, weights, optimiser and sizes together, because its weights mean nothing
// without the rest. The weights expect that system's network: VGG-19 as published for
// all but cp, which uses torchvision's.
//
//	best   not another system: the default, painted larger and reduced; see Best
//	gatys  Gatys, Ecker, Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016
//	jj     jcjohnson/neural-style
//	pt     ProGamerGov/neural-style-pt
//	cp     crowsonkb/style-transfer-pytorch
//	spst, spst-fast  Galerne et al., "Scaling Painting Style Transfer", 2022; the second with fewer iterations
//
// The following match patches, each in its own mode (see patch_presets.go):
//
//	cnnmrf, cnnmrf-trans  chuanli11/CNNMRF, cnnmrf.lua and run_trans.lua: patch
//	nd                    alexjc/neural-doodle: doodle
//	ia                    awentzonline/image-analogies: analogy
func Preset(name string, mode Mode) (Options, error) {
	o := DefaultOptions(mode, "cpu", "vgg19")
	o.Preset = name
	if name == "default" {
		return o, nil
	}
	if name == "best" {
		return Best(o), nil
	}
	o.StyleLoss, o.W2Root, o.ColorSpace, o.TVSpare = LossGram, RootFull, ColorYUV, 0
	o.Tileable, o.LayerPositions = false, 0
	switch name {
	case "gatys":
		gatys(&o)
	case "jj":
		neuralStyle(&o)
	case "pt":
		neuralStyle(&o)
		o.ImageRange = 255
		o.TV, o.TVInLoss = TVL1, true
		o.PoolRound = RoundFloor
	case "cp":
		crowson(&o)
	case "spst":
		scalingPainting(&o)
	case "spst-fast":
		scalingPainting(&o)
		o.Iterations = []int{600, 200, 66, 30}
	case "cnnmrf":
		cnnmrf(&o)
	case "cnnmrf-trans":
		cnnmrf(&o)
		o.ContentLayers = []LayerWeight{{"relu4_2", 1}}
		o.StyleRotations, o.StyleScales = 1, 1
	case "nd":
		neuralDoodle(&o)
	case "ia":
		imageAnalogies(&o)
	default:
		return Options{}, Problems{unknownPreset(name)}
	}
	if known := PresetsFor(mode); !slices.Contains(known, name) {
		return Options{}, Problems{{
			Option: "preset", Value: name,
			Reason: fmt.Sprintf("preset %q is not for %s; that has %s", name, mode, strings.Join(known, ", ")),
			Try:    []Suggestion{{"preset", known[len(known)-1], ""}},
		}}
	}
	if mode == ModeTexture {
		o.ContentWeight, o.ContentLayers = 0, nil
		if o.Init == InitContent {
			o.Init = InitNoise
		}
	}
	return o, nil
}

// gatys sets the options of Gatys et al. The losses are sums of squared errors of Gram
// matrices that are not normalised, each style layer over 4 N^2 M^2 with weight 1/5. It
// uses average pooling and begins with white noise.
func gatys(o *Options) {
	single(o, "512", 500)
	o.ContentWeight, o.StyleWeight, o.TVWeight = 1, 1e3, 0
	o.LossScale = ScalePaper
	o.StyleLayers = gatysStyleLayers(0.2, 0.2, 0.2, 0.2, 0.2)
	o.Init = InitNoise
	o.History = 100
}

// neuralStyle sets the options of neural-style. The losses are means of squared errors
// of Gram matrices over C*H*W. The total variation is used only through its gradient.
// White is 256 above black. It uses Torch7's L-BFGS and begins with near-grey noise.
func neuralStyle(o *Options) {
	single(o, "512", 1000)
	o.ContentWeight, o.StyleWeight, o.TVWeight = 5, 100, 1e-3
	o.LossScale = ScaleMean
	o.TVInLoss = false
	o.Init, o.NoiseStd = InitNoise, 1e-3
	o.History = 100
	o.Beta2 = 0.999
	o.Pooling, o.PoolRound = vgg.PoolMax, RoundCeil
	o.ImageRange = 256
	o.StyleUpscale = true
}

// crowson sets the options of style-transfer-pytorch: Wasserstein-2 style loss, Adam
// with averaged iterates, and scales sqrt 2 apart. That system's pixels are 0..1. Its
// learning rate 0.02 and Adam's epsilon 1e-8 become 5.1 and 1e-8/255 here, since
// gradients shrink as values grow.
func crowson(o *Options) {
	o.Size = "512"
	o.Iterations = []int{1000, 500}
	o.ScaleStep, o.MinScale = 1.4142135623730951, 128
	o.Plateau = 0
	o.ContentWeight, o.StyleWeight, o.TVWeight = 0.015, 1, 2
	o.LossScale = ScaleMean
	o.StyleLoss = LossW2
	o.StyleLayers = gatysStyleLayers(256./341, 64./341, 16./341, 4./341, 1./341)
	o.TV = TVStencil
	o.Optimizer, o.LR, o.LineSearch = OptimizerAdam, 5.1, false
	o.Beta1, o.Beta2, o.Epsilon = 0.9, 0.99, 1e-8/255
	o.Average = 0.99
	o.CarryState = true
	o.Pooling, o.Padding = vgg.PoolMax, PadReplicate
}

// scalingPainting sets the options of Galerne et al. The style loss compares Gram
// matrices, means and standard deviations, without a smoothness term. It begins with
// the photograph. Scales double from a short side of 512 to 1023, and paintings are
// sized by their short side too. That system keeps a history of 100 at the first scale
// and 10 at the others.
func scalingPainting(o *Options) {
	o.Size = "1024"
	o.Iterations = []int{600, 300}
	o.MinScale, o.ScaleSide = 512, SideShort
	o.Plateau = 0
	o.ContentWeight, o.StyleWeight, o.TVWeight = 1, 1, 0
	o.LossScale, o.StyleLoss = ScaleMean, LossMoments
	o.Box, o.LineSearch = false, false
	o.Pooling = vgg.PoolMax
}

// single sets one scale with a fixed number of iterations and without bounds, as in the
// systems before pyramids.
func single(o *Options, size string, iterations int) {
	o.Size = size
	o.Scales = 1
	o.Iterations = []int{iterations}
	o.Plateau = 0
	o.Box, o.LineSearch = false, false
}

func unknownPreset(name string) *OptionError {
	return &OptionError{
		Option: "preset", Value: name,
		Reason: fmt.Sprintf("unknown preset %q; there are %s", name, strings.Join(PresetNames(), ", ")),
		Try:    nearest("preset", name, PresetNames()),
	}
}

// nearest suggests the known name that is most like the given one.
func nearest(option, name string, known []string) []Suggestion {
	if best := wording.Nearest(name, known); best != "" {
		return []Suggestion{{option, best, ""}}
	}
	return nil
}
