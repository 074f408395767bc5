package gpu

import "github.com/impasto/impasto/cuda"

// SlicedTarget is what SlicedLoss compares with: how paintings' features lie along
// some directions.
type SlicedTarget struct {
	n, channels int
	count       int     // directions
	ends        []int32 // where each region of the positions ends, the last at n

	directions *Array // (D, C, 1)
	across     *Array // CPU backend: (C, D, 1), the same transposed
	quantiles  *Array // (D, n, 1)

	device cuda.Ptr // of the ends
}

// SlicedPainting holds a painting's features at some positions: (M, C, 1), and where
// each region of them ends, the last at M. A region may be empty.
type SlicedPainting struct {
	Rows   *Array
	Ends   []int32
	Weight float64 // beside other paintings
}

// SlicedTargetBytes is what a target of n positions takes at a layer of so many
// channels, and SlicedWorkBytes what the loss takes while it is computed, by all
// targets in turn.
func SlicedTargetBytes(b Memory, n, channels, directions int) int64 {
	return 2*b.Bytes(Shape{directions, channels, 1}) + b.Bytes(Shape{directions, n, 1})
}

// SlicedWorkBytes is what SlicedLoss takes beside its arguments, at most.
func SlicedWorkBytes(n, directions int) int64 {
	return 4*4*int64(n)*int64(directions) + 8*int64(directions)
}

// NewSlicedTarget makes room for the target of n positions with so many channels,
// along so many directions. Positions of a region lie side by side and are compared
// with the paintings' positions of that region alone; one region is all of them.
//
// Aim gives it directions (D, C), of length 1, and the paintings to compare with.
// With S the values along a direction of a painting's M features in a region,
// sorted, those of n positions of the region are compared with n of its quantiles:
//
//	t   = (i + 1/2) M/n - 1/2, kept within 0..M-1
//	q_i = S_t, linear between neighbours
//
// and with the weighted mean of several paintings' quantiles, which is the
// barycentre of their distributions along the direction. Paintings without the
// region do not count.
//
// SlicedLoss is the sliced Wasserstein distance of features x (n, C, 1) from them
// (Heitz et al. 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis").
// With u_d direction d of D, and sort_i the i-th value from below, equal values in
// the order of their positions,
//
//	slot = coef / (D n) sum_d sum_i (sort_i(u_d . x) - q_di)^2
//
// and x becomes the gradient by x: with r(p) the rank of position p,
//
//	dx_p = 2 coef / (D n) sum_d (u_d . x_p - q_dr(p)) u_d

func newSlicedTarget(b Memory, n, channels, directions int, ends []int32) *SlicedTarget {
	if n < 1 || channels < 1 || directions < 1 {
		fail("NewSlicedTarget", "%d positions of %d channels along %d directions", n, channels, directions)
	}
	checkEnds("NewSlicedTarget", ends, n)
	return &SlicedTarget{
		n: n, channels: channels, count: directions, ends: append([]int32{}, ends...),
		directions: b.NewArray(Shape{directions, channels, 1}), quantiles: b.NewArray(Shape{directions, n, 1}),
	}
}

func checkEnds(op string, ends []int32, n int) {
	last := int32(0)
	for _, e := range ends {
		if e < last {
			fail(op, "a region ends at %d, the one before at %d", e, last)
		}
		last = e
	}
	if int(last) != n {
		fail(op, "the regions of %d positions end at %d", n, last)
	}
}

// regionOf is where region r begins and ends.
func regionOf(ends []int32, r int) (from, to int) {
	if r > 0 {
		from = int(ends[r-1])
	}
	return from, int(ends[r])
}

// shares are the weights of the paintings in each region, of sum 1 where there is
// one at all.
func (t *SlicedTarget) shares(directions []float32, paintings []SlicedPainting) [][]float32 {
	if len(directions) != t.count*t.channels {
		fail("Aim", "%d values of %d directions with %d channels", len(directions), t.count, t.channels)
	}
	all := make([][]float32, len(paintings))
	for i, p := range paintings {
		if s := p.Rows.Shape; s.W != t.channels || s.C != 1 || len(p.Ends) != len(t.ends) {
			fail("Aim", "a painting's features are %v in %d regions, want %d channels in %d", s, len(p.Ends), t.channels, len(t.ends))
		}
		checkEnds("Aim", p.Ends, p.Rows.Shape.H)
		all[i] = make([]float32, len(t.ends))
	}
	for r := range t.ends {
		total := 0.0
		has := func(p SlicedPainting) bool { from, to := regionOf(p.Ends, r); return to > from }
		for _, p := range paintings {
			if has(p) {
				total += p.Weight
			}
		}
		if from, to := regionOf(t.ends, r); to > from && !(total > 0) {
			fail("Aim", "no painting has region %d", r)
		}
		for i, p := range paintings {
			if has(p) && total > 0 {
				all[i][r] = float32(p.Weight / total)
			}
		}
	}
	return all
}

func (t *SlicedTarget) check(x *Array, slot int) {
	if x.Shape != (Shape{t.n, t.channels, 1}) {
		fail("SlicedLoss", "features are %v, want %d positions of %d channels", x.Shape, t.n, t.channels)
	}
	checkSlot("SlicedLoss", slot)
}
