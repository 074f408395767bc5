package foreign

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/ui"
)

// Values of other programs' flags. Each function returns the value of the flag
// that stands for it here, and a note for the user if they differ in meaning.

func startingImage(v string) (string, string, error) {
	switch v {
	case "random", "uniform":
		return "noise", "", nil
	case "normal", "style_stats":
		return "noise", fmt.Sprintf("--init %s starts from uniform noise here; --noise-std makes it normal", v), nil
	case "image":
		return "content", "", nil
	}
	return v, "", nil
}

func originalColors(v string) (string, string, error) {
	switch v {
	case "1":
		return "content", "", nil
	case "0":
		return "style", "", nil
	}
	return "", "", ui.UsageFault(fmt.Sprintf("-original_colors is 0 or 1, got %q", v), "--color content")
}

// mapSuffix drops the extension: maps are PNG files.
func mapSuffix(v string) (string, string, error) {
	return strings.TrimSuffix(v, ".png"), "", nil
}

// namedIn finds CNNMRF's pictures, which are named without directory and
// extension.
func namedIn(dir string) func(string) (string, string, error) {
	return func(v string) (string, string, error) {
		if filepath.Ext(v) != "" || strings.ContainsRune(v, '/') {
			return v, "", nil
		}
		return dir + "/" + v + ".jpg", "", nil
	}
}

// folder marks a directory as one, for it need not exist yet.
func folder(v string) (string, string, error) {
	return strings.TrimSuffix(v, "/") + "/", "", nil
}

// endScale reads style-transfer-pytorch's 512+, which is the long side of a
// picture with as many pixels as a square of that side.
func endScale(v string) (string, string, error) {
	n, isPlus := strings.CutSuffix(v, "+")
	if !isPlus || !isInteger(n) {
		return v, "", nil
	}
	return n, fmt.Sprintf("%s is the long side here: --size %s", v, n), nil
}

// bothSides reads texture-synthesis's single number, which is both sides.
func bothSides(v string) (string, string, error) {
	if !isInteger(v) {
		return v, "", nil
	}
	return v + "x" + v, "", nil
}

// rowsByColumns swaps neural-doodle's HxW.
func rowsByColumns(v string) (string, string, error) {
	h, w, ok := strings.Cut(v, "x")
	if !ok || h == w {
		return v, "", nil
	}
	return w + "x" + h, fmt.Sprintf("--output-size counts rows first: %s is %sx%s", v, w, h), nil
}

// luaList reads {100, 100, 100}.
func luaList(v string) (string, string, error) {
	v = strings.Trim(strings.ReplaceAll(v, " ", ""), "{},")
	return v, "", nil
}

// oneOfLuaList reads a list with a number for each layer, where there is one
// number for all layers here.
func oneOfLuaList(v string) (string, string, error) {
	list, _, _ := luaList(v)
	return firstOf(list)
}

func firstOf(list string) (string, string, error) {
	first, others, _ := strings.Cut(list, ",")
	for other := range strings.SplitSeq(others, ",") {
		if other != "" && other != first {
			return first, fmt.Sprintf("of %s the first is taken, for all layers; a layer's own weight is --patch-layers relu3_1,relu4_1:0.5", list), nil
		}
	}
	return first, "", nil
}

// torchLayers reads the layers of CNNMRF, which are numbered as the modules of
// VGG-19 in Torch: 12 is relu3_1, 21 is relu4_1. Names stay as they are; those of
// the NIN network, which READMEs also show, are refused as what they are.
func torchLayers(v string) (string, string, error) {
	list, _, _ := luaList(v)
	names := strings.Split(list, ",")
	for i, field := range names {
		if n, ok := strings.CutPrefix(field, "relu"); ok && isInteger(n) {
			return "", "", ui.UsageFault(field+" is a layer of the NIN network; Impasto paints with VGG-19 alone", "--style-layers relu1_1,relu2_1,relu3_1,relu4_1,relu5_1 --content-layers relu4_2")
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			continue
		}
		if names[i] = torchLayer(n); names[i] == "" {
			return "", "", ui.UsageFault(fmt.Sprintf("layer %d is no rectifier of VGG-19; 12 is relu3_1, 21 relu4_1 and 23 relu4_2", n), "--patch-layers relu3_1,relu4_1")
		}
	}
	return strings.Join(names, ","), "", nil
}

// torchLayer names the n-th module, from 1, of VGG-19's convolutions,
// rectifiers and pools if it is a rectifier.
func torchLayer(n int) string {
	at := 0
	for block, convolutions := range []int{2, 2, 4, 4, 4} {
		for i := range convolutions {
			if at += 2; at == n {
				return fmt.Sprintf("relu%d_%d", block+1, i+1)
			}
		}
		at++ // the pool
	}
	return ""
}

// doodleLayers reads "4_1,3_1", and 5,4,3 of neural-doodle's branch forward.
func doodleLayers(v string) (string, string, error) {
	names := strings.Split(v, ",")
	for i, n := range names {
		if len(n) == 1 && isInteger(n) {
			names[i] = "relu" + n + "_1"
		}
	}
	return strings.Join(names, ","), "", nil
}

func pooling(v string) (string, string, error) {
	if v == "average" {
		return "avg", "", nil
	}
	return v, "", nil
}

func gpuDevice(v string) (string, string, error) {
	switch {
	case v == "-1" || v == "c":
		return "cpu", "", nil
	case v == "0":
		return "auto", "device 0 is taken as --device auto: the first GPU, or the processor if there is none", nil
	case !IsNumberList(v):
		return "", "", ui.UsageFault(fmt.Sprintf("-gpu is a number, a list of numbers or -1, got %q", v), "--device auto")
	}
	return "cuda:" + v, "", nil
}

// torchDevice reads Theano's gpu0 and the devices of PyTorch: cuda:0,cuda:1.
// The first GPU is what auto takes, and README examples that name it run
// without one.
func torchDevice(v string) (string, string, error) {
	if n, ok := strings.CutPrefix(v, "gpu"); ok && IsNumberList(n) {
		return gpuDevice(n)
	}
	return strings.ReplaceAll(v, ",cuda:", ","), "", nil
}

func isInteger(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// IsNumberList reports whether s is "500" or "1000,500,200".
func IsNumberList(s string) bool {
	return s != "" && s[0] != ',' && strings.Trim(s, "0123456789,") == ""
}
