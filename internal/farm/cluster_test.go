//go:build !noserver

package farm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// Servers as others run them, which know nothing of Impasto: no message larger
// than 1 MiB, no sync at every write, and several as a cluster.

// start runs a server by the text of a configuration file.
func start(t *testing.T, config string) *server.Server {
	t.Helper()
	o, err := server.ProcessConfigFile(write(t, t.TempDir()+"/nats.conf", config))
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, o)
}

func startWith(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	o.NoSigs, o.NoLog = true, true
	srv, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(calm) {
		t.Fatal("the server does not start")
	}
	return srv
}

// natsCluster is servers that are one.
type natsCluster struct {
	configs []string
	servers []*server.Server
}

func startCluster(t *testing.T, size int) *natsCluster {
	t.Helper()
	var free []net.Listener
	var routes []string
	for range size {
		l, err := net.Listen("tcp", loopback(t)+":0")
		if err != nil {
			t.Fatal(err)
		}
		free, routes = append(free, l), append(routes, l.Addr().String())
	}
	for _, l := range free {
		l.Close()
	}
	c := &natsCluster{}
	for i, at := range routes {
		c.configs = append(c.configs, fmt.Sprintf(`
			server_name: n%d
			listen: "127.0.0.1:-1"
			authorization { token: "a secret of theirs", timeout: 60 }
			jetstream { store_dir: %q, max_file_store: 1GB, max_memory_store: 64MB }
			cluster { name: farm, listen: %q, routes: ["nats-route://%s"] }
		`, i, t.TempDir(), at, strings.Join(routes, `", "nats-route://`)))
	}
	for _, config := range c.configs {
		c.servers = append(c.servers, start(t, config))
	}
	return c
}

func (c *natsCluster) url() string {
	var list []string
	for _, s := range c.servers {
		list = append(list, s.ClientURL())
	}
	return strings.Join(list, ",")
}

func TestServerOfOthers(t *testing.T) {
	t.Parallel()
	srv := start(t, fmt.Sprintf(`
		listen: "127.0.0.1:-1"
		authorization { token: "a secret of theirs", timeout: 60 }
		jetstream { store_dir: %q, max_file_store: 1GB, max_memory_store: 64MB }
	`, t.TempDir()))
	q := open(t, Options{URL: srv.ClientURL(), Secret: "a secret of theirs"})
	paintAll(t, q, 20)
	_, err := Open(t.Context(), Options{URL: strings.Replace(srv.ClientURL(), "//", "//wrong@", 1)})
	if err == nil || !strings.Contains(err.Error(), "Authorization") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong secret: %v", err)
	}
}

// paintAll submits jobs, with an input that has to travel, and does them.
func paintAll(t *testing.T, q Queue, n int) {
	t.Helper()
	dir := t.TempDir()
	input := write(t, dir+"/input.txt", strings.Repeat("a large picture ", 1<<17)) // 2 MiB
	sum, err := SumOf(input)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []Job
	for i := range n {
		j := Job{Name: fmt.Sprintf("j%02d", i), Class: ClassCPU, Priority: i % 3, Inputs: map[string]string{input: sum}}
		j.Outputs = []string{filepath.Join(dir, j.Name+".txt")}
		j.Steps = [][]string{{"art", "--output=" + j.Outputs[0], input}}
		j.Identify()
		jobs = append(jobs, j)
	}
	if _, err := Upload(t.Context(), q, jobs); err != nil {
		t.Fatal(err)
	}
	submit(t, q, jobs...)
	var mu sync.Mutex
	done := map[string]int{}
	var wg sync.WaitGroup
	for range 3 {
		w := worker(t, q, func(ctx context.Context, task *Task) error {
			mu.Lock()
			done[task.Job.Name]++
			mu.Unlock()
			time.Sleep(silence / 20)
			return paints(ctx, task)
		})
		wg.Go(func() { run(t, w) })
	}
	wg.Wait()
	for _, j := range jobs {
		s := state(t, q, j, Done)
		if done[j.Name] != 1 {
			t.Errorf("job %s was done %d times", j.Name, done[j.Name])
		}
		if n, err := Collect(t.Context(), q, s, false); n != 1 || err != nil {
			t.Errorf("job %s: collected %d, %v", j.Name, n, err)
		}
	}
}

// TestCluster: three servers, and one of them leaves in the middle of the work
// and comes back. Every job is done; what leases say holds on whichever server
// the client is. Not in parallel: it is three servers' work.
func TestCluster(t *testing.T) {
	c := startCluster(t, 3)
	o := Options{URL: c.url(), Secret: "a secret of theirs"}
	q := open(t, o)
	for _, name := range []string{streamName, "KV_" + bucketName, indexName, "OBJ_" + blobsName} {
		s, err := q.(*queue).store.(*natsStore).js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if config := s.CachedInfo().Config; config.Replicas != 3 || config.AllowDirect {
			t.Errorf("stream %s: %d replicas, direct reads %v", name, config.Replicas, config.AllowDirect)
		}
	}
	moveAbout(t, q)
	paintAll(t, q, 20)

	// Whichever server lists, it knows what was submitted just before.
	for i := range 20 {
		listed := job(t, fmt.Sprint("listed", i))
		submit(t, q, listed)
		all, err := q.List(t.Context(), Filter{State: Queued})
		if err != nil || len(all) != 1 {
			t.Fatalf("job %d is listed %d times, %v", i, len(all), err)
		}
		if err := errors.Join(q.Cancel(t.Context(), listed.ID), q.Remove(t.Context(), listed.ID)); err != nil {
			t.Fatal(err)
		}
	}

	// A record that changed under a client is a conflict, by the cluster's code.
	var wg sync.WaitGroup
	j := job(t, "contested")
	submit(t, q, j)
	l := next(t, q)
	for i := range 8 {
		wg.Go(func() {
			if err := l.Update(t.Context(), func(s *Status) { s.Fraction += 0.125; s.Text = fmt.Sprint(i) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := state(t, q, j, Running); s.Fraction != 1 {
		t.Errorf("eight updates at once made %v", s.Fraction)
	}
	if err := l.Finish(t.Context(), Done, nothing); err != nil {
		t.Fatal(err)
	}

	c.loseALeader(t, q, o)
}

// loseALeader stops the server that leads the jobs' stream in the middle of some jobs,
// and starts it again. A watcher learns of every change, and pages are complete.
func (c *natsCluster) loseALeader(t *testing.T, q Queue, o Options) {
	ctx := soon(t)
	o.Wait = 4 * silence // so that jobs lost with the server are taken again soon
	brief := open(t, o)
	var jobs []Job
	var ids []string
	for i := range 30 {
		jobs = append(jobs, job(t, fmt.Sprint("through", i)))
		ids = append(ids, jobs[i].ID)
	}
	submit(t, q, append(jobs, job(t, "of another"))...)
	changes, err := brief.Watch(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	var first uint64
	if err := q.Scan(ctx, Filter{}, 0, func(_ Status, revision uint64) bool { first = revision; return false }); err != nil {
		t.Fatal(err)
	}
	leader := c.leader(t, q)
	var mu sync.Mutex
	var done []string
	gone := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		w := worker(t, brief, func(ctx context.Context, task *Task) error {
			mu.Lock()
			done = append(done, task.Job.Name)
			n := len(done)
			mu.Unlock()
			if n == 5 {
				close(gone)
			}
			time.Sleep(silence / 20)
			return paints(ctx, task)
		})
		wg.Go(func() { run(t, w) })
	}
	told := map[string]State{}
	wg.Go(func() {
		for ended := 0; ended < len(jobs); {
			s, ok := <-changes
			if !ok {
				t.Errorf("the watch ended, %d of %d jobs were told as done", ended, len(jobs))
				return
			}
			if s.State == Done && told[s.Job.ID] != Done {
				ended++
			}
			told[s.Job.ID] = s.State
		}
	})
	<-gone
	c.servers[leader].Shutdown()
	c.servers[leader].WaitForShutdown()
	// A page from the second record on. The other servers send it once they have a leader.
	listed := map[string]bool{}
	for err := errors.New("not asked yet"); err != nil; {
		clear(listed)
		if err = q.Scan(ctx, Filter{}, first, func(s Status, _ uint64) bool { listed[s.Job.ID] = true; return true }); ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	for _, j := range jobs {
		if !listed[j.ID] {
			t.Errorf("%s is not on the page", j.Name)
		}
	}
	c.servers[leader] = start(t, c.configs[leader])
	wg.Wait()
	for _, j := range jobs {
		state(t, q, j, Done)
		delete(told, j.ID)
	}
	if delete(told, ""); len(told) > 0 {
		t.Errorf("told of jobs that were not watched: %v", told)
	}
	t.Logf("%d jobs were begun %d times while a server left", len(jobs), len(done))
}

// TestClusterOfTwo: where there are not three servers for three replicas, one
// has to do.
func TestClusterOfTwo(t *testing.T) {
	q := open(t, Options{URL: startCluster(t, 2).url(), Secret: "a secret of theirs"})
	info, err := q.(*queue).store.(*natsStore).stream.Info(t.Context())
	if err != nil || info.Config.Replicas != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
	paintAll(t, q, 3)
}

// leader is the server that leads the stream of jobs.
func (c *natsCluster) leader(t *testing.T, q Queue) int {
	t.Helper()
	info, err := q.(*queue).store.(*natsStore).stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.servers, func(s *server.Server) bool { return s.Name() == info.Cluster.Leader })
	if i < 0 {
		t.Fatalf("%q leads", info.Cluster.Leader)
	}
	return i
}

// TestOwnersChoice: what the owner of a server decided about the queue's
// streams stays, but what the queue relies on is set right.
func TestOwnersChoice(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	first, err := Open(t.Context(), Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	js := first.(*queue).store.(*natsStore).js
	bucket, err := js.Stream(t.Context(), "KV_"+bucketName)
	if err != nil {
		t.Fatal(err)
	}
	config := bucket.CachedInfo().Config
	config.Description, config.MaxBytes, config.AllowDirect = "theirs", 1<<30, false
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	js = open(t, Options{Store: store}).(*queue).store.(*natsStore).js
	if bucket, err = js.Stream(t.Context(), "KV_"+bucketName); err != nil {
		t.Fatal(err)
	}
	if got := bucket.CachedInfo().Config; got.Description != "theirs" || got.MaxBytes != 1<<30 || !got.AllowDirect {
		t.Errorf("%+v", got)
	}
}

// TestCredentials: an operator's account, whose user signs with a key.
func TestCredentials(t *testing.T) {
	t.Parallel()
	pair := func(make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		k, err := make()
		if err != nil {
			t.Fatal(err)
		}
		public, err := k.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		return k, public
	}
	operator, operatorName := pair(nkeys.CreateOperator)
	account, accountName := pair(nkeys.CreateAccount)
	_, systemName := pair(nkeys.CreateAccount)
	user, userName := pair(nkeys.CreateUser)
	resolver := &server.MemAccResolver{}
	for _, name := range []string{accountName, systemName} {
		claims := jwt.NewAccountClaims(name)
		if name == accountName {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
		}
		text, err := claims.Encode(operator)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolver.Store(name, text); err != nil {
			t.Fatal(err)
		}
	}
	srv := startWith(t, &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), SystemAccount: systemName,
		TrustedOperators: []*jwt.OperatorClaims{jwt.NewOperatorClaims(operatorName)}, AccountResolver: resolver,
	})
	text, err := jwt.NewUserClaims(userName).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(text, seed)
	if err != nil {
		t.Fatal(err)
	}
	q := open(t, Options{URL: srv.ClientURL(), Secret: string(creds)})
	paintAll(t, q, 3)
	if _, err := Open(t.Context(), Options{URL: srv.ClientURL(), Secret: "no key"}); err == nil {
		t.Error("a token opened a server that wants a key")
	}
}

func TestNoJetStream(t *testing.T) {
	t.Parallel()
	srv := start(t, `listen: "127.0.0.1:-1"`)
	_, err := Open(t.Context(), Options{URL: srv.ClientURL()})
	if err == nil || !strings.Contains(err.Error(), "JetStream is not enabled there") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	if _, err = Open(ctx, Options{URL: srv.ClientURL()}); !errors.Is(err, ctx.Err()) {
		t.Errorf("who gave up waiting is told %v", err)
	}
}

// TestGivenUpWhileItConnects: a server that takes connections and says nothing.
func TestGivenUpWhileItConnects(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	ctx, cancel := context.WithTimeout(t.Context(), silence/4)
	defer cancel()
	if _, err := Open(ctx, Options{URL: "nats://" + mute.Addr().String()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gave up is told %v", err)
	}
}
