package farm

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/impasto/impasto/internal/wording"
)

// queue implements Queue over a store that keeps records and delivers messages. A record
// is replaced only if it still has the revision that was read, and while a job runs only
// by the holder of its lease. So if two workers believe that they have a job, one of them
// learns that it has not.
//
// The message of a job is delivered at least once, and again if its worker falls silent.
// The record decides what a delivery means.
type queue struct {
	store
	blobs Blobs
	own   Own
}

// store keeps a queue's records and messages.
type store interface {
	// get returns a record and its revision, or ErrUnknown.
	get(ctx context.Context, id string) (Status, uint64, error)
	// put replaces the record of that revision, or returns errConflict. Revision 0
	// means that there must be no record. It sets the entry of s.
	put(ctx context.Context, s *Status, revision uint64) (uint64, error)
	remove(ctx context.Context, s Status) error
	all(ctx context.Context) ([]Status, error)
	// each calls f with the records that changed after a revision, in the order of
	// revisions, until f returns false.
	each(ctx context.Context, after uint64, f func(s Status, revision uint64) bool) error
	// chosen is like each, for the records that a filter chooses, in the order of
	// their marks.
	chosen(ctx context.Context, filter Filter, after uint64, f func(s Status, mark uint64) bool) error
	tally(ctx context.Context, filter Filter) (map[State]int, error)
	// reindex repairs the index that chosen and tally use.
	reindex(ctx context.Context) error
	// watch sends a record of no job, and then every record that changes.
	watch(ctx context.Context) (<-chan Status, error)
	// watchOnly is like watch, for the jobs with these IDs.
	watchOnly(ctx context.Context, ids []string) (<-chan Status, error)
	load(ctx context.Context) (map[string]Load, error)

	// publish queues the message of a record's ticket. A second call has no effect.
	publish(ctx context.Context, s Status) error
	// take waits for a message of a class, higher priorities first. It returns
	// ErrEmpty under the same condition as Next.
	take(ctx context.Context, class string, empty time.Duration) (message, error)
	// has reports whether a message is still there, with a worker or not.
	has(ctx context.Context, sequence uint64) (bool, error)
	// limit is the size of the largest record, in bytes.
	limit() int
	lives() context.Context
	close() error
}

// message is a delivery. It is delivered again if it is neither acknowledged nor
// extended for a while.
type message interface {
	id() string
	sequence() uint64 // the same for every delivery of the message
	extend() error
	acknowledge(ctx context.Context) error
	again(delay time.Duration) error
}

var (
	errConflict = errors.New("the record has changed")
	errReported = errors.New("this end was reported before")
)

// maxDeaths is how often a job's worker may be lost without a checkpoint in
// between. After that, the job is assumed to be the cause.
const maxDeaths = 10

func (q *queue) Submit(ctx context.Context, jobs ...Job) (int, error) {
	for i, j := range jobs {
		if err := j.check(q.limit()); err != nil {
			return 0, fmt.Errorf("job %d, %q: %w", i+1, j.Name, err)
		}
	}
	if err := q.own.add(jobs); err != nil {
		return 0, err
	}
	added := 0
	for _, level := range Levels(jobs) {
		n, err := q.submitAll(ctx, level)
		if added += n; err != nil {
			return added, err
		}
	}
	return added, nil
}

// submitAll submits jobs that do not need each other.
func (q *queue) submitAll(ctx context.Context, jobs []Job) (int, error) {
	if err := q.awaitNeeds(ctx, jobs); err != nil {
		return 0, err
	}
	var added atomic.Int64
	err := atOnce(ctx, jobs, func(ctx context.Context, j Job) error {
		isNew, err := q.submit(ctx, j)
		if isNew {
			added.Add(1)
		}
		return err
	})
	return int(added.Load()), err
}

func (q *queue) submit(ctx context.Context, j Job) (isNew bool, err error) {
	s := Status{Job: j, State: Queued, Ticket: token()}
	_, err = q.put(ctx, &s, 0)
	if errors.Is(err, errConflict) {
		return q.remind(ctx, j, s)
	}
	if err != nil {
		return false, err
	}
	return true, q.publish(ctx, s)
}

// remind sends the message of a job again if it is missing: the submitter may have died
// before sending it, and a disk may lose it.
// A record that describes no job is replaced by fresh.
func (q *queue) remind(ctx context.Context, j Job, fresh Status) (isNew bool, err error) {
	s, revision, err := q.get(ctx, j.ID)
	if err != nil {
		return false, err
	}
	if s.Damaged {
		if _, err := q.put(ctx, &fresh, revision); err != nil {
			return false, err
		}
		return true, q.publish(ctx, fresh)
	}
	if s.State == Running {
		held, err := q.has(ctx, s.Message)
		if held || err != nil {
			return false, err
		}
		s, err = q.change(ctx, j.ID, func(now *Status) error {
			if now.State == Running && now.Message == s.Message {
				now.end(Queued)
				now.Deaths++
				now.Ticket = token()
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	if s.State != Queued {
		return false, nil
	}
	return false, q.publish(ctx, s)
}

func (q *queue) Next(ctx context.Context, class, worker string, empty time.Duration) (Lease, error) {
	for {
		m, err := q.take(ctx, class, empty)
		if err != nil {
			return nil, err
		}
		l, err := q.accept(ctx, m, worker)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// acceptWithin bounds the time to accept a delivery. Accepting does not end with the
// worker's context: another worker would have to wait for the job as if its worker had
// died.
const acceptWithin = 30 * time.Second

// accept leases the job of a delivery, or gives it back if the worker has left.
func (q *queue) accept(ctx context.Context, m message, worker string) (Lease, error) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptWithin)
	defer cancel()
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), m.again(0))
	}
	l, err := q.lease(own, m, worker)
	switch {
	case err != nil:
		_ = m.again(0) // if that is lost too, the message comes again after a while
		return nil, err
	case l == nil:
		return nil, nil
	case ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), l.Finish(own, Queued, func(*Status) {}))
	}
	return l, nil
}

// lease gives the job of a delivery to worker; nil if there is nothing to do for the
// delivery.
func (q *queue) lease(ctx context.Context, m message, worker string) (Lease, error) {
	for {
		s, revision, err := q.get(ctx, m.id())
		switch {
		case errors.Is(err, ErrUnknown):
			return nil, m.acknowledge(ctx)
		case err != nil:
			return nil, err
		case s.State.Ended():
			return nil, q.ended(ctx, m, s)
		case s.State == Running && s.Message != m.sequence():
			return nil, m.acknowledge(ctx) // the end was reported twice
		}
		var lacks *NeedError
		if s.State == Queued {
			err := q.findNeeds(ctx, &s)
			switch {
			case errors.Is(err, errWaits):
				return nil, m.acknowledge(ctx) // another message comes
			case err != nil && !errors.As(err, &lacks):
				return nil, err
			}
		}
		if s.State == Running { // its worker fell silent
			s.Deaths++
			lost := max(0, time.Since(s.Started).Seconds())
			s.Bill.Add(Bill{Lost: lost, Wasted: s.unsaved(), Cost: lost / 3600 * s.Price})
		}
		s.Saved, s.Price = time.Time{}, 0
		s.State, s.Worker, s.Started, s.After = Running, worker, time.Now().UTC(), time.Time{}
		s.Lease, s.Message = token(), m.sequence()
		switch {
		case s.Cancelling:
			s.end(Cancelled)
		case s.Deaths > maxDeaths:
			s.end(Failed)
			s.Error = fmt.Sprintf("its worker was lost %d times", s.Deaths)
		case lacks != nil:
			s.end(Failed)
			s.Error = lacks.Error()
		}
		revision, err = q.put(ctx, &s, revision)
		switch {
		case errors.Is(err, errConflict):
			continue
		case err != nil:
			return nil, err
		case s.State.Ended():
			return nil, q.ended(ctx, m, s)
		}
		return &lease{q: q, m: m, status: s, known: version{s, revision}}, nil
	}
}

// ended releases the jobs that wait for a job that has ended, and then removes the job's
// message from the queue.
func (q *queue) ended(ctx context.Context, m message, s Status) error {
	if err := q.release(ctx, s); err != nil {
		return err
	}
	return m.acknowledge(ctx)
}

// end makes the changes that are common to all ends.
func (s *Status) end(state State) {
	if s.State == Running && !s.Started.IsZero() {
		s.Seconds += max(0, time.Since(s.Started).Seconds())
	}
	if s.Lease != "" {
		s.Last = s.Lease
	}
	s.State, s.Lease, s.Ended, s.Cancelling, s.Text = state, "", time.Now().UTC(), false, ""
	if state == Queued {
		s.Ended = time.Time{}
	}
}

// token identifies a lease or a ticket. It is random and not counted, because a job that
// was removed and submitted again must differ from the earlier one, which the server
// remembers.
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
		return cmp.Or(strings.Compare(a.Job.Batch, b.Job.Batch), strings.Compare(a.Job.Name+a.Job.ID, b.Job.Name+b.Job.ID))
	})
	return all, err
}

func (q *queue) Scan(ctx context.Context, f Filter, after uint64, each func(Status, uint64) bool) error {
	if f == (Filter{}) {
		return q.each(ctx, after, each)
	}
	f.Batch = wording.Printable(f.Batch) // as decode makes the names in records
	return q.chosen(ctx, f, after, each)
}

func (q *queue) Tally(ctx context.Context, f Filter) (map[State]int, error) {
	f.Batch = wording.Printable(f.Batch)
	return q.tally(ctx, f)
}

func (q *queue) Load(ctx context.Context) (map[string]Load, error) { return q.load(ctx) }

func (q *queue) Watch(ctx context.Context, ids []string) (<-chan Status, error) {
	if ids == nil {
		return q.watch(ctx)
	}
	return q.watchOnly(ctx, ids)
}

// change replaces a record by the result of f.
func (q *queue) change(ctx context.Context, id string, f func(*Status) error) (Status, error) {
	v, err := q.changeFrom(ctx, id, version{}, f)
	return v.Status, err
}

// version is a record and its revision; 0: it has not been read.
type version struct {
	Status
	revision uint64
}

// changeFrom is like change, for a caller that knows a version of the record. It
// reads the record only if another process has changed it since.
func (q *queue) changeFrom(ctx context.Context, id string, v version, f func(*Status) error) (version, error) {
	for {
		if v.revision == 0 {
			var err error
			if v.Status, v.revision, err = q.get(ctx, id); err != nil {
				return v, err
			}
		}
		next := v.Status.clone()
		if err := f(&next); err != nil {
			return version{Status: next}, err
		}
		revision, err := q.put(ctx, &next, v.revision)
		if !errors.Is(err, errConflict) {
			return version{next, revision}, err
		}
		v.revision = 0
	}
}

func (q *queue) Cancel(ctx context.Context, id string) error {
	s, err := q.change(ctx, id, func(s *Status) error {
		switch s.State {
		case Queued:
			s.end(Cancelled)
		case Running:
			held, err := q.has(ctx, s.Message)
			switch {
			case err != nil:
				return err
			case held:
				s.Cancelling = true
			default:
				s.end(Cancelled)
			}
		default:
			return &EndedError{id, s.State}
		}
		return nil
	})
	if err != nil || !s.State.Ended() {
		return err
	}
	return q.release(ctx, s)
}

func (q *queue) Retry(ctx context.Context, id string) error {
	s, err := q.change(ctx, id, func(s *Status) error {
		if s.Damaged {
			return &DamagedRecordError{id, s.Error}
		}
		if !s.State.Ended() {
			held := true
			var err error
			if s.State == Running {
				held, err = q.has(ctx, s.Message)
			}
			if held || err != nil {
				return cmp.Or(err, error(&EndedError{id, s.State}))
			}
		}
		again := Status{Job: s.Job, State: Queued, Ticket: token(), Bill: s.Bill, Dependents: s.Dependents, Entry: s.Entry}
		if s.State != Done {
			again.Checkpoints = s.Checkpoints
		}
		*s = again
		return nil
	})
	if err != nil {
		return err
	}
	if err := q.awaitNeeds(ctx, []Job{s.Job}); err != nil {
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
	return q.remove(ctx, s)
}

func (q *queue) Blobs() Blobs { return q.blobs }

// Life returns the context of the store.
func (q *queue) Life() context.Context { return q.lives() }

func (q *queue) Close() error { return q.close() }
