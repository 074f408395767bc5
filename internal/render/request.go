// Package render paints one picture, or one film, from a typed request to the
// finished file. It is the only way that commands, jobs, replay and the studio
// paint:
//
//	Request  what to paint: mode, input files, settings, outputs
//	Prepare  reads and checks everything, plans, and returns all faults at once
//	Run      paints and saves, and sends typed events to an Observer
//
// It knows neither flags nor streams of progress; exit codes are in the faults.
package render

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Request is one picture to paint.
type Request struct {
	Mode   style.Mode // one of style's modes, or settings.ModeVideo for a film
	Inputs Inputs
	Output Output
	Values *settings.Values // options of the picture, device and weights

	// Faults were found when the request was read. Prepare returns them with those
	// that it finds.
	Faults     ui.Faults
	incomplete bool // inputs are missing, so that nothing else can be checked

	// Again returns the command line of this request with changes, for hints that
	// the user can paste. It is nil for a job or a page.
	Again func(changes ...Change) string
}

// Change sets or removes a flag of a command line.
type Change struct {
	Flag, Value string // the value of a switch is ""
	Drop        bool
}

// Inputs are the files that a picture is painted from. "-" is standard input, and
// "sample:NAME" is a picture that the program draws.
type Inputs struct {
	Content, Init, Protect string
	Styles                 []string
	Maps, StyleMaps        []string // of the canvas; of the paintings, map by map
	A, B                   string   // of an analogy; Styles holds A'. A "" is the painting's own map.
}

// add puts a file of a recipe in its field.
func (in *Inputs) add(role, path string) {
	switch role {
	case "content":
		in.Content = path
	case "init":
		in.Init = path
	case "protect":
		in.Protect = path
	case "a":
		in.A = path
	case "b":
		in.B = path
	case "map":
		in.Maps = append(in.Maps, path)
	case "style-map":
		in.StyleMaps = append(in.StyleMaps, path)
	default:
		in.Styles = append(in.Styles, path)
	}
}

// Output says what is written. Names are as the user gives them.
type Output struct {
	Name       string // file, directory or "-", with {fields}
	Overwrite  string // a rule of picture.ParseOverwrite, or "ask"
	Depth      int    // bits per channel, 0 for the format's own
	NoRecipe   bool
	SaveEvery  int // iterations between intermediate pictures; 0 for none
	Frames     string
	Report     string // page with pictures and curves
	Explain    string // directory for where patches came from
	Preview    string // file that shows the unfinished picture
	Resume     bool
	Checkpoint Checkpoints
}

// Checkpoints says how often a render saves a checkpoint to resume from.
type Checkpoints struct {
	Every time.Duration // 0 for the default
	Off   bool
}

// outputOf reads the settings of the outputs.
func outputOf(v *settings.Values) Output {
	o := Output{
		Name: v.Text("output"), Overwrite: v.Text("overwrite"), Depth: v.Number("depth", 0), NoRecipe: v.On("no-recipe"),
		SaveEvery: v.Number("save-every", 0), Report: ui.Home(v.Text("report")), Explain: ui.Home(v.Text("explain")), Resume: v.On("resume"),
	}
	if v.Mode != settings.ModeVideo {
		o.Frames = ui.Home(v.Text("frames"))
	}
	o.Checkpoint.Every, o.Checkpoint.Off, _ = settings.ParseInterval(v.Text("checkpoint"))
	known, _ := settings.Find("preview", "")
	if p := v.Text("preview"); p != "" && !slices.Contains(known.Choices, p) {
		o.Preview = ui.Home(p)
	}
	return o
}

// ParseCommandLine makes a request of the words of a stored command line, such as
// "art a.png b.png --size=64 -o out.png". Settings come only from these words.
func ParseCommandLine(words []string) (Request, error) {
	mode, given, args, err := settings.ParseWords(words)
	if err != nil {
		return Request{}, err
	}
	v, bad := settings.Resolve(mode, given)
	return NewRequest(v, bad, args...), nil
}

// NewRequest makes a request of settings and the arguments of a command. It looks
// for maps beside pictures, but reads no file. bad holds the faults of the
// settings.
func NewRequest(v *settings.Values, bad ui.Faults, args ...string) Request {
	r := Request{Mode: v.Mode, Values: v, Output: outputOf(v)}
	missing := func(message string, tries ...string) {
		r.incomplete = true
		bad.Add(ui.UsageFault(message, tries...))
	}
	switch v.Mode {
	case style.ModeTexture:
		r.Inputs.Styles = append(v.List("style"), args...)
		if len(r.Inputs.Styles) == 0 {
			missing("texture needs at least one style image, got 0", "impasto texture sample:woodblock --size 512x512   (or a painting of yours)")
		}
	case style.ModeDoodle:
		r.Inputs = Inputs{Content: v.Text("content"), Protect: v.Text("protect"), Styles: append(v.List("style"), args...),
			Maps: v.List("map"), StyleMaps: v.List("style-map")}
		if len(r.Inputs.Styles) == 0 {
			missing("doodle needs at least one style image, got 0", "impasto doodle sample:woodblock   (or a painting of yours)")
			break
		}
		bad.Add(r.completeDoodle())
	case style.ModeAnalogy:
		if err := r.sortAnalogy(append(args, v.List("style")...)); err != nil {
			r.incomplete = true
			bad.Add(err)
		}
	default:
		r.Inputs.Content, r.Inputs.Styles = SplitInputs(args, v)
		r.Inputs.Protect, r.Inputs.Maps, r.Inputs.StyleMaps = v.Text("protect"), v.List("map"), v.List("style-map")
		what, example := "a content", "sample:lighthouse"
		if v.Mode == settings.ModeVideo {
			what, example = "a film or frames", ""
		}
		needsStyle := v.Mode == style.ModePatch || v.Options.StyleWeight > 0
		if r.Inputs.Content == "" || len(r.Inputs.Styles) == 0 && needsStyle {
			got := len(r.Inputs.Styles)
			if r.Inputs.Content != "" {
				got++
			}
			try := "impasto " + string(v.Mode) + " " + ui.ShellQuote(cmp.Or(r.Inputs.Content, example)) + " sample:woodblock   (or a painting of yours)"
			if v.Mode == settings.ModeVideo && r.Inputs.Content == "" {
				try = "impasto video --help"
			}
			missing(fmt.Sprintf("%s needs %s and at least one style image, got %d", v.Mode, what, got), try)
		}
	}
	bad.Add(r.sortInit())
	r.Faults = bad
	return r
}

// SplitInputs sorts arguments and settings into the photograph and the paintings:
// the first argument is the photograph unless --content names it.
func SplitInputs(args []string, v *settings.Values) (content string, styles []string) {
	content = v.Text("content")
	if content == "" && len(args) > 0 {
		content, args = args[0], args[1:]
	}
	return content, append(v.List("style"), args...)
}

// sortInit separates the file from the word in "--init FILE".
func (r *Request) sortInit() error {
	row, _ := settings.Find("init", "")
	name := string(r.Values.Options.Init)
	if slices.Contains(row.Choices, name) {
		return nil
	}
	if near := ui.Nearest(name, row.Choices); near != "" && filepath.Ext(name) == "" {
		return ui.UsageFault(fmt.Sprintf("--init %q is not %s or a picture", name, strings.Join(row.Choices, ", ")), "--init "+near)
	}
	r.Values.Options.Init, r.Inputs.Init = style.InitFile, name
	return nil
}

// sortAnalogy assigns the pictures of an analogy: A, A' and B, or the edited map of
// a painting and the painting.
func (r *Request) sortAnalogy(pictures []string) error {
	edited := r.Values.Text("edit")
	switch {
	case edited != "" && len(pictures) == 1:
		r.Inputs = Inputs{Styles: pictures, B: edited}
	case edited != "":
		return ui.UsageFault(fmt.Sprintf("analogy --edit needs the map and its painting, got %d pictures", len(pictures)), "impasto analogy --help   (--edit MAP PAINTING)")
	case len(pictures) != 3:
		return ui.UsageFault(fmt.Sprintf("analogy needs A, A' and B, got %d pictures", len(pictures)), "impasto analogy --help   (A, A' and B, in this order)")
	default:
		r.Inputs = Inputs{A: pictures[0], Styles: pictures[1:2], B: pictures[2]}
	}
	return nil
}

// completeDoodle finds the maps that were not named. It chooses the defaults that
// depend on whether there is a photograph.
func (r *Request) completeDoodle() (err error) {
	v := r.Values
	if v.Options.MapWeight > 0 {
		err = r.findMaps()
	}
	if r.Inputs.Content == "" {
		v.Options.ContentWeight, v.Options.ContentLayers = 0, nil
		if v.Origin("init") == settings.OriginDefault && v.Options.Init == style.InitContent {
			v.Options.Init = style.InitNoise
		}
	} else if v.Origin("content-weight") == settings.OriginDefault {
		v.Options.ContentWeight = 0.5
	}
	return err
}

// findMaps looks for maps beside pictures. It uses them only if both sides have
// one.
func (r *Request) findMaps() error {
	in, suffix := &r.Inputs, cmp.Or(r.Values.Text("map-suffix"), maps.Suffix)
	output := cmp.Or(r.Values.Text("output"), defaultOutput)
	named := len(in.StyleMaps) > 0
	if len(in.Maps) == 0 {
		if found := cmp.Or(mapBeside(in.Content, suffix), mapBeside(output, suffix)); found != "" {
			in.Maps = []string{found}
		}
	}
	missing := ""
	if !named {
		for _, p := range in.Styles {
			if found := mapBeside(p, suffix); found != "" {
				in.StyleMaps = append(in.StyleMaps, found)
			} else {
				missing = cmp.Or(missing, p)
			}
		}
	}
	const ignore = "--map-weight 0   (ignores maps)"
	switch {
	case len(in.Maps) == 0 && len(in.StyleMaps) == 0:
		return nil
	case len(in.Maps) == 0 && !named && in.Content == "" && r.Values.Text("output") == "":
		in.StyleMaps = nil // the painting of a texture may happen to have a map
		return nil
	case len(in.Maps) == 0:
		canvas := filepath.Base(cmp.Or(in.Content, output))
		wanted := strings.TrimSuffix(canvas, filepath.Ext(canvas)) + suffix + ".png"
		try := []string{ignore}
		if in.Content != "" {
			try = append([]string{"impasto map derive " + ui.ShellQuote(in.Content)}, try...)
		}
		return ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("%q was found but %q was not; a doodle needs both", in.StyleMaps[0], wanted), try...)
	case missing != "":
		return ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("the canvas has a map, %q, but the painting %q has none", in.Maps[0], missing),
			"impasto map derive "+ui.ShellQuote(missing), ignore)
	}
	return nil
}
