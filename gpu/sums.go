package gpu

// Rect is a part of an array: rows Y to Y+H, columns X to X+W.
type Rect struct{ Y, X, H, W int }

// Whole returns the rectangle of all positions.
func (s Shape) Whole() Rect { return Rect{H: s.H, W: s.W} }

// Sums are the sums from which moments are computed. They are taken over positions: of
// the product of each two channels and, if a mean is needed, of each channel.
type Sums struct {
	Channels int
	Mean     bool

	second, mean []float64 // CPU backend: (C, C), of which the upper triangle counts, and (C)

	device deviceSums
}

// AddSums adds the sums of the positions in r of f (H, W, C). It divides r into cells,
// squares of side cell from r's corner. Each cell is summed in float32, and the sums of
// cells are added in float64. So features that are computed part by part, where parts
// end where cells end, have the sums of the whole: only the order of additions in
// float64 differs, and these round next to nothing. A device sums in float32
// throughout, whatever the cell.
//
// JoinSums adds from to into. ReadSums and WriteSums carry sums from one backend to
// another. Moments computes from sums the Gram matrix, norm times the products, and the
// mean over that many positions; mean may be nil.

func checkSums(op string, s *Sums, f *Array, r Rect, cell int) {
	if f.Shape.C != s.Channels {
		fail(op, "features %v for sums of %d channels", f.Shape, s.Channels)
	}
	if cell < 1 || r.Y < 0 || r.X < 0 || r.H < 1 || r.W < 1 || r.Y+r.H > f.Shape.H || r.X+r.W > f.Shape.W {
		fail(op, "%+v by cells of %d is not within %v", r, cell, f.Shape)
	}
}

func checkJoinSums(into, from *Sums) {
	if into.Channels != from.Channels || into.Mean != from.Mean {
		fail("JoinSums", "sums of %d channels into those of %d", from.Channels, into.Channels)
	}
}

func checkWriteSums(s *Sums, v []float64) {
	n := s.Channels * s.Channels
	if s.Mean {
		n += s.Channels
	}
	if len(v) != n {
		fail("WriteSums", "%d values for sums of %d channels", len(v), s.Channels)
	}
}

func checkMoments(second, mean *Array, s *Sums, pixels int) {
	if second.Shape != Matrix(s.Channels) || mean != nil && (mean.Shape != Vector(s.Channels) || !s.Mean) || pixels < 1 {
		fail("Moments", "%v of %d positions for sums of %d channels", second.Shape, pixels, s.Channels)
	}
}
