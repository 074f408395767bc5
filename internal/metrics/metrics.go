// Package metrics counts what a worker does, and serves the counts and the state of
// its queue as Prometheus text.
package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// Metrics are the counts of a worker, and the server of them.
type Metrics struct {
	queue  atomic.Pointer[farm.Queue] // nil until it has been found
	set    *metrics.Set
	server *http.Server

	tallying   sync.Mutex
	tally      *looked       // result of the last look at the waiting jobs
	tallyAfter time.Time     // when the next look may begin
	looking    chan struct{} // closed when the present look ends; nil: there is none
	at         net.Listener  // nil without --metrics
}

// New serves /metrics and /healthz on addr; "" serves nothing. It serves from the
// start, before the queue is found.
func New(addr string) (*Metrics, error) {
	m := &Metrics{set: metrics.NewSet()}
	if addr == "" {
		return m, nil
	}
	var err error
	if m.at, err = net.Listen("tcp", addr); err != nil {
		return nil, ui.NewFault(ui.ExitFailure, "listen", fmt.Sprintf("metrics: %s cannot be listened on: %s", addr, ui.ListenReason(err)), "--metrics 127.0.0.1:0")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", m.serveMetrics)
	mux.HandleFunc("GET /healthz", m.serveHealth)
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go m.server.Serve(m.at)
	return m, nil
}

// Address is the address for people, with a comma before it.
func (m *Metrics) Address() string {
	if m.at == nil {
		return ""
	}
	return fmt.Sprintf(", metrics on http://%s/metrics", m.at.Addr())
}

// Close stops serving.
func (m *Metrics) Close() {
	if m.server != nil {
		m.server.Close()
	}
}

// Ended counts an attempt.
func (m *Metrics) Ended(st farm.Status) {
	state := string(st.State)
	switch {
	case st.State == farm.Queued && st.Error != "":
		state = "retried"
	case st.State == farm.Queued:
		state = "given_back"
	}
	m.set.GetOrCreateCounter(fmt.Sprintf("impasto_worker_jobs_total{state=%q}", state)).Inc()
	m.set.GetOrCreateHistogram("impasto_worker_attempt_seconds").Update(time.Since(st.Started).Seconds())
	var outcome struct{ Iterations int }
	if json.Unmarshal(st.Outcome, &outcome) == nil && st.State == farm.Done {
		m.set.GetOrCreateCounter("impasto_worker_iterations_total").Add(outcome.Iterations)
	}
}

// Found returns the queue in a form that counts the bytes of files that pass
// through it.
func (m *Metrics) Found(q farm.Queue) farm.Queue {
	m.queue.Store(&q)
	return countedQueue{q, m.set}
}

type countedQueue struct {
	farm.Queue
	set *metrics.Set
}

func (q countedQueue) Blobs() farm.Blobs { return countedBlobs{q.Queue.Blobs(), q.set} }

type countedBlobs struct {
	farm.Blobs
	set *metrics.Set
}

func (b countedBlobs) Put(ctx context.Context, sum string, r io.Reader) error {
	return b.Blobs.Put(ctx, sum, &countedReader{Reader: r, n: b.set.GetOrCreateCounter(`impasto_worker_bytes_total{to="queue"}`)})
}

func (b countedBlobs) Get(ctx context.Context, sum string) (io.ReadCloser, error) {
	r, err := b.Blobs.Get(ctx, sum)
	if err != nil {
		return nil, err
	}
	return &countedReader{r, r, b.set.GetOrCreateCounter(`impasto_worker_bytes_total{to="worker"}`)}, nil
}

type countedReader struct {
	io.Reader
	io.Closer
	n *metrics.Counter
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(n)
	return n, err
}

// queueWait bounds how long a page waits for the queue.
const queueWait = 5 * time.Second

func (m *Metrics) serveMetrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), queueWait)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	up := 0
	if q := m.queue.Load(); q != nil {
		if m.writeQueue(ctx, w, *q) == nil {
			up = 1
		}
	}
	fmt.Fprintf(w, "impasto_queue_up %d\n", up)
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

// writeQueue writes the metrics of the queue. The server counts the jobs. The amount of
// waiting work requires a look at each waiting job, so it is computed only as often as
// takes a twentieth of the time.
func (m *Metrics) writeQueue(ctx context.Context, w io.Writer, q farm.Queue) error {
	load, err := q.Load(ctx)
	if err != nil {
		return err
	}
	for _, class := range []string{farm.ClassCPU, farm.ClassGPU} {
		l := load[class]
		fmt.Fprintf(w, "impasto_queue_waiting{class=%q} %d\n", class, l.Waiting)
		fmt.Fprintf(w, "impasto_queue_running{class=%q} %d\n", class, l.Running)
		age := 0.0
		if !l.Oldest.IsZero() {
			age = max(0, time.Since(l.Oldest).Seconds())
		}
		fmt.Fprintf(w, "impasto_queue_oldest_seconds{class=%q} %.0f\n", class, age)
	}
	if t := m.tallyOf(ctx, q); t != nil {
		for _, state := range batch.States {
			fmt.Fprintf(w, "impasto_queue_jobs{state=%q} %d\n", state, t.states[state])
		}
		for _, class := range []string{farm.ClassCPU, farm.ClassGPU} {
			fmt.Fprintf(w, "impasto_queue_waiting_seconds{class=%q} %.0f\n", class, t.waiting[class])
		}
	}
	return nil
}

// looked is the result of a look at the waiting jobs.
type looked struct {
	states  batch.Tally
	waiting map[string]float64 // estimated seconds of work that waits, by class
}

// see adds the work of a waiting job.
func (l *looked) see(st farm.Status) {
	l.waiting[st.Job.Class] += st.Job.Estimate * (1 - min(1, max(0, st.Fraction)))
}

// tallyOf returns the number of jobs of each state and the amount of waiting work, from
// the last look. If a look is due it waits a moment for its result. nil: no look has
// ended yet.
func (m *Metrics) tallyOf(ctx context.Context, q farm.Queue) *looked {
	m.tallying.Lock()
	if m.looking == nil && time.Now().After(m.tallyAfter) {
		ended := make(chan struct{})
		m.looking = ended
		go func() {
			begun, found := time.Now(), &looked{waiting: map[string]float64{}}
			counts, err := q.Tally(q.Life(), farm.Filter{})
			if found.states = counts; err == nil {
				err = q.Scan(q.Life(), farm.Filter{State: farm.Queued}, 0, func(st farm.Status, _ uint64) bool {
					found.see(st)
					return true
				})
			}
			m.tallying.Lock()
			defer m.tallying.Unlock()
			if err == nil {
				m.tally = found
			}
			m.tallyAfter = time.Now().Add(20 * time.Since(begun))
			m.looking = nil
			close(ended)
		}()
	}
	looking := m.looking
	m.tallying.Unlock()
	if looking != nil {
		select {
		case <-looking:
		case <-ctx.Done():
		case <-time.After(queueWait / 4):
		}
	}
	m.tallying.Lock()
	defer m.tallying.Unlock()
	return m.tally
}

// serveHealth answers 200 while the queue does.
func (m *Metrics) serveHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), queueWait)
	defer cancel()
	if q := m.queue.Load(); q != nil {
		if _, err := (*q).Blobs().Has(ctx, emptySum); err == nil {
			fmt.Fprintln(w, "ok")
			return
		}
	}
	http.Error(w, "the queue does not answer", http.StatusServiceUnavailable)
}

// emptySum is the SHA-256 of no bytes: a question that costs nothing.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
