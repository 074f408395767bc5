package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// TestHealthBeforeTheQueue: a worker that waits for its queue says that it does.
func TestHealthBeforeTheQueue(t *testing.T) {
	m, err := New("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	page := func(path string) (int, string) {
		r, err := http.Get("http://" + m.at.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(text)
	}
	if code, _ := page("/healthz"); code != http.StatusServiceUnavailable {
		t.Errorf("health without a queue: %d", code)
	}
	if code, text := page("/metrics"); code != http.StatusOK || !strings.Contains(text, "impasto_queue_up 0\n") || strings.Contains(text, "impasto_queue_jobs{") {
		t.Errorf("metrics without a queue: %d\n%s", code, text)
	}
	q := farm.Memory(time.Minute)
	defer q.Close()
	m.Found(q)
	if code, text := page("/healthz"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("health with a queue: %d %s", code, text)
	}
	if _, text := page("/metrics"); !strings.Contains(text, "impasto_queue_up 1\n") || !strings.Contains(text, `impasto_queue_jobs{state="done"} 0`) {
		t.Errorf("metrics with a queue:\n%s", text)
	}
}
