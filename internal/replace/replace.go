// Package replace writes files so that nobody ever sees one that is incomplete.
package replace

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File replaces the content of the regular file at path, or makes it with a mode. After
// an error or a panic, the file has its old content. The new content is written to a
// temporary file beside it, flushed to the disk and renamed.
func File(path string, mode fs.FileMode, write func(io.Writer) error) error {
	tmp, err := CreateBeside(path, mode)
	if err != nil {
		return err
	}
	defer func() {
		if tmp != nil { // not renamed: an error, or a panic on its way up
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	tmp = nil
	syncDir(filepath.Dir(path))
	return nil
}

// CreateBeside opens path.tmp-XXXXXXXX, which must not exist yet.
func CreateBeside(path string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(Beside(path, ".tmp-"+strings.ToLower(rand.Text()[:8])), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// LongestName is the longest name of a file that file systems allow, in bytes.
const LongestName = 255

// Beside returns the path of a file beside path: path with the suffix added. If the
// name would be longer than file systems allow, it is the beginning of the name, a
// checksum and the suffix.
func Beside(path, suffix string) string {
	dir, base := filepath.Split(path)
	if len(base)+len(suffix) <= LongestName {
		return path + suffix
	}
	sum := sha256.Sum256([]byte(base))
	mark := "-" + hex.EncodeToString(sum[:4]) + suffix
	return dir + strings.ToValidUTF8(base[:max(0, min(len(base), LongestName-len(mark)))], "") + mark
}

// syncDir makes a renaming survive a power failure. Not every system supports this,
// but the file itself is safe already.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}
