package gpu

import "github.com/impasto/impasto/cuda"

// Resample is used between scales, not inside an iteration. It computes the taps on the
// host and waits.
func (b *Device) Resample(dst, src *Array, filter ResampleFilter) {
	b.outside("Resample")
	checkResample(dst, src)
	to, from := dst.Shape, src.Shape
	strip := b.NewArray(Shape{from.H, to.W, from.C}) // widened or narrowed, not yet along y
	start, weights, taps := b.uploadTaps(tapsFor(to.W, from.W, filter))
	alongX := kernelFor(b.halves(to), b.launchResampleX, b.launchResampleXHalf)
	alongY := kernelFor(b.halves(to), b.launchResampleY, b.launchResampleYHalf)
	alongX(blocksFor(strip.Shape.Len(), 256), strip.at, src.at, start, weights, taps, from.H, from.W, to.W, to.C)
	start2, weights2, taps := b.uploadTaps(tapsFor(to.H, from.H, filter))
	alongY(blocksFor(to.Len(), 256), dst.at, strip.at, start2, weights2, taps, from.H, to.H, to.W, to.C)
	b.Free(strip)
	b.free(start, weights, start2, weights2)
}

// uploadTaps uploads the taps of n outputs as starts (n) and weights (n, taps), filled
// up with zeros.
func (b *Device) uploadTaps(list []taps) (start, weights cuda.Ptr, width int) {
	for _, t := range list {
		width = max(width, len(t.weights))
	}
	var first []int32
	var flat []float32
	for _, t := range list {
		first = append(first, int32(t.first))
		flat = append(flat, t.weights...)
		flat = append(flat, make([]float32, width-len(t.weights))...)
	}
	return b.uploadedCounts(first), b.uploaded(flat), width
}
