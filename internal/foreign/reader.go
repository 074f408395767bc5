package foreign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Command is what has to be known of the command that a flag was given to.
type Command struct {
	Has        func(flag string) bool // one of its own
	CanBeValue func(word string) bool // whether a word after a flag is its value
}

// Fits reports whether a command has what a flag of another program stands for,
// or paints and can do without.
func (f *Flag) Fits(has func(flag string) bool) bool {
	if f.Ours == "" {
		return has("weights") && has("size")
	}
	return has(f.Ours) || f.Where != "" && has(f.Where)
}

// Match returns the row of a word that is a flag of another program, and nil if
// it is the command's own or nobody's. name is the name in the word, rest the
// words after it.
func Match(c Command, name, word string, hasValue bool, rest []string) *Flag {
	f := byName[name]
	if f == nil || !f.Fits(c.Has) || c.Has(name) && (f.Takes != NoValue || c.isOwn(name, word, hasValue, rest)) {
		return nil
	}
	if f.Ours != "" && !c.Has(f.Ours) {
		idle := *f
		idle.Ours, idle.read = "", nil
		return &idle
	}
	return f
}

// isOwn reports whether a switch of another program is meant as the flag with
// a value that has the same name here: it has a value that fits, or is spelled
// as ours is ("--normalize-gradients", theirs being "-normalize_gradients") and
// has any.
func (c Command) isOwn(name, word string, hasValue bool, rest []string) bool {
	if hasValue {
		return true
	}
	if len(rest) == 0 || !c.CanBeValue(rest[0]) {
		return false
	}
	return word == "--"+name || takesWord(name, rest[0])
}

// takesWord reports whether word is one of the choices of a setting.
func takesWord(name, word string) bool {
	return slices.ContainsFunc(settings.All(), func(s settings.Setting) bool {
		return s.Name == name && slices.Contains(s.Choices, word)
	})
}

// TakeList adds the words after the first value of a flag that takes several
// in another program, and returns the words left. A list ends where a word is
// no number, layer or device.
func TakeList(name, value string, rest []string) (string, []string) {
	if f := byName[name]; f == nil || f.Takes != ManyWords || !isListItem(value) {
		return value, rest
	}
	for len(rest) > 0 && isListItem(rest[0]) {
		value, rest = value+","+rest[0], rest[1:]
	}
	return value, rest
}

// isListItem reports whether a word is a number, a layer such as 4_1 or a
// device such as cuda:1.
func isListItem(w string) bool {
	if device, _, _ := strings.Cut(w, ":"); device == "cuda" || device == "cpu" {
		return true
	}
	block, n, isLayer := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(w, "relu"), "conv"), "_")
	if isLayer {
		return len(block) == 1 && len(n) == 1 && isInteger(block+n)
	}
	_, err := strconv.ParseFloat(w, 64)
	return err == nil
}

// Reader translates the flags of other programs on one command line.
type Reader struct {
	width, height  string // IA gives the size in two flags
	first, later   string // CP gives the iterations of the first scale apart
	normalize      string // JJ's switch as it was written
	neuralDoodle   bool   // a flag of ND alone was among them
	noMRF          bool   // IA's --mrf-w=0: the analogy loss alone
	weights, tools []string
	translations   []string
	idle           []string // a line for each flag without effect
}

// Ours takes a flag of ours whose value or spelling may be another program's.
func (r *Reader) Ours(word, name, value string) ([]string, error) {
	if strings.HasSuffix(name, "-weight") && strings.Contains(word, "_") {
		r.weigh(word, "jj")
	}
	if f := byName[name]; f != nil && f.Ours == name {
		shown, _, _ := strings.Cut(word, "=")
		return r.row(f, shown, value)
	}
	return []string{"--" + name + "=" + value}, nil
}

// Translate turns another program's flag into ours.
func (r *Reader) Translate(f *Flag, word, value string) ([]string, error) {
	shown, _, _ := strings.Cut(word, "=")
	r.neuralDoodle = r.neuralDoodle || f.Of == "ND"
	if f.Ours == "" && f.read == nil {
		r.idle = append(r.idle, fmt.Sprintf("%s has no effect here: %s", shown, f.Why))
		return nil, nil
	}
	if f.Preset != "" {
		r.weigh(shown, f.Preset)
	}
	if f.Ours != "" {
		r.say("%s is --%s here", shown, f.Ours)
	}
	return r.row(f, shown, value)
}

// row makes flags of ours of the value of a row's flag.
func (r *Reader) row(f *Flag, word, value string) ([]string, error) {
	if f.read != nil {
		return f.read(r, word, value)
	}
	if convert := f.value; convert != nil {
		v, note, err := convert(value)
		if err != nil {
			return nil, err
		}
		if note != "" {
			r.say("%s", note)
		}
		value = v
	}
	if f.Ours == "init" {
		value, _, _ = startingImage(value)
	}
	return []string{"--" + f.Ours + "=" + value}, nil
}

// seed reads neural-style's -1, drawn anew each time, and neural-doodle's
// --seed, which is the image to start from.
func (r *Reader) seed(word, value string) ([]string, error) {
	switch {
	case !isInteger(value):
		from, _, _ := startingImage(value)
		r.say("--seed %s: a seed is a number here; taken as --init %s", value, from)
		return []string{"--init=" + from}, nil
	case strings.HasPrefix(value, "-"):
		r.say("%s %s is --seed 0 here: a seed is drawn and printed", word, value)
		value = "0"
	}
	return []string{"--seed=" + value}, nil
}

var (
	saveEvery  = everyN("save-every", "no images are saved on the way unless --save-every asks for them")
	printEvery = everyN("print-every", "--progress none prints no progress")
)

// everyN reads a number of iterations, of which 0 means never; why says what then holds here.
func everyN(ours, why string) func(r *Reader, word, value string) ([]string, error) {
	return func(r *Reader, word, value string) ([]string, error) {
		if value == "0" {
			r.idle = append(r.idle, word+" 0 has no effect here: "+why)
			return nil, nil
		}
		return []string{"--" + ours + "=" + value}, nil
	}
}

func (r *Reader) styleImages(_, value string) ([]string, error) {
	var flags []string
	for file := range strings.SplitSeq(value, ",") {
		flags = append(flags, "--style="+file)
	}
	return flags, nil
}

// minScale reads a side in pixels, or image-analogies' share of the last scale.
func (r *Reader) minScale(word, value string) ([]string, error) {
	if share, err := strconv.ParseFloat(value, 64); err == nil && share > 0 && share < 1 {
		r.say("%s %s is --scale-from %s here", word, value, value)
		return []string{"--scale-from=" + value}, nil
	}
	return []string{"--min-scale=" + value}, nil
}

func (r *Reader) sideWidth(_, value string) ([]string, error) { r.width = value; return nil, nil }
func (r *Reader) sideHeight(_, value string) ([]string, error) {
	r.height = value
	return nil, nil
}

func (r *Reader) firstIterations(_, value string) ([]string, error) {
	r.first = value
	return nil, nil
}

func (r *Reader) laterIterations(_, value string) ([]string, error) {
	r.later = value
	return nil, nil
}

func (r *Reader) normalizeGradients(word, _ string) ([]string, error) {
	r.normalize = word
	return nil, nil
}

// mrfWeight reads image-analogies' weight of patches. With 0 its analogy loss
// is left, which has weight 0 here and 1 there.
func (r *Reader) mrfWeight(_, value string) ([]string, error) {
	w, err := strconv.ParseFloat(value, 64)
	r.noMRF = err == nil && w == 0
	return []string{"--patch-weight=" + value}, nil
}

// Finish completes the arguments and flags of a command with what several words
// of another program say together.
func (r *Reader) Finish(command string, args, flags []string) ([]string, []string) {
	flags = r.combine(flags)
	switch command {
	case "doodle":
		r.doodleStyle(flags)
	case "analogy":
		return r.resultPrefix(args, flags)
	}
	return args, flags
}

// combine adds the flags that are made of several foreign ones.
func (r *Reader) combine(flags []string) []string {
	switch {
	case r.width != "" && r.height != "":
		flags = append(flags, "--size="+r.width+"x"+r.height)
	case r.width+r.height != "":
		r.say("one of --width and --height alone is the long side here: --size %s", r.width+r.height)
		flags = append(flags, "--size="+r.width+r.height)
	}
	const iterations = "--iterations="
	if r.first != "" && r.later == "" {
		r.later = "500" // style-transfer-pytorch's own
		for _, f := range flags {
			if n, ok := strings.CutPrefix(f, iterations); ok {
				r.later = n
			}
		}
		flags = slices.DeleteFunc(flags, func(f string) bool { return strings.HasPrefix(f, iterations) })
	}
	switch {
	case r.first != "":
		flags = append(flags, iterations+r.first+","+r.later)
	case r.later != "":
		flags = append(flags, iterations+r.later)
	}
	if r.noMRF && !hasFlag(flags, "analogy-weight") && !hasFlag(flags, "preset") {
		flags = append(flags, "--analogy-weight=1")
	}
	if r.normalize != "" {
		if slices.Contains(flags, "--preset=jj") || slices.Contains(flags, "--preset=pt") {
			r.say("%s is --normalize-gradients l1 here", r.normalize)
			return append(flags, "--normalize-gradients=l1")
		}
		r.idle = append(r.idle, r.normalize+" has no effect here: losses do not grow with the picture, so gradients need no normalisation without --preset jj")
	}
	return flags
}

// doodleStyle reads neural-doodle's --style-weight and --style-layers, which are
// of patches. They are ours too, of the style loss: where nothing else on the line
// is neural-doodle's, ours count and a note tells of the other.
func (r *Reader) doodleStyle(flags []string) {
	for i, f := range flags {
		for _, name := range []string{"weight", "layers"} {
			value, ok := strings.CutPrefix(f, "--style-"+name+"=")
			switch {
			case !ok:
			case r.neuralDoodle:
				flags[i] = "--patch-" + name + "=" + value
				r.say("--style-%s is --patch-%s here", name, name)
				if name == "weight" {
					r.weigh("--style-weight", "nd")
				}
			default:
				r.say("--style-%s is of the style loss; neural-doodle's is --patch-%s here", name, name)
			}
		}
	}
}

// hasFlag reports whether a flag with a value is among flags.
func hasFlag(flags []string, name string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--"+name+"=") })
}

func (r *Reader) say(format string, a ...any) {
	r.translations = append(r.translations, fmt.Sprintf(format, a...))
}

func (r *Reader) weigh(word, preset string) {
	shown, _, _ := strings.Cut(word, "=")
	r.weights = append(r.weights, shown)
	r.tools = append(r.tools, preset)
}

// Notes returns the notes for the user: the translations in one line, a line
// for each flag without effect and, for weights, that numbers of other programs
// are on another scale.
func (r *Reader) Notes(flags []string) []string {
	var out []string
	if len(r.translations) > 0 {
		out = append(out, strings.Join(r.translations, "; "))
	}
	out = append(out, r.idle...)
	if len(r.weights) > 0 && !hasFlag(flags, "preset") {
		p := r.tools[0]
		note := fmt.Sprintf("%s: weights are on Impasto's scale (1 = balanced)", r.weights[0])
		if slices.Contains(style.PresetNames(), p) {
			note += fmt.Sprintf("; add --preset %s for that of %s", p, presetTool[p])
		} else {
			note += ", not on that of " + presetTool[p]
		}
		out = append(out, note)
	}
	return out
}

// resultPrefix takes image-analogies' fourth argument, the beginning of its
// results' names, as the output.
func (r *Reader) resultPrefix(args, flags []string) ([]string, []string) {
	if len(args) != 4 {
		return args, flags
	}
	prefix := args[3]
	if hasFlag(flags, "output") || prefix == ui.Stdout || strings.Contains(prefix[strings.LastIndex(prefix, "/")+1:], ".") {
		return args, flags
	}
	r.say("%s is --output %s.png here", prefix, prefix)
	return args[:3], append(flags, "--output="+prefix+".png")
}
