package gpu

func (b *Device) CopyWindow(dst, src *Array, y, x int) {
	checkWindow("CopyWindow", src.Shape, dst.Shape, y, x)
	n := dst.Shape.Len()
	launch := kernelFor(b.halves(src.Shape), b.launchCopyWindow, b.launchCopyWindowHalf)
	launch(blocksFor(n, 1024), src.at, dst.at, src.Shape.W, dst.Shape.W, dst.Shape.C, y, x, n)
}

func (b *Device) AddWindow(dst, src *Array, y, x int) {
	checkWindow("AddWindow", dst.Shape, src.Shape, y, x)
	n := src.Shape.Len()
	launch := kernelFor(b.halves(dst.Shape), b.launchAddWindow, b.launchAddWindowHalf)
	launch(blocksFor(n, 1024), dst.at, src.at, dst.Shape.W, src.Shape.W, src.Shape.C, y, x, n)
}

// Loss and AddLoss wait.
func (b *Device) Loss(slot int) float64 {
	b.outside("Loss")
	checkSlot("Loss", slot)
	return b.number(b.slot(slot))
}

func (b *Device) AddLoss(slot int, v float64) {
	sum := b.Loss(slot) + v
	b.writeCells(b.slot(slot), func(s *stateIO) { s.number(&sum) })
}
