package farm

import (
	"context"
	"errors"
	"sync"
	"time"
)

type lease struct {
	q      *queue
	m      message
	status Status // when it was taken

	mu    sync.Mutex
	known version // version that this lease read or wrote last
}

// last returns the version of the record that this lease knows.
func (l *lease) last() version {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known
}

// knows records a version that this lease read or wrote.
func (l *lease) knows(v version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.revision > l.known.revision {
		l.known = v
	}
}

func (l *lease) Status() Status { return l.status }

func (l *lease) Extend(ctx context.Context) (Status, error) {
	if err := l.m.extend(); err != nil {
		return Status{}, err
	}
	s, revision, err := l.q.get(ctx, l.status.Job.ID)
	switch {
	case err != nil:
	case s.Lease != l.status.Lease:
		err = ErrLost
	default:
		l.knows(version{s.clone(), revision})
	}
	return s, err
}

// mine makes a change that only the holder of the lease may make.
func (l *lease) mine(ctx context.Context, f func(*Status)) error {
	v, err := l.q.changeFrom(ctx, l.status.Job.ID, l.last(), func(s *Status) error {
		if s.Lease != l.status.Lease {
			return ErrLost
		}
		f(s)
		s.bound()
		return nil
	})
	if errors.Is(err, ErrUnknown) {
		return ErrLost
	}
	if err == nil {
		l.knows(v)
	}
	return err
}

func (l *lease) Update(ctx context.Context, f func(*Status)) error { return l.mine(ctx, f) }

// Finish writes the end into the record before it acknowledges the message. If this
// process dies in between, the next delivery finds that the job has ended.
func (l *lease) Finish(ctx context.Context, state State, f func(*Status)) error {
	v, err := l.q.changeFrom(ctx, l.status.Job.ID, l.last(), func(s *Status) error {
		switch l.status.Lease {
		case s.Lease:
			s.end(state)
			f(s)
			s.bound()
			return nil
		case s.Last:
			return errReported
		}
		return ErrLost
	})
	switch {
	case errors.Is(err, ErrUnknown):
		return ErrLost
	case err != nil && !errors.Is(err, errReported):
		return err
	case v.State == Running: // this end was reported before, and another worker has the job now
		return nil
	case v.State == Queued:
		return l.m.again(max(0, time.Until(v.After)))
	}
	return l.q.ended(ctx, l.m, v.Status)
}
