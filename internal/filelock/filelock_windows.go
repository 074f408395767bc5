// Package filelock locks files between processes. It imports nothing of ours.
package filelock

import (
	"os"

	"golang.org/x/sys/windows"
)

// Try takes the exclusive lock of an open file, or reports that another
// process holds it. The lock goes with the process, however it ends; the file
// stays readable to all: locks bind reads on Windows, so the one byte that is
// locked lies beyond any text.
func Try(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	beyond := &windows.Overlapped{OffsetHigh: 1 << 30}
	switch err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, beyond); err {
	case nil:
		return true, nil
	case windows.ERROR_LOCK_VIOLATION:
		return false, nil
	default:
		return false, err
	}
}

// Release does nothing: the lock goes when the file is closed.
func Release(*os.File) {}

// TryFolder says that a folder is free: a file that is open cannot be deleted
// on Windows, so the lock of a file is enough.
func TryFolder(string) (f *os.File, free bool, err error) { return nil, true, nil }
