package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// settings are the effective values of all params for one render, and where
// each came from.
type settings struct {
	options style.Options
	texts   map[string]string // of the params that are no options
	origins map[string]string
	styles  []string // --style, in order

	maps, styleMaps []string // --map and --style-map, in order
}

func (s *settings) text(name string) string { return s.texts[name] }

// on reports a switch.
func (s *settings) on(name string) bool { v, _ := parseSwitch(s.texts[name]); return v }

// layer is one place settings come from.
type layer struct {
	get    func(name string) (text string, ok bool)
	origin func(name string) string
}

// draftOptions are what --draft changes.
var draftOptions = map[string]string{"weights": "mini", "size": "256", "iterations": "60,40"}

// resolve merges flag > environment > project file > user file > preset >
// default, and returns everything that is wrong with any of them.
func resolve(c *cli.Context, mode string) (*settings, ui.Faults) {
	layers, bad := allLayers(c)
	s, more := merge(mode, layers)
	if c != nil {
		s.styles, s.maps, s.styleMaps = flagTexts(c, "style"), flagTexts(c, "map"), flagTexts(c, "style-map")
		if c.Bool("y") {
			s.texts["overwrite"], s.origins["overwrite"] = "replace", "-y"
		}
	}
	return s, append(bad, more...)
}

// defaultsOnly are the settings where nothing is said.
func defaultsOnly(mode string) (*settings, ui.Faults) { return merge(mode, nil) }

// allLayers lists where settings come from, nearest first.
func allLayers(c *cli.Context) ([]layer, ui.Faults) {
	layers := []layer{flagLayer(c)}
	if c != nil && c.Bool("draft") {
		layers = append(layers, layer{
			get:    func(name string) (string, bool) { v, ok := draftOptions[name]; return v, ok },
			origin: func(string) string { return "--draft" },
		})
	}
	if c != nil && c.App.Metadata[jobMetadata] == true {
		return layers, nil
	}
	layers = append(layers, envLayer(os.LookupEnv))
	files, bad := fileLayers(c)
	return append(layers, files...), bad
}

// merge takes each setting from the first layer that has it.
func merge(mode string, layers []layer) (*settings, ui.Faults) {
	var bad ui.Faults
	find := func(name string) (text, origin string, ok bool) {
		for _, l := range layers {
			if text, ok := l.get(name); ok {
				return text, l.origin(name), true
			}
		}
		return "", "", false
	}

	s := &settings{texts: map[string]string{}, origins: map[string]string{}}
	preset, _, hasPreset := find("preset")
	weights, _, _ := find("weights")
	s.options = usualOptions(mode, networkName(weights))
	if hasPreset && preset != "default" {
		o, err := style.Preset(preset, s.options.Mode)
		if err != nil {
			bad.Add(err)
		} else {
			s.options = o
			if mode == modeVideo {
				s.options.TemporalWeight = style.UsualTemporalWeight(o.LossScale)
			}
		}
	}
	defaults := usualOptions(mode, networkName(weights))
	for _, p := range params {
		if !p.in(mode) {
			continue
		}
		text, origin, ok := find(p.name)
		if !ok {
			s.origins[p.name] = "default"
			if p.option && optionText(&s.options, p.name) != optionText(&defaults, p.name) {
				s.origins[p.name] = "preset " + preset
			}
			continue
		}
		s.origins[p.name] = origin
		if !p.option {
			s.texts[p.name] = text
			bad.Add(checkText(p, text))
			continue
		}
		if p.name == "preset" {
			continue
		}
		if err := setOption(&s.options, p.name, text); err != nil {
			bad.Add(attribute(err, p.name, origin))
		}
	}
	return s, bad
}

// attribute says where a bad value came from when it was not the command line.
func attribute(err error, name, origin string) error {
	f := ui.FaultsOf(err)[0]
	if origin != "flag" && !strings.HasPrefix(origin, "-") {
		f.Message = origin + ": " + strings.TrimPrefix(f.Message, "--")
	}
	return f
}

// checkText checks the value of a param that is no option.
func checkText(p param, text string) error {
	oneOf := func(words []string) error {
		for _, w := range words {
			if text == w {
				return nil
			}
		}
		f := ui.UsageFault(fmt.Sprintf("--%s %q is not one of %s", p.name, text, strings.Join(words, ", ")))
		if near := ui.Nearest(text, words); near != "" {
			f.Try = []string{"--" + p.name + " " + near}
		}
		return f
	}
	atLeast := func(least int) error {
		if n, err := strconv.Atoi(text); err != nil || n < least {
			return ui.UsageFault(fmt.Sprintf("--%s takes a whole number from %d, got %q", p.name, least, text))
		}
		return nil
	}
	switch p.name {
	case "overwrite", "progress", "depth":
		return oneOf(flagChoices[p.name])
	case "max-pixels", "save-every", "print-every", "threads", "every", "next-iterations":
		return atLeast(1)
	case "flow":
		return oneOf(flagChoices[p.name])
	case "cut":
		if _, ok := parseCut(text); !ok {
			return badValue(p.name, text, "a number from 0 to 1, or off")
		}
	case "fps":
		if _, err := film.ParseRate(text); err != nil {
			return badValue(p.name, text, "frames a second, such as 25 or 30000/1001")
		}
	case "from", "to":
		if _, ok := parseMoment(text); !ok {
			return badValue(p.name, text, "a time such as 12.5 or 1:02.5, or a frame such as 300f")
		}
	case "crf":
		return atLeast(0)
	case "max-memory":
		if _, ok := ui.ParseBytes(text); !ok {
			return badValue(p.name, text, "an amount such as 500MB or 2GB")
		}
	case "checkpoint":
		if _, _, ok := parseEvery(text); !ok {
			return badValue(p.name, text, "a time such as 30s or 5m, or off")
		}
	case "progress-fd":
		return atLeast(3)
	}
	if p.value == "" {
		if _, ok := parseSwitch(text); !ok {
			return badValue(p.name, text, "yes or no")
		}
	}
	return nil
}

// usualOptions are those of a command before anything is said.
func usualOptions(mode, network string) style.Options {
	if mode != modeVideo {
		return style.DefaultOptions(mode, "cpu", network)
	}
	o := style.DefaultOptions(style.ModeArt, "cpu", network)
	o.TemporalWeight = style.UsualTemporalWeight(o.LossScale)
	return o
}

// number returns a checked whole number, or fallback where none was given.
func (s *settings) number(name string, fallback int) int {
	if n, err := strconv.Atoi(s.texts[name]); err == nil {
		return n
	}
	return fallback
}

func flagLayer(c *cli.Context) layer {
	said := map[string]bool{} // c.IsSet looks through all flags, each time
	if c != nil {
		for _, name := range c.LocalFlagNames() {
			said[name] = true
		}
	}
	return layer{
		get: func(name string) (string, bool) {
			if !said[name] {
				return "", false
			}
			if w, ok := c.Generic(name).(*words); ok {
				return w.said[len(w.said)-1], true
			}
			return strconv.FormatBool(c.Bool(name)), true
		},
		origin: func(string) string { return "flag" },
	}
}

// envName is the environment variable of a param.
func envName(name string) string {
	return "IMPASTO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func envLayer(lookup func(string) (string, bool)) layer {
	return layer{
		get: func(name string) (string, bool) {
			p, _ := findParam(name)
			if p.flagOnly || envName(name) == vgg.Environment {
				return "", false // IMPASTO_WEIGHTS may be a directory; vgg.Resolve reads it
			}
			v, ok := lookup(envName(name))
			return v, ok && v != ""
		},
		origin: envName,
	}
}

// fileLayers reads the project's and the user's configuration, or the one
// named by --config instead of both.
func fileLayers(c *cli.Context) ([]layer, ui.Faults) {
	var bad ui.Faults
	paths := []string{config.ProjectFile}
	if user, err := config.UserFile(); err == nil {
		paths = append(paths, user)
	}
	if c != nil && c.IsSet("config") {
		named := flagText(c, "config")
		if _, err := os.Stat(named); err != nil {
			bad.Add(ui.NewFault(ui.ExitUsage, "config", fmt.Sprintf("configuration %q does not exist", named)))
		}
		paths = []string{named}
	}
	var layers []layer
	for _, path := range paths {
		entries, errs := config.Load(path, configKey)
		for _, err := range errs {
			bad.Add(err)
		}
		if len(entries) == 0 {
			continue
		}
		byKey := map[string]config.Entry{}
		for _, e := range entries {
			byKey[e.Key] = e
		}
		layers = append(layers, layer{
			get:    func(name string) (string, bool) { e, ok := byKey[name]; return e.Value, ok },
			origin: func(name string) string { return fmt.Sprintf("%s:%d", path, byKey[name].Line) },
		})
	}
	return layers, bad
}

// networkName is the name by which defaults are chosen for --weights: "mini",
// or "vgg19" for all others.
func networkName(weights string) string {
	if src, err := vgg.Resolve(ui.Home(weights)); err == nil && src.Builtin == "mini" {
		return "mini"
	}
	return "vgg19"
}
