package farm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// entry is what a server says of a job's record.
type entry struct {
	jetstream.KeyValueEntry
	job      string
	revision uint64
	more     uint64 // that the server has still to send
	removed  bool
}

func (e entry) Key() string      { return strings.Repeat(e.job, 16) }
func (e entry) Revision() uint64 { return e.revision }
func (e entry) Delta() uint64    { return e.more }

func (e entry) Value() []byte {
	j := Job{ID: e.Key(), Name: e.job, Class: ClassCPU, Steps: [][]string{{"art"}}}
	text, err := json.Marshal(Status{Job: j, State: Queued, Message: e.revision})
	if err != nil {
		panic(err)
	}
	return text
}

func (e entry) Operation() jetstream.KeyValueOp {
	if e.removed {
		return jetstream.KeyValuePurge
	}
	return jetstream.KeyValuePut
}

// TestListWhileItChanges: each job is listed once, as it stands, whatever
// changed while the server sent the list and however far it lags behind.
func TestListWhileItChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what string
		last uint64 // the leader's newest revision when it was asked
		said []jetstream.KeyValueEntry
		want string // jobs with their revisions; "|" where the list is complete
	}{
		{"nothing", 0, []jetstream.KeyValueEntry{nil}, "|"},
		{"two, and a change", 2, []jetstream.KeyValueEntry{entry{job: "a", revision: 1, more: 1}, entry{job: "b", revision: 2}, nil, entry{job: "a", revision: 3}}, "a1 b2 | a3"},
		{"changed meanwhile", 5, []jetstream.KeyValueEntry{entry{job: "a", revision: 5, more: 1}, entry{job: "a", revision: 6}, nil}, "a6 |"},
		{"removed meanwhile", 6, []jetstream.KeyValueEntry{entry{job: "a", revision: 5, more: 1}, entry{job: "b", revision: 6, more: 1}, entry{job: "a", revision: 7, removed: true}, nil}, "b6 |"},
		{"a server that lags", 7, []jetstream.KeyValueEntry{entry{job: "a", revision: 5}, nil, entry{job: "b", revision: 6}, entry{job: "a", revision: 7}}, "b6 a7 |"},
		{"one that lags, of a job moved behind the last", 7, []jetstream.KeyValueEntry{nil, entry{job: "b", revision: 7, more: 1}, entry{job: "a", revision: 8}}, "b7 a8 |"},
		{"removed before and after", 3, []jetstream.KeyValueEntry{entry{job: "a", revision: 3, removed: true}, nil, entry{job: "b", revision: 4}, entry{job: "b", revision: 5, removed: true}}, "| b4"},
	} {
		if got := relayed(t, test.last, test.said); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// relayed is what comes of what a server says.
func relayed(t *testing.T, last uint64, said []jetstream.KeyValueEntry) string {
	t.Helper()
	updates := make(chan jetstream.KeyValueEntry, len(said))
	for _, e := range said {
		updates <- e
	}
	close(updates)
	to := make(chan Status, len(said)+1)
	r := relay{to: to, updates: updates, last: last}
	newest := map[string]uint64{}
	if !r.read(t.Context(), func(e jetstream.KeyValueEntry) bool {
		newest[e.Key()] = e.Revision()
		if e.Operation() != jetstream.KeyValuePut {
			delete(newest, e.Key())
		}
		return true
	}) {
		t.Errorf("up to revision %d the list has no end", last)
	}
	words := []string{}
	for key, revision := range newest {
		words = append(words, fmt.Sprint(key[:1], revision))
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(a[1:], b[1:]) })
	words = append(words, "|")
	r.follow(t.Context())
	close(to)
	for st := range to {
		words = append(words, fmt.Sprint(st.Job.Name, st.Message))
	}
	return strings.Join(words, " ")
}

// TestListOfWhatWasPurged: the leader's newest record may be purged before a
// server that lags has sent it; then it is waited for no longer.
func TestListOfWhatWasPurged(t *testing.T) {
	t.Parallel()
	updates, again := make(chan jetstream.KeyValueEntry, 1), make(chan time.Time)
	updates <- entry{job: "a", revision: 3}
	answers := []uint64{9, 3}
	r := relay{updates: updates, last: 9, again: again, ask: func(context.Context) (uint64, error) {
		n := answers[0]
		answers = answers[1:]
		return n, nil
	}}
	go func() {
		again <- time.Time{}
		again <- time.Time{}
	}()
	read := ""
	if !r.read(t.Context(), func(e jetstream.KeyValueEntry) bool { read += e.Key()[:1]; return true }) || len(answers) != 0 || read != "a" {
		t.Errorf("%d answers were not asked for, %q was read", len(answers), read)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := (relay{updates: updates, last: 9}); r.read(ctx, func(jetstream.KeyValueEntry) bool { return true }) {
		t.Error("a list that was given up is complete")
	}
}

// TestListAfterPurge: a bucket whose owner emptied it by hand is an empty queue.
func TestListAfterPurge(t *testing.T) {
	t.Parallel()
	q := open(t, Options{Store: t.TempDir()})
	submit(t, q, job(t, "a"))
	s := q.(*queue).store.(*natsStore)
	if err := s.bucket.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*answerWithin)
	defer cancel()
	if list, err := q.List(ctx, Filter{}); err != nil || len(list) != 0 {
		t.Errorf("listed %v, %v", list, err)
	}
	b := job(t, "b")
	submit(t, q, b)
	list, err := q.List(ctx, Filter{})
	if err != nil || !slices.EqualFunc(list, []string{b.ID}, func(s Status, id string) bool { return s.Job.ID == id }) {
		t.Errorf("listed %v, %v", list, err)
	}
}
