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
//	impasto.index.STATE.BATCH   a message is a job's ID; BATCH is a digest of its name
//
// Whoever changes the state in a record writes an entry first, notes its number in the
// record, and strikes out the entry before. So each record has its entry whenever a
// process is killed, and an entry that no record names any more says nothing: who reads
// it asks the record. The server counts the entries of a subject, which counts the jobs.

// Entry is a record's place in the index.
type Entry struct {
	Number uint64 `json:"number"` // of the message; 0: it has none yet
	State  State  `json:"state"`  // that it is under
}

const (
	indexName    = "IMPASTO_INDEX"
	indexSubject = "impasto.index."
	// indexComplete is the subject of a message that is there once every record has an entry.
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

// batchDigest stands for a batch in a subject. Two batches may have the same: who reads
// an entry looks at the record.
func batchDigest(name string) string {
	sum := sha256.Sum256([]byte(wording.Printable(name)))
	return hex.EncodeToString(sum[:8])
}

// enter writes an entry for the state of a record that is about to be written.
func (s *natsStore) enter(ctx context.Context, st *Status) error {
	return s.gone(ctx, s.asking(ctx, func(ctx context.Context) error {
		ack, err := s.js.Publish(ctx, indexSubject+string(st.State)+"."+batchDigest(st.Job.Batch), []byte(st.Job.ID))
		if err == nil {
			st.Entry = Entry{ack.Sequence, st.State}
		}
		return err
	}))
}

// strike removes an entry that no record names. Nobody waits for it but close; one that
// stays is struck out by who reads it.
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

// strikesAtOnce is how many entries are with the server to be removed.
const strikesAtOnce = 64

// struck waits until all that was to be struck out is.
func (s *natsStore) struck() {
	for range strikesAtOnce {
		s.striking <- struct{}{}
	}
	for range strikesAtOnce {
		<-s.striking
	}
}

// indexed is an entry as it was read.
type indexed struct {
	number  uint64
	id      string
	entered time.Time
}

// chosen calls f with the jobs that a filter chooses, in the order of their entries
// after one, until it returns false. A job whose state changes meanwhile comes again.
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
			case v.Damaged && !damaged[e.id]: // it cannot say which entry it has
				damaged[e.id] = true
			case v.revision == 0 || v.Entry.Number != e.number:
				moved = moved || v.Entry.Number > e.number
				if time.Since(e.entered) > s.stale { // a record may be about to name a younger one
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

// How many entries are read at once: few at first, for who wants one job.
const (
	readFirst  = 128
	readAtOnce = 1024
)

// entries are the next n entries of a subject, or all there are, after one.
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
// counts; an entry that a killed process left counts as well, until it is read.
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
	err = s.asking(ctx, func(ctx context.Context) error {
		info, err := s.index.Info(ctx, jetstream.WithSubjectFilter(indexPattern(filter)))
		if err != nil {
			return err
		}
		for subject, n := range info.State.Subjects {
			state, _, _ := strings.Cut(strings.TrimPrefix(subject, indexSubject), ".")
			counts[State(state)] += int(n)
		}
		return nil
	})
	return counts, s.gone(ctx, err)
}

// isIndexed reports whether every record has an entry. A queue of an earlier version has
// none until reindex has gone through it.
func (s *natsStore) isIndexed(ctx context.Context) (bool, error) {
	if s.complete.Load() {
		return true, nil
	}
	err := s.asking(ctx, func(ctx context.Context) error {
		_, err := s.index.GetLastMsgForSubject(ctx, indexComplete)
		return err
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

// beginIndex says that the index of a queue without jobs is complete.
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
	err := s.asking(ctx, func(ctx context.Context) error {
		_, err := s.js.Publish(ctx, indexComplete, nil)
		return err
	})
	s.complete.Store(err == nil)
	return s.gone(ctx, err)
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
				return nil // who changed it has entered it, or it comes again
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

// enterDamaged makes a record that describes no job known as one that failed; once for
// each time it was written.
func (s *natsStore) enterDamaged(ctx context.Context, v version) error {
	return s.gone(ctx, s.asking(ctx, func(ctx context.Context) error {
		_, err := s.js.Publish(ctx, indexSubject+string(Failed)+"."+batchDigest(v.Job.Batch), []byte(v.Job.ID),
			jetstream.WithMsgID(fmt.Sprint(v.Job.ID, " ", v.revision)))
		return err
	}))
}
