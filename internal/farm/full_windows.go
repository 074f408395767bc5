package farm

import (
	"syscall"

	"golang.org/x/sys/windows"
)

const onWindows = true

// freeBytes returns how many bytes this user may write to the disk of a folder.
func freeBytes(path string) (int64, bool) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, false
	}
	var free uint64
	if windows.GetDiskFreeSpaceEx(name, &free, nil, nil) != nil {
		return 0, false
	}
	return int64(free), true
}

func isQuota(syscall.Errno) bool { return false }
