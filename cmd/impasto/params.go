package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// param is one thing a user can set about a render. Its name is the long flag,
// the key in a configuration file, the word in "replay --set" and, in capitals
// with IMPASTO_ before it, the environment variable.
type param struct {
	name, short string
	aka         string // a second name that is as good: alpha, beta
	group       string
	value       string // what stands for the value in help; "" for a switch
	usage       string
	advanced    bool   // only in --help-all
	modes       string // it belongs to; "" is all
	option      bool   // part of style.Options: decides the picture
	flagOnly    bool   // belongs to one command line, never to a configuration
}

// Modes that start from a photograph, and those that match patches.
const (
	contentModes = "art patch doodle"
	patchModes   = "patch doodle analogy"
	mapModes     = "doodle analogy"
)

// modeVideo paints frames, each in ModeArt. It takes what art takes, but for
// what speaks of one picture alone. A film always goes on where it stood, so
// --resume asks for nothing more.
const modeVideo = "video"

var notInVideo = []string{"protect", "save-every", "frames", "checkpoint", "report", "no-recipe", "depth"}

// in reports whether a setting belongs to a mode.
func (p param) in(mode string) bool {
	if mode == modeVideo && p.modes != modeVideo {
		return p.in(style.ModeArt) && !slices.Contains(notInVideo, p.name)
	}
	return p.modes == "" || slices.Contains(strings.Fields(p.modes), mode)
}

// Groups of flags, in the order of help.
const (
	groupInputs = "Inputs"
	groupOutput = "Output"
	groupFilm   = "Film"
	groupLoss   = "Loss"
	groupOptim  = "Optimisation"
	groupScale  = "Scale"
	groupDevice = "Device"
	groupQueue  = "Queue"
	groupCommon = "Common"
)

var groups = []string{groupInputs, groupOutput, groupFilm, groupLoss, groupOptim, groupScale, groupDevice, groupQueue, groupCommon}

// params are the settings of a render, in the order of help.
var params = []param{
	{name: "content", group: groupInputs, value: "FILE", usage: "the photograph or film, instead of the first argument", modes: contentModes, flagOnly: true},
	{name: "style", group: groupInputs, value: "FILE", usage: "a painting; may be given several times", flagOnly: true},
	{name: "map", group: groupInputs, value: "FILE", usage: "regions to paint (default: CONTENT_sem.png, OUT_sem.png)", modes: "doodle", flagOnly: true},
	{name: "style-map", group: groupInputs, value: "FILE", usage: "regions of a painting (default: STYLE_sem.png); one for each", modes: "doodle", flagOnly: true},
	{name: "edit", group: groupInputs, value: "MAP", usage: "paint this edited map of the painting A' anew", modes: "analogy", flagOnly: true},
	{name: "protect", group: groupInputs, value: "FILE", usage: "keep the photograph where this picture is white", modes: contentModes, flagOnly: true},
	{name: "region-styles", group: groupInputs, value: "LIST", usage: "painting of each region of the map: sky=1,sea=2", option: true, modes: "doodle"},
	{name: "map-suffix", group: groupInputs, value: "TEXT", usage: "what ends the names of maps (default: _sem)", modes: "doodle", advanced: true},
	{name: "map-check", group: groupInputs, value: "HOW", usage: "faults of maps: error, warn or off (default: error)", modes: mapModes, advanced: true},
	{name: "style-weights", group: groupInputs, value: "3,7", usage: "share of each painting (default: equal)", option: true},
	{name: "style-scale", group: groupInputs, value: "X", usage: "size of the painting's details over the canvas", option: true},
	{name: "style-blend", group: groupInputs, value: "KIND", usage: "mix paintings by `targets` or `losses`", option: true, advanced: true},
	{name: "style-upscale", group: groupInputs, usage: "enlarge paintings smaller than the canvas", option: true, advanced: true},
	{name: "init", group: groupInputs, value: "FROM", usage: "start from content, noise, style, gray or a FILE", option: true},
	{name: "noise-range", group: groupInputs, value: "0:255", usage: "values of the noise to start from", option: true, advanced: true},
	{name: "noise-std", group: groupInputs, value: "X", usage: "normal noise of this deviation instead", option: true, advanced: true},
	{name: "max-pixels", group: groupInputs, value: "N", usage: "refuse larger pictures before reading them (default: 400000000)", advanced: true},

	{name: "output", short: "o", group: groupOutput, value: "FILE", usage: "where to write (out.png); - is standard output"},
	{name: "depth", group: groupOutput, value: "8|16", usage: "bits a channel of PNG and TIFF"},
	{name: "overwrite", group: groupOutput, value: "HOW", usage: "if it exists: ask, fail (-n), replace (-y), number, skip"},
	{name: "save-every", group: groupOutput, value: "N", usage: "also save out_00100.png every N iterations"},
	{name: "frames", group: groupOutput, value: "DIR", usage: "save those pictures into DIR instead", modes: "art patch doodle analogy texture"},
	{name: "checkpoint", group: groupOutput, value: "EVERY", usage: "keep what --resume needs, such as every 30s (the default), 5m, or off"},
	{name: "resume", group: groupOutput, usage: "go on where an interrupted or killed render of this output stood", flagOnly: true},
	{name: "report", group: groupOutput, value: "FILE.html", usage: "write a page with pictures, loss curves and settings"},
	{name: "explain", group: groupOutput, value: "DIR", usage: "write where patches came from: pictures, tables, matches", modes: patchModes},
	{name: "no-recipe", group: groupOutput, usage: "do not write the recipe into the picture"},

	{name: "temporal-weight", group: groupFilm, value: "X", usage: "closer to the frame before: less flicker; 0 is none", option: true, modes: modeVideo},
	{name: "next-iterations", group: groupFilm, value: "N", usage: "of each later frame of a shot (default: half)", modes: modeVideo},
	{name: "flow", group: groupFilm, value: "KIND", usage: "how a frame begins: dense, the one before moved along optical flow; none, as it is", modes: modeVideo},
	{name: "cut", group: groupFilm, value: "X", usage: "0..1: frames that differ by more begin a new shot; off (default: 0.4)", modes: modeVideo},
	{name: "from", group: groupFilm, value: "TIME", usage: "begin there: 12.5, 1:02.5 or a frame such as 300f", modes: modeVideo, flagOnly: true},
	{name: "to", group: groupFilm, value: "TIME", usage: "end there", modes: modeVideo, flagOnly: true},
	{name: "every", group: groupFilm, value: "N", usage: "paint every Nth frame only; the film lasts as long", modes: modeVideo},
	{name: "fps", group: groupFilm, value: "RATE", usage: "frames a second, such as 25 or 30000/1001 (default: the film's; 25 of numbered frames)", modes: modeVideo},
	{name: "frames", group: groupFilm, value: "DIR", usage: "where painted frames are kept until the film is done (default: OUT.frames)", modes: modeVideo, flagOnly: true},
	{name: "keep-frames", group: groupFilm, usage: "leave them there", modes: modeVideo},
	{name: "restart", group: groupFilm, usage: "paint anew the frames that are there", modes: modeVideo, flagOnly: true},
	{name: "codec", group: groupFilm, value: "NAME", usage: "encoder of ffmpeg (default: libx264)", modes: modeVideo},
	{name: "crf", group: groupFilm, value: "N", usage: "its quality: less is better and larger (default: 16)", modes: modeVideo},

	{name: "patch-weight", group: groupLoss, value: "X", usage: "of patches: more of the painting", option: true, modes: patchModes},
	{name: "map-weight", group: groupLoss, value: "X", usage: "how much maps count beside features; 0 ignores them", option: true, modes: mapModes},
	{name: "map-weights", group: groupLoss, value: "2,1", usage: "shares of several maps (default: equal)", option: true, modes: mapModes, advanced: true},
	{name: "map-layers", group: groupLoss, value: "LIST", usage: "factors of the map weight by layer: relu3_1:2", option: true, modes: mapModes, advanced: true},
	{name: "map-form", group: groupLoss, value: "KIND", usage: "what is compared: labels, colours or direction", option: true, modes: mapModes, advanced: true},
	{name: "analogy-weight", group: groupLoss, value: "X", usage: "what A' has where A looks like B", option: true, modes: "analogy"},
	{name: "variety", group: groupLoss, value: "X", usage: "0..1: repeat fewer patches", option: true, modes: patchModes},
	{name: "patch-layers", group: groupLoss, value: "LIST", usage: "such as relu3_1,relu4_1:0.5", option: true, modes: patchModes},
	{name: "patch-size", group: groupLoss, value: "N", usage: "side of a patch, in positions of the layer", option: true, modes: patchModes},
	{name: "patch-stride", group: groupLoss, value: "LIST", usage: "distance of patches on the canvas, by layer: 1 or 2,1", option: true, modes: patchModes, advanced: true},
	{name: "style-stride", group: groupLoss, value: "LIST", usage: "distance of patches in the paintings, by layer", option: true, modes: patchModes, advanced: true},
	{name: "patch-average", group: groupLoss, usage: "overlapping patches count as one", option: true, modes: patchModes, advanced: true},
	{name: "match", group: groupLoss, value: "KIND", usage: "cosine of the whole patch, or mean of its pixel cosines", option: true, modes: patchModes, advanced: true},
	{name: "rematch", group: groupLoss, value: "N", usage: "iterations that matches are held", option: true, modes: patchModes, advanced: true},
	{name: "confidence", group: groupLoss, value: "X", usage: "patches that match less well have no say", option: true, modes: patchModes, advanced: true},
	{name: "style-rotations", group: groupLoss, value: "N", usage: "turned views of the paintings to each side, 7.5 degrees apart", option: true, modes: patchModes, advanced: true},
	{name: "style-scales", group: groupLoss, value: "N", usage: "smaller and larger views, 5 % apart", option: true, modes: patchModes, advanced: true},
	{name: "style-weight", short: "w", aka: "beta", group: groupLoss, value: "X", usage: "beta: more of the painting", option: true},
	{name: "content-weight", aka: "alpha", group: groupLoss, value: "X", usage: "alpha: closer to the photograph", option: true},
	{name: "tv-weight", group: groupLoss, value: "X", usage: "smoothness", option: true},
	{name: "style-layers", group: groupLoss, value: "LIST", usage: "such as relu1_1,relu3_1:0.5", option: true},
	{name: "content-layers", group: groupLoss, value: "LIST", usage: "such as relu4_2", option: true, modes: contentModes},
	{name: "style-loss", group: groupLoss, value: "KIND", usage: "how pictures are compared with the painting: gram, covariance (least noise) or w2 (slowest)", option: true},
	{name: "color", group: groupLoss, value: "FROM", usage: "colours of the style, the content, or match", option: true, modes: contentModes},
	{name: "loss-scale", group: groupLoss, value: "KIND", usage: "relative (1 = balanced), paper, mean or sum", option: true, advanced: true},
	{name: "normalize-gradients", group: groupLoss, value: "KIND", usage: "of each layer: off, l1 or mean", option: true, advanced: true},
	{name: "tv", group: groupLoss, value: "KIND", usage: "l1, l2, 1.25, inner or stencil", option: true, advanced: true},
	{name: "tv-in-loss", group: groupLoss, usage: "count smoothness in the loss, not in its gradient alone", option: true, advanced: true},

	{name: "preset", group: groupOptim, value: "NAME", usage: "another program's formulas: gatys, jj, pt, cp, cnnmrf, nd, ia", option: true},
	{name: "iterations", short: "n", group: groupOptim, value: "N", usage: "of each scale: 500, or 1000,500,200", option: true},
	{name: "optimizer", group: groupOptim, value: "NAME", usage: "lbfgs or adam", option: true},
	{name: "lr", group: groupOptim, value: "X", usage: "step: of adam in pixel values, of lbfgs in step lengths", option: true},
	{name: "seed", group: groupOptim, value: "N", usage: "of the noise; 0 draws one and tells it", option: true},
	{name: "history", group: groupOptim, value: "N", usage: "steps L-BFGS remembers", option: true, advanced: true},
	{name: "line-search", group: groupOptim, usage: "L-BFGS looks for a step that lowers the loss", option: true, advanced: true},
	{name: "box", group: groupOptim, usage: "keep pixels within black and white while painting", option: true, advanced: true},
	{name: "plateau", group: groupOptim, value: "X", usage: "end a scale when 50 iterations gain less than this share", option: true, advanced: true},
	{name: "average", group: groupOptim, value: "X", usage: "show the mean of iterates with this decay", option: true, advanced: true},
	{name: "adam-beta1", group: groupOptim, value: "X", usage: "decay of the first moment", option: true, advanced: true},
	{name: "adam-beta2", group: groupOptim, value: "X", usage: "decay of the second moment", option: true, advanced: true},
	{name: "adam-epsilon", group: groupOptim, value: "X", usage: "added to the root of the second moment", option: true, advanced: true},

	{name: "size", short: "s", group: groupScale, value: "SIZE", usage: "512 (long side), 640x480, 2x, 50%, content, max", option: true},
	{name: "scales", group: groupScale, value: "N", usage: "sizes painted one after another (0: as many as fit)", option: true},
	{name: "scale-step", group: groupScale, value: "X", usage: "ratio of neighbouring scales", option: true, advanced: true},
	{name: "min-scale", group: groupScale, value: "N", usage: "least long side of the coarsest scale", option: true, advanced: true},
	{name: "scale-from", group: groupScale, value: "X", usage: "scales lie evenly from this share of the size", option: true, advanced: true},
	{name: "carry-state", group: groupScale, usage: "keep the optimiser's memory between scales", option: true, advanced: true},
	{name: "draft", group: groupScale, usage: "a quick look: the mini network, 256 pixels, few iterations", flagOnly: true},

	{name: "weights", group: groupDevice, value: "NAME", usage: "vgg19, mini (no download) or a FILE (default: vgg19 if installed)"},
	{name: "device", group: groupDevice, value: "NAME", usage: "auto, cpu, cuda, cuda:N, cuda:0,1 or emu, a GPU in software (default: auto)"},
	{name: "max-memory", group: groupDevice, value: "2GB", usage: "take no more; larger pictures go in tiles (default: 90 % of what is free)"},
	{name: "tile", group: groupDevice, value: "PIXELS", usage: "cut the picture into tiles of 1024 or 4096x512; auto, off", option: true, advanced: true},
	{name: "threads", group: groupDevice, value: "N", usage: "processor threads (default: all); the picture is the same"},
	{name: "pooling", group: groupDevice, value: "KIND", usage: "max, avg or l2", option: true, advanced: true},
	{name: "pool-scale", group: groupDevice, value: "X", usage: "factor after each pooling", option: true, advanced: true},
	{name: "pool-rounding", group: groupDevice, value: "KIND", usage: "odd sizes: floor or ceil", option: true, advanced: true},
	{name: "padding", group: groupDevice, value: "KIND", usage: "of the first convolution: zero or replicate", option: true, advanced: true},
	{name: "image-range", group: groupDevice, value: "X", usage: "value of white for the network: 255, or 256 as neural-style", option: true, advanced: true},

	{name: "dry-run", group: groupCommon, usage: "say what would be done and stop", flagOnly: true},
	{name: "progress", group: groupCommon, value: "KIND", usage: "auto, bar, plain, json or none"},
	{name: "progress-fd", group: groupCommon, value: "N", usage: "write progress to this file descriptor as JSON lines", advanced: true, flagOnly: true},
	{name: "print-every", group: groupCommon, value: "N", usage: "iterations between lines of plain progress"},
	{name: "preview", group: groupCommon, value: "HOW", usage: "auto, kitty, iterm, sixel, blocks, none or a FILE"},
	{name: "config", group: groupCommon, value: "FILE", usage: "a configuration instead of the usual ones", flagOnly: true, advanced: true},
}

// Every command has these.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Usage: "results and errors as JSON on standard output", Category: groupCommon},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "errors and warnings only", Category: groupCommon},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "more detail; -vv for the program's own reasons", Category: groupCommon},
	}
}

// words is the value of a flag that is read as text and understood later, so
// that all that is wrong with a command line is told at once.
type words struct {
	said []string
	many bool // may be given several times; otherwise the last one counts
}

// Set is called once for each time the flag is given, and once more for each
// of its other names.
func (w *words) Set(s string) error {
	if !w.many {
		w.said = w.said[:0]
	}
	w.said = append(w.said, s)
	return nil
}

func (w *words) String() string { return strings.Join(w.said, ",") }

// manyTimes are the flags that may be given several times.
var manyTimes = []string{"style", "set", "map", "style-map"}

// valueFlag is a flag with a value. urfave/cli asks each flag's names of each
// other, and works them out anew every time; for the thousands of jobs of a
// manifest that takes longer than all else.
type valueFlag struct{ *cli.GenericFlag }

func (f valueFlag) Names() []string { return append([]string{f.Name}, f.Aliases...) }

// textFlag makes a flag with a value.
func textFlag(name, short, group, value, usage string) valueFlag {
	f := valueFlag{&cli.GenericFlag{Name: name, Usage: usage, Category: group, Value: &words{many: slices.Contains(manyTimes, name)}}}
	if value != "" {
		f.Usage = "`" + value + "` " + strings.ReplaceAll(usage, "`", "")
	}
	if short != "" {
		f.Aliases = []string{short}
	}
	return f
}

// placeholder takes "`FILE` the rest" apart.
func placeholder(usage string) (value, rest string) {
	if !strings.HasPrefix(usage, "`") {
		return "", usage
	}
	value, rest, _ = strings.Cut(usage[1:], "`")
	return value, strings.TrimSpace(rest)
}

// renderFlags are the flags of a command that paints.
func renderFlags(mode string) []cli.Flag {
	var flags []cli.Flag
	for _, p := range params {
		if !p.in(mode) {
			continue
		}
		if p.name == "style-weight" && strings.Contains(patchModes, mode) {
			p.short, p.aka, p.advanced = "", "", true // the Gram loss, beside patches
		}
		if (strings.Contains(mapModes, mode) || mode == modeVideo) && slices.Contains([]string{"style-weights", "init", "color"}, p.name) {
			p.advanced = true // help is one screen
		}
		var f cli.Flag
		if p.value == "" {
			b := &cli.BoolFlag{Name: p.name, Usage: p.usage, Category: p.group, Hidden: p.advanced}
			f = b
		} else {
			t := textFlag(p.name, p.short, p.group, p.value, p.usage)
			t.Hidden = p.advanced
			if p.aka != "" {
				t.Aliases = append(t.Aliases, p.aka)
			}
			f = t
		}
		flags = append(flags, f)
	}
	// -y is ffmpeg's; the front end turns its -n into --overwrite=fail.
	flags = append(flags, &cli.BoolFlag{Name: "y", Usage: "replace the output if it exists", Category: groupOutput, Hidden: true})
	return append(flags, commonFlags()...)
}

// findParam returns the setting called name.
func findParam(name string) (param, bool) {
	i := slices.IndexFunc(params, func(p param) bool { return p.name == name })
	if i < 0 {
		return param{}, false
	}
	return params[i], true
}

// configKey tells internal/config which keys exist.
func configKey(key string) (near string, ok bool) {
	var names []string
	for _, p := range params {
		if p.flagOnly {
			continue
		}
		if p.name == key {
			return "", true
		}
		names = append(names, p.name)
	}
	return ui.Nearest(key, names), false
}
