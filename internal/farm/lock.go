package farm

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/impasto/impasto/internal/filelock"
)

// folderLock is a lock on a folder that only this process uses. The file LOCK in it
// is locked and names the holder. A file can be deleted, so the folder itself is
// locked as well, if the file system supports it.
type folderLock struct{ file, folder *os.File }

// lockFolder locks an existing folder. It returns nil if another process holds it.
func lockFolder(path string) (*folderLock, error) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	free, err := filelock.Try(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%q cannot be locked: %w", f.Name(), err)
	}
	if !free {
		f.Close()
		return nil, nil
	}
	folder, free, err := filelock.TryFolder(path)
	l := &folderLock{f, folder}
	if err != nil || !free {
		l.close()
		return nil, err
	}
	return l, nil
}

// kept reports whether LOCK is still the file that was locked.
func (l *folderLock) kept() bool {
	there, err := os.Stat(l.file.Name())
	if err != nil {
		return !os.IsNotExist(err)
	}
	mine, err := l.file.Stat()
	return err != nil || os.SameFile(there, mine)
}

func (l *folderLock) close() {
	for _, f := range []*os.File{l.folder, l.file} {
		if f != nil {
			filelock.Release(f)
			f.Close()
		}
	}
}
