//go:build !noserver

package farm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestLockFileDeleted: the process that serves the store stops, and until it has
// no other does.
func TestLockFileDeleted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: a file that is open cannot be deleted on Windows")
	}
	dir := t.TempDir()
	q := open(t, Options{Store: dir})
	j := job(t, "a")
	submit(t, q, j)
	if err := os.Remove(filepath.Join(dir, lockFile)); err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if other, err := Open(t.Context(), Options{Store: dir, MustServe: true}); !errors.As(err, &busy) {
		if err == nil {
			other.Close()
		}
		t.Fatalf("another process serves it: %v", err)
	}
	<-q.Life().Done()
	var taken *TakenError
	if err := context.Cause(q.Life()); !errors.As(err, &taken) || taken.Store != dir {
		t.Errorf("it ends with %v", err)
	}
	if _, err := q.Submit(t.Context(), job(t, "b")); !errors.As(err, &taken) {
		t.Errorf("submit: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, Options{Store: dir, MustServe: true})
	state(t, q, j, Queued)
	next(t, q)
}

// TestMessageLost: a job that waits and has no message gets one when it is
// submitted again, and so does one that runs.
func TestMessageLost(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		own := q.(*queue)
		waits, runs := job(t, "waits"), job(t, "runs")
		if _, err := own.put(ctx, &Status{Job: waits, State: Queued, Ticket: token()}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := own.put(ctx, &Status{Job: runs, State: Running, Ticket: token(), Lease: token(), Message: 1 << 40}, 0); err != nil {
			t.Fatal(err)
		}
		if n, err := q.Submit(ctx, waits, runs); n != 0 || err != nil {
			t.Fatalf("submitted again: %d new, %v", n, err)
		}
		for range 2 {
			if err := next(t, q).Finish(ctx, Done, nothing); err != nil {
				t.Fatal(err)
			}
		}
		state(t, q, waits, Done)
		state(t, q, runs, Done)
	})
}
