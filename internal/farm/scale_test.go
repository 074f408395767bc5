//go:build !noserver

package farm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
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

	page := func(name string, f Filter, after uint64, want int) {
		b.Run(name, func(b *testing.B) {
			before := processorTime()
			for b.Loop() {
				listed := 0
				if err := q.Scan(b.Context(), f, after, func(Status, uint64) bool { listed++; return listed <= 1000 }); err != nil || listed != want {
					b.Fatalf("%d jobs, %v", listed, err)
				}
			}
			b.ReportMetric(float64((processorTime()-before).Milliseconds())/float64(b.N), "ms-processor/op")
		})
	}
	for _, percent := range []uint64{0, 1, 25, 50, 75, 95} {
		page(fmt.Sprintf("page-at-%d%%", percent), Filter{}, last*percent/100, 1001)
	}
	page("batch-of-100", Filter{Batch: smallBatch}, 0, 100)
	page("queued", Filter{State: Queued}, 0, 1001)
	page("queued-from-the-middle", Filter{State: Queued}, uint64(n/2), 1001)
	page("failed-one-in-1000", Filter{State: Failed}, 0, min(1001, n/1000))
	page("failed-of-batch-of-100", Filter{Batch: smallBatch, State: Failed}, 0, 0)
	b.Run("tally", func(b *testing.B) {
		for b.Loop() {
			if counts, err := q.Tally(b.Context(), Filter{}); err != nil || counts[Queued]+counts[Failed] != n {
				b.Fatal(counts, err)
			}
		}
	})
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

// smallBatch is the batch of 100 jobs among many.
const smallBatch = "small"

// changeMany writes the records of many jobs, and those of half of them again, three
// times, with their entries in the index. One in a thousand has failed. It returns the ID
// of a job and the last revision.
func changeMany(b testing.TB, s *natsStore, n int) (id string, last uint64) {
	b.Helper()
	info, err := s.index.Info(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	entered := info.State.LastSeq
	send := func(subject string, text []byte) {
		if _, err := s.js.PublishAsync(subject, text); err != nil {
			b.Fatal(err)
		}
		if s.js.PublishAsyncPending() > 1000 {
			<-s.js.PublishAsyncComplete()
		}
	}
	j := job(b, "picture")
	entries := make([]Entry, n)
	for change := range 4 {
		for i := range n {
			fails := change == 3 && i%1000 == 999
			if mixed := uint32(i) * 2654435761 >> 16; change > 0 && mixed>>change&1 == 0 && !fails {
				continue
			}
			sum := sha256.Sum256(fmt.Append(nil, i))
			j.ID, j.Batch = hex.EncodeToString(sum[:8]), "large"
			if i >= n/2 && i < n/2+100 {
				j.Batch = smallBatch
			}
			st := Status{Job: j, State: Queued, Ticket: token(), Attempts: change, Entry: entries[i]}
			if fails {
				st.State = Failed
			}
			if st.Entry.State != st.State {
				s.strike(st.Entry.Number)
				entered++
				st.Entry = Entry{entered, st.State}
				send(indexSubject+string(st.State)+"."+batchDigest(j.Batch), []byte(j.ID))
			}
			entries[i] = st.Entry
			text, err := json.Marshal(st)
			if err != nil {
				b.Fatal(err)
			}
			send("$KV."+bucketName+"."+j.ID, text)
		}
		<-s.js.PublishAsyncComplete()
	}
	if last, err = s.last(b.Context()); err != nil {
		b.Fatal(err)
	}
	return j.ID, last
}

// processorTime returns the processor time of this process, or 0 on systems that do not
// report it as Linux does.
func processorTime() time.Duration {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
