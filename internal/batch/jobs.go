package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// A Batch has the jobs of a manifest.
type Batch struct {
	Name    string
	Jobs    []farm.Job
	Entries []manifest.Entry   // of the jobs, in the same order
	Plans   []render.Plan      // of the jobs: the last step's picture, the time of all steps
	Seconds map[string]float64 // estimates by ID; 0 where unknown
	Terms   Terms
}

// Terms are the price and the budget, from the manifest or the command line.
type Terms struct {
	Price  func(class string) float64 // of an hour of a machine; nil: unknown
	Budget float64                    // that the jobs may cost together; 0: no bound
}

// price returns the price of an hour of a machine for a class, or 0 if it is unknown.
func (t Terms) price(class string) float64 {
	if t.Price == nil {
		return 0
	}
	return t.Price(class)
}

// Cost returns the estimated cost of the jobs, and how many of them have no estimate or no
// price.
func (b *Batch) Cost() (cost float64, unknown int) {
	for _, j := range b.Jobs {
		one := b.Seconds[j.ID] / 3600 * b.Terms.price(j.Class)
		if cost += one; one == 0 {
			unknown++
		}
	}
	return cost, unknown
}

// A Builder turns the entries of a manifest into jobs. It prepares each job, so that all
// faults are found before the first job starts.
type Builder struct {
	Batch Batch

	ctx     context.Context
	env     render.Env
	path    string // of the manifest, as given
	folder  string // that it lies in
	file    string
	class   string // "": by the device
	layers  []settings.Layer
	sums    map[string]string // of files, each read once
	written map[string]string // output -> job that writes it
	made    []string          // folders that were made for outputs, the outer first
	added   []*farm.Job       // of each entry, in their order; nil for one with faults
	bad     ui.Faults
	first   map[string]*ui.Fault // by message: where a fault was found first
	more    map[*ui.Fault]int    // how many other jobs have it
}

// NewBuilder returns a builder for the manifest of this path. The user's
// environment and configuration are written into the command lines of jobs, so that they
// apply on every worker. class is the class of the workers; "" is that of the device.
func NewBuilder(ctx context.Context, path, class string, env render.Env) *Builder {
	b := &Builder{ctx: ctx, env: env, path: path, file: filepath.Base(path), class: class, sums: map[string]string{}, written: map[string]string{},
		first: map[string]*ui.Fault{}, more: map[*ui.Fault]int{}}
	b.Batch = Batch{Name: b.file, Seconds: map[string]float64{}}
	if path == ui.Stdout {
		b.Batch.Name = "stdin"
	} else {
		b.folder = filepath.Dir(path)
	}
	b.folder, _ = filepath.Abs(b.folder)
	b.layers, b.bad = settings.UserLayers("")
	return b
}

// Read returns the jobs of a manifest, or all that is wrong with it. path is "-"
// for standard input. check may add faults of the batch as a whole.
//
// terms replaces the price and the budget of the manifest, as far as it has them.
func Read(ctx context.Context, path string, data []byte, class string, terms Terms, env render.Env, check func(*Batch) error) (*Builder, error) {
	file, err := manifest.Read(path, data, Vocabulary())
	if err != nil {
		return nil, manifestFaults(err)
	}
	b := NewBuilder(ctx, path, class, env)
	if b.Batch.Terms = terms; terms.Price == nil {
		b.Batch.Terms.Price = file.PriceOf
	}
	if terms.Budget == 0 {
		b.Batch.Terms.Budget = file.Budget
	}
	for _, e := range file.Entries {
		b.Add(e)
	}
	b.bad = append(b.bad, b.clashes()...)
	if len(b.bad) == 0 && check != nil {
		b.bad.Add(check(&b.Batch))
	}
	if len(b.bad) > 0 {
		b.RemoveFolders()
		return nil, nothingStarted(b.faults())
	}
	return b, nil
}

// manifestFaults turns the faults of a file into ui's.
func manifestFaults(err error) error {
	var all manifest.Faults
	if !errors.As(err, &all) {
		return err
	}
	var bad ui.Faults
	for _, f := range all {
		bad.Add(f)
	}
	return nothingStarted(bad)
}

// nothingStarted adds a fault that says how many faults there are.
func nothingStarted(bad ui.Faults) error {
	return append(bad, ui.NewFault(bad[0].Exit, "nothing_started", ui.Count(len(bad), "error")+", nothing started"))
}

// Notes returns the notes about the pictures of all jobs, each once.
func (b *Batch) Notes() []string {
	var notes []string
	for _, p := range b.Plans {
		for _, n := range p.Notes {
			if !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
	}
	return notes
}

// Err returns the faults found so far.
func (b *Builder) Err() error { return b.faults().Err() }

// draft is a job under construction.
type draft struct {
	farm.Job
	entry manifest.Entry
	made  map[string]bool // files that earlier steps write, or jobs that are needed
	plan  render.Plan
	onGPU bool
	bad   ui.Faults

	writer map[string]string // files that needed jobs write -> their IDs
}

// Add makes a job of an entry. Its faults are kept with the others.
func (b *Builder) Add(e manifest.Entry) {
	d := &draft{entry: e, made: map[string]bool{}, writer: map[string]string{}, Job: farm.Job{Name: e.Name, Batch: b.Batch.Name, Inputs: map[string]string{},
		Priority: e.Priority, Timeout: e.Timeout, Retries: e.Retries}}
	b.added = append(b.added, nil)
	if !b.addNeeds(d) {
		return // the needed jobs have faults, which are reported
	}
	for _, step := range e.Steps {
		b.addStep(d, step)
	}
	if len(d.bad) > 0 {
		b.blame(e, d.bad)
		return
	}
	if d.Class = b.class; d.Class == "" {
		if d.Class = farm.ClassCPU; d.onGPU {
			d.Class = farm.ClassGPU
		}
	}
	d.Estimate, d.Price = d.plan.Seconds, b.Batch.Terms.price(d.Class)
	d.Identify()
	b.added[len(b.added)-1] = &d.Job
	list := &b.Batch
	list.Jobs, list.Entries, list.Plans = append(list.Jobs, d.Job), append(list.Entries, e), append(list.Plans, d.plan)
	list.Seconds[d.ID] = d.plan.Seconds
}

// addNeeds adds the jobs that must be done first, and the files that they write.
// It returns false if one of them has faults.
func (b *Builder) addNeeds(d *draft) bool {
	for _, at := range d.entry.Needs {
		needed := b.added[at]
		if needed == nil {
			return false
		}
		if overwriteRule(*needed) == "skip" {
			d.bad.Add(ui.UsageFault(fmt.Sprintf("needs %q, which overwrite: skip may leave alone; its results would not be in the queue", needed.Name), "overwrite: replace   (in job "+needed.Name+")"))
		}
		d.Needs = append(d.Needs, farm.Need{ID: needed.ID, Name: needed.Name})
		for _, path := range needed.Outputs {
			d.writer[path] = needed.ID
			d.made[path] = true
		}
	}
	return true
}

// addStep adds a step to a job, with the checksums of the files it reads.
func (b *Builder) addStep(d *draft, step manifest.Step) {
	words, outputs := b.words(step)
	for _, path := range outputs {
		b.makeFolder(path)
	}
	waits := slices.ContainsFunc(step.Inputs, func(path string) bool { return d.made[path] }) // for an earlier step, or another job
	paints := slices.Contains(settings.Commands(), step.Command)
	var s *job.Step
	if waits || paints {
		var err error
		s, err = job.Parse(words)
		d.bad.Add(err)
	}
	switch {
	case s == nil:
	case waits:
		d.bad.Add(s.CheckSettings())
		d.onGPU = d.onGPU || s.OnGPU()
	default:
		plan, err := s.Plan(b.ctx, b.env)
		d.bad.Add(err)
		if err == nil {
			plan.Seconds += d.plan.Seconds
			plan.PeakBytes = max(plan.PeakBytes, d.plan.PeakBytes)
			d.plan = plan
			words, outputs = withOutput(words, outputs, plan.Output)
			words, step.Inputs = withMaps(words, step.Inputs, plan.Files)
			d.onGPU = d.onGPU || !strings.HasPrefix(plan.Device, "cpu") // in half precision it names the instructions too
		}
	}
	for _, path := range step.Inputs {
		if by := d.writer[path]; by != "" {
			if d.Awaits == nil {
				d.Awaits = map[string]string{}
			}
			d.Awaits[path] = by
		}
		if !d.made[path] && d.Inputs[path] == "" {
			sum, err := b.sum(path)
			d.bad.Add(err)
			d.Inputs[path] = sum
		}
	}
	for _, path := range outputs {
		switch by := b.written[path]; {
		case strings.Contains(path, "{") && len(d.bad) == 0:
			d.bad.Add(ui.UsageFault(fmt.Sprintf("output %q: its fields are known only when the step before has run; name the file", path)))
		case by != "" && by != d.Name:
			d.bad.Add(ui.NewFault(ui.ExitOutput, "same_output", fmt.Sprintf("%q is written by %q already", path, by), "{job} or {name} in the output"))
		}
		b.written[path] = d.Name
		d.made[path] = true
	}
	d.Steps, d.Outputs = append(d.Steps, words), append(d.Outputs, outputs...)
}

// blame keeps the faults of an entry. A fault that many jobs have is printed for the first
// job, with the number of the others.
func (b *Builder) blame(e manifest.Entry, bad ui.Faults) {
	seen := map[string]bool{} // of this entry
	for _, f := range bad {
		if seen[f.Message] {
			continue
		}
		seen[f.Message] = true
		if first := b.first[f.Message]; first != nil {
			b.more[first]++
			continue
		}
		b.first[f.Message] = f
		where := e.Name
		if !strings.HasPrefix(where, b.file+":") {
			where = fmt.Sprintf("%s:%d: job %q", b.file, e.Line, e.Name)
		}
		f.Message = where + ": " + f.Message
		b.bad = append(b.bad, f)
	}
}

// faults returns all faults, each with the number of jobs that have it.
func (b *Builder) faults() ui.Faults {
	for _, f := range b.bad {
		if n := b.more[f]; n > 0 {
			f.Message += fmt.Sprintf("   (and %s)", ui.Count(n, "more job"))
			delete(b.more, f)
		}
	}
	return b.bad
}

// makeFolder makes the folder of an output, because a batch may sort its pictures into new
// folders. If that fails, the check of the step says so.
func (b *Builder) makeFolder(output string) {
	folder, _, _ := strings.Cut(output, "{")
	if !strings.HasSuffix(folder, string(filepath.Separator)) {
		folder = filepath.Dir(folder)
	}
	for dir := filepath.Clean(folder); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		b.made = append(b.made, dir)
	}
	_ = os.MkdirAll(folder, 0o777)
}

// RemoveFolders removes the folders that were made for outputs and are empty.
func (b *Builder) RemoveFolders() {
	slices.Sort(b.made)
	for _, dir := range slices.Backward(b.made) {
		_ = os.Remove(dir) // only if it is empty
	}
}

// sum returns the checksum of an input.
func (b *Builder) sum(path string) (string, error) {
	if sum := b.sums[path]; sum != "" {
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
	b.sums[path] = sum
	return sum, nil
}
