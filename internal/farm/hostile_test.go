//go:build !noserver

package farm

import (
	"bytes"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// TestStrangersAtTheDoor: connections that say nothing, or garbage, or whose
// token is wrong, stop nobody, and those that were refused are closed.
func TestStrangersAtTheDoor(t *testing.T) {
	t.Parallel()
	ctx, store := soon(t), t.TempDir()
	q := open(t, Options{Store: store, Listen: "127.0.0.1:0"})
	url, err := Reach(store)
	if err != nil {
		t.Fatal(err)
	}
	at := url[strings.LastIndex(url, "@")+1:]
	connect := func() net.Conn {
		c, err := net.DialTimeout("tcp", at, calm)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	for range 400 {
		connect() // and never says a word
	}
	noise := make([]byte, 64<<10)
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(draw.Uint32())
	}
	for _, text := range [][]byte{
		noise,
		[]byte("GET /metrics HTTP/1.1\r\nHost: farm\r\n\r\n"),
		[]byte("PUB $KV." + bucketName + ".aaaaaaaaaaaaaaaa 99999999999\r\nx"),
		[]byte("SUB > 1\r\nPING\r\n"),
		[]byte(`CONNECT {"auth_token":"a guess"}` + "\r\nPING\r\n"),
		[]byte(`CONNECT {"auth_token":` + strings.Repeat("[", 20000) + "\r\n"),
		bytes.Repeat([]byte("A"), 8<<20),
	} {
		c := connect()
		_ = c.SetDeadline(time.Now().Add(2 * calm))
		_, _ = c.Write(text) // which the server may refuse half way
		for buffer := make([]byte, 4096); ; {
			if _, err := c.Read(buffer); err != nil {
				if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
					t.Errorf("%.20q is still connected", text)
				}
				break
			}
		}
	}
	friend := open(t, Options{URL: url})
	j := job(t, "a")
	submit(t, friend, j)
	if err := next(t, friend).Finish(ctx, Done, nothing); err != nil {
		t.Fatal(err)
	}
	state(t, q, j, Done)
	if list, err := q.List(ctx, Filter{}); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}
