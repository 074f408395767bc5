package farm

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// This file reads a page of the records from any revision on. To make a consumer there,
// the server first counts the records that follow, which takes more than a second with a
// million records. So the first records are asked for one by one, each as the next after
// a revision. Several requests go to the leader at once: the revisions ahead are cut into
// stretches, and each stretch is read by itself.

const (
	// walked is about how many records are asked for one by one before a consumer sends
	// the others: somewhat more than a page of `queue ls`.
	walked = 2000
	// stretchHolds is how many records of a stretch are held at most.
	stretchHolds = 32
)

// route names messages: those of a stream under a subject.
type route struct {
	stream  jetstream.Stream
	subject string
}

// stretch is the revisions from, from+1, ..., to-1.
type stretch struct {
	from, to uint64
	found    []*jetstream.RawStreamMsg
	next     uint64 // no record lies between those found and this revision; 0: none follows
}

// walk calls f with the messages after a revision, in the order of revisions. It stops
// when f returns false, at the last message, and when about most messages are read. It
// returns the last revision that was read, and whether f wants more.
func (s *natsStore) walk(ctx context.Context, of route, after uint64, most int, f func(*jetstream.RawStreamMsg) bool) (seen uint64, goOn bool, err error) {
	width := uint64(stretchHolds)
	for read := 0; read < most; {
		parts := make([]*stretch, askers)
		for i := range parts {
			from := after + 1 + uint64(i)*width
			parts[i] = &stretch{from: from, to: from + width}
		}
		if err := atOnce(ctx, parts, func(ctx context.Context, p *stretch) error { return s.pass(ctx, of, p) }); err != nil {
			return after, false, err
		}
		before, short := read, false
		for _, p := range parts {
			for _, m := range p.found {
				read, after = read+1, m.Sequence
				if !f(m) {
					return after, false, nil
				}
			}
			if p.next == 0 {
				return after, true, nil
			}
			after = p.next - 1
			if short = p.next < p.to; short {
				break // the stretch has more messages; they and later stretches are read again
			}
		}
		switch {
		case short:
			width = max(width/2, stretchHolds)
		case read-before < askers*stretchHolds/4:
			width *= 2
		}
	}
	return after, true, nil
}

// pass reads the first messages of a stretch.
func (s *natsStore) pass(ctx context.Context, of route, p *stretch) error {
	for p.next = p.from; p.next < p.to && len(p.found) < stretchHolds; {
		m, err := s.following(ctx, of, p.next)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			p.next = 0
			return nil
		case err != nil:
			return s.gone(ctx, err)
		case m.Sequence >= p.to:
			p.next = m.Sequence
			return nil
		}
		p.found, p.next = append(p.found, m), m.Sequence+1
	}
	return nil
}

// following returns the first message from a revision on.
func (s *natsStore) following(ctx context.Context, of route, revision uint64) (m *jetstream.RawStreamMsg, err error) {
	return answer(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return of.stream.GetMsg(ctx, revision, jetstream.WithGetMsgSubject(of.subject))
	})
}

// walkRecords is like walk, for the records.
func (s *natsStore) walkRecords(ctx context.Context, after uint64, f func(st Status, revision uint64) bool) (seen uint64, goOn bool, err error) {
	all := route{s.bucket, ">"} // not the keys' pattern: the server would match each
	if after == 0 && s.direct { // only from here the server need not count what follows
		after, goOn, err = s.firstRecords(ctx, f)
		if err != nil || !goOn {
			return after, false, err
		}
	}
	return s.walk(ctx, all, after, walked, func(m *jetstream.RawStreamMsg) bool {
		if m.Header.Get("KV-Operation") != "" {
			return true // the mark of a removed record
		}
		return f(decode(strings.TrimPrefix(m.Subject, "$KV."+bucketName+"."), m.Data), m.Sequence)
	})
}

// firstRecords calls f with the first records until f returns false. It returns the last
// revision that was read, and whether f wants more.
func (s *natsStore) firstRecords(ctx context.Context, f func(st Status, revision uint64) bool) (seen uint64, goOn bool, err error) {
	messages, err := s.together(ctx, "KV_"+bucketName, directRequest{Sequence: 1, Next: ">", Batch: readAtOnce})
	for _, m := range messages {
		if seen, err = strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64); err != nil {
			return seen, false, err
		}
		if m.Header.Get("KV-Operation") != "" {
			continue // the mark of a removed record
		}
		if !f(decode(strings.TrimPrefix(m.Header.Get(jetstream.SubjectHeader), "$KV."+bucketName+"."), m.Data), seen) {
			return seen, false, nil
		}
	}
	return seen, true, err
}
