package farm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// Worker takes jobs of one class, one after the other.
type Worker struct {
	Queue Queue
	Doer  Doer
	Class string
	Name  string // for statuses: "host:4711"
	Dir   string // folder for jobs and files, of this worker alone

	// Beat is how often the worker renews its lease and sees whether its job was
	// cancelled. It is well below the queue's Wait. 0: 1 s.
	Beat time.Duration
	// Patience is how long the worker tries to deliver a result to a server that cannot
	// be reached, before it gives the job up. 0: LongPatience.
	Patience time.Duration
	// Empty ends Run when the queue has had nothing for this long; 0: never.
	Empty time.Duration
	// Pause is how long a failed job waits for its first retry. Each further pause is
	// five times as long, up to 25 times Pause. 0: 1 s.
	Pause time.Duration
	// Grace is how long a job may take to stop when the worker stops. After that the job
	// is given back as it is. 0: 30 s.
	Grace time.Duration
	// Cache limits the bytes of fetched inputs that stay in Dir for later jobs. Inputs
	// unused for longest are removed first. 0: 10 GB.
	Cache int64
	// Price is what an hour of this worker costs, for the bill of its jobs.
	Price float64
	// Ended is called at the end of each attempt; may be nil.
	Ended func(Status)
	Log   *slog.Logger // nil: none

	sums   Sums           // of inputs
	ending sync.WaitGroup // a done job whose results are stored while the next job begins
}

// LongPatience is how long a worker waits for a server that cannot be reached.
const LongPatience = 10 * time.Minute

// errCancelled ends an attempt whose job was cancelled, errDrained an attempt whose
// worker was asked to stop.
var (
	errCancelled = errors.New("the job was cancelled")
	errDrained   = errors.New("the worker is stopping")
	errTimeout   = errors.New("the attempt took longer than its timeout")
	errStuck     = errors.New("the job at hand did not stop in time")
)

// Run works until ctx ends or drain is closed. Then the present job is stopped as by an
// interruption, which saves a checkpoint, and given back to the queue. Run returns nil,
// the reason why the queue cannot go on, or an error if the Doer did not stop: the job
// is in the queue again then, but the Doer still runs.
func (w *Worker) Run(ctx context.Context, drain <-chan struct{}) error {
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	taking, stop := Bind(ctx, w.Queue)
	defer stop()
	defer w.ending.Wait()
	go func() {
		select {
		case <-drain:
			stop()
		case <-taking.Done():
		}
	}()
	for {
		l, err := w.Queue.Next(taking, w.Class, w.Name, w.Empty)
		switch {
		case l != nil:
			if err := w.attempt(ctx, taking.Done(), l); err != nil {
				return err
			}
		case w.Queue.Life().Err() != nil:
			return context.Cause(w.Queue.Life())
		case taking.Err() != nil, errors.Is(err, ErrEmpty):
			return nil
		default:
			w.Log.Warn("the queue does not answer", "error", err)
			if pause(taking, time.Second); taking.Err() != nil {
				return nil
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// insist calls f again while the server cannot be reached.
func (w *Worker) insist(f func(context.Context) error) error {
	// Not the caller's context: results are reported even after that ends.
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(w.Patience, LongPatience))
	defer cancel()
	var last error // says more than that the time is over
	for {
		try, cancel := context.WithTimeout(ctx, time.Minute)
		err := f(try)
		cancel()
		if w.Queue.Life().Err() != nil {
			return context.Cause(w.Queue.Life())
		}
		if err == nil || errors.Is(err, ErrLost) || IsPermanent(err) || isLocal(err) {
			return err
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err
		}
		if ctx.Err() != nil {
			return last
		}
		w.Log.Warn("trying again", "error", err)
		pause(w.Queue.Life(), 500*time.Millisecond)
	}
}

// isLocal reports whether an error is of this machine's files.
func isLocal(err error) bool {
	var path *os.PathError
	var damaged *DamagedError
	return errors.As(err, &path) || errors.As(err, &damaged)
}

// attempt does a job and reports its end. The results of a job that is done are stored
// while the next job begins. It returns errStuck if the Doer did not stop.
func (w *Worker) attempt(ctx context.Context, stopping <-chan struct{}, l Lease) error {
	s := l.Status()
	a := &attempt{lease: l, before: s, log: w.Log.With("job", s.Job.ID, "name", s.Job.Name),
		place: newPlace(filepath.Join(w.Dir, "jobs", s.Job.ID), filepath.Join(w.Dir, "blobs"), s.order(), &w.sums)}
	a.log.Info("taken", "attempt", s.Attempts+1)
	work, cancel := context.WithCancelCause(ctx)
	if s.Job.Timeout > 0 {
		timer := time.AfterFunc(s.Job.Timeout, func() { cancel(errTimeout) })
		defer timer.Stop()
	}
	var beating sync.WaitGroup
	beat, silent := context.WithCancel(context.WithoutCancel(ctx))
	beating.Go(func() { w.beat(beat, cancel, stopping, l) })
	a.silence = func() {
		silent()
		beating.Wait()
		cancel(nil)
	}
	if _, err := os.Stat(a.place.dir); err == nil { // the job whose results are being stored may be this one
		w.ending.Wait()
	}
	t := &Task{Job: s.Job, Dir: a.place.dir, Attempt: s.Attempts + 1}
	err := w.doOrLeave(stopping, func() error { return w.do(work, a.place, s, t, l) })
	if a.stuck = errors.Is(err, errStuck); !a.stuck { // else the Doer may still write the outcome
		a.outcome = t.Outcome
	}
	if err == nil {
		w.ending.Wait() // only one job at a time is being stored
		w.ending.Go(func() {
			results, err := w.store(a.place)
			w.end(ctx, a, results, err, false)
		})
		return nil
	}
	cause := context.Cause(work)
	if cause != nil {
		err = cause
	}
	w.end(ctx, a, nil, err, cause != nil)
	if a.stuck {
		return errStuck
	}
	return nil
}

// attempt is a job that the worker has.
type attempt struct {
	lease   Lease
	before  Status
	place   *place
	outcome json.RawMessage
	stuck   bool   // the Doer has not stopped
	silence func() // ends the heartbeats, because one after the end would find the lease gone
	log     *slog.Logger
}

func (w *Worker) store(p *place) (results map[string]string, err error) {
	err = w.insist(func(ctx context.Context) error {
		results, err = p.store(ctx, w.Queue.Blobs())
		return err
	})
	return results, err
}

// end reports the result of an attempt to the queue, and removes its files.
func (w *Worker) end(ctx context.Context, a *attempt, results map[string]string, err error, stopped bool) {
	a.silence()
	if errors.Is(err, ErrLost) {
		a.log.Warn("lost to another worker")
		return
	}
	state, change := w.verdict(a.before, err, stopped)
	if state == Done {
		change = func(s *Status) { s.Results, s.Checkpoints, s.Fraction, s.Error = results, nil, 1, "" }
	}
	var after Status
	fault := w.insist(func(ctx context.Context) error {
		return a.lease.Finish(ctx, state, func(s *Status) {
			s.Outcome = a.outcome
			change(s)
			s.Cost += (s.Seconds - a.before.Seconds) / 3600 * w.priceOf(s.Job)
			if state != Done && (err != nil && !stopped || state != Queued) {
				s.Wasted += s.unsaved()
			}
			after = s.clone()
		})
	})
	if fault != nil {
		a.log.Warn("the end of the job could not be reported", "error", fault)
		return // it will be delivered again
	}
	if len(after.Outcome) < len(a.outcome) {
		a.log.Warn("the outcome of the job was too long, or no JSON", "bytes", len(a.outcome))
	}
	a.log.Info(string(state), "seconds", after.Seconds, "error", after.Error)
	if state == Done {
		os.RemoveAll(a.place.dir)
		for name := range a.place.outputs { // checkpoints are not needed any more
			a.place.drop(ctx, w.Queue.Blobs(), name)
		}
	}
	if w.Ended != nil {
		w.Ended(after)
	}
}

// priceOf returns the price of an hour at a job: the worker's price, else that of the
// submitter.
func (w *Worker) priceOf(j Job) float64 { return cmp.Or(w.Price, j.Price) }

// doOrLeave waits for do, but after stopping only as long as Grace.
func (w *Worker) doOrLeave(stopping <-chan struct{}, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	var late <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-stopping:
			stopping, late = nil, time.After(cmp.Or(w.Grace, 30*time.Second))
		case <-late:
			return errStuck
		}
	}
}

// verdict returns the state that an attempt's error leads to. stopped says that the
// worker ended the attempt; the Doer's own contexts may have ended too.
func (w *Worker) verdict(before Status, err error, stopped bool) (State, func(*Status)) {
	switch {
	case err == nil:
		return Done, func(*Status) {}
	case errors.Is(err, errCancelled):
		return Cancelled, func(*Status) {}
	case stopped && (errors.Is(err, errDrained) || errors.Is(err, context.Canceled)):
		return Queued, func(*Status) {} // does not count as an attempt
	}
	state := Queued
	if IsPermanent(err) || before.Attempts >= before.Job.Retries {
		state = Failed
	}
	return state, func(s *Status) {
		s.Attempts++
		s.Error = err.Error()
		if state == Queued {
			s.After = time.Now().UTC().Add(w.pauseBefore(s.Attempts))
		}
	}
}

// pauseBefore returns how long the nth retry, from 1, waits. The cause of the failure,
// such as a full disk or a device in use, may take a while to pass.
func (w *Worker) pauseBefore(n int) time.Duration {
	pause := cmp.Or(w.Pause, time.Second)
	for range min(n-1, 2) {
		pause *= 5
	}
	return pause
}

// do prepares the job's files, runs it and turns a panic into an error.
func (w *Worker) do(ctx context.Context, p *place, s Status, t *Task, l Lease) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.Log.Error("panic", "job", s.Job.ID, "reason", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("the program failed: %v", r)
		}
	}()
	if err := p.prepare(ctx, w.Queue.Blobs(), s.Checkpoints); err != nil {
		return err
	}
	if err := p.trim(cmp.Or(w.Cache, 10e9)); err != nil {
		w.Log.Warn("inputs of other jobs cannot be removed", "error", err)
	}
	t.Inputs = p.inputs
	for _, step := range s.Job.Steps {
		t.Steps = append(t.Steps, p.words(step))
	}
	var mu sync.Mutex
	reported := time.Now()
	t.Progress = func(fraction float64, text string) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(reported) < w.beatEvery() {
			return
		}
		reported = time.Now()
		_ = l.Update(ctx, func(s *Status) { s.Fraction, s.Text, s.Price = fraction, text, w.priceOf(s.Job) })
	}
	t.Checkpointed = func(output string) {
		mu.Lock()
		defer mu.Unlock()
		// The last checkpoint is saved because the attempt is being stopped.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := w.keep(ctx, p, l, output); err != nil {
			w.Log.Warn("a checkpoint was not kept", "job", s.Job.ID, "error", err)
		}
	}
	return w.Doer.Do(ctx, t)
}

// keep stores the checkpoint of an output and replaces the one before.
func (w *Worker) keep(ctx context.Context, p *place, l Lease, output string) error {
	sum, isNew, err := PutNew(ctx, w.Queue.Blobs(), output+checkpointSuffix)
	if err != nil {
		return err
	}
	before := ""
	name := p.original(output)
	err = l.Update(ctx, func(s *Status) {
		before = s.Checkpoints[name]
		s.Checkpoints = maps.Clone(s.Checkpoints)
		if s.Checkpoints == nil {
			s.Checkpoints = map[string]string{}
		}
		s.Checkpoints[name], s.Deaths = sum, 0
		s.Saved, s.Price = time.Now().UTC(), w.priceOf(s.Job)
	})
	if err != nil || before == sum {
		return err
	}
	p.drop(ctx, w.Queue.Blobs(), name)
	if isNew {
		p.stamp(ctx, w.Queue.Blobs(), name, sum)
	}
	return nil
}

func (w *Worker) beatEvery() time.Duration { return cmp.Or(w.Beat, time.Second) }

// beat renews the lease until ctx ends. It stops the job if the job was cancelled or
// lost, or if the worker is to stop.
func (w *Worker) beat(ctx context.Context, stop context.CancelCauseFunc, stopping <-chan struct{}, l Lease) {
	tick := time.NewTicker(w.beatEvery())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stopping:
			stop(errDrained)
			stopping = nil
		case <-tick.C:
			soon, cancel := context.WithTimeout(ctx, w.beatEvery()*5)
			s, err := l.Extend(soon)
			cancel()
			switch {
			case errors.Is(err, ErrLost), errors.Is(err, ErrUnknown):
				stop(ErrLost)
			case err == nil && s.Cancelling:
				stop(errCancelled)
			}
		}
	}
}
