package farm

import (
	"strings"
	"testing"
)

// TestWatchOnlyWhenTheServerReturns: what changed before the client has found its way
// back is told as well. The server's own process changes it: a request of the client
// that falls between the servers is lost, and its caller is told so.
func TestWatchOnlyWhenTheServerReturns(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: the client misses a server that is back after ten seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	server := open(t, Options{Store: dir, Listen: loopback(t) + ":0"})
	at, err := Reach(dir)
	if err != nil {
		t.Fatal(err)
	}
	remote := open(t, Options{URL: at})
	a, b := job(t, "a"), job(t, "b")
	submit(t, remote, a, b)
	changes, err := remote.Watch(t.Context(), []string{a.ID, b.ID})
	if err != nil {
		t.Fatal(err)
	}
	for s := range changes {
		if s.Job.ID == "" {
			break
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	server = open(t, Options{Store: dir, Listen: at[strings.LastIndex(at, "@")+1:]})
	if err := server.Cancel(soon(t), a.ID); err != nil {
		t.Fatal(err)
	}
	if s := <-changes; s.Job.ID != a.ID || s.State != Cancelled {
		t.Errorf("told of %q, %s", s.Job.Name, s.State)
	}
}
