package gpu

import (
	"encoding/binary"
	"math"

	"github.com/impasto/impasto/cuda"
)

func (b *Device) CopyWindow(dst, src *Array, y, x int) {
	checkWindow("CopyWindow", src.Shape, dst.Shape, y, x)
	b.window("copy_window", src, dst, y, x)
}

func (b *Device) AddWindow(dst, src *Array, y, x int) {
	checkWindow("AddWindow", dst.Shape, src.Shape, y, x)
	b.window("add_window", dst, src, y, x)
}

func (b *Device) window(kernel string, large, small *Array, y, x int) {
	n := small.Shape.Len()
	b.launch("vector", kernel, blocksFor(n, 1024), new(cuda.Args).Ptr(large.at).Ptr(small.at).Int(int32(large.Shape.W)).
		Int(int32(small.Shape.W)).Int(int32(small.Shape.C)).Int(int32(y)).Int(int32(x)).Int(int32(n)))
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
