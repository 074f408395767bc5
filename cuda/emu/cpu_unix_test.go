//go:build unix

package emu

import "syscall"

// cpuSeconds is the processor time of this process: on a busy machine a better
// base for a rate than the clock.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()) / 1e9
}
