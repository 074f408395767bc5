package style

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// TestPlanHoldsTheHistory: L-BFGS's pairs are in the plan, also where history
// times image is more than 2^31 elements, and what they leave no room for is
// refused while planning.
func TestPlanHoldsTheHistory(t *testing.T) {
	n, err := vgg.Mini()
	if err != nil {
		t.Fatal(err)
	}
	cpu := gpu.NewCPU(gpu.CPUOptions{})
	defer cpu.Close()
	device := shortBackend{cpu, math.MaxInt32} // counts as a device does
	peak := func(side, history int, limit int64) (int64, error) {
		o := DefaultOptions(ModeArt, "cuda", "mini")
		o.Optimizer, o.History, o.Scales = OptimizerLBFGS, history, 1
		o.Size = strconv.Itoa(side)
		plan, err := NewPlan(side, side, o, Env{Backend: device, Network: n, MaxBytes: limit})
		return plan.PeakBytes, err
	}
	for _, c := range []struct{ side, history int }{{1024, 700}, {2665, 100}} {
		image := int64(4 * 3 * c.side * c.side)
		if image/4*int64(c.history+1) <= math.MaxInt32 {
			t.Fatalf("%d pairs of %d pixels are no more than 2^31 elements", c.history, c.side*c.side)
		}
		long, err := peak(c.side, c.history, 0)
		if err != nil {
			t.Fatal(err)
		}
		short, err := peak(c.side, c.history/2, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := long-short, 2*int64(c.history-c.history/2)*image; got < want || got > want+want/1000 { // images are rounded up
			t.Errorf("%d more pairs at %d pixels are planned as %d bytes, want %d", c.history-c.history/2, c.side, got, want)
		}
		var e *MemoryError
		if _, err := peak(c.side, c.history, 2*int64(c.history-1)*image); !errors.As(err, &e) {
			t.Errorf("%d pairs at %d pixels in too little memory: %v", c.history, c.side, err)
		}
	}
}
