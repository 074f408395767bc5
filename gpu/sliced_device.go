package gpu

import (
	"encoding/binary"

	"github.com/impasto/impasto/cuda"
)

// slicedTile is the side of the tiles of products in kernels/sliced.cu.
const slicedTile = 32

// NewSlicedTarget allocates a target of n positions in regions with these ends; see
// sliced.go.
func (b *Device) NewSlicedTarget(n, channels, directions int, ends []int32) *SlicedTarget {
	b.outside("NewSlicedTarget")
	t := newSlicedTarget(b, n, channels, directions, ends)
	t.device = b.uploadedCounts(ends)
	return t
}

// uploadedCounts copies whole numbers to new device memory.
func (b *Device) uploadedCounts(v []int32) cuda.Ptr {
	raw := make([]byte, 0, 4*len(v))
	for _, e := range v {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(e))
	}
	p := b.alloc(int64(len(raw)))
	b.upload(p, raw)
	return p
}

// FreeSlicedTargets frees the memory of each target; nil is ignored.
func (b *Device) FreeSlicedTargets(all ...*SlicedTarget) {
	for _, t := range all {
		if t != nil {
			b.Free(t.directions, t.quantiles)
			b.free(t.device)
			t.device = 0
		}
	}
}

// Aim sets the directions (D, C) and the paintings' quantiles along them; see
// sliced.go.
func (b *Device) Aim(t *SlicedTarget, directions []float32, paintings []SlicedPainting) {
	b.outside("Aim")
	shares := t.shares(directions, paintings)
	b.Upload(t.directions, directions)
	b.Fill(t.quantiles, 0)
	for i, p := range paintings {
		ends, share := b.uploadedCounts(p.Ends), b.uploaded(shares[i])
		m := p.Rows.Shape.H
		keys, _, _, _ := b.sorted(p.Rows, t, m, ends)
		b.launchSlicedQuantiles(cuda.Dim3{X: len(t.ends), Y: t.count}, t.quantiles.at, keys, t.device, ends, share, t.n, m)
		b.free(ends, share)
	}
}

// sorted holds, for each direction, the keys of the values of n features x along it in
// ascending order, (D, n), and the positions they come from. other is work space of the
// same size, and part has a float64 for each direction.
func (b *Device) sorted(x *Array, t *SlicedTarget, n int, ends cuda.Ptr) (keys, order, other, part cuda.Ptr) {
	size := cuda.Ptr(4 * n * t.count)
	size = (size + deviceAlign - 1) / deviceAlign * deviceAlign
	keys = b.scratch(4*int64(size) + 8*int64(t.count))
	order, other, part = keys+size, keys+2*size, keys+4*size
	b.launchSlicedProject(cuda.Dim3{X: chunks(n, slicedTile), Y: chunks(t.count, slicedTile)}, keys, t.directions.at, x.at, n, t.channels, t.count)
	b.launchSlicedSort(cuda.Dim3{X: len(t.ends), Y: t.count}, keys, order, other, other+size, ends, n)
	return keys, order, other, part
}

// SlicedLoss compares the distributions of features x (n, C, 1) along directions with
// the paintings'; see sliced.go for the formula. It replaces x by its gradient.
func (b *Device) SlicedLoss(x *Array, t *SlicedTarget, coef float64, slot int) {
	t.check(x, slot)
	keys, order, slope, part := b.sorted(x, t, t.n, t.device)
	b.launchSlicedLoss(cuda.Dim3{X: t.count}, slope, part, keys, order, t.quantiles.at, t.n, float32(coef/float64(t.count)/float64(t.n)))
	b.sumInto(b.slot(slot), part, t.count)
	b.launchSlicedGradient(cuda.Dim3{X: chunks(t.channels, slicedTile), Y: chunks(t.n, slicedTile)}, x.at, slope, t.directions.at, t.n, t.channels, t.count)
}
