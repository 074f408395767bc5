package farm

import (
	"os"
	"sync"
	"time"
)

// Sums caches the SHA-256 of files by their size and modification time. Jobs of a
// batch share their inputs, and hashing the network's weights takes longer than
// painting a small picture. The zero value is empty. Several goroutines may use
// one.
type Sums struct {
	mu    sync.Mutex
	files map[string]summed
}

type summed struct {
	size    int64
	changed time.Time
	sum     string
}

// settled is how long a file must have been unchanged before its time is trusted.
// Within one tick of the clock, a file can change again and keep its time.
const settled = 2 * time.Second

// Of is like SumOf, but uses the cache if the file has not changed.
func (s *Sums) Of(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return SumOf(path) // it returns the reason
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

// touched records that the time of a file was changed, but not its content.
func (s *Sums) touched(path string) {
	s.mu.Lock()
	k, ok := s.files[path]
	s.mu.Unlock()
	if st, err := os.Stat(path); ok && err == nil {
		k.changed = st.ModTime()
		s.put(path, k)
	}
}
