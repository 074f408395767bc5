package farm

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pageSize is how many records are asked for at once.
const pageSize = 500

// each reads the records in the order of the stream, with a consumer that has no
// filter. With a filter, the server looks through all keys before it sends the
// first record. One consumer serves the whole reading. To make one, the server
// counts what it has to deliver, which takes a second when a million records have
// changed. A page that begins further on is read without a consumer (nats_walk.go).
func (s *natsStore) each(ctx context.Context, after uint64, f func(s Status, revision uint64) bool) error {
	last, err := s.newest(ctx)
	if err != nil || last <= after {
		return err
	}
	r := &reading{s: s}
	defer r.end(ctx)
	seen := after
	if after > 0 || s.direct {
		var goOn bool
		if seen, goOn, err = s.walkRecords(ctx, after, f); err != nil || !goOn {
			return s.gone(ctx, err)
		}
	}
	for silent := 0; ; {
		if seen >= last { // records that changed while they were read have later revisions now
			if last, err = s.newest(ctx); err != nil || seen >= last {
				return err
			}
		}
		if err := cmp.Or(ctx.Err(), s.life.Err()); err != nil {
			return s.gone(ctx, err)
		}
		got, goOn, err := r.page(ctx, &seen, f)
		if err != nil || !goOn {
			return s.gone(ctx, err)
		}
		if got > 0 {
			silent = 0
			continue
		}
		// The last record may have been purged since, a server may be behind the
		// leader, or it was lost with its consumer. An incomplete list must not be
		// taken for a complete one, because it decides which blobs are in use.
		if silent++; silent > 6 {
			return s.gone(ctx, nats.ErrTimeout)
		}
		if last, err = s.last(ctx); err != nil {
			return err
		}
		if r.end(ctx); seen >= last {
			return nil
		}
	}
}

// newest returns the last revision, or 0 if there is no record. The record may have
// been purged since. last never returns such a revision, but it makes the server
// look through all keys.
func (s *natsStore) newest(ctx context.Context) (uint64, error) {
	now, err := s.state(ctx)
	if err != nil || now.Msgs == 0 {
		return 0, err
	}
	return now.LastSeq, nil
}

// reading is a consumer that reads the records once.
type reading struct {
	s       *natsStore
	c       jetstream.Consumer // nil: there is none
	pending uint64             // how many records follow at most, from each message
}

// page reads the next records, and reports whether f wants more. It sets seen to the
// last revision that it read.
func (r *reading) page(ctx context.Context, seen *uint64, f func(s Status, revision uint64) bool) (got int, goOn bool, err error) {
	if r.c == nil {
		asked, cancel := r.s.asked(ctx)
		defer cancel()
		if r.c, err = r.s.bucket.CreateConsumer(asked, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: *seen + 1, AckPolicy: jetstream.AckNonePolicy,
			InactiveThreshold: time.Minute, MemoryStorage: true, Replicas: 1,
		}); err != nil {
			return 0, false, err
		}
		r.pending = r.c.CachedInfo().NumPending
	}
	batch, err := r.c.Fetch(int(max(1, min(pageSize, r.pending))), jetstream.FetchMaxWait(answerWithin))
	if err != nil {
		return 0, false, err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return got, false, err
		}
		if meta.Sequence.Stream <= *seen {
			continue
		}
		got, *seen, r.pending = got+1, meta.Sequence.Stream, meta.NumPending
		if m.Headers().Get("KV-Operation") != "" {
			continue // the mark of a removed record
		}
		if !f(decode(strings.TrimPrefix(m.Subject(), "$KV."+bucketName+"."), m.Data()), *seen) {
			return got, false, nil
		}
	}
	if err := batch.Error(); err != nil && !isSilence(err) {
		return got, false, err
	}
	return got, true, nil
}

// end removes the consumer. The server alone would remove it after a minute.
func (r *reading) end(ctx context.Context) {
	if r.c != nil {
		asked, cancel := r.s.asked(context.WithoutCancel(ctx))
		defer cancel()
		_ = r.s.bucket.DeleteConsumer(asked, r.c.CachedInfo().Name)
		r.c = nil
	}
}

// load asks the server for the counts that it keeps. There is a message for each
// job that has not ended, under a subject for each class and priority.
func (s *natsStore) load(ctx context.Context) (all map[string]Load, err error) {
	all, err = answer(ctx, s, s.count)
	return all, s.gone(ctx, err)
}

func (s *natsStore) count(asked context.Context) (map[string]Load, error) {
	info, err := s.stream.Info(asked, jetstream.WithSubjectFilter(jobSubjects[0]))
	if err != nil {
		return nil, err
	}
	all := map[string]Load{}
	for subject, n := range info.State.Subjects {
		class := classOf(subject)
		l := all[class]
		l.Waiting += int(n)
		all[class] = l
	}
	consumers := s.stream.ListConsumers(asked)
	for c := range consumers.Info() {
		class := classOf(c.Config.FilterSubject)
		if l, ok := all[class]; ok {
			running := min(c.NumAckPending, l.Waiting)
			l.Waiting -= running
			l.Running += running
			all[class] = l
		}
	}
	if err := consumers.Err(); err != nil {
		return nil, err
	}
	for class, l := range all {
		first, err := s.stream.GetMsg(asked, info.State.FirstSeq, jetstream.WithGetMsgSubject(fmt.Sprintf("impasto.job.%s.>", class)))
		if err == nil {
			l.Oldest = first.Time
			all[class] = l
		}
	}
	return all, nil
}

// classOf returns the class in the subject of a job's message.
func classOf(subject string) string {
	words := strings.Split(subject, ".")
	if len(words) < 3 {
		return ""
	}
	return words[2]
}
