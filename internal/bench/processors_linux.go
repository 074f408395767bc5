package bench

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processors is the processor time used so far, in seconds.
type processors struct {
	busy  float64 // by all programs
	own   float64 // by this one
	count float64
}

// ticks is the unit of /proc/stat, in ticks a second, on every architecture of Go.
const ticks = 100

func readProcessors() processors {
	var p processors
	b, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") {
			continue
		}
		if f[0] != "cpu" {
			p.count++
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal
			n, _ := strconv.ParseFloat(f[i], 64)
			p.busy += n / ticks
		}
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		p.own = time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	return p
}

// loadAverage returns the load average of the last minute, or 0 if unknown.
func loadAverage() float64 {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}

// totalMemory returns the memory of the machine, in bytes.
func totalMemory() int64 { return procField("/proc/meminfo", "MemTotal:") * 1024 }

// osRelease returns the version of the system's kernel.
func osRelease() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}
