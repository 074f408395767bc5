package gpu

import (
	"github.com/impasto/impasto/cuda"
)

// deviceResizer holds the weights of each output column and row: where its inputs
// begin, and the taps.
type deviceResizer struct {
	startX, weightsX, startY, weightsY cuda.Ptr
	tapsX, tapsY                       int
}

func (b *Device) NewResizer(to, from Shape, filter ResampleFilter) *Resizer {
	b.outside("NewResizer")
	r := newResizer(to, from, filter)
	for _, r := range []*Resizer{r, r.back} {
		d := &r.device
		d.startX, d.weightsX, d.tapsX = b.uploadTaps(r.across)
		d.startY, d.weightsY, d.tapsY = b.uploadTaps(r.along)
	}
	return r
}

func (b *Device) FreeResizers(list ...*Resizer) {
	b.outside("FreeResizers")
	for _, r := range list {
		if r == nil {
			continue
		}
		for _, r := range []*Resizer{r, r.back} {
			b.free(r.device.startX, r.device.weightsX, r.device.startY, r.device.weightsY)
			r.device = deviceResizer{}
		}
	}
}

// Resize filters along x into scratch, in float32, then along y.
func (b *Device) Resize(dst, src *Array, r *Resizer, o ResizeOptions) {
	o = o.withDefaults(src)
	checkResize(dst, src, r, o)
	if b.halves(dst.Shape) != b.halves(src.Shape) {
		fail("Resize", "%v from %v: one is stored as binary16, the other is not", dst.Shape, src.Shape)
	}
	d, c := r.device, o.Channels
	n := r.From.H * r.To.W * c
	strip := b.scratch(4 * int64(n))
	alongX := kernelFor(b.halves(dst.Shape), b.launchResizeX, b.launchResizeXHalf)
	alongY := kernelFor(b.halves(dst.Shape), b.launchResizeY, b.launchResizeYHalf)
	alongX(blocksFor(n, 256), strip, src.at, d.startX, d.weightsX, d.tapsX, r.From.H, r.From.W, r.To.W, c, src.Shape.C, o.From)
	alongY(blocksFor(r.To.H*r.To.W*c, 256), dst.at, strip, d.startY, d.weightsY, d.tapsY, r.From.H, r.To.H, r.To.W, c, dst.Shape.C, o.To,
		float32(o.Scale), flag(o.Add))
}
