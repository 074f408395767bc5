package gpu

import "github.com/impasto/impasto/cuda"

// These are the tiles of kernels/gram.cu, and how many ranges of pixels are summed
// separately. That number is enough to fill a device if the matrix is small, and always
// the same.
const (
	gramTile     = 64
	momentSplits = 32
)

// splitPixels returns the number of ranges in which n pixels are summed, and their
// length.
func splitPixels(n int) (splits, pixels int) {
	pixels = max(64, chunks(n, momentSplits))
	return chunks(n, pixels), pixels
}

func (b *Device) Gram(g, f *Array, norm float64) {
	checkGram(g, f)
	b.fours(f.Shape.C)
	n, c := f.Shape.Pixels(), f.Shape.C
	splits, pixels := splitPixels(n)
	tiles := chunks(c, gramTile)
	pairs := tiles * (tiles + 1) / 2
	part := b.scratch(4 * int64(splits*pairs*gramTile*gramTile))
	if b.halves(f.Shape) {
		b.launchGramHalfPartial(cuda.Dim3{X: splits, Y: pairs}, f.at, part, n, c, pixels)
	} else {
		b.launchGramPartial(cuda.Dim3{X: splits, Y: pairs}, f.at, part, n, c, pixels)
	}
	b.launchGramFinish(cuda.Dim3{X: gramTile * gramTile / 256, Y: pairs}, part, g.at, splits, c, float32(norm)*b.unit(f.Shape)*b.unit(f.Shape))
}

// GramLoss compares with one target after the other. If d is g, the second target still
// needs g, so the result is made in scratch and copied.
func (b *Device) GramLoss(d, g *Array, targets []GramTarget, norm float64, slot int) {
	checkGramLoss(d, g, targets, slot)
	n := g.Shape.Len()
	blocks := blocksFor(n, 1024)
	part := b.scratch(b.Bytes(g.Shape) + 8*int64(blocks.X))
	grad := at(d)
	if d == g && len(targets) > 1 {
		grad = part + cuda.Ptr((8*blocks.X+deviceAlign-1)/deviceAlign*deviceAlign)
	}
	for i, t := range targets {
		b.launchGramLoss(blocks, grad, g.at, t.A.at, part, n, float32(t.Coef), float32(norm), flag(i > 0))
	}
	b.sumInto(b.slot(slot), part, blocks.X)
	if grad != at(d) {
		b.do(func() error { return b.d.Copy(d.at, grad, 4*int64(n)) })
	}
}

func (b *Device) Mean(m, f *Array) {
	checkMean(m, f)
	n, c := f.Shape.Pixels(), f.Shape.C
	splits, pixels := splitPixels(n)
	part := b.scratch(8 * int64(splits*c))
	grid := cuda.Dim3{X: splits, Y: chunks(c, 128)}
	if b.halves(f.Shape) {
		b.launchMeanPartialHalf(grid, f.at, part, n, c, pixels, halfUnit)
	} else {
		b.launchMeanPartial(grid, f.at, part, n, c, pixels)
	}
	b.launchMeanFinish(blocksFor(c, 128), part, m.at, splits, n, c)
}

func (b *Device) StyleGrad(dx, f, d, shift *Array) {
	checkStyleGrad(dx, f, d, shift)
	b.fours(f.Shape.C)
	n, c := f.Shape.Pixels(), f.Shape.C
	if b.halves(f.Shape) {
		b.styleGradHalf(dx, f, d, shift)
		return
	}
	b.launchStyleGrad(cuda.Dim3{X: chunks(n, gramTile), Y: chunks(c, gramTile)}, dx.at, f.at, d.at, at(shift), n, c)
}
