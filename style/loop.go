package style

import (
	"context"
	"fmt"
	"time"

	"github.com/impasto/impasto/gpu"
)

// loop runs the iterations of one scale. One iteration is one evaluation of the losses
// and one step. It is recorded once; then the host only starts it and sometimes reads
// the status. The checks that the picture depends on (plateau, divergence) are made at
// fixed iterations. Reports are made by the clock.
type loop struct {
	*run
	index    int // of the scale, from 0
	ob       *objective
	bytes    int64
	first    int // iterations of the scale that were done before the run was resumed
	begun    time.Time
	reported time.Time
	notice   string
	lastLoss float64 // loss at the last check of the plateau
	seen     int     // rollbacks that were reported
}

const (
	reportEvery  = 100 * time.Millisecond
	checkEvery   = 10 // iterations between two readings of the status; a device waits only for these
	plateauEvery = 50
	samples      = 100 // of the history, at most, per scale
)

// resume restores the state of the loop, with its image and its optimiser.
func (l *loop) resume(c *Checkpoint, optimizer gpu.Optimizer) error {
	l.first, l.seen, l.lastLoss = c.Iteration, c.Seen, c.LastLoss
	return c.restore(l.env.Backend, l.ob.canvas().Shape, l.ob.kept(), optimizer)
}

func (l *loop) iterate(ctx context.Context) error {
	n := l.plan.Scales[l.index].Iterations
	sampleEvery := checkEvery * max(1, (n+checkEvery*samples-1)/(checkEvery*samples))
	l.begun = time.Now()
	iteration := l.record(func() {
		l.ob.rematch = false
		l.ob.evaluate()
		l.optimizer.Step(l.ob.variables())
	})
	defer iteration.Close()
	matching := iteration
	if l.ob.matched() {
		matching = l.record(func() {
			l.ob.rematch = true
			l.ob.evaluate()
			l.optimizer.Step(l.ob.variables())
		})
		defer matching.Close()
	}
	for it := l.first + 1; it <= n; it++ {
		// Checkpoints do not keep matches, so a run can only be resumed at an iteration
		// that finds new ones.
		anew := !l.ob.matched() || (it-1)%l.o.Rematch == 0
		if anew && (l.keeper.due(time.Now()) || ctx.Err() != nil && l.keeper.Path != "") {
			l.keep(it - 1)
		}
		if err := ctx.Err(); err != nil && (anew || l.keeper.Path == "") {
			return err
		}
		if l.ob.turn(it) {
			l.optimizer.Restart(l.ob.canvas())
		}
		l.ob.number(it)
		if anew {
			matching.Run()
		} else {
			iteration.Run()
		}
		l.done++
		last := it == n
		sample, check := it == 1 || last || it%sampleEvery == 0, it%checkEvery == 0
		due := l.env.Progress != nil && (time.Since(l.reported) >= reportEvery || l.env.Every > 0 && l.done%l.env.Every == 0)
		if !(sample || check || due || last) {
			continue
		}
		status := l.env.Backend.Status()
		if err := l.env.Backend.Err(); err != nil {
			return err
		}
		l.readStatus(status)
		if sample {
			l.history = append(l.history, Sample{l.index + 1, it, time.Since(l.started).Seconds(), l.losses})
		}
		end := (check || last) && l.ends(status, it)
		if l.env.Progress != nil && (due || last || end) {
			l.report(it)
		}
		if (check || last) && status.Diverged {
			return &DivergedError{Scale: l.index + 1, Iteration: it, Try: l.hints()}
		}
		if end {
			return nil
		}
	}
	if ctx.Err() != nil && l.keeper.Path != "" {
		l.keep(n)
	}
	return ctx.Err()
}

// record prepares an iteration. Iterations on several backends go through the host, so
// they cannot be recorded, and neither can iterations that differ.
func (l *loop) record(f func()) gpu.Program {
	if len(l.ob.others) > 0 || l.ob.differs() {
		return program(f)
	}
	return l.env.Backend.Record(f)
}

// program is a function as a gpu.Program.
type program func()

func (f program) Run() { f() }
func (program) Close() {}

// readStatus updates losses and rollbacks from the status.
func (l *loop) readStatus(s gpu.Status) {
	if losses := l.ob.report(s); finite(losses) {
		l.losses = losses
	}
	if s.Rollbacks > l.seen {
		l.rollbacks += s.Rollbacks - l.seen
		l.seen = s.Rollbacks
		l.notice = fmt.Sprintf("the loss was not finite; went back and halved the step (%d in all)", l.rollbacks)
	}
}

func finite(l Losses) bool { return l.Total-l.Total == 0 && l.TV-l.TV == 0 }

// ends reports whether more iterations at this scale would improve nothing.
func (l *loop) ends(s gpu.Status, it int) bool {
	if s.Stalled {
		l.notice = "the line search found nothing better; scale ended"
		return true
	}
	if l.o.Plateau == 0 || it%plateauEvery != 0 {
		return false
	}
	flat := it > plateauEvery && l.lastLoss-l.losses.Total < l.o.Plateau*l.lastLoss
	l.lastLoss = l.losses.Total
	if flat {
		l.notice = fmt.Sprintf("scale ended after %d iterations: the last %d gained less than %g of the loss", it, plateauEvery, l.o.Plateau)
	}
	return flat
}

func (l *loop) report(it int) {
	l.reported = time.Now()
	s := l.plan.Scales[l.index]
	spent := time.Since(l.begun).Seconds()
	e := Event{
		Scale: l.index + 1, Scales: len(l.plan.Scales), W: s.W, H: s.H,
		Iteration: it, Iterations: s.Iterations,
		Done: l.done, Planned: l.plan.Iterations(),
		Losses: l.losses, Elapsed: time.Since(l.started), Bytes: l.bytes, Notice: l.notice,
		Snapshot: l.snapshot,
	}
	if spent > 0 {
		e.PerSecond = float64(it-l.first) / spent
	}
	if it-l.first >= 3 {
		e.ETA = time.Duration(l.remaining(it, spent/float64(it-l.first)) * float64(time.Second))
	}
	l.notice = ""
	l.env.Progress(e)
}

// remaining estimates the seconds to the end. This scale takes the measured seconds per
// iteration, finer scales take more in proportion to their arithmetic.
func (l *loop) remaining(it int, seconds float64) float64 {
	now := l.plan.Scales[l.index]
	total := float64(now.Iterations-it) * seconds
	for _, s := range l.plan.Scales[l.index+1:] {
		total += float64(s.Iterations) * seconds * float64(s.W*s.H) / float64(now.W*now.H)
	}
	return total
}

// snapshot returns the picture as it is now. It uses the gradient's array, which is
// free between iterations.
func (l *loop) snapshot() *Picture {
	if n := l.ob.neighbours; n != nil {
		n.bands.show(l.ob.g, l.optimizer)
		return l.picture(l.ob.g)
	}
	g := l.ob.slope()
	l.env.Backend.Copy(g, l.ob.canvas())
	l.optimizer.Result(g)
	return l.picture(g)
}

// hints returns suggestions for a run that diverged.
func (l *loop) hints() []Suggestion {
	var hints []Suggestion
	if l.o.Optimizer != OptimizerAdam {
		hints = append(hints, Suggestion{Option: "optimizer", Value: string(OptimizerAdam)})
	} else {
		hints = append(hints, Suggestion{"lr", fmt.Sprint(l.o.LR / 5), fmt.Sprintf("was %g", l.o.LR)})
	}
	if l.o.StyleWeight > 0 {
		hints = append(hints, Suggestion{"style-weight", fmt.Sprint(l.o.StyleWeight / 5), fmt.Sprintf("was %g", l.o.StyleWeight)})
	}
	return hints
}
