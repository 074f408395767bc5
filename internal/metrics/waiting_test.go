package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// TestWaitingSeconds: the work that waits is told by class, without what a job has
// behind it.
func TestWaitingSeconds(t *testing.T) {
	m, err := New("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	q := farm.Memory(time.Minute)
	defer q.Close()
	job := func(name, class string, estimate float64) farm.Job {
		j := farm.Job{Name: name, Class: class, Estimate: estimate, Steps: [][]string{{"art", "--output=/" + name}}, Outputs: []string{"/" + name}}
		j.Identify()
		return j
	}
	if _, err := q.Submit(t.Context(), job("a", farm.ClassCPU, 100), job("b", farm.ClassCPU, 20), job("c", farm.ClassGPU, 8)); err != nil {
		t.Fatal(err)
	}
	l, err := q.Next(t.Context(), farm.ClassGPU, "w", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context(), farm.Queued, func(s *farm.Status) { s.Fraction = 0.5 }); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Next(t.Context(), farm.ClassCPU, "w", 0); err != nil { // a or b runs
		t.Fatal(err)
	}
	m.Found(q)
	r, err := http.Get("http://" + m.at.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	one := strings.Contains(string(text), `impasto_queue_waiting_seconds{class="cpu"} 100`) || strings.Contains(string(text), `impasto_queue_waiting_seconds{class="cpu"} 20`)
	if !one || !strings.Contains(string(text), `impasto_queue_waiting_seconds{class="gpu"} 4`) {
		t.Errorf("metrics:\n%s", text)
	}
}
