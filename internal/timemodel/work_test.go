package timemodel

import (
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/kernels"
)

// TestEveryKernelHasAForm: the model knows what each kernel of the PTX has to do,
// and a form reads no argument that its kernel lacks.
func TestEveryKernelHasAForm(t *testing.T) {
	shipped := map[string]bool{}
	for _, target := range kernels.Targets {
		for _, module := range kernels.Names(target) {
			text, err := kernels.PTX(module, target)
			if err != nil {
				t.Fatal(err)
			}
			signatures, err := cuda.Signatures(text)
			if err != nil {
				t.Fatal(err)
			}
			for name, s := range signatures {
				shipped[name] = true
				if !Known(name) {
					t.Errorf("nothing is known of what %s of %s has to do", name, module)
					continue
				}
				l := &Launch{Kernel: name, Grid: cuda.Dim3{X: 2, Y: 2, Z: 2}}
				for _, p := range s.Params {
					switch p.Type {
					case "u64", "s64", "b64":
						l.Ptrs = append(l.Ptrs, 256)
					case "u32", "s32", "b32":
						l.Ints = append(l.Ints, 8)
					}
				}
				if w := l.Work(); !(w.Bytes > 0) || w.Flop < 0 {
					t.Errorf("%s has to do %+v", name, w)
				}
			}
		}
	}
	for name := range works {
		if !shipped[name] {
			t.Errorf("there is no kernel %s to know of", name)
		}
	}
}

// TestWorkByHand works a few forms out by hand, where arguments or widths are easily
// mistaken for each other.
func TestWorkByHand(t *testing.T) {
	ptrs := []uint64{256, 256, 256, 256, 256, 256}
	for _, c := range []struct {
		kernel string
		grid   int
		ints   []int
		want   Work
	}{
		{"copy_window_half", 1, []int{20, 10, 8, 1, 2, 800}, Work{Bytes: 2 * (800 + 800)}},
		{"add_window_half", 1, []int{20, 10, 8, 1, 2, 800}, Work{Bytes: 2 * (800 + 2*800)}},
		{"dot_partial_half", 1, []int{1000}, Work{Bytes: 4000}},
		{"abs_sum_partial_half", 1, []int{1000}, Work{Bytes: 2000}},
		{"axpy_normalized_half", 1, []int{1000}, Work{Bytes: 6000}},
		{"join_from_half", 1, []int{100, 64, 3, 68, 1}, Work{Bytes: 100 * (64*2 + 3*4 + 68*4)}},
		{"join_to_half", 1, []int{100, 64, 3, 72, 1}, Work{Bytes: 100 * (64*4 + 3*4 + 72*2)}},
		{"join_half", 1, []int{100, 64, 8, 72, 1}, Work{Bytes: 100 * (64*2 + 8*4 + 72*2)}},
		{"match_cosines_half", 1, []int{10, 12, 14, 64, 3, 1}, Work{Bytes: 10 * 12 * (64*2 + 4 + 4)}},
		{"ncc_match_any_half", 70, []int{14, 20, 22, 64, 5, 1, 2}, Work{Tensor: true, Flop: 2 * 5 * 5 * 64 * 70 * 20 * 22 / 4, Bytes: 2 * 64 * (70 + 20*22)}},
		{"patch_loss_half", 50, []int{10, 12, 64, 8, 10, 3, 1, 0}, Work{Bytes: 50 * 64 * 2 * 4}},
		{"patch_vote_half", 50, []int{10, 12, 64, 8, 10, 3, 1}, Work{Bytes: 50 * 64 * 2 * 2}},
		{"resample_x_half", 1, []int{2, 30, 10, 20, 8}, Work{Bytes: 2 * 30 * 8 * (10 + 20)}},
		{"resample_y_half", 1, []int{2, 10, 20, 30, 8}, Work{Bytes: 2 * 30 * 8 * (10 + 20)}},
	} {
		l := &Launch{Kernel: c.kernel, Grid: cuda.Dim3{X: c.grid, Y: 1, Z: 1}, Ints: c.ints, Ptrs: ptrs}
		if got := l.Work(); got != c.want {
			t.Errorf("%s has to do %+v, want %+v", c.kernel, got, c.want)
		}
	}
}

// TestMarchFloor: no kernel can read less from the second-level cache than one that has a
// square of 147.8 by 147.8 pairs, whose three sums fill the 65536 registers of a
// multiprocessor. On an H100 these reads take longer than the products, on the others not.
func TestMarchFloor(t *testing.T) {
	l := &Launch{Kernel: "ncc_half_match3", Ints: []int{100, 200, 300, 400, 256, 128, 1, 1}}
	w, pairs := l.Work(), 100*200*300*400.0
	if want := pairs / (147.8 * 147.8) * 2 * 147.8 * 256 * 2; math.Abs(w.L2-want) > 1e-3*want {
		t.Errorf("the march reads %g bytes, want %g", w.L2, want)
	}
	for _, m := range Machines[1:] {
		products := pairs * 256 / (m.Tensor * m.MMA * m.sms())
		if times := m.Floor(w) / products; (m.Capability == 90) != (times > 1.4) || (m.Capability != 90 && times != 1) {
			t.Errorf("on %s the floor is %.2f times that of the products", m.Name, times)
		}
	}
}
