package farm

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// queue is what a Queue does, over a store that keeps records and delivers
// messages. A record changes only by comparison with the revision that was read,
// and while a job runs only under its lease, so that of two workers who both
// believe to have a job one finds out.
//
// The message behind a job is delivered at least once, and again when its
// worker falls silent; the record decides what a delivery means.
type queue struct {
	store
	blobs Blobs
}

// store is where a queue's records and messages live.
type store interface {
	// get returns a record and its revision, or ErrUnknown.
	get(ctx context.Context, id string) (Status, uint64, error)
	// put replaces the record of that revision (0: there must be none), or
	// returns errConflict.
	put(ctx context.Context, s Status, revision uint64) (uint64, error)
	remove(ctx context.Context, id string) error
	all(ctx context.Context) ([]Status, error)
	watch(ctx context.Context) (<-chan Status, error)

	// publish queues the message of a record's ticket; twice is once.
	publish(ctx context.Context, s Status) error
	// take waits for a message of a class, higher priorities first.
	take(ctx context.Context, class string) (message, error)
	close() error
}

// message is a delivery. It comes again to somebody if it is neither
// acknowledged nor extended for a while.
type message interface {
	id() string
	sequence() uint64 // the same for every delivery of the message
	extend() error
	acknowledge(ctx context.Context) error
	again(delay time.Duration) error
}

var errConflict = errors.New("the record has changed")

// maxDeaths is how often a job's worker may be lost without a checkpoint in
// between, before the job is taken to be the reason.
const maxDeaths = 10

// submitters is how many goroutines a submission uses: each record and message
// waits for the disk.
const submitters = 16

func (q *queue) Submit(ctx context.Context, jobs ...Job) (int, error) {
	for i, j := range jobs {
		if err := j.check(); err != nil {
			return 0, fmt.Errorf("job %d, %q: %w", i+1, j.Name, err)
		}
	}
	var added int
	var first error
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan Job)
	for range min(submitters, len(jobs)) {
		wg.Go(func() {
			for j := range work {
				isNew, err := q.submit(ctx, j)
				mu.Lock()
				if isNew {
					added++
				}
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	for _, j := range jobs {
		work <- j
	}
	close(work)
	wg.Wait()
	return added, first
}

func (q *queue) submit(ctx context.Context, j Job) (isNew bool, err error) {
	s := Status{Job: j, State: Queued, Ticket: token()}
	_, err = q.put(ctx, s, 0)
	if errors.Is(err, errConflict) {
		if s, _, err = q.get(ctx, j.ID); err != nil || s.State != Queued {
			return false, err
		}
		// Whoever submitted it may have died before the message was sent.
		return false, q.publish(ctx, s)
	}
	if err != nil {
		return false, err
	}
	return true, q.publish(ctx, s)
}

// check finds what would break the queue, not what would fail the job.
func (j Job) check() error {
	switch {
	case len(j.ID) != 16 || strings.Trim(j.ID, "0123456789abcdef") != "":
		return fmt.Errorf("ID %q is not 16 hex digits", j.ID)
	case j.Class != ClassCPU && j.Class != ClassGPU:
		return fmt.Errorf("class %q is neither %s nor %s", j.Class, ClassCPU, ClassGPU)
	case j.Priority < 0 || j.Priority > MaxPriority:
		return fmt.Errorf("priority %d is not from 0 to %d", j.Priority, MaxPriority)
	case len(j.Steps) == 0:
		return errors.New("it has no steps")
	}
	return nil
}

func (q *queue) Next(ctx context.Context, class, worker string) (Lease, error) {
	for {
		m, err := q.take(ctx, class)
		if err != nil {
			return nil, err
		}
		l, err := q.lease(ctx, m, worker)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// lease makes worker the one that has the job of a delivery; nil if there is
// nothing to do for it.
func (q *queue) lease(ctx context.Context, m message, worker string) (Lease, error) {
	for {
		s, revision, err := q.get(ctx, m.id())
		switch {
		case errors.Is(err, ErrUnknown):
			return nil, m.acknowledge(ctx)
		case err != nil:
			return nil, err
		case s.State.Ended(), s.State == Running && s.Message != m.sequence():
			return nil, m.acknowledge(ctx) // told twice
		}
		if s.State == Running { // its worker fell silent
			s.Deaths++
		}
		s.State, s.Worker, s.Started = Running, worker, time.Now().UTC()
		s.Lease, s.Message = token(), m.sequence()
		switch {
		case s.Cancelling:
			s.end(Cancelled)
		case s.Deaths > maxDeaths:
			s.end(Failed)
			s.Error = fmt.Sprintf("its worker was lost %d times", s.Deaths)
		}
		_, err = q.put(ctx, s, revision)
		switch {
		case errors.Is(err, errConflict):
			continue
		case err != nil:
			return nil, err
		case s.State.Ended():
			return nil, m.acknowledge(ctx)
		}
		return &lease{q: q, m: m, status: s}, nil
	}
}

// end is what all ends have in common.
func (s *Status) end(state State) {
	if s.State == Running && !s.Started.IsZero() {
		s.Seconds += max(0, time.Since(s.Started).Seconds())
	}
	s.State, s.Lease, s.Ended, s.Cancelling, s.Text = state, "", time.Now().UTC(), false, ""
	if state == Queued {
		s.Ended = time.Time{}
	}
}

// token tells one lease, or ticket, from another. It is drawn, not counted: a
// job that was removed and comes again must not be taken for its predecessor,
// which the server remembers.
func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func (q *queue) Status(ctx context.Context, id string) (Status, error) {
	s, _, err := q.get(ctx, id)
	return s, err
}

func (q *queue) List(ctx context.Context, f Filter) ([]Status, error) {
	all, err := q.all(ctx)
	all = slices.DeleteFunc(all, func(s Status) bool { return !f.Has(s) })
	slices.SortFunc(all, func(a, b Status) int {
		if c := strings.Compare(a.Job.Batch, b.Job.Batch); c != 0 {
			return c
		}
		return strings.Compare(a.Job.Name+a.Job.ID, b.Job.Name+b.Job.ID)
	})
	return all, err
}

func (q *queue) Watch(ctx context.Context) (<-chan Status, error) { return q.watch(ctx) }

// change replaces a record by what f makes of it.
func (q *queue) change(ctx context.Context, id string, f func(*Status) error) (Status, error) {
	for {
		s, revision, err := q.get(ctx, id)
		if err != nil {
			return s, err
		}
		if err := f(&s); err != nil {
			return s, err
		}
		if _, err = q.put(ctx, s, revision); !errors.Is(err, errConflict) {
			return s, err
		}
	}
}

func (q *queue) Cancel(ctx context.Context, id string) error {
	_, err := q.change(ctx, id, func(s *Status) error {
		switch s.State {
		case Queued:
			s.end(Cancelled)
		case Running:
			s.Cancelling = true
		default:
			return &EndedError{id, s.State}
		}
		return nil
	})
	return err
}

func (q *queue) Retry(ctx context.Context, id string) error {
	s, err := q.change(ctx, id, func(s *Status) error {
		if !s.State.Ended() {
			return &EndedError{id, s.State}
		}
		again := Status{Job: s.Job, State: Queued, Ticket: token()}
		if s.State != Done {
			again.Checkpoints = s.Checkpoints
		}
		*s = again
		return nil
	})
	if err != nil {
		return err
	}
	return q.publish(ctx, s)
}

func (q *queue) Remove(ctx context.Context, id string) error {
	s, _, err := q.get(ctx, id)
	if err != nil {
		return err
	}
	if !s.State.Ended() {
		return &EndedError{id, s.State}
	}
	return q.remove(ctx, id)
}

func (q *queue) Blobs() Blobs { return q.blobs }
func (q *queue) Close() error { return q.close() }

type lease struct {
	q      *queue
	m      message
	status Status // as it was taken
}

func (l *lease) Status() Status { return l.status }

func (l *lease) Extend(ctx context.Context) (Status, error) {
	if err := l.m.extend(); err != nil {
		return Status{}, err
	}
	s, _, err := l.q.get(ctx, l.status.Job.ID)
	if err == nil && s.Lease != l.status.Lease {
		err = ErrLost
	}
	return s, err
}

// mine is a change that only the holder of the lease may make.
func (l *lease) mine(ctx context.Context, f func(*Status)) error {
	_, err := l.q.change(ctx, l.status.Job.ID, func(s *Status) error {
		if s.Lease != l.status.Lease {
			return ErrLost
		}
		f(s)
		return nil
	})
	if errors.Is(err, ErrUnknown) {
		return ErrLost
	}
	return err
}

func (l *lease) Update(ctx context.Context, f func(*Status)) error { return l.mine(ctx, f) }

// Finish writes the end down before the message is acknowledged: should this
// process die in between, the next delivery finds the job ended.
func (l *lease) Finish(ctx context.Context, state State, f func(*Status)) error {
	err := l.mine(ctx, func(s *Status) {
		s.end(state)
		f(s)
	})
	if err != nil {
		return err
	}
	if state == Queued {
		return l.m.again(0)
	}
	return l.m.acknowledge(ctx)
}
