//go:build !noserver

package farm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// chosenNames returns the names of the jobs that a filter chooses, read in pages, in order.
func chosenNames(t *testing.T, q Queue, f Filter, page int) string {
	t.Helper()
	var names []string
	for after := uint64(0); ; {
		n := 0
		if err := q.Scan(soon(t), f, after, func(s Status, mark uint64) bool {
			if !f.Has(s) {
				t.Errorf("%+v chooses %s, %s of %q", f, s.Job.Name, s.State, s.Job.Batch)
			}
			names, after, n = append(names, s.Job.Name), mark, n+1
			return n < page
		}); err != nil {
			t.Fatal(err)
		}
		if n < page {
			slices.Sort(names)
			return strings.Join(names, " ")
		}
	}
}

// holds checks that each filter chooses its jobs, and that the counts are right.
func holds(t *testing.T, q Queue, batches ...string) {
	t.Helper()
	byFilter, counts := map[Filter][]string{}, map[Filter]map[State]int{}
	seen := map[string]bool{}
	if err := q.Scan(soon(t), Filter{}, 0, func(s Status, _ uint64) bool {
		if seen[s.Job.ID] {
			t.Errorf("%s comes twice", s.Job.Name)
		}
		seen[s.Job.ID] = true
		of := map[Filter]bool{{}: true, {State: s.State}: true, {Batch: s.Job.Batch}: true, {s.Job.Batch, s.State}: true}
		for f := range of {
			byFilter[f] = append(byFilter[f], s.Job.Name)
			if counts[f] == nil {
				counts[f] = map[State]int{}
			}
			counts[f][s.State]++
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	filters := []Filter{{}}
	for _, state := range States {
		filters = append(filters, Filter{State: state})
		for _, b := range batches {
			filters = append(filters, Filter{b, state})
		}
	}
	for _, b := range batches {
		filters = append(filters, Filter{Batch: b})
	}
	for _, f := range filters {
		slices.Sort(byFilter[f])
		want := strings.Join(byFilter[f], " ")
		for _, page := range []int{2, 1000} {
			if got := chosenNames(t, q, f, page); got != want {
				t.Errorf("%+v in pages of %d chooses %q, want %q", f, page, got, want)
			}
		}
		if got, err := q.Tally(soon(t), f); err != nil || !maps.Equal(got, counts[f]) && len(got)+len(counts[f]) > 0 {
			t.Errorf("%+v: counted %v, want %v, %v", f, got, counts[f], err)
		}
	}
}

// TestIndex: the jobs of a state and of a batch are found after every kind of change.
func TestIndex(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) { moveAbout(t, q) })
}

// moveAbout takes jobs through all states, and checks the index after each.
func moveAbout(t *testing.T, q Queue) {
	t.Helper()
	ctx := soon(t)
	holds(t, q, "one", "two.*>")
	var jobs []Job
	for i := range 9 {
		j := job(t, fmt.Sprint("j", i))
		j.Batch = []string{"one", "two.*>", ""}[i%3]
		submit(t, q, j)
		jobs = append(jobs, j)
	}
	check := func() { t.Helper(); awaitStruck(t, q); holds(t, q, "one", "two.*>") }
	check()
	if n, err := q.Submit(ctx, jobs...); n != 0 || err != nil { // all are in the queue already
		t.Fatal(n, err)
	}
	check()
	a, b, c, d := next(t, q), next(t, q), next(t, q), next(t, q)
	check()
	if err := a.Update(ctx, func(s *Status) { s.Fraction = 0.5 }); err != nil {
		t.Fatal(err)
	}
	for l, end := range map[Lease]State{a: Done, b: Failed, c: Cancelled, d: Queued} {
		if err := l.Finish(ctx, end, nothing); err != nil {
			t.Fatal(err)
		}
	}
	check()
	id := func(l Lease) string { return l.Status().Job.ID }
	for _, err := range []error{q.Retry(ctx, id(a)), q.Retry(ctx, id(b)), q.Cancel(ctx, id(d)), q.Remove(ctx, id(c)), q.Cancel(ctx, jobs[8].ID)} {
		if err != nil {
			t.Error(err)
		}
	}
	check()
	if n, err := Prune(ctx, q, time.Now().Add(time.Hour), false); n != 2 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	check()
	var left []string
	if err := q.Scan(ctx, Filter{State: Queued}, 0, func(s Status, _ uint64) bool { left = append(left, s.Job.ID); return true }); err != nil {
		t.Fatal(err)
	}
	for _, id := range left {
		if err := errors.Join(q.Cancel(ctx, id), q.Remove(ctx, id)); err != nil {
			t.Error(err)
		}
	}
	check()
	if n, err := q.Tally(ctx, Filter{}); err != nil || len(n) != 0 {
		t.Errorf("left %v, %v", n, err)
	}
}

// awaitStruck waits until the server has deleted old entries. No other code waits for
// that.
func awaitStruck(t *testing.T, q Queue) {
	t.Helper()
	s, ok := q.(*queue).store.(*natsStore)
	for ctx := soon(t); ok; time.Sleep(time.Millisecond) {
		records, entries := 0, 0
		if err := q.Scan(ctx, Filter{}, 0, func(Status, uint64) bool { records++; return true }); err != nil {
			t.Fatal(err)
		}
		counts, err := s.tally(ctx, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range counts {
			entries += n
		}
		ok = entries != records
	}
}

// TestIndexAfterKill: a process that is killed between its two writes, or before it has
// deleted the old entry, leaves an entry that its record does not name. It is ignored and
// deleted later.
func TestIndexAfterKill(t *testing.T) {
	t.Parallel()
	ctx := soon(t)
	q := open(t, Options{Store: t.TempDir()})
	s := q.(*queue).store.(*natsStore)
	j, never := job(t, "a"), job(t, "never")
	submit(t, q, j)
	before, revision, err := q.(*queue).get(ctx, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Before the record is written.
	for _, st := range []Status{{Job: j, State: Failed}, {Job: never, State: Queued}} {
		if err := s.enter(ctx, &st); err != nil {
			t.Fatal(err)
		}
	}
	if got := chosenNames(t, q, Filter{State: Failed}, 9) + "|" + chosenNames(t, q, Filter{State: Queued}, 9); got != "|a" {
		t.Errorf("chosen %q", got)
	}
	// Before the old entry is deleted.
	after := before
	after.State = Running
	if err := s.enter(ctx, &after); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write(ctx, &after, revision); err != nil {
		t.Fatal(err)
	}
	if got := chosenNames(t, q, Filter{State: Running}, 9) + "|" + chosenNames(t, q, Filter{State: Queued}, 9); got != "a|" {
		t.Errorf("chosen %q", got)
	}
	if counts, err := q.Tally(ctx, Filter{}); err != nil || !maps.Equal(counts, map[State]int{Failed: 1, Queued: 2, Running: 1}) {
		t.Errorf("counted %v, %v, with what the killed ones left", counts, err)
	}
	s.stale = 0
	for _, state := range []State{Failed, Queued} {
		chosenNames(t, q, Filter{State: state}, 9)
	}
	awaitStruck(t, q)
	holds(t, q, j.Batch)
}

// TestIndexWhileItChanges: a job whose state changes while a batch is read is found, and
// every job found by its state was in that state.
func TestIndexWhileItChanges(t *testing.T) {
	t.Parallel()
	q := open(t, Options{Store: t.TempDir()})
	var jobs []Job
	for i := range 40 {
		j := job(t, fmt.Sprint("j", i))
		j.Batch = "b"
		jobs = append(jobs, j)
	}
	submit(t, q, jobs...)
	ctx, stop := context.WithCancel(soon(t))
	var changing sync.WaitGroup
	for part := range 4 {
		changing.Go(func() {
			for i := part; ctx.Err() == nil; i = (i + 4) % len(jobs) {
				for _, change := range []func(context.Context, string) error{q.Cancel, q.Retry} {
					if err := change(ctx, jobs[i].ID); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 30 {
		for _, f := range []Filter{{Batch: "b"}, {}} {
			found := map[string]bool{}
			if err := q.Scan(ctx, f, 0, func(s Status, _ uint64) bool { found[s.Job.ID] = true; return true }); err != nil {
				t.Error(err)
			}
			if len(found) != len(jobs) {
				t.Errorf("%+v: %d of %d jobs are found", f, len(found), len(jobs))
			}
		}
		for _, state := range []State{Queued, Cancelled, Done} {
			if err := q.Scan(ctx, Filter{State: state}, 0, func(s Status, _ uint64) bool {
				if s.State != state || state == Done {
					t.Errorf("among %s is one %s", state, s.State)
				}
				return true
			}); err != nil {
				t.Error(err)
			}
		}
	}
	stop()
	changing.Wait()
}

// TestIndexOfEarlierVersion: a queue without an index can be listed, and gets an index from
// the next process that serves it, or from a prune.
func TestIndexOfEarlierVersion(t *testing.T) {
	t.Parallel()
	ctx, store := soon(t), t.TempDir()
	q := open(t, Options{Store: store})
	s := q.(*queue).store.(*natsStore)
	for i := range 30 {
		j := job(t, fmt.Sprint("j", i))
		j.Batch = fmt.Sprint("batch", i%3)
		raw(t, q, j.ID, Status{Job: j, State: States[i%5], Ticket: token()})
	}
	raw(t, q, "damaged", "no JSON")
	if err := s.js.DeleteStream(ctx, indexName); err != nil {
		t.Fatal(err)
	}
	// As a client of a server on another machine finds the queue.
	bare, err := makeStreams(ctx, s.js, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	s.index = bare.index
	s.complete.Store(false)
	if err := s.beginIndex(ctx); err != nil {
		t.Fatal(err)
	}
	batches := []string{"batch0", "batch1", "batch2"}
	if complete, err := s.isIndexed(ctx); complete || err != nil {
		t.Fatal(complete, err)
	}
	holds(t, q, batches...)
	if err := s.js.DeleteStream(ctx, indexName); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, Options{Store: store})
	s = q.(*queue).store.(*natsStore)
	for complete := false; !complete; time.Sleep(10 * time.Millisecond) {
		if complete, err = s.isIndexed(ctx); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, q, batches...)
	// An earlier version that changes a record drops its entry.
	var unentered Status
	if err := q.Scan(ctx, Filter{State: Done}, 0, func(s Status, _ uint64) bool { unentered = s; return false }); err != nil {
		t.Fatal(err)
	}
	unentered.State, unentered.Entry = Queued, Entry{}
	raw(t, q, unentered.Job.ID, unentered)
	if n, err := Prune(ctx, q, time.Time{}, true); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	s.stale = 0
	chosenNames(t, q, Filter{State: Done}, 9)
	awaitStruck(t, q)
	holds(t, q, batches...)
	if n, err := Prune(ctx, q, time.Now().Add(time.Hour), false); n != 17 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	holds(t, q, batches...)
}
