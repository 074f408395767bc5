package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/ui"
)

func contains(words []string, word string) bool { return slices.Contains(words, word) }

// orders turns the entries of a manifest into jobs.
type orders struct {
	s       *session
	path    string // of the manifest, as given
	folder  string // it lies in
	file    string
	class   string            // "": by the device
	layers  []layer           // environment and configuration
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
	o.layers, o.bad = allLayers(nil)
	return o
}

// add makes a job of an entry. Its faults are kept with the others.
func (o *orders) add(b *jobList, e manifest.Entry) {
	j := farm.Job{Name: e.Name, Batch: b.name, Inputs: map[string]string{}, Priority: e.Priority, Timeout: e.Timeout, Retries: e.Retries}
	made := map[string]bool{}
	var plan probed
	var bad ui.Faults
	onGPU := false
	for _, step := range e.Steps {
		words, outputs := o.words(step)
		later := slices.ContainsFunc(step.Inputs, func(path string) bool { return made[path] })
		for _, path := range outputs {
			o.makeFolder(path)
		}
		if !later && contains(paintCommands, step.Command) {
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

// ofWorker are settings that belong to whoever paints, not to the picture.
var ofWorker = []string{"device", "threads", "max-memory", "progress", "print-every", "preview", "overwrite", "output"}

// words are a step's command line with the settings of the configuration, and
// the files it writes.
func (o *orders) words(step manifest.Step) (words, outputs []string) {
	outputs = slices.Clone(step.Outputs)
	if contains(paintCommands, step.Command) {
		said := map[string]bool{}
		for _, f := range step.Flags {
			said[f.Key] = true
		}
		for _, p := range params {
			if !p.in(step.Command) || p.flagOnly || said[p.name] || contains(notInBatch, p.name) || contains(ofWorker, p.name) {
				continue
			}
			for _, l := range o.layers {
				if text, ok := l.get(p.name); ok {
					step.Flags = append(step.Flags, manifest.Value{Key: p.name, Text: text})
					break
				}
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
func withMaps(words, inputs []string, files []fileRead) ([]string, []string) {
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	for _, f := range files {
		flag := "--" + f.Role + "=" + f.Path
		if f.Role != "map" && f.Role != "style-map" || strings.HasPrefix(f.Path, samplePrefix) || contains(words, flag) {
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

// probed is what a dry run says.
type probed struct {
	Output        string
	Device        string
	Width, Height int
	Seconds       float64
	PeakBytes     int64 `json:"peak_bytes"`
	Recipe        string
	Files         []fileRead
}

// probe finds out what a step would do, and all that is wrong with it.
func (o *orders) probe(step []string) (probed, error) {
	var stdout bytes.Buffer
	words := append([]string{"impasto", "--json", "--dry-run"}, step[:1]...)
	// Whether outputs exist is the queue's affair: some may be its results.
	words = append(append(words, "--overwrite=replace"), dropFlag(step[1:], "overwrite")...)
	s := &session{stdin: strings.NewReader(""), stdout: &stdout, stderr: &bytes.Buffer{}, args: words, job: context.Background(), kept: o.s.keeper()}
	code := s.run()
	var p probed
	var bad ui.Faults
	results(stdout.Bytes(), func(kind string, object json.RawMessage) {
		switch kind {
		case "plan":
			_ = json.Unmarshal(object, &p)
		case "error":
			f := &ui.Fault{}
			_ = json.Unmarshal(object, f)
			bad = append(bad, f)
		}
	})
	if code != ui.ExitOK && len(bad) == 0 {
		bad.Add(ui.NewFault(code, "failure", toldErrors(nil, code)))
	}
	return p, bad.Err()
}

// dropFlag leaves a flag out of canonical words.
func dropFlag(words []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.HasPrefix(w, "--"+name+"=") })
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
