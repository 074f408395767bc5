package bench

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// resetPeak returns free memory to the system and resets the peak.
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // if this is not allowed, the peak is that of the whole run
}

// PeakRSS returns the largest resident set since resetPeak, in bytes, or 0 if
// unknown.
func PeakRSS() int64 { return procField("/proc/self/status", "VmHWM:") * 1024 }

func procField(file, key string) int64 {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}

// processor returns the processor's name, or "" if unknown.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
