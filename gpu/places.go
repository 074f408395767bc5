package gpu

import "github.com/impasto/impasto/cuda"

// Places are some of the positions of a layer's features.
type Places struct {
	Features Shape // of all of the layer
	n        int   // positions

	at     []int32  // y*W + x, CPU backend
	device cuda.Ptr // of the same
}

// Len is the number of positions.
func (p *Places) Len() int { return p.n }

// Rows is the shape of the features at the positions: (n, C, 1), kept in single
// precision whatever the layer's.
func (p *Places) Rows() Shape { return Shape{p.n, p.Features.C, 1} }

// NewPlaces notes positions y*W + x of features f (H, W, C), each once. The order
// is kept.
//
// Gather copies the features of f at those positions that lie in its part own to
// their rows of dst (n, C, 1). f is a window of the layer that begins at its row y
// and column x. Other rows stay as they are, so windows that share no position
// fill dst one after another.
//
// Scatter adds the rows of src (n, C, 1) to dx at all positions that lie in it,
// also a window that begins at row y and column x.

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

// checkWindowOf checks rows at places, and a window of the layer that begins at
// row y and column x, of which r is a part.
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
