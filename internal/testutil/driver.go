package testutil

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/kernels"
)

// Driver returns d; where $IMPASTO_PTX names a folder, one that loads the
// kernel modules in it instead of the embedded ones of the same name. So
// scripts/mutate-kernels runs the tests on kernels with faults.
func Driver(d cuda.Driver) cuda.Driver {
	folder := os.Getenv("IMPASTO_PTX")
	if folder == "" {
		return d
	}
	return planted{d, folder}
}

type planted struct {
	cuda.Driver
	folder string
}

// Unwrap lets cuda.As find the powers of the driver behind.
func (p planted) Unwrap() cuda.Driver { return p.Driver }

func (p planted) Load(ptx string) (cuda.Module, error) {
	for _, target := range kernels.Targets {
		for _, name := range kernels.Names(target) {
			if text, err := kernels.PTX(name, target); err != nil || text != ptx {
				continue
			}
			if b, err := os.ReadFile(filepath.Join(p.folder, name+".ptx")); err == nil {
				ptx = string(b)
			}
		}
	}
	return p.Driver.Load(ptx)
}

// Devices says whether tests that run on the software device belong to this
// run. The race detector's gate (-short) leaves them out, for they would take
// an hour there and the device has race tests of its own; so do the gates that
// choose the processor's instructions, which do not concern it.
func Devices() bool { return !testing.Short() && os.Getenv("IMPASTO_SIMD") == "" }

// RealDriver says whether tests of gorgonia.org/cu, which run over the software
// device, run on this machine's driver and GPU instead: $IMPASTO_TEST_CUDA is
// "driver". A test then fails where there is neither.
func RealDriver() bool { return os.Getenv("IMPASTO_TEST_CUDA") == "driver" }

// NeedDevices skips a test where Devices says no.
func NeedDevices(t testing.TB) {
	t.Helper()
	if !Devices() {
		t.Skip("SKIPPED: the software device is tested in the plain run only")
	}
}

// Numerics skips a test of numbers under the race detector: what goroutines it has
// are those that other tests of its package run there, and it takes ten times as long.
func Numerics(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("SKIPPED: numbers, whose goroutines other tests run under the race detector")
	}
}
