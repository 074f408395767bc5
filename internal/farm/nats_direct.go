package farm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// This file sends one request for several messages to a server that is not in a
// cluster. In a cluster any replica may answer such a request, even one that is
// behind. So there the leader is asked for each message.

// directRequest asks a stream for messages (JSApiMsgGetRequest of nats-server; NATS ADR-31).
type directRequest struct {
	Sequence uint64   `json:"seq,omitempty"`
	Next     string   `json:"next_by_subj,omitempty"` // the next messages of a subject, from the sequence on
	Batch    int      `json:"batch,omitempty"`        // how many messages
	Last     []string `json:"multi_last,omitempty"`   // or the last message of each of these subjects
	MaxBytes int      `json:"max_bytes"`
}

const (
	// bytesTogether is how many bytes the server puts into one answer.
	bytesTogether = 16 << 20
	// lastTogether is how many subjects the server accepts in one request.
	lastTogether = 1024
)

// answersTogether reports whether a server of this version knows directRequest.
func answersTogether(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return err == nil && (major > 2 || major == 2 && minor >= 11)
}

// together returns the messages of a stream that a request asks for, or the first of them.
func (s *natsStore) together(ctx context.Context, stream string, r directRequest) (list []*nats.Msg, err error) {
	r.MaxBytes = bytesTogether
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	list, err = answer(ctx, s, func(ctx context.Context) ([]*nats.Msg, error) {
		return s.answers(ctx, "$JS.API.DIRECT.GET."+stream, text)
	})
	return list, s.gone(ctx, err)
}

// answers sends a request and returns all messages of its answer.
func (s *natsStore) answers(ctx context.Context, subject string, text []byte) (list []*nats.Msg, err error) {
	inbox := s.conn.NewInbox()
	coming, err := s.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = coming.Unsubscribe() }()
	if err := s.conn.PublishRequest(subject, inbox, text); err != nil {
		return nil, err
	}
	for {
		m, err := coming.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			list = append(list, m)
		case "204", "404": // end of the messages; there are none
			return list, nil
		case "503":
			return nil, nats.ErrNoResponders
		default:
			return nil, fmt.Errorf("the queue's server says %s %s", status, m.Header.Get("Description"))
		}
	}
}

// several returns the records with these IDs, as far as they exist.
func (s *natsStore) several(ctx context.Context, ids []string) (map[string]version, error) {
	found := make(map[string]version, len(ids))
	if s.direct {
		for group := range slices.Chunk(ids, lastTogether) {
			if err := s.severalTogether(ctx, group, found); err != nil {
				return nil, err
			}
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return found[id].revision > 0 })
	}
	var mu sync.Mutex
	err := atOnce(ctx, ids, func(ctx context.Context, id string) error {
		st, revision, err := s.get(ctx, id)
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		found[id] = version{st, revision}
		return err
	})
	return found, err
}

// severalTogether adds to found the records that one request returns.
func (s *natsStore) severalTogether(ctx context.Context, ids []string, found map[string]version) error {
	const prefix = "$KV." + bucketName + "."
	var r directRequest
	for _, id := range ids {
		if isID(id) { // another text may be a pattern of subjects
			r.Last = append(r.Last, prefix+id)
		}
	}
	if len(r.Last) == 0 {
		return nil
	}
	messages, err := s.together(ctx, "KV_"+bucketName, r)
	for _, m := range messages {
		if m.Header.Get("KV-Operation") != "" {
			continue // the mark of a removed record
		}
		id := strings.TrimPrefix(m.Header.Get(jetstream.SubjectHeader), prefix)
		revision, _ := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
		found[id] = version{decode(id, m.Data), revision}
	}
	return err
}
