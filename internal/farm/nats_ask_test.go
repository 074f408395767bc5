//go:build !noserver

package farm

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// wire connects a client with a server, and can lose what the client sends.
type wire struct {
	to     string
	listen net.Listener
	mu     sync.Mutex
	lose   string // all that the client sends from this word on is lost; "": nothing is
	lost   chan struct{}
}

// newWire listens for clients and connects each to a server.
func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{to: to, listen: l, lost: make(chan struct{})}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", w.to)
			if err != nil {
				client.Close()
				return
			}
			go func() { _, _ = io.Copy(client, server); client.Close() }()
			go w.carry(client, server)
		}
	}()
	return w
}

// loseFrom makes the wire lose what the client sends from a word on and then end the
// connection, as when a server leaves. lost is closed before the connection ends.
func (w *wire) loseFrom(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = word
}

func (w *wire) carry(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		lose := w.lose != "" && bytes.Contains(buffer[:n], []byte(w.lose))
		if lose {
			w.lose = ""
		}
		w.mu.Unlock()
		if lose {
			close(w.lost)
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestAskedAgain: a request sent to a server just before it left is sent again to the
// next server, and carried out once.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := open(t, Options{Store: dir})
	at, err := Reach(dir)
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.LastIndex(at, "@") + 1
	for what, word := range map[string]string{
		"the record that is read":    "MSG.GET",
		"the record that is written": "PUB $KV." + bucketName,
		"the message that is sent":   "PUB impasto.job",
		"the file that is looked up": "OBJ_" + blobsName,
	} {
		t.Run(what, func(t *testing.T) {
			w := newWire(t, at[cut:])
			remote := open(t, Options{URL: at[:cut] + w.listen.Addr().String()})
			j := job(t, what)
			w.loseFrom(word)
			submit(t, remote, j)
			if _, err := remote.Blobs().Has(soon(t), strings.Repeat("0", 64)); err != nil {
				t.Fatal(err)
			}
			if err := remote.Cancel(soon(t), j.ID); err != nil {
				t.Fatal(err)
			}
			<-w.lost
			state(t, server, j, Cancelled)
		})
	}
}

// TestAFileMayTakeItsTime: a file may take longer than the client library's limit.
func TestAFileMayTakeItsTime(t *testing.T) {
	t.Parallel()
	q := open(t, Options{Store: t.TempDir()})
	text := strings.Repeat("paint", 1<<20)
	sum, err := PutFile(soon(t), q.Blobs(), write(t, t.TempDir()+"/f", text))
	if err != nil {
		t.Fatal(err)
	}
	const short = 50 * time.Millisecond
	b := q.Blobs().(natsBlobs)
	js, err := jetstream.New(b.s.conn, jetstream.WithDefaultTimeout(short))
	if err != nil {
		t.Fatal(err)
	}
	if b.objects, err = js.ObjectStore(soon(t), blobsName); err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, 1000); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * short)
	if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(text))-1000 {
		t.Errorf("the rest are %d bytes, %v", n, err)
	}
}
