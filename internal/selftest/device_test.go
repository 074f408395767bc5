package selftest

import (
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
)

// idle is a driver on which one kernel does nothing.
type idle struct {
	cuda.Driver
	kernel string
}

func (d idle) Launch(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	if k.Signature().Name == d.kernel {
		return nil
	}
	return d.Driver.Launch(k, grid, block, shared, args)
}

// TestABrokenKernelIsNamed: what does not compute is named.
func TestABrokenKernelIsNamed(t *testing.T) {
	for kernel, check := range map[string]string{"adam_move": "Adam", "weigh": "vectors"} {
		log := &launchLog{idle{emu.Open(emu.Options{}), kernel}, map[string]bool{}}
		b := gpu.NewDevice(log, gpu.DeviceOptions{Name: "emu"})
		found := checkKernels(b, log)
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.State == Problem && strings.HasPrefix(f.Text, check) }) {
			t.Errorf("without %s the doctor finds %v", kernel, found)
		}
		b.Close()
	}
}
