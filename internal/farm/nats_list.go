package farm

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// This file lists the records on NATS and watches their changes. In a cluster,
// records may come from a server that is behind the leader. Records may also change
// while they are sent.

func (s *natsStore) all(ctx context.Context) ([]Status, error) {
	newest := map[string]Status{}
	err := s.scan(ctx, 0, func(e jetstream.KeyValueEntry) bool {
		if e.Operation() == jetstream.KeyValuePut {
			newest[e.Key()] = decode(e.Key(), e.Value())
		} else {
			delete(newest, e.Key())
		}
		return true
	})
	return slices.Collect(maps.Values(newest)), err
}

// scan calls f with the records and the marks of removed records after a revision,
// in the order of revisions, until f returns false. A record that changes meanwhile
// comes again.
func (s *natsStore) scan(ctx context.Context, after uint64, f func(jetstream.KeyValueEntry) bool) error {
	last, err := s.last(ctx)
	if err != nil {
		return err
	}
	from := jetstream.IncludeHistory() // each record has one revision, and all are sent in order
	if after > 0 {
		from = jetstream.ResumeFromRevision(after + 1)
	}
	ctx, release := s.alive(context.WithCancel(ctx))
	defer release()
	w, err := s.records.WatchAll(ctx, from)
	if err != nil {
		return s.gone(ctx, err)
	}
	defer w.Stop()
	tick := time.NewTicker(answerWithin)
	defer tick.Stop()
	r := relay{updates: w.Updates(), last: last, from: after, again: tick.C, ask: s.last}
	if !r.read(ctx, f) {
		return s.gone(ctx, cmp.Or(ctx.Err(), errors.New("the queue's server does not answer")))
	}
	return nil
}

// watch sends a record of no job, and then every record that changes.
func (s *natsStore) watch(ctx context.Context) (<-chan Status, error) {
	ctx, release := s.alive(context.WithCancel(ctx))
	w, err := s.records.WatchAll(ctx, jetstream.UpdatesOnly())
	if err != nil {
		defer release()
		return nil, s.gone(ctx, err)
	}
	c := make(chan Status, 256)
	go func() {
		defer close(c)
		defer release()
		defer w.Stop()
		r := relay{to: c, updates: w.Updates()}
		if r.put(ctx, Status{}) {
			r.follow(ctx)
		}
	}()
	return c, nil
}

// last is the newest revision that the leader has; 0: there is no record.
func (s *natsStore) last(ctx context.Context) (uint64, error) {
	m, err := answer(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.bucket.GetLastMsgForSubject(ctx, "$KV."+bucketName+".>")
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, nil
	case err != nil:
		return 0, s.gone(ctx, err)
	}
	return m.Sequence, nil
}

// state returns the counts that the server keeps of the records, without reading them.
func (s *natsStore) state(ctx context.Context) (state jetstream.StreamState, err error) {
	info, err := answer(ctx, s, func(ctx context.Context) (*jetstream.StreamInfo, error) { return s.bucket.Info(ctx) })
	if err == nil {
		state = info.State
	}
	return state, s.gone(ctx, err)
}

// relay passes on the records that a server sends.
type relay struct {
	to      chan<- Status
	updates <-chan jetstream.KeyValueEntry // in order; nil: there is no more for now
	last    uint64                         // the newest revision of the leader
	from    uint64                         // the revision after which updates begin
	again   <-chan time.Time               // when ask is asked again: that revision may have been purged
	ask     func(context.Context) (uint64, error)
}

// read calls f with all records until f returns false. A record that changes meanwhile
// comes again. read returns false if the updates end too early. It has all records when
// the server has no more to send and has sent the newest revision that the leader had.
func (r *relay) read(ctx context.Context, f func(jetstream.KeyValueEntry) bool) bool {
	for seen, idle := r.from, false; !idle || seen < r.last; {
		select {
		case <-ctx.Done():
			return false
		case <-r.again:
			if last, err := r.ask(ctx); err == nil {
				r.last, idle = last, true
			}
		case e, ok := <-r.updates:
			if !ok {
				return false
			}
			idle = e == nil || e.Delta() == 0
			if e != nil {
				if !f(e) {
					return true
				}
				seen = max(seen, e.Revision())
			}
		}
	}
	return true
}

// follow sends the records that change, until the updates end.
func (r *relay) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-r.updates:
			if !ok || e != nil && !r.send(ctx, e) {
				return
			}
		}
	}
}

// send leaves out jobs that were removed.
func (r *relay) send(ctx context.Context, e jetstream.KeyValueEntry) bool {
	if e.Operation() != jetstream.KeyValuePut {
		return true
	}
	return r.put(ctx, decode(e.Key(), e.Value()))
}

func (r *relay) put(ctx context.Context, st Status) bool {
	select {
	case r.to <- st:
		return true
	case <-ctx.Done():
		return false
	}
}
