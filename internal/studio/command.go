package studio

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// order is what the page asks for: a picture to paint.
type order struct {
	Mode     style.Mode        `json:"mode"`
	Content  string            `json:"content"`
	Styles   []string          `json:"styles"`
	Map      string            `json:"map"`       // of the canvas
	StyleMap string            `json:"style_map"` // of the painting
	Init     string            `json:"init"`      // a picture to paint over; "" as the mode begins
	Settings map[string]string `json:"settings"`
}

// Modes are the ways of painting, in the order of the tabs.
var Modes = []style.Mode{style.ModeArt, style.ModePatch, style.ModeDoodle, style.ModeAnalogy, style.ModeTexture}

// words returns the command line of an order. path turns the name of a picture into
// the path that the command line names. The error lists everything that is missing.
func (s *Studio) words(o order, output string, path func(string) string) ([]string, error) {
	var missing []error
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, bad(http.StatusUnprocessableEntity, what))
		}
	}
	need(slices.Contains(Modes, o.Mode), "choose a way of painting")
	need(len(o.Styles) > 0, "choose a painting to learn from")
	need(o.Content != "" || o.Mode != style.ModeArt && o.Mode != style.ModePatch, "choose a photograph to paint")
	if o.Mode == style.ModeAnalogy {
		need(o.StyleMap != "", "draw a map of the painting")
		need(o.Map != "", "draw a map of the picture you want")
	}
	for _, name := range slices.Concat([]string{o.Content, o.Map, o.StyleMap, o.Init}, o.Styles) {
		if name == "" {
			continue
		}
		if _, _, ok := isSample(name); ok {
			continue
		}
		f, _, err := s.open(name)
		if err != nil {
			need(false, err.Error())
			continue
		}
		f.Close()
	}
	words := []string{string(o.Mode)}
	flag := func(name, value string) { words = append(words, "--"+name+"="+value) }
	var pictures []string
	switch o.Mode {
	case style.ModeDoodle:
		for _, f := range [][2]string{{"content", o.Content}, {"map", o.Map}, {"style-map", o.StyleMap}} {
			if f[1] != "" {
				flag(f[0], path(f[1]))
			}
		}
		pictures = o.Styles
		need(len(o.Styles) < 2, "a doodle has one painting")
	case style.ModeAnalogy:
		pictures = append(append([]string{o.StyleMap}, o.Styles[:min(1, len(o.Styles))]...), o.Map)
	case style.ModeTexture:
		pictures = o.Styles
	default:
		pictures = append([]string{o.Content}, o.Styles...)
	}
	s.checkSettings(o, need, flag)
	if o.Init != "" {
		flag("init", path(o.Init))
	}
	flag("output", output)
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	words = append(words, "--")
	for _, p := range pictures {
		words = append(words, path(p))
	}
	return words, nil
}

// checkSettings passes the settings of an order to flag, in a fixed order. It
// passes what is wrong with them to need.
func (s *Studio) checkSettings(o order, need func(bool, string), flag func(name, value string)) {
	known := map[string]Setting{}
	for _, set := range s.o.Engine.Settings(o.Mode, nil) {
		known[set.Name] = set
	}
	for _, name := range slices.Sorted(maps.Keys(o.Settings)) {
		set, ok := known[name]
		value := o.Settings[name]
		switch {
		case !ok:
			need(false, fmt.Sprintf("%s has no setting %q", o.Mode, name))
		case len(set.Choices) > 0 && !slices.Contains(set.Choices, value):
			need(false, fmt.Sprintf("%s is one of %s, not %q", name, strings.Join(set.Choices, ", "), value))
		case strings.ContainsFunc(value, unicode.IsControl) || len(value) > 500:
			need(false, fmt.Sprintf("%s has no value such as this", name))
		case value != "":
			flag(name, value)
		}
	}
}

// path returns the path of a picture for a job: an absolute one, or the name of a
// sample.
func (s *Studio) path(name string) string {
	if _, _, ok := isSample(name); ok {
		return name
	}
	return filepath.Join(s.o.Folder, filepath.FromSlash(name))
}

// outputName returns the name of a result before a number is added to it.
func outputName(o order) string {
	stem := func(name string) string {
		name = strings.TrimPrefix(name, samplePrefix)
		return strings.TrimSuffix(strings.TrimSuffix(name, filepath.Ext(name)), "_sem")
	}
	var parts []string
	for _, name := range append([]string{cmp.Or(o.Content, o.Map)}, o.Styles...) {
		if name != "" && !slices.Contains(parts, stem(name)) {
			parts = append(parts, stem(name))
		}
	}
	name := strings.Join(parts, "__")
	if runes := []rune(name); len(runes) > 120 {
		name = string(runes[:120])
	}
	return name + ".png"
}

// command sends the command line of an order, for the user to copy.
func (s *Studio) command(_ *http.Request, o order) (any, error) {
	words, err := s.words(o, outputName(o), func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	return map[string]string{"command": commandLine(words)}, nil
}

// commandLine writes words as a user types them in a shell.
func commandLine(words []string) string {
	if at := slices.Index(words, "--"); at >= 0 && !slices.ContainsFunc(words[at+1:], func(w string) bool { return strings.HasPrefix(w, "-") }) {
		words = slices.Delete(slices.Clone(words), at, at+1) // a typed command needs it only in some cases
	}
	return ui.ImpastoCommand(words)
}
