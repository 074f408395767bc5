package farm

import (
	"os"
	"path/filepath"
	"strconv"
)

// Claim takes the first of the folders DIR/1, DIR/2 ... that no other process
// holds, as the Dir of a worker. If a worker is killed, the next holder removes its
// files, so that they do not accumulate. release gives the folder back and removes
// it.
func Claim(dir string) (folder string, release func(), err error) {
	for n := 1; ; n++ {
		folder = filepath.Join(dir, strconv.Itoa(n))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", nil, err
		}
		lock, err := lockFolder(folder)
		if os.IsNotExist(err) {
			n-- // its holder has just removed it
			continue
		}
		if err != nil {
			return "", nil, err
		}
		if lock == nil {
			continue
		}
		if !lock.kept() { // it was removed between opening and locking
			lock.close()
			n--
			continue
		}
		err = os.RemoveAll(filepath.Join(folder, "jobs"))
		return folder, func() { os.RemoveAll(folder); lock.close() }, err
	}
}
