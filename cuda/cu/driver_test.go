//go:build cuda && linux

package cu

import (
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/drivertest"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/cuda/libcuda"
	"github.com/impasto/impasto/internal/testutil"
)

// emulate puts the software device under gorgonia.org/cu, whatever the machine
// has, unless its own driver is to be tested.
func emulate(o emu.Options) {
	if !testutil.RealDriver() {
		libcuda.Emulate(o)
	}
}

// TestDriver runs gorgonia.org/cu and the sidecar end to end over the software
// device (or the machine's driver, see emulate), with as much shared memory as an A100 has, so that the part beyond
// 48 KiB is asked for.
func TestDriver(t *testing.T) {
	emulate(emu.Options{SharedBlock: 163 << 10})
	drivertest.Run(t, func(t *testing.T) cuda.Driver {
		d, err := Open(0)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}
