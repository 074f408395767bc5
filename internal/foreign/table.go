// Package foreign reads the flags of other programs, so that a command line from
// their documentation runs.
package foreign

// The flags are translated before the command sees them, and are never shown in
// help or completion. A flag of theirs that changes nothing here is accepted
// with a line that says why.
//
// The table was read from the options, READMEs and examples of
//
//	JJ   jcjohnson/neural-style               07c4b82 (April 2017)
//	PT   ProGamerGov/neural-style-pt          7251405 (August 2022)
//	CP   crowsonkb/style-transfer-pytorch     e7e2c71 (May 2023)
//	ND   alexjc/neural-doodle                 b2fac92 (May 2016) and its branch forward, 6358992
//	IA   awentzonline/image-analogies         0666261 (December 2016)
//	MRF  chuanli11/CNNMRF                     fddcf4d (October 2019)
//	TS   EmbarkStudios/texture-synthesis      9d6f337, cli/src/main.rs (0.8)

// Arity is how many words follow a flag.
type Arity int

const (
	OneValue  Arity = iota
	NoValue         // a switch
	ManyWords       // one or more, as argparse's nargs="+": -sw 3 7
)

// Flag is a row: a flag of other programs and what it is here. A row whose Name
// and Ours are the same is a flag of ours with values of theirs.
type Flag struct {
	Of     string // programs, by the letters above
	Name   string // kebab case, no dashes
	Ours   string // the flag that stands for it here; "" if it changes nothing, and Why says so
	Preset string // of weights: the preset whose scale they are on
	Takes  Arity

	// value converts the value and may return a note; nil leaves it as it is.
	// read, instead of value, returns flags of ours.
	value func(string) (string, string, error)
	read  func(r *Reader, word, value string) ([]string, error)

	// Why says why it changes nothing. Where is a flag of ours: commands that
	// have that one, but not the one the row stands for, read it without effect.
	Why, Where string
}

// Reasons that several flags share.
const (
	whyNoTorch   = "the kernels are Impasto's own, for CUDA and for the processor"
	whyTiles     = "a picture is cut into tiles, not the network into parts"
	whyExact     = "patches are matched exactly, block by block in the memory there is"
	whyStudio    = "impasto studio paints in a browser"
	whyTexture   = "a texture's statistics are matched, not copied from pixel to pixel"
	whyOptimised = "pixels are optimised, not features layer by layer; --iterations and --scales say how long"
)

var table = []Flag{
	// Inputs and output.
	{Of: "JJ PT", Name: "content-image", Ours: "content"},
	{Of: "JJ PT", Name: "style-image", Ours: "style", read: (*Reader).styleImages},
	{Of: "JJ PT", Name: "style-blend-weights", Ours: "style-weights"},
	{Of: "CP", Name: "sw", Ours: "style-weights", Takes: ManyWords},
	{Of: "CP", Name: "style-weights", Ours: "style-weights", Takes: ManyWords},
	{Of: "JJ PT", Name: "init-image", Ours: "init"},
	{Of: "JJ PT CP", Name: "init", Ours: "init", value: startingImage},
	{Of: "JJ PT", Name: "output-image", Ours: "output"},
	{Of: "TS", Name: "out", Ours: "output"},
	{Of: "MRF", Name: "output-folder", Ours: "output", value: folder},
	{Of: "MRF", Name: "content-name", Ours: "content", value: namedIn("data/content")},
	{Of: "MRF", Name: "style-name", Ours: "style", value: namedIn("data/style")},
	{Of: "MRF", Name: "ini-method", Ours: "init", value: startingImage},
	{Of: "ND", Name: "semantic-ext", Ours: "map-suffix", value: mapSuffix},
	{Of: "CP", Name: "proof", Why: "colour profiles are applied, but no press is simulated"},
	{Of: "JJ PT MRF", Name: "save-iter", Ours: "save-every", read: saveEvery},
	{Of: "ND CP", Name: "save-every", Ours: "save-every", read: saveEvery},
	{Of: "JJ PT MRF", Name: "print-iter", Ours: "print-every", read: printEvery},
	{Of: "ND", Name: "print-every", Ours: "print-every", read: printEvery},
	{Of: "IA", Name: "output-full", Takes: NoValue, Why: "images saved on the way have the size of their scale"},
	{Of: "IA", Name: "contrast", Why: "the contrast of the result is left as painted"},
	{Of: "JJ PT", Name: "original-colors", Ours: "color", value: originalColors},

	// Size and scales.
	{Of: "JJ PT", Name: "image-size", Ours: "size"},
	{Of: "CP", Name: "end-scale", Ours: "size", value: endScale},
	{Of: "CP", Name: "es", Ours: "size", value: endScale},
	{Of: "CP", Name: "size", Ours: "size", value: endScale},
	{Of: "MRF", Name: "max-size", Ours: "size"},
	{Of: "ND", Name: "output-size", Ours: "size", value: rowsByColumns},
	{Of: "TS", Name: "out-size", Ours: "size", value: bothSides},
	{Of: "IA", Name: "width", Ours: "size", read: (*Reader).sideWidth},
	{Of: "IA", Name: "height", Ours: "size", read: (*Reader).sideHeight},
	{Of: "ND", Name: "phases", Ours: "scales"},
	{Of: "ND", Name: "resolutions", Ours: "scales"},
	{Of: "MRF", Name: "num-res", Ours: "scales"},
	{Of: "CP", Name: "ms", Ours: "min-scale"},
	{Of: "CP IA", Name: "min-scale", Ours: "min-scale", read: (*Reader).minScale},
	{Of: "CP", Name: "style-scale-fac", Ours: "style-scale"},
	{Of: "IA", Name: "a-scale", Ours: "style-scale"},
	{Of: "IA", Name: "a-scale-mode", Why: "A and A' are scaled with the picture; --style-scale changes that"},
	{Of: "CP", Name: "style-size", Why: "paintings are scaled with the picture; --style-scale changes that"},
	{Of: "MRF", Name: "scaler", Why: "--size says how large a texture is: --size 2x"},

	// Iterations and the optimiser.
	{Of: "JJ PT", Name: "num-iterations", Ours: "iterations"},
	{Of: "IA", Name: "iters", Ours: "iterations"},
	{Of: "MRF", Name: "num-iter", Ours: "iterations", value: luaList},
	{Of: "CP", Name: "i", Ours: "iterations", read: (*Reader).laterIterations},
	{Of: "CP", Name: "ii", Ours: "iterations", read: (*Reader).firstIterations},
	{Of: "CP", Name: "initial-iterations", Ours: "iterations", read: (*Reader).firstIterations},
	{Of: "ND", Name: "iterations", Ours: "iterations", Takes: ManyWords},
	{Of: "ND", Name: "passes", Why: whyOptimised},
	{Of: "JJ PT", Name: "learning-rate", Ours: "lr"},
	{Of: "CP", Name: "step-size", Ours: "lr"},
	{Of: "CP", Name: "ss", Ours: "lr"},
	{Of: "CP", Name: "avg-decay", Ours: "average"},
	{Of: "CP", Name: "ad", Ours: "average"},
	{Of: "JJ PT", Name: "lbfgs-num-correction", Ours: "history"},
	{Of: "MRF", Name: "nCorrection", Ours: "history"},
	{Of: "JJ PT ND", Name: "seed", Ours: "seed", read: (*Reader).seed},
	{Of: "CP", Name: "random-seed", Ours: "seed", read: (*Reader).seed},
	{Of: "CP", Name: "r", Ours: "seed", read: (*Reader).seed},
	{Of: "ND", Name: "seed-range", Ours: "noise-range"},
	{Of: "IA", Name: "jitter", Why: "pictures are not shifted while they are painted"},
	{Of: "IA", Name: "color-jitter", Why: "pixels are not shaken while they are painted"},

	// Losses.
	{Of: "CP", Name: "cw", Ours: "content-weight", Preset: "cp"},
	{Of: "IA", Name: "b-content-w", Ours: "content-weight", Preset: "ia"},
	{Of: "IA", Name: "content-w", Ours: "content-weight", Preset: "ia"},
	{Of: "CP", Name: "tw", Ours: "tv-weight", Preset: "cp"},
	{Of: "ND", Name: "smoothness", Ours: "tv-weight", Preset: "nd"},
	{Of: "IA", Name: "tv-w", Ours: "tv-weight", Preset: "ia"},
	{Of: "ND", Name: "semantic-weight", Ours: "map-weight", Preset: "nd"},
	{Of: "ND", Name: "balance", Ours: "patch-weight", Preset: "nd"},
	{Of: "IA", Name: "nstyle-w", Ours: "style-weight", Preset: "ia"},
	{Of: "IA", Name: "nstyle-layers", Ours: "style-layers"},
	{Of: "IA", Name: "mrf-w", Ours: "patch-weight", Preset: "ia", read: (*Reader).mrfWeight},
	{Of: "MRF", Name: "mrf-weight", Ours: "patch-weight", Preset: "cnnmrf", value: oneOfLuaList},
	{Of: "IA", Name: "analogy-w", Ours: "analogy-weight", Preset: "ia"},
	{Of: "IA", Name: "analogy-layers", Ours: "patch-layers"},
	{Of: "IA MRF", Name: "mrf-layers", Ours: "patch-layers", value: torchLayers},
	{Of: "JJ PT", Name: "style-layers", Ours: "style-layers", value: torchLayers},
	{Of: "JJ PT IA MRF", Name: "content-layers", Ours: "content-layers", value: torchLayers, Where: "analogy-weight", Why: "the preset says at which layers an analogy compares content"},
	{Of: "ND", Name: "layers", Ours: "patch-layers", Takes: ManyWords, value: doodleLayers},
	{Of: "ND", Name: "layer-weight", Takes: ManyWords, Why: whyOptimised},
	{Of: "ND", Name: "noise-weight", Takes: ManyWords, Why: whyOptimised},
	{Of: "ND", Name: "variety", Ours: "variety", Takes: ManyWords, value: firstOf},
	{Of: "ND", Name: "shapes", Ours: "patch-size", Takes: ManyWords, value: firstOf},
	{Of: "MRF", Name: "mrf-patch-size", Ours: "patch-size", value: oneOfLuaList},
	{Of: "MRF", Name: "target-num-rotation", Ours: "style-rotations"},
	{Of: "MRF", Name: "target-num-scale", Ours: "style-scales"},
	{Of: "MRF", Name: "target-step-rotation", Why: "turned copies of a painting are 7.5 degrees apart"},
	{Of: "MRF", Name: "target-step-scale", Why: "scaled copies of a painting are 5 % apart"},
	{Of: "MRF", Name: "target-sample-stride", Ours: "style-stride", value: luaList},
	{Of: "MRF", Name: "source-sample-stride", Ours: "patch-stride", value: luaList},
	{Of: "MRF", Name: "mrf-confidence-threshold", Ours: "confidence", value: oneOfLuaList},
	{Of: "MRF", Name: "type", Why: "the command says it: impasto patch paints, impasto texture makes textures"},
	{Of: "JJ PT", Name: "normalize-gradients", Takes: NoValue, read: (*Reader).normalizeGradients},
	{Of: "PT", Name: "normalize-weights", Takes: NoValue, Why: "losses are divided by the size of their layers already"},

	// Matching.
	{Of: "ND", Name: "slices", Why: whyExact},
	{Of: "ND", Name: "cache", Why: "--rematch says how often patches are matched"},
	{Of: "TS", Name: "k-neighs", Why: whyTexture},
	{Of: "TS", Name: "m-rand", Why: whyTexture},
	{Of: "TS", Name: "cauchy", Why: whyTexture},
	{Of: "TS", Name: "backtrack-pct", Why: whyTexture},
	{Of: "TS", Name: "backtrack-stages", Why: whyTexture},
	{Of: "TS", Name: "rand-init", Why: whyTexture},
	{Of: "IA", Name: "model", Why: whyExact},
	{Of: "IA", Name: "mrf-nnf-steps", Why: whyExact},
	{Of: "IA", Name: "analogy-nnf-steps", Why: whyExact},
	{Of: "IA", Name: "randomize-mrf-nnf", Takes: NoValue, Why: whyExact},
	{Of: "IA", Name: "use-full-analogy", Takes: NoValue, Why: whyExact},
	{Of: "MRF", Name: "mode", Why: whyExact},
	{Of: "MRF", Name: "gpu-chunck-size-1", Why: whyExact},
	{Of: "MRF", Name: "gpu-chunck-size-2", Why: whyExact},

	// Network and machine.
	{Of: "JJ PT MRF", Name: "model-file", Ours: "weights"},
	{Of: "IA", Name: "vgg-weights", Ours: "weights"},
	{Of: "JJ MRF", Name: "proto-file", Why: "the network's layers are known from its weights"},
	{Of: "PT", Name: "disable-check", Takes: NoValue, Why: "weights are checked by their layers"},
	{Of: "IA", Name: "pool-mode", Ours: "pooling", value: pooling},
	{Of: "CP", Name: "pooling", Ours: "pooling", value: pooling},
	{Of: "JJ PT MRF", Name: "gpu", Ours: "device", value: gpuDevice},
	{Of: "CP", Name: "devices", Ours: "device", Takes: ManyWords, value: torchDevice},
	{Of: "ND CP", Name: "device", Ours: "device", value: torchDevice},
	{Of: "JJ PT MRF", Name: "backend", Why: whyNoTorch},
	{Of: "JJ PT", Name: "cudnn-autotune", Takes: NoValue, Why: "cuDNN is not used"},
	{Of: "PT", Name: "multidevice-strategy", Why: whyTiles},
	{Of: "JJ", Name: "multigpu-strategy", Why: whyTiles},
	{Of: "ND", Name: "safe-mode", Takes: NoValue, Why: "it is a setting of Theano, which is not used"},
	{Of: "TS", Name: "t", Ours: "threads"},
	{Of: "CP", Name: "web", Takes: NoValue, Why: whyStudio},
	{Of: "CP", Name: "host", Why: whyStudio},
	{Of: "CP", Name: "port", Why: whyStudio},
	{Of: "CP", Name: "browser", Takes: NoValue, Why: whyStudio},
}

// All lists the rows.
func All() []Flag { return table }

// Find returns the row of a name, nil if there is none.
func Find(name string) *Flag { return byName[name] }

// byName are the rows by their names.
var byName = func() map[string]*Flag {
	rows := make(map[string]*Flag, len(table))
	for i := range table {
		rows[table[i].Name] = &table[i]
	}
	return rows
}()

// presetTool names the program whose scale of weights a preset has.
var presetTool = map[string]string{
	"jj":     "neural-style",
	"nd":     "neural-doodle",
	"cp":     "style-transfer-pytorch",
	"cnnmrf": "CNNMRF",
	"ia":     "image-analogies",
}
