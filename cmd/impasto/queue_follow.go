package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

// follow tells how a set of jobs gets on until each has ended.
type follow struct {
	reporter progress.BatchReporter
	// weights are how much work a job is beside others; 1 where nothing is said.
	weights map[string]float64
	// collect is called once for each job that is done.
	collect func(context.Context, farm.Status) error
	// forever goes on when all have ended, for jobs that are still to come.
	forever bool
	// wants chooses jobs that are not known yet; nil: none.
	wants func(farm.Status) bool
	// calls are made between one change and the next, as by somebody who brings
	// more jobs; closed when there are none to come. nil: none come.
	calls <-chan func()
	// coming is how many jobs calls are still to bring.
	coming int
	// over is told of each job that has ended, after collect; may be nil.
	over func(farm.Status)

	jobs     map[string]farm.Status
	missing  map[string]error // what collect said
	begun    time.Time
	baseline float64   // work that was done before
	moved    time.Time // when a job changed last, or it was last said that none does
}

const (
	// followEvery is how often the whole is told while nothing changes.
	followEvery = time.Second
	// idleAfter is when it is said that no worker takes the jobs that wait.
	idleAfter = 30 * time.Second
)

// newFollow follows jobs, as they stand.
func newFollow(reporter progress.BatchReporter, list []farm.Status) *follow {
	f := &follow{reporter: reporter, jobs: map[string]farm.Status{}, missing: map[string]error{}, begun: time.Now()}
	for _, st := range list {
		f.jobs[st.Job.ID] = st
	}
	return f
}

// run returns when all jobs have ended, or with the error of ctx.
func (f *follow) run(ctx context.Context, q farm.Queue) error {
	changes, err := q.Watch(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	first := true           // what comes first is not news
	var calls <-chan func() // not before all that was is known
	f.moved = time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case call, ok := <-calls:
			if !ok {
				calls, f.coming = nil, 0
				break
			}
			call()
		case <-tick.C:
			f.lookForWorkers(first)
		case st, ok := <-changes:
			if !ok {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return ui.NewFault(ui.ExitQueue, "queue_unreachable", "the queue was closed")
			}
			if st.Job.ID == "" {
				first, calls = false, f.calls
				f.begun, f.baseline = time.Now(), f.work()
				break
			}
			before, known := f.jobs[st.Job.ID]
			if !known && (f.wants == nil || !f.wants(st)) {
				continue
			}
			f.moved = time.Now()
			f.jobs[st.Job.ID] = st
			f.changed(ctx, before, st, first)
			if len(changes) > 0 {
				continue // tell the whole once for a burst
			}
		}
		if first {
			continue
		}
		f.reporter.Update(f.batch())
		if !f.forever && calls == nil && f.left() == 0 {
			return nil
		}
	}
}

// lookForWorkers says when jobs wait and nobody takes them.
func (f *follow) lookForWorkers(first bool) {
	if first || f.forever || time.Since(f.moved) < idleAfter || f.left() == 0 {
		return
	}
	class := ""
	for _, st := range f.jobs {
		if st.State == farm.Running {
			return
		}
		if st.State == farm.Queued {
			class = st.Job.Class
		}
	}
	f.moved = time.Now()
	f.reporter.Event("warning", fmt.Sprintf("no worker takes the jobs of class %s that wait: impasto worker", class), map[string]any{"class": class})
}

// bring adds a job that is about to be submitted; for calls.
func (f *follow) bring(j farm.Job, weight float64) {
	f.jobs[j.ID] = farm.Status{Job: j, State: farm.Queued}
	f.weights[j.ID] = weight
	f.coming = max(0, f.coming-1)
}

// settle says that a job that was brought had ended before, and returns whether
// it is done; for calls.
func (f *follow) settle(ctx context.Context, st farm.Status) bool {
	before := f.jobs[st.Job.ID]
	if before.State.Ended() {
		return false // the queue has said it too, as of one that ended now
	}
	f.jobs[st.Job.ID] = st
	f.changed(ctx, before, st, true)
	f.baseline += f.weight(st)
	text, done := fmt.Sprintf("%q done before", st.Job.Name), !f.failed(st)
	if !done {
		text = f.told(st)
	}
	f.reporter.Update(f.batch())
	f.reporter.Job(text, f.facts(st))
	return done
}

// changed tells of a job whose state is another than before.
func (f *follow) changed(ctx context.Context, before, st farm.Status, first bool) {
	if st.State == farm.Done && f.collect != nil && (before.State != farm.Done || first) {
		if err := f.collect(ctx, st); err != nil {
			f.missing[st.Job.ID] = err
		} else {
			delete(f.missing, st.Job.ID)
		}
	}
	if st.State.Ended() && f.over != nil {
		f.over(st)
	}
	if first || before.State == st.State && before.Attempts == st.Attempts && before.Deaths == st.Deaths {
		return
	}
	switch {
	case st.State.Ended() && before.State != st.State:
		f.reporter.Update(f.batch())
		f.reporter.Job(f.told(st), f.facts(st))
	case st.Deaths > before.Deaths:
		f.reporter.Event("warning", fmt.Sprintf("%q goes on: its worker was lost", st.Job.Name), f.facts(st))
	case st.State == farm.Queued && st.Attempts > before.Attempts:
		f.reporter.Event("warning", fmt.Sprintf("%q is tried again after: %s", st.Job.Name, firstLine(st.Error)), f.facts(st))
	}
}

// failed reports whether a job ended otherwise than done, or its results could
// not be had.
func (f *follow) failed(st farm.Status) bool {
	return st.State == farm.Failed || st.State == farm.Cancelled || f.missing[st.Job.ID] != nil
}

// told is one job that has ended, in a line.
func (f *follow) told(st farm.Status) string {
	switch err := f.missing[st.Job.ID]; {
	case err != nil:
		return fmt.Sprintf("%q is done, but: %s", st.Job.Name, firstLine(err.Error()))
	case st.State == farm.Done:
		text := fmt.Sprintf("%q done in %s", st.Job.Name, progress.Span(time.Duration(st.Seconds*float64(time.Second))))
		if n := len(st.Job.Outputs); n > 0 {
			text += "  " + st.Job.Outputs[n-1]
		}
		return text
	case st.Error != "":
		return fmt.Sprintf("%q %s: %s", st.Job.Name, st.State, firstLine(st.Error))
	}
	return fmt.Sprintf("%q %s", st.Job.Name, st.State)
}

func (f *follow) facts(st farm.Status) map[string]any {
	facts := map[string]any{"id": st.Job.ID, "name": st.Job.Name, "state": st.State, "attempts": st.Attempts,
		"seconds": st.Seconds, "worker": st.Worker, "outputs": st.Job.Outputs}
	if st.Error != "" {
		facts["error"] = st.Error
	}
	if err := f.missing[st.Job.ID]; err != nil {
		facts["state"], facts["error"] = farm.Failed, err.Error()
	}
	return facts
}

func (f *follow) weight(st farm.Status) float64 {
	if w := f.weights[st.Job.ID]; w > 0 {
		return w
	}
	return 1
}

// work is what has been done, in the units of weights.
func (f *follow) work() float64 {
	sum := 0.0
	for _, st := range f.jobs {
		switch {
		case st.State.Ended():
			sum += f.weight(st)
		case st.State == farm.Running:
			sum += f.weight(st) * st.Fraction
		}
	}
	return sum
}

func (f *follow) left() int {
	n := 0
	for _, st := range f.jobs {
		if !st.State.Ended() {
			n++
		}
	}
	return n
}

// batch is how the jobs stand together. The time left is that at the speed of
// this run so far.
func (f *follow) batch() progress.Batch {
	b := progress.Batch{Total: len(f.jobs) + f.coming, ETA: -1}
	total := 0.0
	var running []string
	for _, id := range slices.Sorted(maps.Keys(f.jobs)) {
		st := f.jobs[id]
		total += f.weight(st)
		switch {
		case f.failed(st):
			b.Failed++
		case st.State == farm.Done:
			b.Done++
		case st.State == farm.Running:
			b.Running++
			running = append(running, fmt.Sprintf("%s %.0f %%", st.Job.Name, 100*st.Fraction))
		}
	}
	b.Text = strings.Join(running, ", ")
	if len(f.jobs) > 0 { // the others are taken to be like those that are known
		total += total / float64(len(f.jobs)) * float64(f.coming)
	}
	work := f.work()
	if total > 0 {
		b.Fraction = min(1, work/total)
	}
	passed := time.Since(f.begun)
	switch gained := work - f.baseline; {
	case b.Done+b.Failed == b.Total:
		b.ETA = 0
	case gained > 0 && passed > 2*time.Second:
		b.ETA = time.Duration((total - work) / gained * float64(passed))
	}
	return b
}

// newBatchReporter opens progress as the command line asks for it.
func (s *session) newBatchReporter(kind string) progress.BatchReporter {
	out, cols := s.stderr, 0
	if s.json { // events are the results
		out, kind = s.stdout, "json"
	}
	cols, _ = ui.TerminalSize(s.stderr)
	return progress.NewBatch(out, progress.Options{Kind: kind, Quiet: s.quiet, Terminal: ui.IsTerminal(s.stderr), Width: cols})
}
