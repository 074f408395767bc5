//go:build !windows

// Package filelock locks files between processes. It imports nothing of ours.
package filelock

import (
	"os"
	"syscall"
)

// Try takes the exclusive lock of an open file, or reports that another
// process holds it. The lock goes with the process, however it ends; the file
// stays readable to all.
func Try(f *os.File) (bool, error) {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK, syscall.EINTR:
		return false, nil
	default:
		return false, err
	}
}

// Release releases the lock of a file. Closing the file would not release it at once: a
// child process that is being started has the file open too, until it runs its program.
func Release(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// TryFolder takes the exclusive lock of a folder, which holds where a file in
// it is deleted. f is nil where the file system locks no folders (NFS), which
// then counts as free.
func TryFolder(path string) (f *os.File, free bool, err error) {
	f, err = os.Open(path)
	if err != nil {
		return nil, false, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return f, true, nil
	case syscall.EWOULDBLOCK:
		f.Close()
		return nil, false, nil
	default:
		f.Close()
		return nil, true, nil
	}
}
