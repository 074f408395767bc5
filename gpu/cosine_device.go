package gpu

func (b *Device) CosineLoss(dx, x, t *Array, coef float64, slot int) {
	checkCosineLoss(dx, x, t, slot)
	n := x.Shape.Pixels()
	part := b.scratch(8 * int64(n))
	if b.halves(x.Shape) {
		b.launchCosineLossHalf(blocksFor(n, 4), at(dx), x.at, t.at, part, n, x.Shape.C, float32(coef), b.scale())
	} else {
		b.launchCosineLoss(blocksFor(n, 4), at(dx), x.at, t.at, part, n, x.Shape.C, float32(coef))
	}
	b.sumInto(b.slot(slot), part, n)
}
