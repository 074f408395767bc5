package farm

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// This file watches some of the records on NATS. The server sends the changes after
// a revision, and the current records are asked for one by one. A consumer that
// begins with the last message of each subject would make the server look through
// all subjects of the queue.

// watchedTogether is how many records one consumer follows. It is limited because
// the server compares all subjects of a consumer with each other.
const watchedTogether = 250

func (s *natsStore) watchOnly(ctx context.Context, ids []string) (<-chan Status, error) {
	begun, err := s.state(ctx) // not last, which makes the server look through all keys
	if err != nil {
		return nil, err
	}
	ctx, release := s.alive(context.WithCancel(ctx))
	changes, err := s.changesOf(ctx, ids, begun.LastSeq)
	if err != nil {
		defer release()
		return nil, s.gone(ctx, err)
	}
	now, err := s.several(ctx, ids)
	if err != nil {
		release()
		return nil, err
	}
	c := make(chan Status, 256)
	go func() {
		defer close(c)
		defer release()
		r := relay{to: c}
		known := map[string]uint64{}
		for _, v := range slices.SortedFunc(maps.Values(now), func(a, b version) int { return cmp.Compare(a.revision, b.revision) }) {
			if known[v.Job.ID] = v.revision; !r.put(ctx, v.Status) {
				return
			}
		}
		clear(now) // the records of a large batch
		if r.put(ctx, Status{}) {
			r.followFrom(ctx, changes, known)
		}
	}()
	return c, nil
}

// changesOf sends the changes of some records after a revision. The channel is closed
// when ctx ends, or when the server sends no more.
func (s *natsStore) changesOf(ctx context.Context, ids []string, after uint64) (<-chan jetstream.KeyValueEntry, error) {
	ctx, stop := context.WithCancel(ctx)
	var sending sync.WaitGroup
	to := make(chan jetstream.KeyValueEntry, 256)
	for group := range slices.Chunk(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) }), watchedTogether) {
		w, err := s.records.WatchFiltered(ctx, group, jetstream.ResumeFromRevision(after+1)) // WatchFiltered modifies group
		if err != nil {
			stop()
			return nil, err
		}
		sending.Go(func() {
			defer stop() // without one group the others are incomplete
			defer w.Stop()
			forward(ctx, to, w.Updates())
		})
	}
	go func() {
		<-ctx.Done()
		sending.Wait()
		stop()
		close(to)
	}()
	return to, nil
}

// forward sends the updates, except the marks that say that there are no more for
// now.
func forward(ctx context.Context, to chan<- jetstream.KeyValueEntry, from <-chan jetstream.KeyValueEntry) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-from:
			if !ok {
				return
			}
			if e == nil {
				continue
			}
			select {
			case to <- e:
			case <-ctx.Done():
				return
			}
		}
	}
}

// followFrom sends the changes that are newer than the known revisions of their
// jobs.
func (r *relay) followFrom(ctx context.Context, changes <-chan jetstream.KeyValueEntry, known map[string]uint64) {
	for e := range changes {
		if e.Revision() <= known[e.Key()] {
			continue
		}
		known[e.Key()] = e.Revision()
		if !r.send(ctx, e) {
			return
		}
	}
}
