package studio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// maxStreams is how many event streams may be open at once. Each holds a
// connection, and a page needs one.
const maxStreams = 32

// broadcast sends events to all open pages.
type broadcast struct {
	mu     sync.Mutex
	pages  map[chan []byte]bool
	closed bool
}

func newBroadcast() *broadcast { return &broadcast{pages: map[chan []byte]bool{}} }

// send sends an event to all pages. It waits for none of them: a page that does not
// read misses events, and asks for the whole state when it notices that.
func (b *broadcast) send(kind string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		return
	}
	line := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, text)
	b.mu.Lock()
	defer b.mu.Unlock()
	for page := range b.pages {
		select {
		case page <- line:
		default:
		}
	}
}

// open returns a new stream, or nil if too many are open.
func (b *broadcast) open() chan []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.pages) >= maxStreams {
		return nil
	}
	page := make(chan []byte, 64)
	b.pages[page] = true
	return page
}

func (b *broadcast) leave(page chan []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[page] {
		delete(b.pages, page)
		close(page)
	}
}

// close ends all streams.
func (b *broadcast) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for page := range b.pages {
		delete(b.pages, page)
		close(page)
	}
}

// stream sends events until the page goes away.
func (s *Studio) stream(w http.ResponseWriter, r *http.Request) error {
	page := s.events.open()
	if page == nil {
		w.Header().Set("Retry-After", "5")
		return bad(http.StatusServiceUnavailable, fmt.Sprintf("%d pages are open already; close one", maxStreams))
	}
	defer s.events.leave(page)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{})
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	line := []byte("retry: 1000\n\n")
	for {
		_ = out.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if _, err := w.Write(line); err != nil {
			return nil
		}
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case next, ok := <-page:
			if !ok {
				return nil
			}
			line = next
		case <-alive.C:
			line = []byte(": still here\n\n")
		}
	}
}
