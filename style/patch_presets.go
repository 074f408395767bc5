package style

import "github.com/impasto/impasto/vgg"

// presetMode gives the mode of presets that are made for one mode. The others are for
// art and textures.
var presetMode = map[string]Mode{"cnnmrf": ModePatch, "cnnmrf-trans": ModePatch, "nd": ModeDoodle, "ia": ModeAnalogy}

// PresetsFor lists the presets that a mode can paint with, Impasto's own first.
func PresetsFor(mode Mode) []string {
	var names []string
	for _, name := range PresetNames() {
		if own := presetMode[name]; name == "default" || name == "best" || own == mode || own == "" && !matches(mode) {
			names = append(names, name)
		}
	}
	return names
}

// mrfLayers returns the layers of Li & Wand, which later programs use too.
func mrfLayers(weight float64) []LayerWeight {
	return []LayerWeight{{"relu3_1", weight}, {"relu4_1", weight}}
}

// patchDefaults sets Impasto's defaults for patch, doodle and analogy. Matches are held
// for a few iterations, since nearly all would stay the same. In that time the
// objective also stays the one that the optimiser measured.
func patchDefaults(o *Options, device string) {
	o.StyleWeight = 0
	o.PatchWeight = 1
	o.PatchLayers = mrfLayers(1)
	o.PatchSize = 3
	o.PatchStride, o.StyleStride = []int{1}, []int{1}
	o.Match = MatchPatch
	o.MapForm = MapLabels
	o.Rematch = 5
	o.LineSearch = false // after new matches, the loss that the search began from is of another objective
	o.TVWeight /= 2
	o.Plateau = 0
	o.Iterations = []int{100, 60, 40}
	if device == "cuda" {
		o.Iterations = []int{200, 150, 100, 80}
	}
	switch o.Mode {
	case ModeDoodle:
		o.Match, o.MapWeight = MatchPixel, 10
		o.ContentWeight, o.Init = 0, InitNoise
	case ModeAnalogy:
		o.Match, o.MapWeight, o.MapForm = MatchPixel, 10, MapColours
		o.ContentWeight, o.Init = 0, InitNoise
	}
}

// cnnmrf sets the options of CNNMRF. Its loss is 1/2 the squared distance to the mean
// of the overlapping patches, at the layers' own scale. Patches are two positions
// apart. It paints three octaves from the photograph, with Torch7's L-BFGS without
// bounds.
func cnnmrf(o *Options) {
	o.Size, o.Scales = "384", 3
	o.Iterations = []int{100}
	o.ContentWeight, o.TVWeight = 20, 1e-3
	o.ContentLayers = []LayerWeight{{"relu4_1", 1}}
	o.LossScale, o.TVInLoss = ScaleMean, false
	o.PatchWeight, o.PatchAverage = 1e-4, true
	o.PatchStride, o.StyleStride = []int{2}, []int{2}
	o.Rematch = 1
	o.Init = InitContent
	o.History, o.Box = 25, false
	o.Pooling, o.PoolRound = vgg.PoolMax, RoundCeil
	o.ImageRange = 256
	o.StyleUpscale = true
}

// neuralDoodle sets the options of neural-doodle. Pixels of patches and maps are scaled
// to unit length. The losses are means of squared errors, weighted 25 to 10 to 1. It
// begins with noise in 16..240 and has three phases of a hundred evaluations, each
// twice as large as the one before, with pixels within 0..255.
func neuralDoodle(o *Options) {
	o.Size, o.Scales = "512", 3
	o.Iterations = []int{100}
	o.PatchWeight, o.ContentWeight, o.TVWeight = 25, 10, 1
	o.LossScale, o.TV = ScaleMean, TVInner
	o.Match, o.MapForm, o.MapWeight = MatchPixel, MapDirection, 10
	o.Rematch = 1
	o.Init, o.NoiseRange = InitNoise, Range{16, 240}
	o.History = 5
	o.Pooling = vgg.PoolAvg
}

// imageAnalogies sets the options of image-analogies. The losses are sums of squares.
// The canvas is pulled towards A' where A looks like B, and half as much towards
// patches of A' anywhere. There are no maps, and three scales at even distances.
func imageAnalogies(o *Options) {
	o.Size, o.Scales, o.ScaleFrom = "content", 3, 0.25
	o.Iterations = []int{100}
	o.AnalogyWeight, o.PatchWeight, o.MapWeight = 1, 0.5, 0
	o.PatchLayers = mrfLayers(0.5)
	o.PatchSize = 1
	o.LossScale, o.TV, o.TVWeight = ScaleSum, TVInner, 1
	o.Match, o.Rematch = MatchPatch, 1
	o.ContentWeight, o.Init = 0, InitNoise
	o.History = 4
	o.Pooling = vgg.PoolMax
}
