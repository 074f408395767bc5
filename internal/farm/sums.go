package farm

import (
	"os"
	"time"
)

// sums remembers the SHA-256 of files by their size and time of change: jobs of
// a batch share their inputs, of which the network's weights take longer to sum
// than a small picture to paint.
type sums map[string]summed

type summed struct {
	size    int64
	changed time.Time
	sum     string
}

// settled is how long a file must have lain unchanged for its time to be
// trusted: within a clock's tick it could change again and keep it.
const settled = 2 * time.Second

// touched says that the time of a file was changed, and its content not.
func (s sums) touched(path string) {
	k, ok := s[path]
	if st, err := os.Stat(path); ok && err == nil {
		k.changed = st.ModTime()
		s[path] = k
	}
}

// of is SumOf, from memory where the file is as it was.
func (s sums) of(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return SumOf(path) // says why
	}
	if k, ok := s[path]; ok && k.size == st.Size() && k.changed.Equal(st.ModTime()) {
		return k.sum, nil
	}
	sum, err := SumOf(path)
	if err == nil && time.Since(st.ModTime()) > settled {
		s[path] = summed{st.Size(), st.ModTime(), sum}
	}
	return sum, err
}
