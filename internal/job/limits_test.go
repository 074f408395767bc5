package job

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLimits: a worker's context ends at the cloud's notice, and when the
// machine has cost enough.
func TestLimits(t *testing.T) {
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("TRUE")) }))
	defer cloud.Close()
	for says, l := range map[string]Limits{
		"will be taken away": {Notice: cloud.URL},
		"has cost 0.00":      {Price: 3600, Most: 0.001},
	} {
		said := make(chan string, 1)
		ctx, release := l.Bind(t.Context(), func(text string) { said <- text })
		<-ctx.Done()
		if text := <-said; !strings.Contains(text, says) {
			t.Errorf("%+v: %q", l, text)
		}
		release()
	}
	ctx, release := Limits{Price: 1, Most: 1e5}.Bind(t.Context(), func(string) { t.Error("stopped") })
	if ctx.Err() != nil {
		t.Error("it ends at once")
	}
	release()
}
