package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// orders turns the entries of a manifest into jobs.
type orders struct {
	s       *session
	path    string // of the manifest, as given
	folder  string // it lies in
	file    string
	class   string            // "": by the device
	layers  []settings.Layer  // environment and configuration
	sums    map[string]string // of files, each read once
	written map[string]string // output -> job that writes it
	made    []string          // folders that were made for outputs, the outer first
	bad     ui.Faults
	same    map[string]*ui.Fault // what was told already, by what is wrong
	jobs    map[*ui.Fault]int    // how many jobs have it
}

func newOrders(s *session, path, class string) *orders {
	o := &orders{s: s, path: path, file: filepath.Base(path), class: class, sums: map[string]string{}, written: map[string]string{},
		same: map[string]*ui.Fault{}, jobs: map[*ui.Fault]int{}}
	if path != ui.Stdout {
		o.folder = filepath.Dir(path)
	}
	o.folder, _ = filepath.Abs(o.folder)
	// What is said for this user holds for the jobs wherever they are done, so
	// it is written into their command lines.
	o.layers, o.bad = settings.UserLayers("")
	return o
}

// add makes a job of an entry. Its faults are kept with the others.
func (o *orders) add(b *jobList, e manifest.Entry) {
	j := farm.Job{Name: e.Name, Batch: b.name, Inputs: map[string]string{}, Priority: e.Priority, Timeout: e.Timeout, Retries: e.Retries}
	made := map[string]bool{}
	var plan render.Plan
	var bad ui.Faults
	onGPU := false
	for _, step := range e.Steps {
		words, outputs := o.words(step)
		later := slices.ContainsFunc(step.Inputs, func(path string) bool { return made[path] })
		for _, path := range outputs {
			o.makeFolder(path)
		}
		if !later && isPaint(step.Command) {
			p, err := o.probe(words)
			bad.Add(err)
			if err == nil {
				p.Seconds += plan.Seconds
				p.PeakBytes = max(p.PeakBytes, plan.PeakBytes)
				plan = p
				words, outputs = withOutput(words, outputs, p.Output)
				words, step.Inputs = withMaps(words, step.Inputs, p.Files)
				onGPU = onGPU || p.Device != "cpu"
			}
		}
		for _, path := range step.Inputs {
			if !made[path] && j.Inputs[path] == "" {
				sum, err := o.sum(path)
				bad.Add(err)
				j.Inputs[path] = sum
			}
		}
		for _, path := range outputs {
			switch {
			case strings.Contains(path, "{") && len(bad) == 0:
				bad.Add(ui.UsageFault(fmt.Sprintf("output %q: its fields are known only when the step before has run; name the file", path)))
			case o.written[path] != "" && o.written[path] != e.Name:
				bad.Add(ui.NewFault(ui.ExitOutput, "same_output", fmt.Sprintf("%q is written by %q already", path, o.written[path]), "{job} or {name} in the output"))
			}
			o.written[path] = e.Name
			made[path] = true
		}
		j.Steps, j.Outputs = append(j.Steps, words), append(j.Outputs, outputs...)
	}
	if len(bad) > 0 {
		o.blame(e, bad)
		return
	}
	if j.Class = o.class; j.Class == "" {
		if j.Class = farm.ClassCPU; onGPU {
			j.Class = farm.ClassGPU
		}
	}
	j.Identify()
	b.jobs, b.entries, b.plans = append(b.jobs, j), append(b.entries, e), append(b.plans, plan)
	b.seconds[j.ID] = plan.Seconds
}

// blame keeps the faults of an entry. What is wrong with many is told of the
// first alone, and of how many others.
func (o *orders) blame(e manifest.Entry, bad ui.Faults) {
	told := map[string]bool{} // of this entry
	for _, f := range bad {
		if told[f.Message] {
			continue
		}
		told[f.Message] = true
		if first := o.same[f.Message]; first != nil {
			o.jobs[first]++
			continue
		}
		o.same[f.Message] = f
		where := e.Name
		if !strings.HasPrefix(where, o.file+":") {
			where = fmt.Sprintf("%s:%d: job %q", o.file, e.Line, e.Name)
		}
		f.Message = where + ": " + f.Message
		o.bad = append(o.bad, f)
	}
}

// faults are all that is wrong, each with how many jobs have it.
func (o *orders) faults() ui.Faults {
	for _, f := range o.bad {
		if n := o.jobs[f]; n > 0 {
			f.Message += fmt.Sprintf("   (and %s)", ui.Count(n, "more job"))
		}
	}
	return o.bad
}

// makeFolder makes the folder of an output, for a batch may sort its pictures
// into new ones. If that cannot be, the step's own check says so.
func (o *orders) makeFolder(output string) {
	folder, _, _ := strings.Cut(output, "{")
	if !strings.HasSuffix(folder, string(filepath.Separator)) {
		folder = filepath.Dir(folder)
	}
	for dir := filepath.Clean(folder); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		o.made = append(o.made, dir)
	}
	_ = os.MkdirAll(folder, 0o777)
}

// unmake removes those folders again where nothing is started.
func (o *orders) unmake() {
	slices.Sort(o.made)
	for _, dir := range slices.Backward(o.made) {
		_ = os.Remove(dir) // only if it is empty
	}
}

// words are a step's command line with the settings of the configuration, and
// the files it writes.
func (o *orders) words(step manifest.Step) (words, outputs []string) {
	outputs = slices.Clone(step.Outputs)
	if isPaint(step.Command) {
		said := map[string]bool{}
		for _, f := range step.Flags {
			said[f.Key] = true
		}
		mode, _ := settings.CommandMode(step.Command)
		for _, row := range settings.For(mode) {
			if !row.InJob() || said[row.Name] {
				continue
			}
			if text, ok := settings.Look(row, o.layers...); ok {
				step.Flags = append(step.Flags, manifest.Value{Key: row.Name, Text: text})
			}
		}
		if !said["output"] {
			folder := o.folder + string(filepath.Separator)
			step.Flags = append(step.Flags, manifest.Value{Key: "output", Text: folder})
			outputs = append(outputs, folder)
		}
	}
	return step.Words(), outputs
}

// withOutput puts the name that an output's fields and folder came to in its
// place.
func withOutput(words, outputs []string, name string) ([]string, []string) {
	before := outputOf(words)
	words, outputs = slices.Clone(words), slices.Clone(outputs)
	for i, w := range words {
		if w == "--output="+before {
			words[i] = "--output=" + name
		}
	}
	for i, path := range outputs {
		if path == before {
			outputs[i] = name
		}
	}
	return words, outputs
}

// withMaps names the maps that were found beside pictures, so that they travel
// with the job: where it is done nothing lies beside them.
func withMaps(words, inputs []string, files []render.FileRead) ([]string, []string) {
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	for _, f := range files {
		flag := "--" + f.Role + "=" + f.Path
		if f.Role != "map" && f.Role != "style-map" || strings.HasPrefix(f.Path, render.SamplePrefix) || contains(words, flag) {
			continue
		}
		words = slices.Insert(slices.Clone(words), at, flag)
		at++
		if !contains(inputs, f.Path) {
			inputs = append(inputs[:len(inputs):len(inputs)], f.Path)
		}
	}
	return words, inputs
}

// probe finds out what a step would do, and all that is wrong with it.
func (o *orders) probe(step []string) (render.Plan, error) {
	req, err := render.ParseCommandLine(step)
	if err != nil {
		return render.Plan{}, err
	}
	req.Output.Overwrite = "replace" // whether outputs exist is the queue's affair: some may be its results
	env := o.s.jobs.Env()
	env.DryRun = true
	if req.Mode == settings.ModeVideo {
		f, err := render.PrepareFilm(context.Background(), req, env)
		if err != nil {
			return render.Plan{}, err
		}
		return f.Plan().Plan, nil
	}
	p, err := render.Prepare(context.Background(), req, env)
	if err != nil {
		return render.Plan{}, err
	}
	return p.Plan(), nil
}

func (o *orders) sum(path string) (string, error) {
	if sum := o.sums[path]; sum != "" {
		return sum, nil
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return "", ui.NewFault(ui.ExitInput, "directory", fmt.Sprintf("%q is a directory", path),
			fmt.Sprintf("tar -cf %s.tar -C %s .   (frames of a film)", ui.ShellQuote(path), ui.ShellQuote(path)))
	}
	sum, err := farm.SumOf(path)
	if err != nil {
		return "", ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("%q cannot be read: %s", path, ui.Reason(err)))
	}
	o.sums[path] = sum
	return sum, nil
}
