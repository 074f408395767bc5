package timemodel

import (
	"math"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// TestTimes works the units' times out by hand, for a device of 4
// multiprocessors at 1 GHz and 6 blocks, of which one gets two.
func TestTimes(t *testing.T) {
	m := Machine{SMs: 4, Clock: 1e9, Float: 64, Int: 32, Double: 2, Special: 16, Tensor: 512, MMA: 0.5, L2: 1e12, DRAM: 1e11}
	l := &Launch{Kernel: "axpy", Grid: cuda.Dim3{X: 6}, Ints: []int{1000}, Ptrs: []uint64{1, 1},
		Count: Count{Float: 600, Int: 300, Double: 6, Special: 60, Issued: 1200, MACs: 6e5, Wavefronts: 900, Requested: 1200, Sectors: 4000}}
	const uneven = 8.0 / 6 // two of the four have half the work of the others
	got, want := m.Times(l), Times{
		Tensor: uneven * 6e5 / 256 / 4e9, Float: uneven * 600 / 2 / 4e9, Int: uneven * 300 / 1 / 4e9, Double: uneven * 6 * 16 / 4e9,
		Special: uneven * 60 * 2 / 4e9, Issue: uneven * 1200 / 4 / 4e9, Shared: uneven * (900 + 300) / 4e9, L2: 4000 * 32 / 1e12, DRAM: 12000 / 1e11,
	}
	for _, c := range [][2]float64{{got.Tensor, want.Tensor}, {got.Float, want.Float}, {got.Int, want.Int}, {got.Double, want.Double},
		{got.Special, want.Special}, {got.Issue, want.Issue}, {got.Shared, want.Shared}, {got.L2, want.L2}, {got.DRAM, want.DRAM}} {
		if math.Abs(c[0]-c[1]) > 1e-12*c[1] {
			t.Errorf("times are %+v, want %+v", got, want)
			break
		}
	}
	if s, unit := got.Longest(); unit != "tensor" || s != got.Tensor {
		t.Errorf("the longest is %s", unit)
	}
	m.IntWithFloat = true
	if got := m.Times(l).Float; math.Abs(got-uneven*900/2/4e9) > 1e-18 {
		t.Errorf("floats and integers take %g together", got)
	}
	for _, c := range []struct {
		w    Work
		want float64
	}{{Work{Flop: 5120, Bytes: 100}, 1e-8}, {Work{Flop: 5120, Bytes: 2000}, 2e-8}, {Work{Flop: 4096, Tensor: true}, 2e-9}} {
		if got := m.Floor(c.w); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("the floor of %+v is %g, want %g", c.w, got, c.want)
		}
	}
}

// TestArtIsNearItsFloor counts an iteration of art and holds each kernel, and
// all together, to the limit on every machine of the tables. Its convolutions
// have to do what the network's layers ask for, no more and no less.
func TestArtIsNearItsFloor(t *testing.T) {
	testutil.NeedDevices(t)
	const side = 512
	it, err := Art(75, side, gpu.Single)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Machines {
		for _, line := range it.Check(m) {
			t.Error(line)
		}
	}
	flop, want := 0.0, 0.0
	for _, l := range it.Launches {
		if !Known(l.Kernel) {
			t.Errorf("nothing is known of what %s has to do", l.Kernel)
		}
		if strings.HasPrefix(l.Kernel, "conv") {
			flop += l.Work().Flop
		}
	}
	// VGG19 to conv5_1: in channels, out channels, how often the side is halved.
	// The first is computed once more on the way back instead of being kept.
	want += 18 * 3 * 64 * side * side
	for _, l := range [][3]int{{3, 64, 0}, {64, 64, 0}, {64, 128, 1}, {128, 128, 1}, {128, 256, 2}, {256, 256, 2}, {256, 256, 2}, {256, 256, 2},
		{256, 512, 3}, {512, 512, 3}, {512, 512, 3}, {512, 512, 3}, {512, 512, 4}} {
		positions := side >> l[2] * (side >> l[2])
		want += 2 * 18 * float64(l[0]*l[1]*positions)
	}
	if flop != want {
		t.Errorf("the convolutions have %g operations, want %g", flop, want)
	}
	// A multiply-add of a convolution is one fma of one lane, and 8x16 pixels
	// divide all layers but those of 32.
	// L-BFGS is counted as in the middle of a run, when it reads all pairs.
	for _, l := range it.Launches {
		if l.Kernel == "lbfgs_dots" || l.Kernel == "lbfgs_move" {
			if ratio := 32 * l.Count.Sectors / l.Work().Bytes; ratio < 0.9 || ratio > 1.2 {
				t.Errorf("%s asks for %.2f times the bytes of %d pairs", l.Kernel, ratio, history)
			}
		}
		if strings.HasPrefix(l.Kernel, "conv3x3") && l.Ints[0] > 32 {
			if per := l.Count.Float * 32 * 2 / l.Work().Flop; per < 1 || per > 1.2 {
				t.Errorf("%s of %v counts %.2f floating-point operations for each that it has to do", l.Kernel, l.Ints, per)
			}
		}
	}
}

// TestCheck finds what passes its limit and lets pass what has a limit of its own: on a
// machine of 1 multiprocessor at 1 GHz, where a kernel takes as long as it asks for
// sectors.
func TestCheck(t *testing.T) {
	m := Machine{Name: "toy", Capability: 90, SMs: 1, Clock: 1e9, Float: 64, Int: 64, Double: 1, Special: 1, Tensor: 1, MMA: 1, L2: 32, DRAM: 1e9}
	launch := func(kernel string, floors float64) *Launch {
		l := &Launch{Kernel: kernel, Grid: cuda.Dim3{X: 1, Y: 1, Z: 1}, Ints: []int{100, 100, 100, 100, 64, 64, 1, 1}, Ptrs: []uint64{1, 1, 1, 1, 1}}
		l.Count.Sectors = floors * m.Floor(l.Work())
		return l
	}
	for _, c := range []struct {
		kernel     string
		capability int
		floors     float64
		bad        int
	}{
		{"axpy", 90, 1.4, 0}, {"axpy", 90, 1.6, 2}, // the kernel and the whole
		{"ncc_half_match3", 90, 1.4, 0}, {"ncc_half_match3", 90, 1.6, 2},
		{"gram_partial", 90, 4, 1}, // an exception, but not for the whole
	} {
		m.Capability = c.capability
		it := &Iteration{Name: "toy", Launches: []*Launch{launch(c.kernel, c.floors)}}
		if bad := it.Check(m); len(bad) != c.bad {
			t.Errorf("%s at %g times its floor on %d: %q, want %d", c.kernel, c.floors, c.capability, bad, c.bad)
		}
	}
}
