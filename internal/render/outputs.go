package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Before any work, the outputs of a render are compared with its inputs (see
// internal/overwrite).

// existingRule reads the rule for existing files. ask reports whether the user is
// asked about each.
func (e Env) existingRule(rule string) (how picture.Overwrite, ask bool, err error) {
	if rule == "" || rule == "ask" {
		return picture.Fail, e.CanAsk, nil
	}
	how, err = picture.ParseOverwrite(rule)
	return how, false, err
}

// inputsOf adds the files that a render reads to set.
func (r *Prepared) inputsOf(set *overwrite.Set) {
	for _, f := range r.files {
		if f.path != ui.Stdout {
			set.Reads(fmt.Sprintf("the %s image", f.role), ui.Home(f.path))
		}
	}
	if r.source.Path != "" {
		set.Reads("the file of weights", r.source.Path)
	}
	if path := r.values.Text("config"); path != "" {
		set.Reads("the configuration", path)
	}
}

// chooseOutputs decides on all files that will be written.
func (r *Prepared) chooseOutputs() error {
	var bad ui.Faults
	rule := r.Request.Output.Overwrite
	if r.Request.Output.Resume {
		found, err := r.findCheckpoint()
		bad.Add(err)
		if found {
			rule = "replace"
		}
	}
	how, ask, err := r.env.existingRule(rule)
	bad.Add(err)
	set := overwrite.New(how, ask)
	r.inputsOf(set)
	bad = append(bad, r.chooseMain(set, rule)...)
	if r.out.skip {
		return bad.Err()
	}
	bad.Add(r.checkStreams(set))
	bad.Add(r.chooseReport(set))
	bad.Add(r.choosePreview(set))
	bad.Add(r.chooseFrames(set))
	bad.Add(r.chooseExplanation(set))
	r.asks = append(r.asks, set.Existing...)
	return bad.Err()
}

// chooseMain chooses the picture's file and the files beside it.
func (r *Prepared) chooseMain(set *overwrite.Set, rule string) (bad ui.Faults) {
	var err error
	r.out, err = r.env.chooseTarget(r.outputName(), rule, r.fieldValues())
	if r.out.path == ui.Stdout {
		bad.Add(err)
		return bad
	}
	if r.out.path != "" && !r.out.skip {
		if same := set.Writes("output", "-o", r.out.path); same != nil {
			err = same // -y would not help
		}
	}
	bad.Add(err)
	if err != nil || r.out.skip {
		return bad
	}
	bad.Add(r.out.format.Fits(r.plan.W(), r.plan.H()))
	if _, err := os.Stat(r.out.path); errors.Is(err, fs.ErrNotExist) { // otherwise it belongs to the picture that is replaced
		_, _, err := set.Choose("recipe", "-o", picture.Sidecar(r.out.path))
		bad.Add(err)
	} else {
		bad.Add(set.Writes("recipe", "-o", picture.Sidecar(r.out.path)))
	}
	bad.Add(r.chooseCheckpoint(set))
	return bad
}

// chooseCheckpoint refuses to replace the checkpoint of another render, or a file
// that is not a checkpoint. A step of a job, and a render with --resume, continue
// from their checkpoint.
func (r *Prepared) chooseCheckpoint(set *overwrite.Set) error {
	path := r.saving().Path
	if path == "" {
		return nil
	}
	for _, name := range style.CheckpointFiles(path) {
		if err := set.Writes("checkpoint", "-o", name); err != nil {
			return err
		}
	}
	if r.painter.Resume != nil || r.env.Job || set.Rule == picture.Replace {
		return nil
	}
	for _, name := range style.CheckpointFiles(path) {
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if set.Ask {
			r.asks = append(r.asks, name)
			continue
		}
		tries := []string{"-o " + ui.ShellQuote(set.Free(r.out.path)), "-y   (begins anew)"}
		if c, err := style.LoadCheckpoint(path); err == nil && r.compareRecipe(path, c.Note) == nil {
			tries = []string{"--resume", "-y   (begins anew)"}
		}
		return ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("checkpoint %q exists: a render of %q has not ended", name, r.out.path), tries...)
	}
	return nil
}

// checkStreams refuses open output files that are also inputs.
func (r *Prepared) checkStreams(set *overwrite.Set) error {
	streams := r.env.Streams
	if o, ok := r.env.Stdout.(*ui.Output); ok && o.File() != nil && r.out.path == ui.Stdout {
		streams = append(streams[:len(streams):len(streams)], Stream{"standard output", o.File()})
	}
	for _, s := range streams {
		if info, err := s.File.Stat(); err == nil {
			if err := set.Holds(s.Name, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Prepared) chooseReport(set *overwrite.Set) error {
	path := r.Request.Output.Report
	if path == "" {
		return nil
	}
	if ext := filepath.Ext(path); ext != ".html" && ext != ".htm" {
		page := path[:len(path)-len(ext)] + ".html"
		if _, err := os.Lstat(page); err == nil {
			page = set.Free(page)
		}
		return ui.NewFault(ui.ExitOutput, "report_name", fmt.Sprintf("report %q: a report is a page, and its name ends in .html", path), "--report "+ui.ShellQuote(page))
	}
	chosen, skip, err := set.Choose("report", "--report", path)
	if r.report = chosen; skip {
		r.report = ""
	}
	return err
}

func (r *Prepared) choosePreview(set *overwrite.Set) error {
	path := r.Request.Output.Preview
	if path == "" {
		return nil
	}
	if _, err := picture.FormatOf(path); err != nil {
		return ui.WithFlag("--preview", err)
	}
	chosen, skip, err := set.Choose("preview", "--preview", path)
	if r.previewPath = chosen; skip {
		r.previewPath = ""
	}
	return err
}

// chooseFrames chooses the files of --save-every, whose names are all known in
// advance.
func (r *Prepared) chooseFrames(set *overwrite.Set) error {
	every, dir := r.Request.Output.SaveEvery, r.Request.Output.Frames
	if every == 0 {
		if dir != "" {
			return ui.UsageFault("--frames needs --save-every to say how often", "--frames "+dir+" --save-every 10")
		}
		return nil
	}
	if dir != "" {
		if err := r.checkFolder(dir); err != nil {
			return err
		}
	}
	r.framesOf = r.out.path
	names := func(output string) (list []string) {
		for done := every; done <= r.plan.Iterations(); done += every {
			list = append(list, ui.FrameName(output, dir, done))
		}
		return list
	}
	for _, name := range names(r.framesOf) {
		if err := set.Writes("intermediate picture", "-o", name); err != nil {
			return ui.NewFault(ui.ExitOutput, "same_file", err.Error(), "-o "+ui.ShellQuote(set.Free(r.out.path)))
		}
	}
	existing := onlyExisting(names(r.framesOf))
	switch {
	case len(existing) == 0 || set.Rule == picture.Replace || set.Rule == picture.Skip: // skipped one by one
	case set.Ask:
		set.Existing = append(set.Existing, existing...)
	case set.Rule == picture.Number:
		ext := filepath.Ext(r.out.path)
		for n := 2; len(onlyExisting(names(r.framesOf))) > 0; n++ {
			r.framesOf = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(r.out.path, ext), n, ext)
		}
	default:
		return ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("intermediate picture %q exists, which --save-every %d would replace (%s in all)", existing[0], every, ui.Count(len(existing), "file")),
			"-y   (replaces them)", "--frames "+ui.ShellQuote(set.Free("frames")))
	}
	r.keepExisting = set.Rule == picture.Skip
	return nil
}

// chooseExplanation chooses the files of --explain.
func (r *Prepared) chooseExplanation(set *overwrite.Set) error {
	dir := r.Request.Output.Explain
	if dir == "" {
		return nil
	}
	if err := r.checkFolder(dir); err != nil {
		return err
	}
	var layers []string
	for _, l := range r.values.Options.PatchLayers {
		layers = append(layers, l.Layer)
	}
	var names []string
	for _, name := range explain.Files(layers, len(r.inputs.Styles)) {
		names = append(names, filepath.Join(dir, name))
	}
	r.explain = dir
	existing := onlyExisting(names)
	for _, name := range names {
		if err := set.Writes("explanation", "--explain", name); err != nil {
			return ui.NewFault(ui.ExitOutput, "same_file", err.Error(), "--explain "+ui.ShellQuote(set.Free(dir)))
		}
	}
	switch {
	case len(existing) == 0 || set.Rule == picture.Replace:
	case set.Ask:
		set.Existing = append(set.Existing, existing...)
	case set.Rule == picture.Skip:
		r.explain = ""
	case set.Rule == picture.Number:
		r.explain = set.Free(dir)
	default:
		return ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("explanation %q exists", existing[0]), "-y   (replaces it)", "--explain "+ui.ShellQuote(set.Free(dir)))
	}
	return nil
}

func onlyExisting(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, err := os.Lstat(name); return err != nil })
}

// checkFolder checks that a directory can be made and written to. Run makes it.
func (r *Prepared) checkFolder(dir string) error {
	at := filepath.Clean(dir)
	for {
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() {
			return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("directory %q cannot be made: %q is a file", dir, at))
		}
		if err == nil || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	if _, _, err := picture.Destination(filepath.Join(at, "impasto"), picture.Replace); err != nil {
		return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("directory %q cannot be made or written to: permission denied", dir))
	}
	r.folders = append(r.folders, dir)
	return nil
}
