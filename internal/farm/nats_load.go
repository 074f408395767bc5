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

// each reads the records in the order of the stream, by a consumer without a
// filter: with one the server looks through all keys before it sends the first.
func (s *natsStore) each(ctx context.Context, after uint64, f func(Status, uint64) bool) error {
	asked, cancel := s.asked(ctx)
	defer cancel()
	info, err := s.bucket.Info(asked)
	if err != nil {
		return s.gone(ctx, err)
	}
	last := info.State.LastSeq
	if info.State.Msgs == 0 || last <= after {
		return nil
	}
	c, err := s.bucket.OrderedConsumer(asked, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return s.gone(ctx, err)
	}
	defer func() {
		if info := c.CachedInfo(); info != nil { // or it goes by itself, in a minute
			_ = s.bucket.DeleteConsumer(context.WithoutCancel(asked), info.Name)
		}
	}()
	pending := info.State.Msgs // at most; each message says how many follow
	silent := 0
	for seen := after; seen < last; {
		if err := cmp.Or(ctx.Err(), s.life.Err()); err != nil {
			return s.gone(ctx, err)
		}
		batch, err := c.Fetch(int(max(1, min(pageSize, pending))), jetstream.FetchMaxWait(answerWithin))
		if err != nil {
			return s.gone(ctx, err)
		}
		got := 0
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return err
			}
			got, seen, pending = got+1, meta.Sequence.Stream, meta.NumPending
			if m.Headers().Get("KV-Operation") != "" {
				continue // a mark of one that was removed
			}
			if !f(decode(strings.TrimPrefix(m.Subject(), "$KV."+bucketName+"."), m.Data()), seen) {
				return nil
			}
		}
		if batch.Error() != nil {
			return s.gone(ctx, batch.Error())
		}
		if got > 0 {
			silent = 0
			continue
		}
		// The last may have been purged since, or a server lags behind the leader. A
		// part must not be taken for all: what is in use is told by this.
		if silent++; silent > 6 {
			return s.gone(ctx, nats.ErrTimeout)
		}
		if last, err = s.last(ctx); err != nil {
			return err
		}
	}
	return nil
}

// load asks the server for counts it keeps: there is a message for each job that
// has not ended, under a subject for each class and priority.
func (s *natsStore) load(ctx context.Context) (map[string]Load, error) {
	asked, cancel := s.asked(ctx)
	defer cancel()
	info, err := s.stream.Info(asked, jetstream.WithSubjectFilter(jobSubjects[0]))
	if err != nil {
		return nil, s.gone(ctx, err)
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
		return nil, s.gone(ctx, err)
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

// classOf is the class in a subject of a job's message.
func classOf(subject string) string {
	words := strings.Split(subject, ".")
	if len(words) < 3 {
		return ""
	}
	return words[2]
}
