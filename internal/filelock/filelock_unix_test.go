//go:build !windows

package filelock

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReleasedForAll: a released lock is free even if another process, here another
// descriptor, still has the file open.
func TestReleasedForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	open := func() *os.File {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	f := open()
	if free, err := Try(f); !free || err != nil {
		t.Fatalf("%v, %v", free, err)
	}
	inherited, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	if free, err := Try(open()); free || err != nil {
		t.Errorf("locked twice: %v, %v", free, err)
	}
	Release(f)
	f.Close()
	if free, err := Try(open()); !free || err != nil {
		t.Errorf("locked after its release: %v, %v", free, err)
	}
}
