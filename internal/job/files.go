package job

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// Files are the files that the steps of a job may read and write. Anyone who can
// write a record into the queue chooses the words of its steps, so every path among
// them is checked.
type Files struct {
	Dir    string   // the job's own folder: everything in it may be read and written
	Inputs []string // files whose checksums are those of the job's record
}

// Check returns the faults of a step that reads or writes any other file. A step
// that paints may use only the settings that a manifest allows.
func (f Files) Check(s *Step) error {
	var bad ui.Faults
	if s.tool != nil {
		f.checkTool(s, &bad)
		return bad.Err()
	}
	r := s.request
	for _, row := range settings.For(r.Values.Mode) {
		if _, given := s.given[row.Name]; given && !row.InManifest() {
			bad.Add(ui.NewFault(ui.ExitUsage, "job_flag", fmt.Sprintf("jobs have no flag --%s", row.Name)))
		}
	}
	in := r.Inputs
	for _, path := range slices.Concat([]string{in.Content, in.Init, in.Protect, in.A, in.B}, in.Styles, in.Maps, in.StyleMaps) {
		bad.Add(f.checkInput(path))
	}
	bad.Add(f.checkWeights(r.Values.Text("weights")))
	if r.Output.Name == "" {
		bad.Add(ui.NewFault(ui.ExitUsage, "job_output", fmt.Sprintf("the step %q names no output", s.command)))
	}
	for _, row := range settings.For(r.Values.Mode) {
		if row.Kind == settings.Output {
			bad.Add(f.checkOutput(row.Name, ui.Home(r.Values.Text(row.Name))))
		}
	}
	bad.Add(f.checkOutput("preview", r.Output.Preview))
	return bad.Err()
}

// checkTool checks the files of a tool on maps.
func (f Files) checkTool(s *Step, bad *ui.Faults) {
	for i, word := range s.args {
		if !s.tool.ReadsArg(i) {
			continue
		}
		bad.Add(f.checkInput(word))
	}
	for _, flag := range s.tool.Flags {
		text, given := s.given.Last(flag.Name), s.given[flag.Name] != nil
		switch {
		case !given:
		case flag.Name == "weights":
			bad.Add(f.checkWeights(text))
		case flag.Kind == settings.File:
			bad.Add(f.checkInput(text))
		case flag.Kind == settings.FileOrWord:
			if _, err := picture.ParseSize(text); err != nil {
				bad.Add(f.checkInput(text))
			}
		}
	}
	if s.Output() == "" && s.tool.Writes {
		bad.Add(ui.NewFault(ui.ExitUsage, "job_output", fmt.Sprintf("the step %q names no output", s.command)))
	}
	bad.Add(f.checkOutput("output", s.Output()))
}

// checkInput refuses a path that is neither an input of the job nor inside its
// folder. A sample is not a file.
func (f Files) checkInput(path string) error {
	if path == "" || slices.Contains(f.Inputs, path) {
		return nil
	}
	if _, ok := render.CutSample(path); ok {
		return nil
	}
	if path != ui.Stdout && f.inside(path) {
		return nil
	}
	return ui.NewFault(ui.ExitUsage, "job_input", fmt.Sprintf("%q is not an input of the job", path))
}

// checkOutput refuses a path outside the job's folder.
func (f Files) checkOutput(name, path string) error {
	if path == "" || path != ui.Stdout && f.inside(path) {
		return nil
	}
	return ui.NewFault(ui.ExitUsage, "job_output", fmt.Sprintf("--%s %q is outside the folder of the job", name, path))
}

// checkWeights refuses weights from a file that is not an input of the job. A name
// means weights that are built in or installed.
func (f Files) checkWeights(name string) error {
	if isName := strings.IndexFunc(name, notInName) < 0; isName {
		return nil
	}
	return f.checkInput(name)
}

// notInName reports whether a letter cannot be part of the name of weights, such as
// "vgg19" and "random:7". A text with such a letter is a path.
func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_:", r)
}

// inside reports whether a path, with all symbolic links followed, lies in the
// job's folder. The file need not exist.
func (f Files) inside(path string) bool {
	root, err := filepath.EvalSymlinks(f.Dir)
	if err != nil {
		return false
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	real, ok := follow(abs, 0)
	if !ok {
		return false
	}
	rel, err := filepath.Rel(root, real)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// mostLinks is the most links that are followed.
const mostLinks = 40

// follow returns a path without symbolic links, as far as it exists.
func follow(path string, links int) (string, bool) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, true
	}
	if links > mostLinks {
		return "", false
	}
	if to, err := os.Readlink(path); err == nil { // the link leads to a file that does not exist yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		return follow(to, links+1)
	}
	up := filepath.Dir(path)
	if up == path {
		return path, true
	}
	dir, ok := follow(up, links+1)
	return filepath.Join(dir, filepath.Base(path)), ok
}
