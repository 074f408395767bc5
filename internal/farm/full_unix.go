//go:build !windows

package farm

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const onWindows = false

// freeBytes returns how many bytes this user may write to the disk of a folder.
func freeBytes(path string) (int64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

func isQuota(number syscall.Errno) bool { return number == syscall.EDQUOT }
