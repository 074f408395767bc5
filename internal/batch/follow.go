package batch

import (
	"cmp"
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

// A Follower reports the progress of a set of jobs until each of them has ended.
type Follower struct {
	Reporter progress.Reporter
	// Weights are the amounts of work of the jobs by ID; 1 where there is none.
	Weights map[string]float64
	// Collect is called once for each job that is done.
	Collect func(context.Context, farm.Status) error
	// Forever continues when all jobs have ended, because they may be queued again.
	Forever bool
	// Calls has functions that Run calls between two changes, so that they may add
	// jobs. The channel is closed after the last. nil: there are none.
	Calls <-chan func()
	// Coming is how many jobs Calls will still add.
	Coming int
	// Budget is the most that the jobs may cost together. Once it is spent, waiting
	// jobs are cancelled. 0: no limit.
	Budget float64
	// Ended is called for each job that has ended, after Collect; may be nil.
	Ended func(farm.Status)

	Jobs        map[string]farm.Status
	Uncollected map[string]error // what Collect returned
	Begun       time.Time
	baseline    float64   // work that was done before
	unstarted   int       // jobs that were cancelled when the budget was spent
	changedAt   time.Time // when a job changed last, or a warning was printed that none does

	more   chan farm.Status              // changes of jobs that Calls added
	watch  func(id string)               // begins to watch a job for more; set by Run
	unwind map[string]context.CancelFunc // ends the watch of a job, by ID
}

const (
	// followEvery is how often totals are reported while nothing changes.
	followEvery = time.Second
	// idleAfter is the time after which a warning says that no worker takes jobs.
	idleAfter = 30 * time.Second
)

// errClosed is the error when the changes of the queue end unexpectedly.
var errClosed error = ui.NewFault(ui.ExitQueue, "queue_unreachable", "the queue was closed")

// Follow returns a Follower of jobs in their present states. Run does the work.
func Follow(reporter progress.Reporter, list []farm.Status) *Follower {
	f := &Follower{Reporter: reporter, Jobs: map[string]farm.Status{}, Uncollected: map[string]error{}, Begun: time.Now()}
	for _, st := range list {
		f.Jobs[st.Job.ID] = st
	}
	return f
}

// Run returns when all jobs have ended, or with the error of ctx.
func (f *Follower) Run(ctx context.Context, q farm.Queue) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	changes, err := q.Watch(ctx, f.own())
	if err != nil {
		return err
	}
	f.more, f.unwind = make(chan farm.Status), map[string]context.CancelFunc{}
	f.watch = func(id string) {
		if err := f.watchMore(ctx, q, id); err != nil {
			stop(err)
		}
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	first := true           // the first statuses are not changes
	var calls <-chan func() // nil until all first statuses are known
	f.changedAt = time.Now()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case st := <-f.more:
			f.news(ctx, st, first)
		case call, ok := <-calls:
			if !ok {
				calls, f.Coming = nil, 0
				break
			}
			call()
		case <-tick.C:
			f.warnIdle(first)
		case st, ok := <-changes:
			if !ok {
				return cmp.Or(context.Cause(ctx), errClosed)
			}
			if st.Job.ID == "" {
				first, calls = false, f.Calls
				f.Begun, f.baseline = time.Now(), f.work()
				break
			}
			f.news(ctx, st, first)
			if len(changes) > 0 {
				continue // report totals once for several changes
			}
		}
		if first {
			continue
		}
		if err := f.checkBudget(ctx, q); err != nil {
			return err
		}
		f.Reporter.Update(f.Totals())
		if !f.Forever && calls == nil && f.left() == 0 {
			return nil
		}
	}
}

// news records the status of a job and reports what changed.
func (f *Follower) news(ctx context.Context, st farm.Status, first bool) {
	before := f.Jobs[st.Job.ID]
	f.changedAt = time.Now()
	f.Jobs[st.Job.ID] = st
	f.changed(ctx, before, st, first)
	f.unwatch(st)
}

// watchMore sends the changes of a job that Calls added to more.
func (f *Follower) watchMore(ctx context.Context, q farm.Queue, id string) error {
	ctx, stop := context.WithCancel(ctx)
	changes, err := q.Watch(ctx, []string{id})
	if err != nil {
		stop()
		return err
	}
	f.unwind[id] = stop
	go func() {
		first := true // the submitter knows the first status
		for st := range changes {
			if first || st.Job.ID == "" {
				first = first && st.Job.ID != ""
				continue
			}
			select {
			case f.more <- st:
			case <-ctx.Done():
			}
		}
	}()
	return nil
}

// unwatch ends the watch of a job that is done.
func (f *Follower) unwatch(st farm.Status) {
	if stop := f.unwind[st.Job.ID]; stop != nil && st.State == farm.Done {
		stop()
		delete(f.unwind, st.Job.ID)
	}
}

// own returns the IDs of the known jobs. It is never nil, which would mean all jobs.
func (f *Follower) own() []string {
	return slices.AppendSeq(make([]string, 0, len(f.Jobs)), maps.Keys(f.Jobs))
}

// warnIdle warns when jobs are queued and no worker takes them.
func (f *Follower) warnIdle(first bool) {
	if first || f.Forever || time.Since(f.changedAt) < idleAfter || f.left() == 0 {
		return
	}
	class := ""
	for _, st := range f.Jobs {
		if st.State == farm.Running {
			return
		}
		if st.State == farm.Queued {
			class = st.Job.Class
		}
	}
	f.changedAt = time.Now()
	warnNoWorker(f.Reporter, class)
}

func warnNoWorker(r progress.Reporter, class string) {
	r.Event("warning", fmt.Sprintf("no worker takes the jobs of class %s that wait: impasto worker", class), map[string]any{"class": class})
}

// Add adds a job that is about to be submitted. Only Calls may call it.
func (f *Follower) Add(j farm.Job, weight float64) {
	f.Jobs[j.ID] = farm.Status{Job: j, State: farm.Queued}
	f.Weights[j.ID] = weight
	f.Coming = max(0, f.Coming-1)
	f.watch(j.ID)
}

// AddEnded notes that a job that was added had ended before, and returns whether
// it is done. Only Calls may call it.
func (f *Follower) AddEnded(ctx context.Context, st farm.Status) bool {
	before := f.Jobs[st.Job.ID]
	if before.State.Ended() {
		return false // the queue reported it too, as a job that ended now
	}
	f.Jobs[st.Job.ID] = st
	f.changed(ctx, before, st, true)
	f.unwatch(st)
	f.baseline += f.weight(st)
	text, done := fmt.Sprintf("%q done before", st.Job.Name), !f.failed(st)
	if !done {
		text = f.describe(st)
	}
	f.Reporter.Update(f.Totals())
	f.Reporter.Event(progress.Job, text, f.facts(st))
	return done
}

// changed reports a job whose state has changed.
func (f *Follower) changed(ctx context.Context, before, st farm.Status, first bool) {
	if st.State == farm.Done && f.Collect != nil && (before.State != farm.Done || first) {
		if err := f.Collect(ctx, st); err != nil {
			f.Uncollected[st.Job.ID] = err
		} else {
			delete(f.Uncollected, st.Job.ID)
		}
	}
	if st.State.Ended() && f.Ended != nil {
		f.Ended(st)
	}
	if first || before.State == st.State && before.Attempts == st.Attempts && before.Deaths == st.Deaths {
		return
	}
	switch {
	case st.State.Ended() && before.State != st.State:
		f.Reporter.Update(f.Totals())
		f.Reporter.Event(progress.Job, f.describe(st), f.facts(st))
	case st.Deaths > before.Deaths:
		f.Reporter.Event("warning", fmt.Sprintf("%q goes on: its worker was lost", st.Job.Name), f.facts(st))
	case st.State == farm.Queued && st.Attempts > before.Attempts:
		f.Reporter.Event("warning", fmt.Sprintf("%q is tried again after: %s", st.Job.Name, FirstLine(st.Error)), f.facts(st))
	}
}

// failed reports whether a job failed or was cancelled, or its results could not be
// fetched.
func (f *Follower) failed(st farm.Status) bool {
	return st.State == farm.Failed || st.State == farm.Cancelled || f.Uncollected[st.Job.ID] != nil
}

// describe returns a line about a job that has ended.
func (f *Follower) describe(st farm.Status) string {
	switch err := f.Uncollected[st.Job.ID]; {
	case err != nil:
		return fmt.Sprintf("%q is done, but: %s", st.Job.Name, FirstLine(err.Error()))
	case st.State == farm.Done:
		text := fmt.Sprintf("%q done in %s", st.Job.Name, progress.Seconds(st.Seconds))
		if n := len(st.Job.Outputs); n > 0 {
			text += "  " + ui.Printable(st.Job.Outputs[n-1])
		}
		return text
	case st.Error != "":
		return fmt.Sprintf("%q %s: %s", st.Job.Name, st.State, FirstLine(st.Error))
	}
	return fmt.Sprintf("%q %s", st.Job.Name, st.State)
}

func (f *Follower) facts(st farm.Status) map[string]any {
	facts := map[string]any{"id": st.Job.ID, "name": st.Job.Name, "state": st.State, "attempts": st.Attempts,
		"seconds": st.Seconds, "worker": st.Worker, "outputs": st.Job.Outputs}
	if st.Error != "" {
		facts["error"] = st.Error
	}
	if err := f.Uncollected[st.Job.ID]; err != nil {
		facts["state"], facts["error"] = farm.Failed, err.Error()
	}
	return facts
}

func (f *Follower) weight(st farm.Status) float64 {
	if w := f.Weights[st.Job.ID]; w > 0 {
		return w
	}
	return 1
}

// work returns the work that has been done, in the units of Weights.
func (f *Follower) work() float64 {
	sum := 0.0
	for _, st := range f.Jobs {
		switch {
		case st.State.Ended():
			sum += f.weight(st)
		case st.State == farm.Running:
			sum += f.weight(st) * st.Fraction
		}
	}
	return sum
}

func (f *Follower) left() int {
	n := 0
	for _, st := range f.Jobs {
		if !st.State.Ended() {
			n++
		}
	}
	return n
}

// Totals counts the jobs by state and estimates the time left, at the speed of
// this run so far.
func (f *Follower) Totals() progress.Batch {
	b := progress.Batch{Total: len(f.Jobs) + f.Coming, ETA: -1}
	total := 0.0
	var running []string
	for _, id := range slices.Sorted(maps.Keys(f.Jobs)) {
		st := f.Jobs[id]
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
	if len(f.Jobs) > 0 { // assume that the others are like the known ones
		total += total / float64(len(f.Jobs)) * float64(f.Coming)
	}
	work := f.work()
	if total > 0 {
		b.Fraction = min(1, work/total)
	}
	passed := time.Since(f.Begun)
	switch gained := work - f.baseline; {
	case b.Done+b.Failed == b.Total:
		b.ETA = 0
	case gained > 0 && passed > 2*time.Second:
		b.ETA = time.Duration((total - work) / gained * float64(passed))
	}
	return b
}

// reportTotals prints how many jobs there were, and how they ended. It returns a fault if
// some failed.
func reportTotals(r progress.Reporter, b progress.Batch) error {
	r.Event(progress.Result, endedText(b.Total, b), map[string]any{"total": b.Total, "done": b.Done, "failed": b.Failed})
	r.Close()
	return someFailed(b)
}

// endedText says how many jobs there were, and how many are done and failed.
func endedText(total int, b progress.Batch) string {
	text := fmt.Sprintf("%s: %d done", ui.Count(total, "job"), b.Done)
	if b.Failed > 0 {
		text += fmt.Sprintf(", %d failed", b.Failed)
	}
	return text
}

// Fault returns a fault with exit code 3, or 16 if the budget was spent, unless every
// job is done.
func (f *Follower) Fault() error {
	b := f.Totals()
	if b.Failed > 0 && f.unstarted > 0 {
		return ui.NewFault(ui.ExitBudget, "budget", fmt.Sprintf("the budget of %s is spent (%s): %d of %s were not started", MoneyText(f.Budget), MoneyText(f.spent()), f.unstarted, ui.Count(b.Total, "job")),
			fmt.Sprintf("--budget %s   (the same command goes on)", MoneyText(2*max(f.Budget, f.spent()))))
	}
	return someFailed(b)
}

// someFailed returns the fault for jobs that failed or were cancelled, if there are any.
func someFailed(b progress.Batch) error {
	if b.Failed == 0 {
		return nil
	}
	return ui.NewFault(ui.ExitSomeFailed, "some_failed", fmt.Sprintf("%d of %s failed", b.Failed, ui.Count(b.Total, "job")),
		"impasto queue ls --state failed", "impasto queue retry --state failed")
}

// Bill returns what the jobs have cost together.
func (f *Follower) Bill() (b farm.Bill) {
	for _, st := range f.Jobs {
		b.Add(st.Bill)
	}
	return b
}
