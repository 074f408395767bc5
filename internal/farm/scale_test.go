//go:build !noserver

package farm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// BenchmarkLarge asks a queue of 200,000 jobs, half of which have changed and changed again,
// three times over, for pages of 1,000 jobs, and watches one job.
// IMPASTO_BENCH_JOBS is another number of jobs.
//
//	go test ./internal/farm -run '^$' -bench Large -benchtime 5x
func BenchmarkLarge(b *testing.B) {
	n := 200000
	if given, err := strconv.Atoi(os.Getenv("IMPASTO_BENCH_JOBS")); err == nil {
		n = given
	}
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, Authorization: "a secret of theirs",
		JetStream: true, StoreDir: b.TempDir(), MaxPayload: maxPayload, NoSigs: true, NoLog: true})
	if err != nil {
		b.Fatal(err)
	}
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	if !srv.ReadyForConnections(10 * time.Second) {
		b.Fatal("the server does not start")
	}
	q, err := Open(b.Context(), Options{URL: srv.ClientURL(), Secret: "a secret of theirs"})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	first, last := changeMany(b, q.(*queue).store.(*natsStore), n)

	page := func(b *testing.B, after uint64) {
		for b.Loop() {
			listed := 0
			if err := q.Scan(b.Context(), Filter{}, after, func(Status, uint64) bool { listed++; return listed <= 1000 }); err != nil || listed <= 1000 {
				b.Fatalf("%d jobs, %v", listed, err)
			}
		}
	}
	for _, percent := range []uint64{0, 1, 25, 50, 75, 95} {
		b.Run(fmt.Sprintf("page-at-%d%%", percent), func(b *testing.B) { page(b, last*percent/100) })
	}
	b.Run("watch-one", func(b *testing.B) {
		for b.Loop() {
			changes, err := q.Watch(b.Context(), []string{first})
			if err != nil {
				b.Fatal(err)
			}
			if s := <-changes; s.Job.ID != first || (<-changes).Job.ID != "" {
				b.Fatal(s)
			}
		}
	})
}

// changeMany writes the records of many jobs, and those of half of them again, three
// times. It returns the ID of a job and the last revision.
func changeMany(b testing.TB, s *natsStore, n int) (id string, last uint64) {
	b.Helper()
	j := job(b, "picture")
	for change := range 4 {
		for i := range n {
			if mixed := uint32(i) * 2654435761 >> 16; change > 0 && mixed>>change&1 == 0 {
				continue
			}
			sum := sha256.Sum256(fmt.Append(nil, i))
			j.ID = hex.EncodeToString(sum[:8])
			text, err := json.Marshal(Status{Job: j, State: Queued, Ticket: token(), Attempts: change})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.js.PublishAsync("$KV."+bucketName+"."+j.ID, text); err != nil {
				b.Fatal(err)
			}
			if i%1000 == 0 {
				<-s.js.PublishAsyncComplete()
			}
		}
		<-s.js.PublishAsyncComplete()
	}
	last, err := s.last(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return j.ID, last
}
