package farm

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/impasto/impasto/internal/filelock"
)

// Claim takes the first of the folders DIR/1, DIR/2 ... that no other process
// holds, for a worker's Dir: what a killed one left there is the next one's to
// remove, so nothing piles up. release gives it back and removes it.
func Claim(dir string) (folder string, release func(), err error) {
	for n := 1; ; n++ {
		folder = filepath.Join(dir, strconv.Itoa(n))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", nil, err
		}
		f, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
		if os.IsNotExist(err) {
			n-- // its holder removed it just now
			continue
		}
		if err != nil {
			return "", nil, err
		}
		free, err := filelock.Try(f)
		if err != nil {
			f.Close()
			return "", nil, fmt.Errorf("%q cannot be locked: %w", f.Name(), err)
		}
		if st, err := os.Stat(f.Name()); free && err == nil {
			if mine, err := f.Stat(); err == nil && os.SameFile(st, mine) {
				err := os.RemoveAll(filepath.Join(folder, "jobs"))
				return folder, func() { os.RemoveAll(folder); f.Close() }, err
			}
		}
		f.Close()
		if free {
			n-- // removed between opening and locking
		}
	}
}
