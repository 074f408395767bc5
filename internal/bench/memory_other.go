//go:build !linux

package bench

import (
	"runtime"
	"runtime/debug"
)

func resetPeak() { debug.FreeOSMemory() }

// PeakRSS is what the runtime has from the system: elsewhere there is no
// resident set to ask for.
func PeakRSS() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

func processor() string { return "" }
