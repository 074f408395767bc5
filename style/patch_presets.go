package style

import "github.com/impasto/impasto/vgg"

// presetMode is the mode of the presets that have one of their own; the others
// are for art and textures.
var presetMode = map[string]Mode{"cnnmrf": ModePatch, "cnnmrf-trans": ModePatch, "nd": ModeDoodle, "ia": ModeAnalogy}

// PresetsFor lists the presets that a mode can paint with, ours first.
func PresetsFor(mode Mode) []string {
	var names []string
	for _, name := range PresetNames() {
		if own := presetMode[name]; name == "default" || name == "best" || own == mode || own == "" && !matches(mode) {
			names = append(names, name)
		}
	}
	return names
}

// mrfLayers are those of Li & Wand and of all that followed.
func mrfLayers(weight float64) []LayerWeight {
	return []LayerWeight{{"relu3_1", weight}, {"relu4_1", weight}}
}

// patchDefaults are ours for patch, doodle and analogy. Matches are held for a
// few iterations: nearly all would be the same, and the objective stays the one
// that the optimiser measured.
func patchDefaults(o *Options, device string) {
	o.StyleWeight = 0
	o.PatchWeight = 1
	o.PatchLayers = mrfLayers(1)
	o.PatchSize = 3
	o.PatchStride, o.StyleStride = []int{1}, []int{1}
	o.Match = MatchPatch
	o.MapForm = MapLabels
	o.Rematch = 5
	o.LineSearch = false // after matching anew the loss it searched from is another's
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

// cnnmrf: the gradient of 1/2 the squared distance to the mean of the
// overlapping patches, at the layers' own scale; patches two positions apart;
// three octaves from the photograph, Torch7's L-BFGS without bounds.
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

// neuralDoodle: pixels of patches and maps brought to unit length, means of
// squared errors, 25 to 10 to 1, from noise in 16..240, three phases of a
// hundred evaluations, each twice as large, pixels within 0..255.
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

// imageAnalogies: sums of squares, what A' has where A looks like B, and half
// of that for patches of A' anywhere; no maps; three scales at even distances.
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
