package gpu

import "github.com/impasto/impasto/cuda"

// selfSimTile is the side of the tiles of products in kernels/selfsim.cu.
const selfSimTile = 32

// NewSelfSimilarity returns the target of SelfSimLoss: a photograph's features f (H, W,
// C) at different positions y*W + x; see selfsim.go.
func (b *Device) NewSelfSimilarity(f *Array, positions []int32) *SelfSimilarity {
	b.outside("NewSelfSimilarity")
	checkSelfSimilarity(f, positions)
	n := len(positions)
	s := newSelfSimilarity(b, f.Shape, n)
	s.device = b.uploadedCounts(positions)
	b.distances(f, s)
	b.launchSelfsimShares(cuda.Dim3{X: n}, s.shares.at, 0, 0, n, 0, 0)
	b.Copy(s.target, s.shares)
	return s
}

// FreeSelfSimilarity frees the memory of each; nil is ignored.
func (b *Device) FreeSelfSimilarity(all ...*SelfSimilarity) {
	for _, s := range all {
		if s != nil {
			b.Free(s.target, s.shares, s.unit, s.slope, s.length)
			b.free(s.device)
			s.device = 0
		}
	}
}

// SelfSimLoss compares how similar features f (H, W, C) are to each other with
// how similar the photograph's were; see selfsim.go for the formula. It adds the
// gradient to dx (H, W, C), which may be nil.
func (b *Device) SelfSimLoss(dx, f *Array, s *SelfSimilarity, coef float64, slot int) {
	checkSelfSim(dx, f, s, slot)
	n, c := s.n, f.Shape.C
	b.distances(f, s)
	part := b.scratch(8 * int64(n))
	b.launchSelfsimShares(cuda.Dim3{X: n}, s.shares.at, s.target.at, part, n, float32(coef/float64(n)), flag(dx != nil))
	b.sumInto(b.slot(slot), part, n)
	if dx == nil {
		return
	}
	b.launchSelfsimSlope(cuda.Dim3{X: chunks(c, selfSimTile), Y: chunks(n, selfSimTile)}, s.slope.at, s.shares.at, s.unit.at, n, c)
	if b.halves(f.Shape) {
		b.launchSelfsimScatterHalf(cuda.Dim3{X: n}, dx.at, s.slope.at, s.unit.at, s.length.at, s.device, c, b.scale())
	} else {
		b.launchSelfsimScatter(cuda.Dim3{X: n}, dx.at, s.slope.at, s.unit.at, s.length.at, s.device, c)
	}
}

// distances writes the distances of the features at the positions to s.shares.
func (b *Device) distances(f *Array, s *SelfSimilarity) {
	launch := kernelFor(b.halves(f.Shape), b.launchSelfsimGather, b.launchSelfsimGatherHalf)
	launch(cuda.Dim3{X: s.n}, f.at, s.device, s.unit.at, s.length.at, f.Shape.C)
	tiles := chunks(s.n, selfSimTile)
	b.launchSelfsimDistances(cuda.Dim3{X: tiles, Y: tiles}, s.shares.at, s.unit.at, s.n, f.Shape.C, selfSimLeast)
}
