package gpu

// TV requires an image, which has three channels.
func (b *Device) TV(dx, x, weight *Array, kind TVKind, coef float64, slot int) {
	checkTV(dx, x, weight, kind, slot)
	if x.Shape.C != 3 {
		fail("TV", "x is %v: an image has 3 channels", x.Shape)
	}
	blocks := blocksFor(x.Shape.Pixels(), 256)
	part := b.scratch(8 * int64(blocks.X))
	if kind == TVStencil {
		b.launchTvStencil(blocks, at(dx), x.at, part, x.Shape.H, x.Shape.W, float32(coef))
	} else {
		b.launchTvLoss(blocks, at(dx), x.at, at(weight), part, x.Shape.H, x.Shape.W, int(kind), float32(coef))
	}
	b.sumInto(b.slot(slot), part, blocks.X)
}
