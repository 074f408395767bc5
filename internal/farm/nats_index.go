package farm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/impasto/impasto/internal/wording"
)

// The index finds the jobs of a state or of a batch without reading the others. Its
// stream has an entry for each record, under a subject that names both:
//
//	impasto.index.STATE.BATCH   the message is a job's ID; BATCH is a digest of the batch's name
//
// A process that changes the state of a record first writes a new entry, then the record
// with the entry's number, and then deletes the old entry. So every record has its entry
// even if the process is killed in between. An entry that its record does not name is
// ignored, so readers look at the record. The server counts the entries of a subject,
// which counts the jobs.

// Entry is a record's place in the index.
type Entry struct {
	Number uint64 `json:"number"` // sequence of the message; 0: the record has no entry yet
	State  State  `json:"state"`  // state in the entry's subject
}

const (
	indexName    = "IMPASTO_INDEX"
	indexSubject = "impasto.index."
	// indexComplete is the subject of a message that exists once every record has an entry.
	indexComplete = "impasto.index.complete"
)

// indexPattern is the subject of the entries that a filter chooses.
func indexPattern(f Filter) string {
	state, batch := "*", "*"
	if f.State != "" {
		state = string(f.State)
	}
	if f.Batch != "" {
		batch = batchDigest(f.Batch)
	}
	return indexSubject + state + "." + batch
}

// batchDigest returns the text that represents a batch in a subject. Two batches
// may have the same digest, so readers of an entry check the record.
func batchDigest(name string) string {
	sum := sha256.Sum256([]byte(wording.Printable(name)))
	return hex.EncodeToString(sum[:8])
}

// enter writes an entry for the state of a record that is about to be written.
func (s *natsStore) enter(ctx context.Context, st *Status) error {
	number, err := s.send(ctx, indexSubject+string(st.State)+"."+batchDigest(st.Job.Batch), st.Job.ID)
	if err == nil {
		st.Entry = Entry{number, st.State}
	}
	return err
}

// strike deletes an entry that no record names. Only close waits for the deletion.
// If it fails, the next reader of the entry deletes it.
func (s *natsStore) strike(number uint64) {
	if number == 0 {
		return
	}
	s.striking <- struct{}{}
	go func() {
		defer func() { <-s.striking }()
		asked, cancel := s.asked(context.Background())
		defer cancel()
		_ = s.index.DeleteMsg(asked, number)
	}()
}

// strikesAtOnce is how many deletions of entries are under way at most.
const strikesAtOnce = 64

// struck waits until all deletions of entries have ended.
func (s *natsStore) struck() {
	for range strikesAtOnce {
		s.striking <- struct{}{}
	}
	for range strikesAtOnce {
		<-s.striking
	}
}

// indexed is an entry as read from the stream.
type indexed struct {
	number  uint64
	id      string
	entered time.Time
}

// chosen calls f with the jobs that a filter chooses, in the order of their entries and
// from those after a number on, until f returns false. A job whose state changes
// meanwhile comes again.
func (s *natsStore) chosen(ctx context.Context, filter Filter, after uint64, f func(st Status, mark uint64) bool) error {
	complete, err := s.isIndexed(ctx)
	if err != nil {
		return err
	}
	if !complete {
		return s.each(ctx, after, func(st Status, revision uint64) bool { return !filter.Has(st) || f(st, revision) })
	}
	pattern, damaged := indexPattern(filter), map[string]bool{}
	for n := readFirst; ; n = readAtOnce {
		entries, err := s.entries(ctx, pattern, after, n)
		if err != nil || len(entries) == 0 {
			return err
		}
		ids := make([]string, len(entries))
		for i, e := range entries {
			ids[i] = e.id
		}
		records, err := s.several(ctx, ids)
		if err != nil {
			return err
		}
		moved := false
		for _, e := range entries {
			after = e.number
			v := records[e.id]
			switch {
			case v.Damaged && !damaged[e.id]: // a damaged record cannot name its entry
				damaged[e.id] = true
			case v.revision == 0 || v.Entry.Number != e.number:
				moved = moved || v.Entry.Number > e.number
				if time.Since(e.entered) > s.stale { // a record may be about to name a younger entry
					s.strike(e.number)
				}
				continue
			}
			if filter.Has(v.Status) && !f(v.Status, e.number) {
				return nil
			}
		}
		if len(entries) < n && !moved {
			return nil
		}
	}
}

// These are the numbers of entries that are read at once: few at first, for callers
// that want only one job.
const (
	readFirst  = 128
	readAtOnce = 1024
)

// entries returns the next n entries of a subject after a number, or as many as there are.
func (s *natsStore) entries(ctx context.Context, pattern string, after uint64, n int) (list []indexed, err error) {
	if s.direct {
		messages, err := s.together(ctx, indexName, directRequest{Sequence: after + 1, Next: pattern, Batch: n})
		for _, m := range messages {
			number, _ := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
			entered, _ := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
			list = append(list, indexed{number, string(m.Data), entered})
		}
		return list, err
	}
	_, _, err = s.walk(ctx, route{s.index, pattern}, after, n, func(m *jetstream.RawStreamMsg) bool {
		list = append(list, indexed{m.Sequence, string(m.Data), m.Time})
		return len(list) < n
	})
	return list, err
}

// tally counts the jobs that a filter chooses by their states. The server keeps the
// counts. An entry that a killed process left counts too, until it is read.
func (s *natsStore) tally(ctx context.Context, filter Filter) (map[State]int, error) {
	counts := map[State]int{}
	complete, err := s.isIndexed(ctx)
	if err != nil {
		return nil, err
	}
	if !complete {
		err := s.each(ctx, 0, func(st Status, _ uint64) bool {
			if filter.Has(st) {
				counts[st.State]++
			}
			return true
		})
		return counts, err
	}
	info, err := answer(ctx, s, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return s.index.Info(ctx, jetstream.WithSubjectFilter(indexPattern(filter)))
	})
	if err != nil {
		return counts, s.gone(ctx, err)
	}
	for subject, n := range info.State.Subjects {
		state, _, _ := strings.Cut(strings.TrimPrefix(subject, indexSubject), ".")
		counts[State(state)] += int(n)
	}
	return counts, nil
}

// isIndexed reports whether every record has an entry. The records of a queue from
// an earlier version have none until reindex has read them.
func (s *natsStore) isIndexed(ctx context.Context) (bool, error) {
	if s.complete.Load() {
		return true, nil
	}
	_, err := answer(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.index.GetLastMsgForSubject(ctx, indexComplete)
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, nil
	case err != nil:
		return false, s.gone(ctx, err)
	}
	s.complete.Store(true)
	return true, nil
}

// beginIndex marks the index of a queue without jobs as complete.
func (s *natsStore) beginIndex(ctx context.Context) error {
	complete, err := s.isIndexed(ctx)
	if complete || err != nil {
		return err
	}
	now, err := s.state(ctx)
	if err != nil || now.Msgs > 0 {
		return err
	}
	return s.completeIndex(ctx)
}

func (s *natsStore) completeIndex(ctx context.Context) error {
	_, err := s.send(ctx, indexComplete, "")
	s.complete.Store(err == nil)
	return err
}

// reindex gives an entry to each record that has none for its state: those of an earlier
// version, and damaged ones.
func (s *natsStore) reindex(ctx context.Context) error {
	var lacks []version
	var fault error
	enterAll := func() error {
		err := atOnce(ctx, lacks, func(ctx context.Context, v version) error {
			if v.Damaged {
				return s.enterDamaged(ctx, v)
			}
			_, err := s.put(ctx, &v.Status, v.revision)
			if errors.Is(err, errConflict) {
				return nil // the process that changed the record has written its entry, or the record comes again
			}
			return err
		})
		lacks = lacks[:0]
		return err
	}
	err := s.each(ctx, 0, func(st Status, revision uint64) bool {
		if st.Entry.State != st.State {
			lacks = append(lacks, version{st, revision})
		}
		if len(lacks) == readAtOnce {
			fault = enterAll()
		}
		return fault == nil
	})
	if err = errors.Join(err, fault); err == nil {
		err = enterAll()
	}
	if err != nil {
		return err
	}
	if complete, err := s.isIndexed(ctx); complete || err != nil {
		return err
	}
	return s.completeIndex(ctx)
}

// enterDamaged writes an entry of a failed job for a record that describes no job, once
// for each revision of the record.
func (s *natsStore) enterDamaged(ctx context.Context, v version) error {
	_, err := s.send(ctx, indexSubject+string(Failed)+"."+batchDigest(v.Job.Batch), v.Job.ID, jetstream.WithMsgID(fmt.Sprint(v.Job.ID, " ", v.revision)))
	return err
}
