//go:build !linux

package bench

import (
	"runtime"
	"runtime/debug"
)

func resetPeak() { debug.FreeOSMemory() }

// PeakRSS returns the memory that the runtime has from the system, because the
// resident set is not known on this system.
func PeakRSS() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

func processor() string { return "" }
