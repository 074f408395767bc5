package render

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

const defaultOutput = "out.png"

// target is the file to which a picture is written.
type target struct {
	path   string
	format picture.Format
	skip   bool // it exists and stays as it is
	ask    bool // it exists and the user is asked before the work starts
}

// Path returns the file that Run writes, "-" for standard output.
func (r *Prepared) Path() string { return r.out.path }

// Skips reports whether the output exists and stays as it is. Run then does
// nothing.
func (r *Prepared) Skips() bool { return r.out.skip }

// Replaces lists the existing files that Run replaces. The user must be asked about
// each of them first.
func (r *Prepared) Replaces() []string {
	if r.out.ask {
		return append([]string{r.out.path}, r.asks...)
	}
	return r.asks
}

// PreviewFile returns the file that shows the unfinished picture, "" for none.
func (r *Prepared) PreviewFile() string { return r.previewPath }

// chooseTarget chooses the file to write and checks that it can be written. values
// are the values of the fields in the name.
func (e Env) chooseTarget(template, rule string, values map[string]string) (target, error) {
	template = ui.Home(template)
	if template == ui.Stdout {
		if e.StdoutTerminal {
			return target{}, ui.NewFault(ui.ExitOutput, "terminal", "standard output is a terminal; a picture would not be readable there",
				"-o - > out.png", "-o out.png")
		}
		return target{path: template, format: picture.PNG}, nil
	}
	if ui.IsFolder(template) {
		template = filepath.Join(template, values["default"])
	}
	if strings.Contains(template, "{n}") {
		return numberedTarget(template, values)
	}
	path, err := ui.Expand(template, values)
	if err != nil {
		return target{}, err
	}
	t := target{path: path}
	var bad ui.Faults
	t.format, err = picture.FormatOf(path)
	err = ui.WithFlag("-o", err)
	bad.Add(err)
	rule, t.ask = e.settleRule(path, rule)
	how, err := picture.ParseOverwrite(rule)
	bad.Add(err)
	if err == nil {
		var chosen string
		chosen, t.skip, err = picture.Destination(path, how)
		bad.Add(err)
		if !t.skip {
			t.path = chosen
		}
	}
	return t, bad.Err()
}

// settleRule replaces the rule "ask" by another. If no user can be asked, an
// existing file is an error.
func (e Env) settleRule(path, rule string) (settled string, ask bool) {
	if rule != "" && rule != "ask" {
		return rule, false
	}
	if _, err := os.Stat(path); err == nil && e.CanAsk {
		return "replace", true
	}
	return "fail", false
}

// numberedTarget fills {n} with the first free number.
func numberedTarget(template string, values map[string]string) (target, error) {
	for n := 1; ; n++ {
		values["n"] = fmt.Sprintf("%04d", n)
		path, err := ui.Expand(template, values)
		if err != nil {
			return target{}, err
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		f, err := picture.FormatOf(path)
		if err != nil {
			return target{}, ui.WithFlag("-o", err)
		}
		path, _, err = picture.Destination(path, picture.Fail)
		return target{path: path, format: f}, err
	}
}

// fieldValues returns the values of the fields of an output template.
func (r *Prepared) fieldValues() map[string]string {
	v := map[string]string{"mode": string(r.Request.Mode), "date": ui.Today(), "seed": strconv.FormatUint(r.values.Options.Seed, 10)}
	var styles []string
	beside := "" // the input that replaces a missing content
	for _, f := range r.files {
		switch f.role {
		case "content":
			v["content"] = ui.Stem(f.path)
		case "style":
			styles = append(styles, ui.Stem(f.path))
		case "b", "map":
			beside = cmp.Or(beside, ui.Stem(f.path))
		}
	}
	v["style"] = strings.Join(styles, "+")
	v["content"] = cmp.Or(v["content"], beside, v["style"])
	v["default"] = v["content"] + "__" + v["style"] + ".png"
	if r.Request.Mode == style.ModeTexture {
		v["default"] = v["style"] + ".png"
	}
	if len(r.plan.Scales) > 0 {
		v["w"], v["h"] = strconv.Itoa(r.plan.W()), strconv.Itoa(r.plan.H())
		v["size"] = v["w"] + "x" + v["h"]
		v["recipe"] = r.recipe.Hash()[:8]
	}
	return v
}

func (r *Prepared) outputName() string { return cmp.Or(r.Request.Output.Name, defaultOutput) }

// checkOutputEarly checks the output's name as far as possible when inputs are
// missing, so that its faults are returned with theirs.
func (r *Prepared) checkOutputEarly() error {
	template := ui.Home(r.outputName())
	if template == ui.Stdout || strings.Contains(template, "{") || ui.IsFolder(template) {
		return nil
	}
	_, err := r.env.chooseTarget(template, r.Request.Output.Overwrite, r.fieldValues())
	return err
}

// encoding is how the picture will be written.
func (r *Prepared) encoding() recipe.Output {
	o := recipe.Output{Format: strings.ToLower(r.out.format.String()), Depth: 8}
	depth := r.Request.Output.Depth
	switch r.out.format {
	case picture.TIFF:
		o.Depth = 16
	case picture.PNG:
	default:
		return o
	}
	if depth != 0 {
		o.Depth = depth
	}
	return o
}

// MakeDirectory makes a directory for pictures, and those above it.
func MakeDirectory(dir string) error {
	if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
		return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("directory %q cannot be made: %s", dir, ui.Reason(err)))
	}
	return nil
}
