package main

// The flags of other programs, so that a command line from their documentation
// runs. They are translated before urfave/cli sees them and never shown in
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

// arity is how many words follow a flag.
type arity int

const (
	oneValue  arity = iota
	noValue         // a switch
	manyWords       // one or more, as argparse's nargs="+": -sw 3 7
)

// foreignFlag is a row: a flag of other programs and what it is here. A row
// whose name and flag are the same is a flag of ours with values of theirs.
type foreignFlag struct {
	of     string // programs, by the letters above
	name   string // kebab case, no dashes
	flag   string // ours; "" if it changes nothing here, and why says so
	preset string // of weights: the preset whose scale they are on
	takes  arity

	// value converts the value and may return a note; nil leaves it as it is.
	// read, instead of value, returns flags of ours.
	value func(string) (string, string, error)
	read  func(r *legacyReader, word, value string) ([]string, error)

	// why says why it changes nothing. where is a flag of ours: commands that
	// have that one, but not the one the row stands for, read it without effect.
	why, where string
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

var foreignTable = []foreignFlag{
	// Inputs and output.
	{of: "JJ PT", name: "content-image", flag: "content"},
	{of: "JJ PT", name: "style-image", flag: "style", read: (*legacyReader).styleImages},
	{of: "JJ PT", name: "style-blend-weights", flag: "style-weights"},
	{of: "CP", name: "sw", flag: "style-weights", takes: manyWords},
	{of: "CP", name: "style-weights", flag: "style-weights", takes: manyWords},
	{of: "JJ PT", name: "init-image", flag: "init"},
	{of: "JJ PT CP", name: "init", flag: "init", value: startingImage},
	{of: "JJ PT", name: "output-image", flag: "output"},
	{of: "TS", name: "out", flag: "output"},
	{of: "MRF", name: "output-folder", flag: "output", value: folder},
	{of: "MRF", name: "content-name", flag: "content", value: namedIn("data/content")},
	{of: "MRF", name: "style-name", flag: "style", value: namedIn("data/style")},
	{of: "MRF", name: "ini-method", flag: "init", value: startingImage},
	{of: "ND", name: "semantic-ext", flag: "map-suffix", value: mapSuffix},
	{of: "CP", name: "proof", why: "colour profiles are applied, but no press is simulated"},
	{of: "JJ PT MRF", name: "save-iter", flag: "save-every", read: (*legacyReader).saveEvery},
	{of: "ND CP", name: "save-every", flag: "save-every", read: (*legacyReader).saveEvery},
	{of: "JJ PT MRF", name: "print-iter", flag: "print-every", read: (*legacyReader).printEvery},
	{of: "ND", name: "print-every", flag: "print-every", read: (*legacyReader).printEvery},
	{of: "IA", name: "output-full", takes: noValue, why: "images saved on the way have the size of their scale"},
	{of: "IA", name: "contrast", why: "the contrast of the result is left as painted"},
	{of: "JJ PT", name: "original-colors", flag: "color", value: originalColors},

	// Size and scales.
	{of: "JJ PT", name: "image-size", flag: "size"},
	{of: "CP", name: "end-scale", flag: "size", value: endScale},
	{of: "CP", name: "es", flag: "size", value: endScale},
	{of: "CP", name: "size", flag: "size", value: endScale},
	{of: "MRF", name: "max-size", flag: "size"},
	{of: "ND", name: "output-size", flag: "size", value: rowsByColumns},
	{of: "TS", name: "out-size", flag: "size", value: bothSides},
	{of: "IA", name: "width", flag: "size", read: (*legacyReader).sideWidth},
	{of: "IA", name: "height", flag: "size", read: (*legacyReader).sideHeight},
	{of: "ND", name: "phases", flag: "scales"},
	{of: "ND", name: "resolutions", flag: "scales"},
	{of: "MRF", name: "num-res", flag: "scales"},
	{of: "CP", name: "ms", flag: "min-scale"},
	{of: "CP IA", name: "min-scale", flag: "min-scale", read: (*legacyReader).minScale},
	{of: "CP", name: "style-scale-fac", flag: "style-scale"},
	{of: "IA", name: "a-scale", flag: "style-scale"},
	{of: "IA", name: "a-scale-mode", why: "A and A' are scaled with the picture; --style-scale changes that"},
	{of: "CP", name: "style-size", why: "paintings are scaled with the picture; --style-scale changes that"},
	{of: "MRF", name: "scaler", why: "--size says how large a texture is: --size 2x"},

	// Iterations and the optimiser.
	{of: "JJ PT", name: "num-iterations", flag: "iterations"},
	{of: "IA", name: "iters", flag: "iterations"},
	{of: "MRF", name: "num-iter", flag: "iterations", value: luaList},
	{of: "CP", name: "i", flag: "iterations", read: (*legacyReader).laterIterations},
	{of: "CP", name: "ii", flag: "iterations", read: (*legacyReader).firstIterations},
	{of: "CP", name: "initial-iterations", flag: "iterations", read: (*legacyReader).firstIterations},
	{of: "ND", name: "iterations", flag: "iterations", takes: manyWords},
	{of: "ND", name: "passes", why: whyOptimised},
	{of: "JJ PT", name: "learning-rate", flag: "lr"},
	{of: "CP", name: "step-size", flag: "lr"},
	{of: "CP", name: "ss", flag: "lr"},
	{of: "CP", name: "avg-decay", flag: "average"},
	{of: "CP", name: "ad", flag: "average"},
	{of: "JJ PT", name: "lbfgs-num-correction", flag: "history"},
	{of: "MRF", name: "nCorrection", flag: "history"},
	{of: "JJ PT ND", name: "seed", flag: "seed", read: (*legacyReader).seed},
	{of: "CP", name: "random-seed", flag: "seed", read: (*legacyReader).seed},
	{of: "CP", name: "r", flag: "seed", read: (*legacyReader).seed},
	{of: "ND", name: "seed-range", flag: "noise-range"},
	{of: "IA", name: "jitter", why: "pictures are not shifted while they are painted"},
	{of: "IA", name: "color-jitter", why: "pixels are not shaken while they are painted"},

	// Losses.
	{of: "CP", name: "cw", flag: "content-weight", preset: "cp"},
	{of: "IA", name: "b-content-w", flag: "content-weight", preset: "ia"},
	{of: "IA", name: "content-w", flag: "content-weight", preset: "ia"},
	{of: "CP", name: "tw", flag: "tv-weight", preset: "cp"},
	{of: "ND", name: "smoothness", flag: "tv-weight", preset: "nd"},
	{of: "IA", name: "tv-w", flag: "tv-weight", preset: "ia"},
	{of: "ND", name: "semantic-weight", flag: "map-weight", preset: "nd"},
	{of: "ND", name: "balance", flag: "patch-weight", preset: "nd"},
	{of: "IA", name: "nstyle-w", flag: "style-weight", preset: "ia"},
	{of: "IA", name: "nstyle-layers", flag: "style-layers"},
	{of: "IA", name: "mrf-w", flag: "patch-weight", preset: "ia", read: (*legacyReader).mrfWeight},
	{of: "MRF", name: "mrf-weight", flag: "patch-weight", preset: "cnnmrf", value: oneOfLuaList},
	{of: "IA", name: "analogy-w", flag: "analogy-weight", preset: "ia"},
	{of: "IA", name: "analogy-layers", flag: "patch-layers"},
	{of: "IA MRF", name: "mrf-layers", flag: "patch-layers", value: torchLayers},
	{of: "JJ PT", name: "style-layers", flag: "style-layers", value: torchLayers},
	{of: "JJ PT IA MRF", name: "content-layers", flag: "content-layers", value: torchLayers, where: "analogy-weight", why: "the preset says at which layers an analogy compares content"},
	{of: "ND", name: "layers", flag: "patch-layers", takes: manyWords, value: doodleLayers},
	{of: "ND", name: "layer-weight", takes: manyWords, why: whyOptimised},
	{of: "ND", name: "noise-weight", takes: manyWords, why: whyOptimised},
	{of: "ND", name: "variety", flag: "variety", takes: manyWords, value: firstOf},
	{of: "ND", name: "shapes", flag: "patch-size", takes: manyWords, value: firstOf},
	{of: "MRF", name: "mrf-patch-size", flag: "patch-size", value: oneOfLuaList},
	{of: "MRF", name: "target-num-rotation", flag: "style-rotations"},
	{of: "MRF", name: "target-num-scale", flag: "style-scales"},
	{of: "MRF", name: "target-step-rotation", why: "turned copies of a painting are 7.5 degrees apart"},
	{of: "MRF", name: "target-step-scale", why: "scaled copies of a painting are 5 % apart"},
	{of: "MRF", name: "target-sample-stride", flag: "style-stride", value: luaList},
	{of: "MRF", name: "source-sample-stride", flag: "patch-stride", value: luaList},
	{of: "MRF", name: "mrf-confidence-threshold", flag: "confidence", value: oneOfLuaList},
	{of: "MRF", name: "type", why: "the command says it: impasto patch paints, impasto texture makes textures"},
	{of: "JJ PT", name: "normalize-gradients", takes: noValue, read: (*legacyReader).normalizeGradients},
	{of: "PT", name: "normalize-weights", takes: noValue, why: "losses are divided by the size of their layers already"},

	// Matching.
	{of: "ND", name: "slices", why: whyExact},
	{of: "ND", name: "cache", why: "--rematch says how often patches are matched"},
	{of: "TS", name: "k-neighs", why: whyTexture},
	{of: "TS", name: "m-rand", why: whyTexture},
	{of: "TS", name: "cauchy", why: whyTexture},
	{of: "TS", name: "backtrack-pct", why: whyTexture},
	{of: "TS", name: "backtrack-stages", why: whyTexture},
	{of: "TS", name: "rand-init", why: whyTexture},
	{of: "IA", name: "model", why: whyExact},
	{of: "IA", name: "mrf-nnf-steps", why: whyExact},
	{of: "IA", name: "analogy-nnf-steps", why: whyExact},
	{of: "IA", name: "randomize-mrf-nnf", takes: noValue, why: whyExact},
	{of: "IA", name: "use-full-analogy", takes: noValue, why: whyExact},
	{of: "MRF", name: "mode", why: whyExact},
	{of: "MRF", name: "gpu-chunck-size-1", why: whyExact},
	{of: "MRF", name: "gpu-chunck-size-2", why: whyExact},

	// Network and machine.
	{of: "JJ PT MRF", name: "model-file", flag: "weights"},
	{of: "IA", name: "vgg-weights", flag: "weights"},
	{of: "JJ MRF", name: "proto-file", why: "the network's layers are known from its weights"},
	{of: "PT", name: "disable-check", takes: noValue, why: "weights are checked by their layers"},
	{of: "IA", name: "pool-mode", flag: "pooling", value: pooling},
	{of: "CP", name: "pooling", flag: "pooling", value: pooling},
	{of: "JJ PT MRF", name: "gpu", flag: "device", value: gpuDevice},
	{of: "CP", name: "devices", flag: "device", takes: manyWords, value: torchDevice},
	{of: "ND CP", name: "device", flag: "device", value: torchDevice},
	{of: "JJ PT MRF", name: "backend", why: whyNoTorch},
	{of: "JJ PT", name: "cudnn-autotune", takes: noValue, why: "cuDNN is not used"},
	{of: "PT", name: "multidevice-strategy", why: whyTiles},
	{of: "JJ", name: "multigpu-strategy", why: whyTiles},
	{of: "ND", name: "safe-mode", takes: noValue, why: "it is a setting of Theano, which is not used"},
	{of: "TS", name: "t", flag: "threads"},
	{of: "CP", name: "web", takes: noValue, why: whyStudio},
	{of: "CP", name: "host", why: whyStudio},
	{of: "CP", name: "port", why: whyStudio},
	{of: "CP", name: "browser", takes: noValue, why: whyStudio},
}

// foreignFlags are the rows by their names.
var foreignFlags = func() map[string]*foreignFlag {
	rows := make(map[string]*foreignFlag, len(foreignTable))
	for i := range foreignTable {
		rows[foreignTable[i].name] = &foreignTable[i]
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
