package gpu

import (
	"encoding/binary"
	"math"
)

func (b *Device) CopyWindow(dst, src *Array, y, x int) {
	checkWindow("CopyWindow", src.Shape, dst.Shape, y, x)
	n := dst.Shape.Len()
	launch := b.launchCopyWindow
	if b.halves(src.Shape) {
		launch = b.launchCopyWindowHalf
	}
	launch(blocksFor(n, 1024), src.at, dst.at, src.Shape.W, dst.Shape.W, dst.Shape.C, y, x, n)
}

func (b *Device) AddWindow(dst, src *Array, y, x int) {
	checkWindow("AddWindow", dst.Shape, src.Shape, y, x)
	n := src.Shape.Len()
	launch := b.launchAddWindow
	if b.halves(dst.Shape) {
		launch = b.launchAddWindowHalf
	}
	launch(blocksFor(n, 1024), dst.at, src.at, dst.Shape.W, src.Shape.W, src.Shape.C, y, x, n)
}

// Loss and AddLoss wait.
func (b *Device) Loss(slot int) float64 {
	b.outside("Loss")
	checkSlot("Loss", slot)
	raw := make([]byte, 8)
	b.download(raw, b.slot(slot))
	return math.Float64frombits(binary.LittleEndian.Uint64(raw))
}

func (b *Device) AddLoss(slot int, v float64) {
	sum := b.Loss(slot) + v
	b.upload(b.slot(slot), binary.LittleEndian.AppendUint64(nil, math.Float64bits(sum)))
}
