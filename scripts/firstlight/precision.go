package main

import (
	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/selftest"
)

// precisions are those that the device has: half from compute capability 8.0 on.
func precisions() []gpu.Precision {
	if list, err := listDevices(); err == nil && len(list) > 0 && list[0].Major >= 8 {
		return []gpu.Precision{gpu.Half, gpu.Single}
	}
	return []gpu.Precision{gpu.Single}
}

func options(p gpu.Precision) gpu.DeviceOptions { return gpu.DeviceOptions{Precision: p} }

func selfTest(name string, d cuda.Driver, p gpu.Precision) []selftest.Finding {
	return selftest.Device(name, d, p)
}

// precisionFlags choose a precision for the program.
func precisionFlags(p gpu.Precision) []string { return []string{"--precision", p.String()} }
