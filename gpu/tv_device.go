package gpu

import "github.com/impasto/impasto/cuda"

// TV is for images: three channels.
func (b *Device) TV(dx, x *Array, kind TVKind, coef float64, slot int) {
	checkTV(dx, x, slot)
	if x.Shape.C != 3 {
		fail("TV", "x is %v: an image has 3 channels", x.Shape)
	}
	blocks := blocksFor(x.Shape.Pixels(), 256)
	part := b.scratch(8 * int64(blocks.X))
	args := new(cuda.Args).Ptr(at(dx)).Ptr(x.at).Ptr(part).Int(int32(x.Shape.H)).Int(int32(x.Shape.W))
	if kind == TVStencil {
		b.launch("loss", "tv_stencil", blocks, args.Float(float32(coef)))
	} else {
		b.launch("loss", "tv_loss", blocks, args.Int(int32(kind)).Float(float32(coef)))
	}
	b.sumInto(b.slot(slot), part, blocks.X)
}
