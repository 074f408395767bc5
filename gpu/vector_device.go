package gpu

import "math"

func (b *Device) Fill(dst *Array, v float32) {
	word := math.Float32bits(v)
	if b.halves(dst.Shape) {
		word = uint32(floatToHalf(v/halfUnit)) * 0x10001
	}
	b.do(func() error { return b.d.Fill(dst.at, word, b.size(dst.Shape)/4) })
}

func (b *Device) Copy(dst, src *Array) {
	sameShape("Copy", dst, src)
	b.do(func() error { return b.d.Copy(dst.at, src.at, b.size(src.Shape)) })
}

func (b *Device) Axpy(dst *Array, a float64, x *Array) {
	sameShape("Axpy", dst, x)
	n := x.Shape.Len()
	launch := kernelFor(b.halves(x.Shape), b.launchAxpy, b.launchAxpyHalf)
	launch(blocksFor(n, 1024), dst.at, x.at, float32(a), n)
}

func (b *Device) AddNormalized(dst *Array, a float64, x *Array) {
	sameShape("AddNormalized", dst, x)
	n := x.Shape.Len()
	blocks := blocksFor(n, chunkLen)
	norm := b.scratch(8 * int64(1+blocks.X))
	if b.halves(x.Shape) {
		b.launchAbsSumPartialHalf(blocks, x.at, norm+8, n)
		b.sumInto(norm, norm+8, blocks.X)
		b.launchAxpyNormalizedHalf(blocksFor(n, 1024), dst.at, x.at, norm, float32(a)*halfUnit, n, b.scale())
		return
	}
	b.launchAbsSumPartial(blocks, x.at, norm+8, n)
	b.sumInto(norm, norm+8, blocks.X)
	b.launchAxpyNormalized(blocksFor(n, 1024), dst.at, x.at, norm, float32(a), n)
}

func (b *Device) Weigh(dst, w *Array) {
	checkWeigh(dst, w)
	n := dst.Shape.Len()
	launch := kernelFor(b.halves(dst.Shape), b.launchWeigh, b.launchWeighHalf)
	launch(blocksFor(n, 1024), dst.at, w.at, dst.Shape.C, n)
}

func (b *Device) Dot(x, y *Array) float64 {
	b.outside("Dot")
	sameShape("Dot", x, y)
	n := x.Shape.Len()
	blocks := blocksFor(n, chunkLen)
	total := b.scratch(8 * int64(1+blocks.X))
	launch := kernelFor(b.halves(x.Shape), b.launchDotPartial, b.launchDotPartialHalf)
	launch(blocks, x.at, y.at, total+8, n)
	b.sumInto(total, total+8, blocks.X)
	unit := float64(b.unit(x.Shape))
	return unit * unit * b.number(total)
}
