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
)

// An Overview reports the progress of the jobs that a filter chooses, also of jobs that
// are queued later. It holds only the running jobs; the queue counts the others.
type Overview struct {
	Reporter progress.Reporter
	Filter   farm.Filter
	// Forever continues when all jobs have ended, and waits for new ones.
	Forever bool

	counts    Tally
	running   map[string]farm.Status // by ID
	reported  map[string]bool        // jobs whose end was reported lately
	begun     time.Time
	before    int       // jobs that had ended before begun
	changedAt time.Time // time of the last change of a job, or of the last warning that none changes
}

// Watch shows the progress of the jobs that are named, or else of those that a filter
// chooses, and how they ended. With forever it goes on when all have ended.
func Watch(ctx context.Context, q farm.Queue, r progress.Reporter, filter farm.Filter, named []string, forever bool) error {
	if len(named) == 0 {
		o := Overview{Reporter: r, Filter: filter, Forever: forever}
		if err := o.Run(ctx, q); err != nil {
			return err
		}
		return o.Report()
	}
	list, err := Named(ctx, q, named)
	if err != nil {
		return err
	}
	r.Event(progress.Start, TallyOf(list).String(), map[string]any{"jobs": len(list)})
	f := Follow(r, list)
	f.Forever = forever
	if err := f.Run(ctx, q); err != nil {
		return err
	}
	return reportTotals(r, f.Totals())
}

// maxReported bounds the jobs whose reported end is remembered.
const maxReported = 10000

// Run reports until all jobs have ended, or with the error of ctx.
func (o *Overview) Run(ctx context.Context, q farm.Queue) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes, err := q.Watch(ctx, nil)
	if err != nil {
		return err
	}
	o.running, o.reported = map[string]farm.Status{}, map[string]bool{}
	o.begun, o.changedAt = time.Now(), time.Now()
	if err := o.findRunning(ctx, q); err != nil {
		return err
	}
	if o.counts, err = q.Tally(ctx, o.Filter); err != nil {
		return err
	}
	o.before = o.ended()
	o.Reporter.Event(progress.Start, o.counts.String(), map[string]any{"jobs": o.counts.total()})
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for misses := 0; ; {
		// While a job changes its state it is counted, but may not be found.
		left := o.counts[farm.Queued]+o.counts[farm.Running] > 0
		if left {
			if left, err = o.left(ctx, q); err != nil {
				return err
			}
			if misses++; left {
				misses = 0
			}
			if left = misses < 2; !left { // a killed process left the entries that are counted
				delete(o.counts, farm.Running)
				delete(o.counts, farm.Queued)
			}
		}
		o.Reporter.Update(o.totals())
		if !left && !o.Forever {
			return nil
		}
		if err := o.warnIdle(ctx, q); err != nil {
			return err
		}
		if err := o.report(ctx, changes, tick.C); err != nil {
			return err
		}
		if o.counts, err = q.Tally(ctx, o.Filter); err != nil {
			return err
		}
	}
}

// report shows changes of jobs until the next tick.
func (o *Overview) report(ctx context.Context, changes <-chan farm.Status, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
			return nil
		case st, ok := <-changes:
			if !ok {
				return cmp.Or(ctx.Err(), errClosed)
			}
			o.changed(st)
		}
	}
}

// findRunning finds the running jobs; there are no more of them than workers.
func (o *Overview) findRunning(ctx context.Context, q farm.Queue) error {
	if o.Filter.State != "" && o.Filter.State != farm.Running {
		return nil
	}
	return q.Scan(ctx, farm.Filter{Batch: o.Filter.Batch, State: farm.Running}, 0, func(st farm.Status, _ uint64) bool {
		o.running[st.Job.ID] = st
		return true
	})
}

// left reports whether a job waits or runs. It reads at most one such job.
func (o *Overview) left(ctx context.Context, q farm.Queue) (left bool, err error) {
	for _, state := range []farm.State{farm.Running, farm.Queued} {
		if o.Filter.State != "" && o.Filter.State != state {
			continue
		}
		err := q.Scan(ctx, farm.Filter{Batch: o.Filter.Batch, State: state}, 0, func(farm.Status, uint64) bool {
			left = true
			return false
		})
		if left || err != nil {
			return left, err
		}
	}
	return false, nil
}

// changed reports a job that has changed.
func (o *Overview) changed(st farm.Status) {
	before, runs := o.running[st.Job.ID]
	if st.Job.ID == "" || !runs && !o.Filter.Has(st) {
		return
	}
	o.changedAt = time.Now()
	switch {
	case st.State == farm.Running:
		o.running[st.Job.ID] = st
	case runs:
		delete(o.running, st.Job.ID)
	}
	if !st.State.Ended() {
		delete(o.reported, st.Job.ID)
	}
	one := Follower{Reporter: o.Reporter}
	switch {
	case st.State.Ended() && !o.reported[st.Job.ID]:
		if len(o.reported) == maxReported {
			clear(o.reported)
		}
		o.reported[st.Job.ID] = true
		was := farm.Queued
		if runs {
			was = farm.Running
		}
		o.counts[was] = max(0, o.counts[was]-1)
		o.counts[st.State]++
		o.Reporter.Update(o.totals())
		o.Reporter.Event(progress.Job, one.describe(st), one.facts(st))
	case !runs:
	default:
		one.changed(context.Background(), before, st, false)
	}
}

// warnIdle warns when jobs are queued and no worker takes them.
func (o *Overview) warnIdle(ctx context.Context, q farm.Queue) error {
	if o.Forever || time.Since(o.changedAt) < idleAfter || len(o.running) > 0 {
		return nil
	}
	o.changedAt = time.Now()
	load, err := q.Load(ctx)
	for _, class := range slices.Sorted(maps.Keys(load)) {
		if load[class].Waiting > 0 && load[class].Running == 0 {
			warnNoWorker(o.Reporter, class)
		}
	}
	return err
}

func (o *Overview) ended() int {
	return o.counts[farm.Done] + o.counts[farm.Failed] + o.counts[farm.Cancelled]
}

// totals estimates the time left from the speed of this run so far, as if all jobs took
// the same time.
func (o *Overview) totals() progress.Batch {
	b := progress.Batch{Total: o.counts.total(), Done: o.counts[farm.Done], Failed: o.counts[farm.Failed] + o.counts[farm.Cancelled],
		Running: o.counts[farm.Running], ETA: -1}
	var texts []string
	part := 0.0
	for _, id := range slices.Sorted(maps.Keys(o.running)) {
		st := o.running[id]
		part += st.Fraction
		texts = append(texts, fmt.Sprintf("%s %.0f %%", st.Job.Name, 100*st.Fraction))
	}
	b.Text = strings.Join(texts, ", ")
	if b.Total > 0 {
		b.Fraction = min(1, (float64(o.ended())+part)/float64(b.Total))
	}
	gained, passed := o.ended()-o.before, time.Since(o.begun)
	switch {
	case o.ended() == b.Total:
		b.ETA = 0
	case gained > 0 && passed > 2*time.Second:
		b.ETA = time.Duration(float64(b.Total-o.ended()) / float64(gained) * float64(passed))
	}
	return b
}

// Report prints the result of all jobs. It returns a fault if some failed.
func (o *Overview) Report() error {
	return reportTotals(o.Reporter, o.totals())
}
