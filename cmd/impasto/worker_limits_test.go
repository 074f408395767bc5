package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWorkerLimits: a worker's context ends at the cloud's notice, and when the
// machine has cost enough.
func TestWorkerLimits(t *testing.T) {
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("TRUE")) }))
	defer cloud.Close()
	for says, l := range map[string]workerLimits{
		"will be taken away": {notice: cloud.URL},
		"has cost 0.00":      {price: 3600, most: 0.001},
	} {
		said := make(chan string, 1)
		ctx, release := l.bind(t.Context(), func(text string) { said <- text })
		<-ctx.Done()
		if text := <-said; !strings.Contains(text, says) {
			t.Errorf("%+v: %q", l, text)
		}
		release()
	}
	ctx, release := workerLimits{price: 1, most: 1e5}.bind(t.Context(), func(string) { t.Error("stopped") })
	if ctx.Err() != nil {
		t.Error("it ends at once")
	}
	release()
}
