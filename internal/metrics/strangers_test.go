package metrics

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestStrangers: what is no question for a page gets no page, and the pages stay up.
func TestStrangers(t *testing.T) {
	m, err := New("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	answer := func(text string) string {
		c, err := net.Dial("tcp", m.at.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(c, text) // which may be refused half way
		line, _ := io.ReadAll(io.LimitReader(c, 64))
		return strings.SplitN(string(line), "\r\n", 2)[0]
	}
	for range 200 {
		c, err := net.Dial("tcp", m.at.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() // and never says a word
	}
	for text, want := range map[string]string{
		"\x00\x01\x02garbage\r\n\r\n":                                     "400",
		"POST /metrics HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi":           "405",
		"GET /../../etc/passwd HTTP/1.0\r\n\r\n":                          "307 404 301",
		"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n":                  "307 404 301",
		"GET / HTTP/1.0\r\nX: " + strings.Repeat("a", 2<<20) + "\r\n\r\n": "431",
		"GET /metrics HTTP/1.0\r\n\r\n":                                   "200",
	} {
		got := answer(text)
		code := strings.SplitN(got+"  ", " ", 3)[1]
		if code == "" && want == "431" {
			continue // the connection was reset while it still wrote
		}
		if !strings.Contains(want, code) || code == "" {
			t.Errorf("%.30q gets %q, want %s", text, got, want)
		}
	}
}
