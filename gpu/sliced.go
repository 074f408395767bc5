package gpu

import "github.com/impasto/impasto/cuda"

// SlicedTarget is the target of SlicedLoss: directions, and the quantiles of paintings'
// features along them.
type SlicedTarget struct {
	n, channels int
	count       int     // directions
	ends        []int32 // the end of each region of the positions, the last n

	directions *Array // (D, C, 1)
	across     *Array // CPU backend: directions transposed, (C, D, 1)
	quantiles  *Array // (D, n, 1)

	device cuda.Ptr // of the ends
}

// SlicedPainting holds a painting's features at some positions, (M, C, 1), and the end
// of each region of these positions, the last M. A region may be empty.
type SlicedPainting struct {
	Rows   *Array
	Ends   []int32
	Weight float64 // relative to the other paintings
}

// SlicedTargetBytes returns the bytes of a target of n positions with so many channels
// and directions.
func SlicedTargetBytes(b Memory, n, channels, directions int) int64 {
	return 2*b.Bytes(Shape{directions, channels, 1}) + b.Bytes(Shape{directions, n, 1})
}

// SlicedWorkBytes returns the most bytes that SlicedLoss takes in addition to its
// arguments. All targets share them.
func SlicedWorkBytes(n, directions int) int64 {
	return 4*4*int64(n)*int64(directions) + 8*int64(directions)
}

// NewSlicedTarget makes room for a target of n positions, for so many channels and
// directions. The positions of a region are consecutive and are compared only with
// the paintings' positions of the same region. With one region, all are compared.
//
// Aim sets the directions (D, C), of length 1, and the paintings to compare with.
// Let S be the sorted values of a painting's M features of a region along a
// direction. The sorted values of the region's n positions are compared with n
// quantiles of S:
//
//	t   = (i + 1/2) M/n - 1/2, kept within 0..M-1
//	q_i = S_t, linear between neighbours
//
// Several paintings have the weighted mean of their quantiles, which is the
// barycentre of their distributions along the direction. Paintings without the
// region do not count.
//
// SlicedLoss is the sliced Wasserstein distance between features x (n, C, 1) and the
// target (Heitz et al. 2021, "A Sliced Wasserstein Loss for Neural Texture
// Synthesis"). With u_d direction d of D, and sort_i the i-th smallest value, where
// equal values have the order of their positions,
//
//	slot = coef / (D n) sum_d sum_i (sort_i(u_d . x) - q_di)^2
//
// It replaces x by the gradient by x. With r(p) the rank of position p,
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

// regionOf returns the begin and end of region r.
func regionOf(ends []int32, r int) (from, to int) {
	if r > 0 {
		from = int(ends[r-1])
	}
	return from, int(ends[r])
}

// shares returns the weights of the paintings in each region. Their sum is 1 in a
// region that any painting has.
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
