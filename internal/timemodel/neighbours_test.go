package timemodel

import (
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// TestNeighboursAreKnown: the model knows every kernel of nearest-neighbour style
// transfer, in both precisions, and that neighbours found anew cost more than held.
func TestNeighboursAreKnown(t *testing.T) {
	testutil.NeedDevices(t)
	if testing.Short() {
		t.Skip("SKIPPED: counts two networks' worth of kernels, ten seconds")
	}
	for capability, p := range map[int]gpu.Precision{75: gpu.Single, 80: gpu.Half} {
		held, anew, search, err := Neighbours(capability, 32, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range []*Iteration{held, anew, search} {
			if len(it.Launches) == 0 {
				t.Errorf("%s has no launches", it.Name)
			}
			for _, l := range it.Launches {
				if !Known(l.Kernel) {
					t.Errorf("nothing is known of what %s has to do", l.Kernel)
				}
			}
		}
		if flop := search.Launches[0].Work().Flop; flop != 2*2944*8*8*8*8 {
			t.Errorf("the search has %g operations", flop)
		}
	}
}
