package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/impasto/impasto/gpu"
)

// device is what a render computes on.
type device struct {
	backend gpu.Backend
	class   string // for recipes: "cpu"
	threads int
	reason  string // why it was chosen
}

func (d device) String() string {
	return fmt.Sprintf("%s, %s (%s)", d.class, count(d.threads, "thread"), d.reason)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// noCUDA says why there is no CUDA device.
const noCUDA = "no CUDA in this build"

// checkDevice finds out whether the device that was asked for exists.
func checkDevice(name string) error {
	switch {
	case name == "" || name == "auto" || name == "cpu":
		return nil
	case name == "cuda" || strings.HasPrefix(name, "cuda:"):
		return newFault(exitDevice, "no_device", "no CUDA device: this build has no CUDA", "--device cpu", "impasto doctor")
	case name == "emu":
		return newFault(exitDevice, "no_device", "no emulated device: this build has no CUDA emulator", "--device cpu")
	}
	f := usageFault(fmt.Sprintf("unknown device %q; there are auto and cpu", name), "--device auto")
	if near := nearest(name, []string{"auto", "cpu", "cuda"}); near != "" {
		f.Try = []string{"--device " + near}
	}
	return f
}

// openDevice opens a device that checkDevice has passed.
func openDevice(name string, threads int) device {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	d := device{class: "cpu", threads: threads, reason: noCUDA}
	if name == "cpu" {
		d.reason = "asked for"
	}
	d.backend = gpu.NewCPU(gpu.CPUOptions{Threads: threads})
	return d
}

// freeMemory is how many bytes can be had without swapping, 0 where the system
// does not say.
func freeMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return kb * 1024
			}
		}
	}
	return 0
}

// parseBytes reads "500MB", "2GB", "1.5g" or a plain number.
func parseBytes(text string) (int64, bool) {
	t := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "b")
	unit := 1.0
	for suffix, u := range map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30} {
		if n, ok := strings.CutSuffix(t, suffix); ok && n != "" && n[len(n)-1] >= '0' && n[len(n)-1] <= '9' {
			t, unit = n, u
			break
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
	if err != nil || !(v > 0) || math.IsInf(v, 0) || v*unit > 1<<60 {
		return 0, false
	}
	return int64(v * unit), true
}
