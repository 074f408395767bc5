package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// What a command writes is kept apart from what it reads, before any work: see
// internal/overwrite.

// existingRule reads --overwrite. ask says that existing files are asked about,
// which takes a terminal.
func (s *session) existingRule(rule string) (how picture.Overwrite, ask bool, err error) {
	if rule == "" || rule == "ask" {
		return picture.Fail, ui.IsTerminal(s.stdin) && ui.IsTerminal(s.stderr) && !s.json, nil
	}
	how, err = picture.ParseOverwrite(rule)
	return how, false, err
}

// apart refuses an output that is an input of the same command.
func apart(output string, inputs ...string) error {
	set := overwrite.New(picture.Replace, false)
	for _, path := range inputs {
		if path != "" && path != ui.Stdout {
			set.Reads("an input", ui.Home(path))
		}
	}
	return set.Writes("output", "-o", output)
}

// inputsOf notes the files that a render reads.
func (r *render) inputsOf(set *overwrite.Set) {
	for _, f := range r.files {
		if f.path != ui.Stdout {
			set.Reads(fmt.Sprintf("the %s image", f.role), ui.Home(f.path))
		}
	}
	if r.source.Path != "" {
		set.Reads("the file of weights", r.source.Path)
	}
	if path := r.set.text("config"); path != "" {
		set.Reads("the configuration", path)
	}
}

// chooseOutputs decides on all files that will be written.
func (r *render) chooseOutputs() error {
	var bad ui.Faults
	rule := r.set.text("overwrite")
	if r.set.on("resume") {
		found, err := r.findCheckpoint()
		bad.Add(err)
		if found {
			rule = "replace"
		}
	}
	how, ask, err := r.existingRule(rule)
	bad.Add(err)
	set := overwrite.New(how, ask)
	r.inputsOf(set)
	bad = append(bad, r.chooseMain(set, rule)...)
	if r.out.skip {
		return bad.Err()
	}
	bad.Add(r.holdStreams(set))
	bad.Add(r.chooseReport(set))
	bad.Add(r.choosePreview(set))
	bad.Add(r.chooseFrames(set))
	bad.Add(r.chooseAccount(set))
	r.asks = append(r.asks, set.Existing...)
	return bad.Err()
}

// chooseMain decides on the picture and what lies beside it.
func (r *render) chooseMain(set *overwrite.Set, rule string) (bad ui.Faults) {
	var err error
	r.out, err = r.chooseTarget(r.outputName(), rule, r.fieldValues())
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
	if _, err := os.Stat(r.out.path); errors.Is(err, fs.ErrNotExist) { // else it belongs to the picture that is replaced
		_, _, err := set.Choose("recipe", "-o", picture.Sidecar(r.out.path))
		bad.Add(err)
	} else {
		bad.Add(set.Writes("recipe", "-o", picture.Sidecar(r.out.path)))
	}
	bad.Add(r.chooseCheckpoint(set))
	return bad
}

// chooseCheckpoint keeps what is left of another render, and files that are no
// checkpoint. A step of a job and --resume go on from theirs.
func (r *render) chooseCheckpoint(set *overwrite.Set) error {
	path := r.saving().Path
	if path == "" {
		return nil
	}
	for _, name := range style.CheckpointFiles(path) {
		if err := set.Writes("checkpoint", "-o", name); err != nil {
			return err
		}
	}
	if r.env.Resume != nil || r.job != nil || set.Rule == picture.Replace {
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

// holdStreams keeps open files that are written to apart from inputs.
func (r *render) holdStreams(set *overwrite.Set) error {
	if o, ok := r.stdout.(*ui.Output); ok && o.File() != nil && r.out.path == ui.Stdout {
		if info, err := o.File().Stat(); err == nil {
			if err := set.Holds("standard output", info); err != nil {
				return err
			}
		}
	}
	fd := r.set.number("progress-fd", 0)
	if fd == 0 {
		return nil
	}
	if r.progressFile == nil {
		r.progressFile = os.NewFile(uintptr(fd), "progress")
	}
	info, err := r.progressFile.Stat()
	if err != nil {
		return ui.UsageFault(fmt.Sprintf("--progress-fd %d is not open", fd), fmt.Sprintf("impasto ... --progress-fd %d %d>progress.jsonl", fd, fd))
	}
	return set.Holds(fmt.Sprintf("--progress-fd %d", fd), info)
}

func (r *render) chooseReport(set *overwrite.Set) error {
	path := ui.Home(r.set.text("report"))
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

func (r *render) choosePreview(set *overwrite.Set) error {
	path := r.previewFile()
	if path == "" {
		return nil
	}
	if _, err := picture.FormatOf(path); err != nil {
		return err
	}
	chosen, skip, err := set.Choose("preview", "--preview", path)
	if r.previewPath = chosen; skip {
		r.previewPath = ""
	}
	return err
}

// chooseFrames decides on the pictures of --save-every: all their names are known.
func (r *render) chooseFrames(set *overwrite.Set) error {
	every, dir := r.set.number("save-every", 0), ui.Home(r.set.text("frames"))
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

// chooseAccount decides on the files of --explain.
func (r *render) chooseAccount(set *overwrite.Set) error {
	dir := ui.Home(r.set.text("explain"))
	if dir == "" {
		return nil
	}
	if err := r.checkFolder(dir); err != nil {
		return err
	}
	var layers []string
	for _, l := range r.set.options.PatchLayers {
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

// checkFolder finds out that a directory can be made and written to. It is made
// when the work starts.
func (r *render) checkFolder(dir string) error {
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

// makeFolders makes the directories that outputs need.
func (r *render) makeFolders() error {
	for _, dir := range r.folders {
		if err := makeDirectory(dir); err != nil {
			return err
		}
	}
	return nil
}

// keepApart compares what a film's painting writes with what it reads.
func (v *video) keepApart(in string) error {
	how, ask, err := v.existingRule(v.set.text("overwrite"))
	if err != nil {
		return err
	}
	set := overwrite.New(how, ask)
	v.inputsOf(set)
	if v.input.Film || film.IsArchive(in) {
		set.Reads("the film that is painted", v.input.Path)
	} else if ui.SameFile(filepath.Dir(v.frames), filepath.Dir(in+"/")) {
		return ui.NewFault(ui.ExitOutput, "same_file", fmt.Sprintf("painted frames would lie among those that are painted, in %q", filepath.Dir(v.frames)), "-o "+ui.ShellQuote(set.Free("painted"))+"/")
	}
	if v.film.Path != "" {
		if err := set.Writes("output", "-o", v.film.Path); err != nil {
			return err
		}
	}
	for n := range v.input.Frames {
		if err := set.Writes("painted frame", "-o", v.frame(n)); err != nil {
			return ui.NewFault(ui.ExitOutput, "same_file", err.Error(), "-o "+ui.ShellQuote(set.Free("painted"))+"/")
		}
	}
	err = v.choosePreview(set)
	v.asks = append(v.asks, set.Existing...)
	return errors.Join(err, v.holdStreams(set))
}
