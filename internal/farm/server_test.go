package farm

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// heldStore makes this binary a process that serves a store and holds a job.
const heldStore = "IMPASTO_TEST_HELD_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(heldStore); dir != "" {
		hold(dir)
	}
	flag.Parse()
	// Tests wait for silence to be noticed, not for the processor.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// loopback is an address of this machine that no other process uses, if the system has
// several: so a port that is released stays free.
func loopback(t *testing.T) string {
	t.Helper()
	n := os.Getpid()
	own := fmt.Sprintf("127.%d.%d.%d", 1+n>>16&63, n>>8&255, 1+n&127)
	l, err := net.Listen("tcp", own+":0")
	if err != nil {
		return "127.0.0.1"
	}
	l.Close()
	return own
}

func hold(dir string) {
	ctx := context.Background()
	q, err := Open(ctx, Options{Store: dir, Wait: silence, Who: "impasto worker", MustServe: true})
	if err == nil {
		_, err = q.Next(ctx, ClassCPU, "held", 0)
	}
	fmt.Println(err)
	select {}
}

// TestServerKilled: a second process finds out who has the store, speaks to it,
// and goes on with the job after kill -9.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	j := job(t, "a")
	q := open(t, Options{Store: dir})
	submit(t, q, j)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, urlFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a closed queue says where it is: %v", err)
	}
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), heldStore+"="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	lines := bufio.NewReader(out)
	for { // after what the test binary may say first
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(line) == "<nil>" {
			break
		}
		t.Fatalf("the other process: %s", line)
	}
	var busy *BusyError
	_, err = Open(ctx, Options{Store: dir, MustServe: true})
	if !errors.As(err, &busy) || busy.PID != holder.Process.Pid || busy.Who != "impasto worker" {
		t.Fatalf("two processes serve one store: %v", err)
	}
	if want := fmt.Sprintf("queue store is in use by process %d (impasto worker)", busy.PID); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	for _, name := range []string{urlFile, tokenFile, lockFile} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
			t.Errorf("file %s: %v, %v", name, st, err)
		}
	}
	second := open(t, Options{Store: dir})
	if s := state(t, second, j, Running); s.Worker != "held" {
		t.Errorf("%+v", s)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait()
	third := open(t, Options{Store: dir, MustServe: true, Wait: silence})
	l := next(t, third)
	if s := l.Status(); s.Job.ID != j.ID || s.Deaths != 1 {
		t.Errorf("%+v", s)
	}
	if err := l.Finish(ctx, Done, nothing); err != nil {
		t.Fatal(err)
	}
	// The second process's client has found the next server by itself.
	for end := time.Now().Add(calm); ; time.Sleep(50 * time.Millisecond) {
		if s, err := second.Status(ctx, j.ID); err == nil && s.State == Done {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the client of the killed server: %+v, %v", s, err)
		}
	}
	none(t, third)
}

// TestServerAway: it goes while a worker holds a job, and comes back where it
// was. The job is done once; nobody takes silence for an empty queue.
func TestServerAway(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	server := open(t, Options{Store: dir, Listen: loopback(t) + ":0"})
	at, err := Reach(dir)
	if err != nil {
		t.Fatal(err)
	}
	remote := open(t, Options{URL: at, Wait: 5 * calm}) // the lease outlasts the server's absence
	held, waits := job(t, "held"), job(t, "waits")
	held.Priority = 1
	submit(t, remote, held, waits)
	working, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	tries := map[string]int{}
	w := worker(t, remote, func(_ context.Context, task *Task) error {
		mu.Lock()
		tries[task.Job.Name]++
		mu.Unlock()
		if task.Job.Name == "held" {
			close(working)
			<-goOn
		}
		return paints(context.Background(), task)
	})
	w.Empty = silence
	var wg sync.WaitGroup
	untilEmpty := func(w *Worker) {
		if err := w.Run(ctx, nil); err != nil {
			t.Error(err)
		}
	}
	wg.Go(func() { untilEmpty(w) })
	<-working
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	close(goOn) // it ends while the server is away

	idle := worker(t, remote, paints)
	idle.Empty = silence / 4
	ended := make(chan struct{})
	wg.Go(func() { untilEmpty(idle); close(ended) })

	var more []Job
	for i := range 200 {
		more = append(more, job(t, fmt.Sprint("more", i)))
	}
	var gone *UnreachableError
	if n, err := remote.Submit(ctx, more...); n != 0 || !errors.As(err, &gone) || strings.Contains(err.Error(), "@") {
		t.Errorf("submitted %d to nobody, %v", n, err)
	}
	short, cancel := context.WithTimeout(ctx, silence/4)
	if _, err := remote.Submit(short, more...); err == nil {
		t.Error("submitted to nobody for a moment")
	}
	cancel()
	select {
	case <-ended:
		t.Error("silence was taken for an empty queue")
	default:
	}
	open(t, Options{Store: dir, Listen: at[strings.LastIndex(at, "@")+1:]})
	wg.Wait()
	state(t, remote, held, Done)
	if s := state(t, remote, waits, Done); tries["held"] != 1 || s.Deaths != 0 {
		t.Errorf("tries %v, %+v", tries, s)
	}
}

// TestPortTaken: a process that cannot serve gets the reason at once.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	if _, err := Open(t.Context(), Options{Store: dir, Listen: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "address already in use") && runtime.GOOS != "windows" {
		t.Errorf("served where another listens: %v", err)
	}
	open(t, Options{Store: dir, MustServe: true})
}

// TestAnyPort: port 0 is one that is free, though another server has the usual one.
func TestAnyPort(t *testing.T) {
	t.Parallel()
	var at [2]string
	for i := range at {
		dir := t.TempDir()
		open(t, Options{Store: dir, Listen: "127.0.0.1:0"})
		text, err := Reach(dir)
		if err != nil {
			t.Fatal(err)
		}
		at[i] = text[strings.LastIndex(text, ":")+1:]
	}
	if at[0] == at[1] || at[0] == "4222" || at[1] == "4222" {
		t.Errorf("two servers on ports %v", at)
	}
}

// TestPatience: a server that starts late is waited for, one that says no is
// not, and neither is one that is not asked for with patience.
func TestPatience(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	held, err := net.Listen("tcp", loopback(t)+":0")
	if err != nil {
		t.Fatal(err)
	}
	at := held.Addr().String()
	held.Close()
	var away *UnreachableError
	if _, err := Open(ctx, Options{URL: "nats://" + at}); !errors.As(err, &away) {
		t.Fatalf("nobody there: %v", err)
	}
	told := make(chan error, 2)
	stopped, stop := context.WithCancel(ctx)
	o := Options{URL: "nats://" + at, Patience: time.Minute, Waiting: func(err error) { told <- err; stop() }}
	if _, err := Open(stopped, o); !errors.Is(err, context.Canceled) || !errors.As(<-told, &away) {
		t.Errorf("stopped while it waits: %v", err)
	}
	text := []byte("a secret of this test's own\n")
	if err := os.WriteFile(filepath.Join(dir, tokenFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Secret = strings.TrimSpace(string(text))
	o.Waiting = func(err error) {
		told <- err
		if !errors.As(err, &away) {
			t.Errorf("waits for %v", err)
		}
		open(t, Options{Store: dir, Listen: at})
	}
	q, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if len(told) != 1 {
		t.Errorf("told %d times that it waits", len(told))
	}
	o.Secret = "another secret"
	o.Waiting = func(err error) { t.Errorf("waits for one that says no: %v", err) }
	if _, err := Open(ctx, o); !errors.As(err, &away) {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestMayReturn(t *testing.T) {
	dial := func(err error) error {
		return &UnreachableError{"nats://farm:4222", &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{dial(syscall.ECONNREFUSED), true},
		{dial(syscall.EHOSTUNREACH), true},
		{dial(&net.DNSError{Err: "no such host", Name: "frm", IsNotFound: true}), false},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "farm", IsTemporary: true}), true},
		{&UnreachableError{"", nats.ErrNoServers}, true},
		{&UnreachableError{"", nats.ErrTimeout}, true},
		{&UnreachableError{"", fmt.Errorf("JetStream is not enabled there: %w", nats.ErrNoResponders)}, true},
		{&UnreachableError{"", nats.ErrAuthorization}, false},
		{&UnreachableError{"", nats.ErrSecureConnRequired}, false},
		{&UnreachableError{"", x509.UnknownAuthorityError{}}, false},
	} {
		if got := mayReturn(c.err); got != c.want {
			t.Errorf("%v: asked again: %v", c.err, got)
		}
	}
}
