package gpu

func (b *Device) ContentLoss(dx, f, target *Array, coef float64, slot int) {
	checkContent(dx, f, target, slot)
	n := f.Shape.Len()
	blocks := blocksFor(n, 1024)
	part := b.scratch(8 * int64(blocks.X))
	if b.halves(f.Shape) {
		b.launchContentLossHalf(blocks, at(dx), f.at, target.at, part, n, float32(coef)*halfUnit*halfUnit, b.scale())
	} else {
		b.launchContentLoss(blocks, at(dx), f.at, target.at, part, n, float32(coef))
	}
	b.sumInto(b.slot(slot), part, blocks.X)
}
