package gpu

import "github.com/impasto/impasto/cuda"

// Places are some of the positions of a layer's features.
type Places struct {
	Features Shape // of the whole layer
	n        int   // number of positions

	at     []int32  // y*W + x, CPU backend
	device cuda.Ptr // the same on a device
}

// Len returns the number of positions.
func (p *Places) Len() int { return p.n }

// Rows returns the shape of the features at the positions: (n, C, 1). They are in
// single precision even if the layer is in half.
func (p *Places) Rows() Shape { return Shape{p.n, p.Features.C, 1} }

// NewPlaces takes positions y*W + x of features f (H, W, C), which must differ. Their
// order is kept.
//
// In Gather f is a window of the layer, which begins at row y and column x of the
// layer. Gather copies the features of f at the positions that lie in own, a part of
// f, to their rows of dst (n, C, 1). Other rows stay as they are, so windows whose
// parts own do not overlap fill dst one after another.
//
// In Scatter dx is such a window. Scatter adds the rows of src (n, C, 1) to dx at all
// positions that lie in dx.

func checkPlaces(f Shape, at []int32) {
	seen := make([]bool, f.Pixels())
	for _, p := range at {
		if p < 0 || int(p) >= f.Pixels() || seen[p] {
			fail("NewPlaces", "position %d of %v", p, f)
		}
		seen[p] = true
	}
	if len(at) == 0 {
		fail("NewPlaces", "no positions")
	}
}

// checkWindowOf checks the shape of rows at places, and a window of the layer that
// begins at row y and column x and has the part r.
func (p *Places) checkWindowOf(op string, rows, f *Array, r Rect, y, x int) {
	all, s := p.Features, f.Shape
	if rows.Shape != p.Rows() {
		fail(op, "%v of %d positions of %v", rows.Shape, p.n, all)
	}
	if s.C != all.C || y < 0 || x < 0 || y+s.H > all.H || x+s.W > all.W {
		fail(op, "%v at row %d, column %d is not within %v", s, y, x, all)
	}
	if r.Y < 0 || r.X < 0 || r.Y+r.H > s.H || r.X+r.W > s.W {
		fail(op, "%+v is not within %v", r, s)
	}
}
