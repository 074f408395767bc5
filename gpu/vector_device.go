package gpu

import (
	"encoding/binary"
	"math"
)

func (b *Device) Fill(dst *Array, v float32) {
	b.do(func() error { return b.d.Fill(dst.at, math.Float32bits(v), int64(dst.Shape.Len())) })
}

func (b *Device) Copy(dst, src *Array) {
	sameShape("Copy", dst, src)
	b.do(func() error { return b.d.Copy(dst.at, src.at, 4*int64(src.Shape.Len())) })
}

func (b *Device) Axpy(dst *Array, a float64, x *Array) {
	sameShape("Axpy", dst, x)
	n := x.Shape.Len()
	b.launchAxpy(blocksFor(n, 1024), dst.at, x.at, float32(a), n)
}

func (b *Device) AddNormalized(dst *Array, a float64, x *Array) {
	sameShape("AddNormalized", dst, x)
	n := x.Shape.Len()
	blocks := blocksFor(n, chunkLen)
	norm := b.scratch(8 * int64(1+blocks.X))
	b.launchAbsSumPartial(blocks, x.at, norm+8, n)
	b.sumInto(norm, norm+8, blocks.X)
	b.launchAxpyNormalized(blocksFor(n, 1024), dst.at, x.at, norm, float32(a), n)
}

func (b *Device) Weigh(dst, w *Array) {
	checkWeigh(dst, w)
	n := dst.Shape.Len()
	b.launchWeigh(blocksFor(n, 1024), dst.at, w.at, dst.Shape.C, n)
}

func (b *Device) Dot(x, y *Array) float64 {
	b.outside("Dot")
	sameShape("Dot", x, y)
	n := x.Shape.Len()
	blocks := blocksFor(n, chunkLen)
	total := b.scratch(8 * int64(1+blocks.X))
	b.launchDotPartial(blocks, x.at, y.at, total+8, n)
	b.sumInto(total, total+8, blocks.X)
	raw := make([]byte, 8)
	b.download(raw, total)
	return math.Float64frombits(binary.LittleEndian.Uint64(raw))
}
