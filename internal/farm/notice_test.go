package farm

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestNotice: the clouds' forms, first without a notice and then with one.
func TestNotice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		no, yes string
		code    int // of no
		header  string
		token   string // that Amazon wants to see
	}{
		"Amazon":              {"", `{"action": "terminate", "time": "2026-11-29T15:00:00Z"}`, 404, "", ""},
		"Amazon with a token": {"", `{"action": "stop", "time": "2026-11-29T15:00:00Z"}`, 404, "", "t0ken"},
		"Google":              {"FALSE\n", "TRUE\n", 200, "Metadata-Flavor", ""},
		"Azure": {`{"DocumentIncarnation": 1, "Events": [{"EventId": "a", "EventType": "Freeze"}]}`,
			`{"DocumentIncarnation": 2, "Events": [{"EventId": "b", "EventType": "Preempt"}]}`, 200, "Metadata", ""},
		"one that fails for a while": {"sorry", "TRUE", 503, "", ""},
		"a page of something else":   {"<html>", "TRUE", 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "":
					_, _ = w.Write([]byte(c.token))
				case c.token != "" && r.Header.Get("X-aws-ec2-metadata-token") != c.token:
					w.WriteHeader(http.StatusUnauthorized)
				case c.header != "" && r.Header.Get(c.header) == "":
					w.WriteHeader(http.StatusForbidden)
				case asked.Add(1) < 3:
					w.WriteHeader(c.code)
					_, _ = w.Write([]byte(c.no))
				default:
					_, _ = w.Write([]byte(c.yes))
				}
			}))
			defer server.Close()
			if err := notice(soon(t), server.URL+"/meta?api-version=1", time.Millisecond, nil); err != nil || asked.Load() != 3 {
				t.Errorf("%v after %d questions", err, asked.Load())
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	err := notice(ctx, "http://127.0.0.1:9/", time.Millisecond, func(error) { told++; time.AfterFunc(20*time.Millisecond, cancel) })
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("nobody there: %v, told %d times", err, told)
	}
}
