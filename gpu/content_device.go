package gpu

import "github.com/impasto/impasto/cuda"

func (b *Device) ContentLoss(dx, f, target *Array, coef float64, slot int) {
	checkContent(dx, f, target, slot)
	n := f.Shape.Len()
	blocks := blocksFor(n, 1024)
	part := b.scratch(8 * int64(blocks.X))
	b.launch("loss", "content_loss", blocks, new(cuda.Args).Ptr(at(dx)).Ptr(f.at).Ptr(target.at).Ptr(part).Int(int32(n)).Float(float32(coef)))
	b.sumInto(b.slot(slot), part, blocks.X)
}
