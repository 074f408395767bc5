package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Spellings of other programs, so that a command line pasted from their
// documentation runs. They are translated before urfave/cli sees them and
// never shown in help or completion.
//
//	JJ  neural-style (and neural-style-pt)     CP  style-transfer-pytorch
//	ND  neural-doodle                          IA  image-analogies

// legacyName is the translation of one flag of another program.
type legacyName struct {
	flag   string                               // ours; "" when it has no meaning here
	preset string                               // set for weights: the preset with that program's scale
	value  func(string) (string, string, error) // value and a note; nil leaves it as it is
}

var legacyNames = map[string]legacyName{
	// JJ
	"content-image":        {flag: "content"},
	"style-image":          {flag: "style"},
	"output-image":         {flag: "output"},
	"image-size":           {flag: "size"},
	"num-iterations":       {flag: "iterations"},
	"style-blend-weights":  {flag: "style-weights"},
	"init-image":           {flag: "init"},
	"original-colors":      {flag: "color", value: originalColors},
	"learning-rate":        {flag: "lr"},
	"lbfgs-num-correction": {flag: "history"},
	"save-iter":            {flag: "save-every"},
	"print-iter":           {flag: "print-every"},
	"model-file":           {flag: "weights"},
	"gpu":                  {flag: "device", value: gpuDevice},
	"proto-file":           {},
	"backend":              {},
	// ND
	"smoothness":      {flag: "tv-weight", preset: "nd"},
	"output-size":     {flag: "size", value: rowsByColumns},
	"phases":          {flag: "scales"},
	"seed-range":      {flag: "noise-range"},
	"semantic-weight": {flag: "map-weight", preset: "nd"},
	"semantic-ext":    {flag: "map-suffix", value: mapSuffix},
	// CP
	"end-scale":       {flag: "size"},
	"cw":              {flag: "content-weight", preset: "cp"},
	"tw":              {flag: "tv-weight", preset: "cp"},
	"sw":              {flag: "style-weights"},
	"style-scale-fac": {flag: "style-scale"},
	"step-size":       {flag: "lr"},
	"devices":         {flag: "device"},
	"i":               {flag: "iterations"},
	"ii":              {flag: "iterations"},
	"r":               {flag: "seed"},
	// IA
	"width":          {flag: "size"},
	"height":         {flag: "size"},
	"out-size":       {flag: "size"},
	"out":            {flag: "output"},
	"iters":          {flag: "iterations"},
	"pool-mode":      {flag: "pooling"},
	"a-scale":        {flag: "style-scale"},
	"vgg-weights":    {flag: "weights"},
	"nstyle-w":       {flag: "style-weight", preset: "ia"},
	"mrf-w":          {flag: "patch-weight", preset: "ia"},
	"analogy-w":      {flag: "analogy-weight", preset: "ia"},
	"analogy-layers": {flag: "patch-layers"},
	"b-content-w":    {flag: "content-weight", preset: "ia"},
	"tv-w":           {flag: "tv-weight", preset: "ia"},
	"t":              {flag: "threads"},
}

// presetTool names the program whose scale of weights a preset has.
var presetTool = map[string]string{
	"jj": "neural-style",
	"nd": "neural-doodle",
	"cp": "style-transfer-pytorch",
	"ia": "image-analogies",
}

func legacyTakesValue(name string) bool { _, ok := legacyNames[name]; return ok }

// legacyFits reports whether name is another program's and this command has
// what it stands for.
func legacyFits(name string, set flagSet) bool {
	l, ok := legacyNames[name]
	return ok && (l.flag == "" && set.has("weights") && set.has("size") || l.flag != "" && set.has(l.flag))
}

// legacyReader translates the flags of other programs on one command line.
type legacyReader struct {
	width, height  string // IA gives the size in two flags
	first, later   string // CP gives the iterations of the first scale apart
	weights, tools []string
	translations   []string
}

// ours takes a flag of ours whose value or spelling may be another program's.
func (r *legacyReader) ours(word, name, value string) ([]string, error) {
	if strings.HasSuffix(name, "-weight") && strings.Contains(word, "_") {
		r.weigh(word, "jj")
	}
	return r.flag(name, value)
}

// flag writes one flag of ours. Two of them have values that are another
// program's, whichever program's name the flag was given by.
func (r *legacyReader) flag(name, value string) ([]string, error) {
	switch {
	case name == "seed" && !isInteger(value):
		r.say("--seed %s: a seed is a number here; taken as --init %s", value, value)
		return []string{"--init=" + legacyInit(value)}, nil
	case name == "seed" && strings.HasPrefix(value, "-"):
		value = "0" // neural-style's -1: drawn anew each time
	case (name == "save-every" || name == "print-every") && value == "0":
		return nil, nil // neural-style's never
	case name == "init":
		value = legacyInit(value)
	}
	return []string{"--" + name + "=" + value}, nil
}

// translate turns another program's flag into ours.
func (r *legacyReader) translate(name, word, value string) ([]string, error) {
	shown, _, _ := strings.Cut(word, "=")
	l := legacyNames[name]
	switch name {
	case "width":
		r.width = value
		return nil, nil
	case "height":
		r.height = value
		return nil, nil
	case "ii":
		r.first = value
		return nil, nil
	case "i":
		r.later = value
		return nil, nil
	case "style-image":
		var flags []string
		for _, file := range strings.Split(value, ",") {
			flags = append(flags, "--style="+file)
		}
		r.say("%s is --style here", shown)
		return flags, nil
	}
	if l.flag == "" {
		r.say("%s has no meaning here and is ignored", shown)
		return nil, nil
	}
	if l.preset != "" {
		r.weigh(shown, l.preset)
	}
	r.say("%s is --%s here", shown, l.flag)
	if l.value != nil {
		v, note, err := l.value(value)
		if err != nil {
			return nil, err
		}
		if note != "" {
			r.say("%s", note)
		}
		value = v
	}
	return r.flag(l.flag, value)
}

// finish returns the flags that are made of several foreign ones.
func (r *legacyReader) finish() ([]string, error) {
	var flags []string
	switch {
	case r.width != "" && r.height != "":
		flags = append(flags, "--size="+r.width+"x"+r.height)
	case r.width != "" || r.height != "":
		return nil, ui.UsageFault("--width and --height go together", "--size N   (the long side)")
	}
	switch {
	case r.first != "" && r.later != "":
		flags = append(flags, "--iterations="+r.first+","+r.later)
	case r.first+r.later != "":
		flags = append(flags, "--iterations="+r.first+r.later)
	}
	return flags, nil
}

func (r *legacyReader) say(format string, a ...any) {
	r.translations = append(r.translations, fmt.Sprintf(format, a...))
}

func (r *legacyReader) weigh(word, preset string) {
	shown, _, _ := strings.Cut(word, "=")
	r.weights = append(r.weights, shown)
	r.tools = append(r.tools, preset)
}

// notes returns the notes for the user: the translations in one line and, for
// weights, that numbers of other programs are on another scale.
func (r *legacyReader) notes(flags []string) []string {
	var out []string
	if len(r.translations) > 0 {
		out = append(out, strings.Join(r.translations, "; "))
	}
	hasPreset := slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--preset=") })
	if len(r.weights) > 0 && !hasPreset {
		p := r.tools[0]
		note := fmt.Sprintf("%s: weights are on Impasto's scale (1 = balanced)", r.weights[0])
		if slices.Contains(style.PresetNames(), p) {
			note += fmt.Sprintf("; add --preset %s for %s's", p, presetTool[p])
		} else {
			note += ", not on " + presetTool[p] + "'s"
		}
		out = append(out, note)
	}
	return out
}

func legacyInit(v string) string {
	switch v {
	case "random":
		return "noise"
	case "image":
		return "content"
	}
	return v
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

func gpuDevice(v string) (string, string, error) {
	if v == "-1" || v == "c" {
		return "cpu", "", nil
	}
	if !isNumberList(v) {
		return "", "", ui.UsageFault(fmt.Sprintf("-gpu is a number, a list of numbers or -1, got %q", v), "--device auto")
	}
	return "cuda:" + v, "", nil
}

// rowsByColumns swaps neural-doodle's HxW.
func rowsByColumns(v string) (string, string, error) {
	h, w, ok := strings.Cut(v, "x")
	if !ok {
		return v, "", nil
	}
	return w + "x" + h, fmt.Sprintf("--output-size counts rows first: %s is %sx%s", v, w, h), nil
}

func isInteger(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
