package farm

import (
	"os"
	"sync"
	"time"
)

// Sums remembers the SHA-256 of files by their size and time of change: jobs of
// a batch share their inputs, of which the network's weights take longer to sum
// than a small picture to paint. The zero value knows none; several may use one.
type Sums struct {
	mu    sync.Mutex
	files map[string]summed
}

type summed struct {
	size    int64
	changed time.Time
	sum     string
}

// settled is how long a file must have lain unchanged for its time to be
// trusted: within a clock's tick it could change again and keep it.
const settled = 2 * time.Second

// Of is SumOf, from memory where the file is as it was.
func (s *Sums) Of(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return SumOf(path) // says why
	}
	s.mu.Lock()
	k, ok := s.files[path]
	s.mu.Unlock()
	if ok && k.size == st.Size() && k.changed.Equal(st.ModTime()) {
		return k.sum, nil
	}
	sum, err := SumOf(path)
	if err == nil && time.Since(st.ModTime()) > settled {
		s.put(path, summed{st.Size(), st.ModTime(), sum})
	}
	return sum, err
}

func (s *Sums) put(path string, k summed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]summed{}
	}
	s.files[path] = k
}

// touched says that the time of a file was changed, and its content not.
func (s *Sums) touched(path string) {
	s.mu.Lock()
	k, ok := s.files[path]
	s.mu.Unlock()
	if st, err := os.Stat(path); ok && err == nil {
		k.changed = st.ModTime()
		s.put(path, k)
	}
}
