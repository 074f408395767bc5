//go:build !noserver

package farm

import (
	"fmt"
	"slices"
	"testing"
)

// TestScanFromAnywhere: from any revision on, the same jobs come in the same order as
// they do from the first: where many have moved on, where a hole is that is wider than
// what is asked at once, where removed ones have left marks, and beyond what is asked
// one by one.
func TestScanFromAnywhere(t *testing.T) {
	t.Parallel()
	ctx := soon(t)
	srv := start(t, fmt.Sprintf(`
		listen: "127.0.0.1:-1"
		authorization { token: "a secret of theirs", timeout: 60 }
		jetstream { store_dir: %q }
	`, t.TempDir()))
	q := open(t, Options{URL: srv.ClientURL(), Secret: "a secret of theirs"})
	s := q.(*queue).store.(*natsStore)
	changeMany(t, s, 3000)
	busy := job(t, "busy")
	for range 3000 {
		if _, err := s.js.PublishAsync("$KV."+bucketName+"."+busy.ID, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if s.js.PublishAsyncPending() > 1000 {
			<-s.js.PublishAsyncComplete()
		}
	}
	<-s.js.PublishAsyncComplete()
	var late []Job
	for i := range 40 {
		late = append(late, job(t, fmt.Sprint("late", i)))
	}
	submit(t, q, late...)
	if err := q.Cancel(ctx, late[7].ID); err != nil {
		t.Fatal(err)
	}
	if err := q.Remove(ctx, late[7].ID); err != nil {
		t.Fatal(err)
	}
	from := func(after uint64, most int) (revisions []uint64) {
		t.Helper()
		if err := q.Scan(ctx, Filter{}, after, func(_ Status, revision uint64) bool {
			revisions = append(revisions, revision)
			return len(revisions) < most
		}); err != nil {
			t.Fatal(err)
		}
		return revisions
	}
	all := from(0, 1<<30)
	if len(all) != 3000+1+39 {
		t.Fatalf("%d jobs", len(all))
	}
	last := all[len(all)-1]
	for _, after := range []uint64{1, 2, 700, 1600, last / 4, last / 2, last - 3041, last - 100, last - 41, last - 2, last - 1, last, last + 1, last + 100} {
		at, _ := slices.BinarySearch(all, after+1)
		most := 100
		if after == 700 {
			most = len(all) // more than are asked for one by one
		}
		want := all[at:]
		want = want[:min(most, len(want))]
		if got := from(after, most); !slices.Equal(got, want) {
			t.Errorf("after %d, at most %d: %d jobs, want %d", after, most, len(got), len(want))
		}
	}
}
