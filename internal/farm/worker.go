package farm

import (
	"context"
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
	Name  string // told in statuses: "host:4711"
	Dir   string // where jobs and files lie; of this worker alone

	// Beat is how often it says that it lives, and looks whether its job was
	// cancelled; well below the queue's Wait. 0: 1 s.
	Beat time.Duration
	// Patience is how long it goes on asking a server that is away to take a
	// result, before it gives the job up; 0: 10 minutes.
	Patience time.Duration
	// Empty ends Run when nothing has come for this long; 0: never.
	Empty time.Duration
	// Ended is told of each attempt at its end; may be nil.
	Ended func(Status)
	Log   *slog.Logger // nil: none
}

// errCancelled ends an attempt whose job was cancelled, errDrained one whose
// worker was asked to stop.
var (
	errCancelled = errors.New("the job was cancelled")
	errDrained   = errors.New("the worker is stopping")
	errTimeout   = errors.New("the attempt took longer than its timeout")
)

// Run works until ctx ends or drain is closed. Then the job at hand is stopped
// as by an interruption, which saves its checkpoint, and given back to the
// queue. It returns nil, or why the queue cannot be reached any more.
func (w *Worker) Run(ctx context.Context, drain <-chan struct{}) error {
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	taking, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-drain:
			stop()
		case <-taking.Done():
		}
	}()
	for {
		next, cancel := taking, context.CancelFunc(func() {})
		if w.Empty > 0 {
			next, cancel = context.WithTimeout(taking, w.Empty)
		}
		l, err := w.Queue.Next(next, w.Class, w.Name)
		idle := next.Err() != nil
		cancel()
		switch {
		case l != nil:
			w.attempt(ctx, drain, l)
		case idle:
			return nil
		case err != nil:
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

// insist repeats what needs the server while that is away.
func (w *Worker) insist(f func(context.Context) error) error {
	patience := w.Patience
	if patience == 0 {
		patience = 10 * time.Minute
	}
	// Not the caller's context: what was done is to be told even when it ends.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		try, cancel := context.WithTimeout(ctx, time.Minute)
		err := f(try)
		cancel()
		if err == nil || errors.Is(err, ErrLost) || IsPermanent(err) || isLocal(err) || ctx.Err() != nil {
			return err
		}
		w.Log.Warn("trying again", "error", err)
		pause(ctx, 500*time.Millisecond)
	}
}

// isLocal reports whether an error is of this machine's files.
func isLocal(err error) bool {
	var path *os.PathError
	var damaged *DamagedError
	return errors.As(err, &path) || errors.As(err, &damaged)
}

// attempt does a job and writes down how it ended.
func (w *Worker) attempt(ctx context.Context, drain <-chan struct{}, l Lease) {
	s := l.Status()
	log := w.Log.With("job", s.Job.ID, "name", s.Job.Name)
	log.Info("taken", "attempt", s.Attempts+1)
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.Job.Timeout > 0 {
		timer := time.AfterFunc(s.Job.Timeout, func() { cancel(errTimeout) })
		defer timer.Stop()
	}
	var beating sync.WaitGroup
	beat, silent := context.WithCancel(context.WithoutCancel(ctx))
	beating.Go(func() { w.beat(beat, cancel, drain, l) })

	place := newPlace(filepath.Join(w.Dir, "jobs", s.Job.ID), filepath.Join(w.Dir, "blobs"), s.Job)
	t := &Task{Job: s.Job, Dir: place.dir, Attempt: s.Attempts + 1}
	err := w.do(work, place, s, t, l)
	if cause := context.Cause(work); err != nil && cause != nil {
		err = cause
	}
	state, change := w.verdict(s, err)
	if state == Done {
		var results map[string]string
		err = w.insist(func(ctx context.Context) (err error) {
			results, err = place.store(ctx, w.Queue.Blobs())
			return err
		})
		if err == nil {
			change = func(s *Status) { s.Results, s.Checkpoints, s.Fraction, s.Error = results, nil, 1, "" }
		} else {
			state, change = w.verdict(s, err)
		}
	}
	silent()
	beating.Wait() // a beat after the end would find the lease gone
	if errors.Is(err, ErrLost) {
		log.Warn("lost to another worker")
		return
	}
	var after Status
	end := w.insist(func(ctx context.Context) error {
		return l.Finish(ctx, state, func(s *Status) {
			s.Outcome = t.Outcome
			change(s)
			after = s.clone()
		})
	})
	if end != nil {
		log.Warn("its end could not be told", "error", end)
		return // it will be delivered again
	}
	log.Info(string(state), "seconds", after.Seconds, "error", after.Error)
	if state == Done {
		os.RemoveAll(place.dir)
	}
	if w.Ended != nil {
		w.Ended(after)
	}
}

// verdict is the state that an attempt's error leads to.
func (w *Worker) verdict(before Status, err error) (State, func(*Status)) {
	switch {
	case err == nil:
		return Done, func(*Status) {}
	case errors.Is(err, errCancelled):
		return Cancelled, func(*Status) {}
	case errors.Is(err, errDrained), errors.Is(err, context.Canceled):
		return Queued, func(*Status) {} // no attempt of its own
	}
	state := Queued
	if IsPermanent(err) || before.Attempts >= before.Job.Retries {
		state = Failed
	}
	return state, func(s *Status) {
		s.Attempts++
		s.Error = err.Error()
	}
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
	for _, step := range s.Job.Steps {
		t.Steps = append(t.Steps, p.words(step))
	}
	var mu sync.Mutex
	told := time.Now()
	t.Progress = func(fraction float64, text string) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(told) < w.beatEvery() {
			return
		}
		told = time.Now()
		_ = l.Update(ctx, func(s *Status) { s.Fraction, s.Text = fraction, text })
	}
	t.Checkpointed = func(output string) {
		mu.Lock()
		defer mu.Unlock()
		// The last one is saved because the attempt is being stopped.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := w.keep(ctx, p, l, output); err != nil {
			w.Log.Warn("a checkpoint was not kept", "job", s.Job.ID, "error", err)
		}
	}
	return w.Doer.Do(ctx, t)
}

// keep stores the checkpoint of an output, and forgets the one before.
func (w *Worker) keep(ctx context.Context, p *place, l Lease, output string) error {
	sum, err := PutFile(ctx, w.Queue.Blobs(), output+checkpointSuffix)
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
	})
	if err == nil && before != "" && before != sum {
		err = w.Queue.Blobs().Delete(ctx, before)
	}
	return err
}

func (w *Worker) beatEvery() time.Duration {
	if w.Beat > 0 {
		return w.Beat
	}
	return time.Second
}

// beat says that the worker lives until ctx ends, and stops the job when it
// was cancelled, lost, or the worker is to drain.
func (w *Worker) beat(ctx context.Context, stop context.CancelCauseFunc, drain <-chan struct{}, l Lease) {
	tick := time.NewTicker(w.beatEvery())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-drain:
			stop(errDrained)
			drain = nil
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
