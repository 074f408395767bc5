package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// Given holds the settings of a command line: all values of each flag, in order. A
// switch has the value "true" or "false".
type Given map[string][]string

// Last returns the last value of a flag, or "" if it was not given.
func (g Given) Last(name string) string {
	if list := g[name]; len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// Layer is one source of settings, such as the command line, the environment or a
// file.
type Layer struct {
	Get    func(name string) (text string, ok bool)
	Origin func(name string) string // the place of a value in this layer, for messages
}

// Layer returns the command line as a layer.
func (g Given) Layer() Layer {
	return Layer{
		Get:    func(name string) (string, bool) { list, ok := g[name]; return g.Last(name), ok && len(list) > 0 },
		Origin: func(string) string { return OriginFlag },
	}
}

// Fixed returns a layer of values that the program chooses itself.
func Fixed(origin string, values map[string]string) Layer {
	return Layer{
		Get:    func(name string) (string, bool) { v, ok := values[name]; return v, ok },
		Origin: func(string) string { return origin },
	}
}

// draft holds the settings that --draft changes.
var draft = map[string]string{"weights": "mini", "size": "256", "iterations": "60,40"}

// Demo holds the settings of the demo that paints a scene. They give a good picture in
// well under a minute on two cores, whatever the user has configured. With the larger
// content weight and coarsest scale, tower and boat stay upright.
var Demo = Fixed("demo", map[string]string{
	"weights": "mini", "size": "512", "supersample": "1.5", "min-scale": "192", "iterations": "120,80,50", "content-weight": "3",
	"output": "impasto-demo.png", "overwrite": "replace",
})

// DemoDoodle holds the settings of the demo that paints a map. It begins with noise and
// needs the small scales: without them the sky stays empty.
var DemoDoodle = Fixed("demo", map[string]string{
	"weights": "mini", "size": "512", "iterations": "120,100,80", "optimizer": "adam", "lr": "4",
	"output": "impasto-demo.png", "overwrite": "replace",
})

// These are the origins that are not the name of a variable or a place in a file.
const (
	OriginDefault = "default"
	OriginFlag    = "flag"
)

// Values are the effective values of all settings of one render, and their origins.
type Values struct {
	Mode    style.Mode // a mode of style, or ModeVideo
	Options style.Options

	texts   map[string][]string // of settings that are not options
	origins map[string]string
}

// Text returns the value of a setting that is not an option, or "" if none was
// given.
func (v *Values) Text(name string) string {
	if list := v.texts[name]; len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// List returns all values of a setting that may be given several times.
func (v *Values) List(name string) []string { return slices.Clone(v.texts[name]) }

// On reports whether a switch is on.
func (v *Values) On(name string) bool { on, _ := ParseSwitch(v.Text(name)); return on }

// Number returns a checked whole number, or fallback if none was given.
func (v *Values) Number(name string, fallback int) int {
	if n, err := strconv.Atoi(v.Text(name)); err == nil {
		return n
	}
	return fallback
}

// Origin returns where a value came from.
func (v *Values) Origin(name string) string { return v.origins[name] }

// Show returns the value of any setting as text.
func (v *Values) Show(s Setting) string {
	if s.Option() {
		return OptionText(&v.Options, s.Name)
	}
	return v.Text(s.Name)
}

// SetText changes a setting that is not an option. The program chooses the value,
// so it is not checked.
func (v *Values) SetText(name, text, origin string) {
	v.texts[name], v.origins[name] = []string{text}, origin
}

// SetOption changes an option.
func (v *Values) SetOption(name, text, origin string) error {
	v.origins[name] = origin
	return SetOption(&v.Options, name, text)
}

// Replace replaces all options by o, with one origin.
func (v *Values) Replace(o style.Options, origin string) {
	v.Options = o
	for _, name := range optionNames() {
		v.origins[name] = origin
	}
}

// Resolve takes each setting of a mode from the first layer that has it: the
// command line, then layers in their order, then the preset, then the default. It
// returns all faults together. The values then hold what could be read.
func Resolve(mode style.Mode, given Given, layers ...Layer) (*Values, ui.Faults) {
	first := []Layer{given.Layer()}
	if on, _ := ParseSwitch(given.Last("draft")); on {
		first = append(first, Fixed("--draft", draft))
	}
	layers = append(first, layers...)
	find := func(name string) (text, origin string, ok bool) {
		return lookUp(name, layers)
	}
	v := &Values{Mode: mode, texts: map[string][]string{}, origins: map[string]string{}}
	weights, _, _ := find("weights")
	preset, _, _ := find("preset")
	on, _, _ := find("device")
	loss, _, _ := find("style-loss")
	defaults := defaultsWith(mode, weights, on, style.StyleLoss(loss))
	bad := v.usePreset(preset, defaults)
	from := presetOrigin(preset)
	if method, _, _ := find("method"); mode == style.ModeArt && style.Method(method) == style.MethodNNST {
		v.Options.UseMethod(style.MethodNNST, networkName(weights))
		from = "method " + method
	}
	for _, s := range For(mode) {
		text, origin, ok := find(s.Name)
		if ok && origin != OriginFlag && !s.InConfig() {
			ok = false // a setting of the same name in another mode
		}
		if !ok {
			v.origins[s.Name] = OriginDefault
			if s.Option() && OptionText(&v.Options, s.Name) != OptionText(&defaults, s.Name) {
				v.origins[s.Name] = from
			}
			continue
		}
		v.origins[s.Name] = origin
		switch {
		case s.Name == "preset":
		case s.Option():
			bad.Add(locate(SetOption(&v.Options, s.Name, text), origin))
		default:
			v.texts[s.Name] = []string{text}
			if s.Repeats && origin == OriginFlag {
				v.texts[s.Name] = given[s.Name]
			}
			bad.Add(locate(s.check(text), origin))
		}
	}
	if v.On("y") {
		v.SetText("overwrite", "replace", "-y")
	}
	return v, bad
}

// PaintOn sets the device of a job that names none. Options that nobody set get the
// defaults for that device, and those of the preset best follow from them.
func (v *Values) PaintOn(name, origin string) {
	v.SetText("device", name, origin)
	if !ownPreset(v.Options.Preset) {
		return
	}
	defaults := defaultsWith(v.Mode, v.Text("weights"), name, v.Options.StyleLoss)
	if v.Options.Preset == "best" {
		defaults = style.Best(defaults)
	}
	if v.Options.Method == style.MethodNNST {
		defaults.UseMethod(style.MethodNNST, networkName(v.Text("weights")))
	}
	for _, option := range optionNames() {
		if from := v.origins[option]; from == OriginDefault || from == presetOrigin(v.Options.Preset) {
			// A default is a valid value, so there is no fault to return.
			_ = SetOption(&v.Options, option, OptionText(&defaults, option))
		}
	}
}

// presetOrigin returns the origin of values that a preset sets.
func presetOrigin(preset string) string { return "preset " + preset }

// lookUp returns the value of the first layer that has a setting.
func lookUp(name string, layers []Layer) (text, origin string, ok bool) {
	for _, l := range layers {
		if text, ok := l.Get(name); ok {
			return text, l.Origin(name), true
		}
	}
	return "", "", false
}

// LookUp returns the text of a setting in the first layer that has it.
func LookUp(s Setting, layers ...Layer) (text string, ok bool) {
	text, origin, ok := lookUp(s.Name, layers)
	return text, ok && (origin == OriginFlag || s.InConfig())
}

// usePreset sets the options to those of a preset, or to the defaults.
func (v *Values) usePreset(preset string, defaults style.Options) (bad ui.Faults) {
	v.Options = defaults
	if preset == "" || preset == "default" {
		return nil
	}
	if preset == "best" {
		v.Options = style.Best(defaults)
		return nil
	}
	o, err := style.Preset(preset, defaults.Mode)
	if err != nil {
		return ui.FaultsOf(err)
	}
	if v.Mode == ModeVideo {
		o.TemporalWeight = style.UsualTemporalWeight(o)
	}
	v.Options = o
	return nil
}

// Defaults returns the options of a mode if only the weights and the device are
// set. On a GPU, pictures are larger and the schedule is full.
func Defaults(mode style.Mode, weights, on string) style.Options {
	return defaultsWith(mode, weights, on, "")
}

// defaultsWith returns the defaults for a style loss and its weights. The loss ""
// means the default loss.
func defaultsWith(mode style.Mode, weights, on string, loss style.StyleLoss) style.Options {
	network, kind := networkName(weights), device.Kind(on)
	base := mode
	if mode == ModeVideo {
		base = style.ModeArt
	}
	o := style.DefaultOptions(base, kind, network)
	if loss != "" {
		o.UseStyleLoss(loss, network)
	}
	if mode == ModeVideo {
		o.TemporalWeight = style.UsualTemporalWeight(o)
	}
	return o
}

// networkName returns the network name by which defaults are chosen for weights:
// "mini" for networks as narrow as it, or "vgg19" for all others.
func networkName(weights string) string {
	if src, err := vgg.Resolve(ui.Home(weights)); err == nil && src.Narrow() {
		return "mini"
	}
	return "vgg19"
}

// ApplyChange applies a change of a recipe, "name=value", to the options.
func (v *Values) ApplyChange(change string) error {
	name, value, ok := strings.Cut(change, "=")
	name = strings.ReplaceAll(strings.TrimLeft(strings.TrimSpace(name), "-"), "_", "-")
	switch known := OptionNames(); {
	case !ok:
		return ui.UsageFault(fmt.Sprintf("--set takes NAME=VALUE, got %q", change), "--set size=1024")
	case !slices.Contains(known, name):
		f := ui.UsageFault(fmt.Sprintf("--set: unknown setting %q", name))
		if near := ui.Nearest(name, known); near != "" {
			f.Try = []string{"--set " + near + "=" + value}
		}
		return f
	}
	return v.SetOption(name, value, "--set")
}
