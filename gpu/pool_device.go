package gpu

import "github.com/impasto/impasto/cuda"

// poolCode returns the number of a kind in kernels/pool.cuh.
func poolCode(k PoolKind) int { return max(0, int(k)-1) }

// Pool uses the kernel for features if it can, otherwise the one for any window and any
// number of channels.
func (b *Device) Pool(y, x *Array, p Pool) {
	checkPool(y, x, p)
	if p.size() == 2 && x.Shape.C%4 == 0 {
		b.poolFours(y.at, 0, x.at, x.Shape, p)
		return
	}
	s := x.Shape
	launch := kernelFor(b.halves(x.Shape), b.launchPoolAny, b.launchPoolAnyHalf)
	launch(blocksFor(y.Shape.Len(), 256), y.at, x.at, s.H, s.W, s.C, y.Shape.H, y.Shape.W, p.size(), poolCode(p.Kind), p.scale())
}

// poolFours pools features of shape s 2x2. It stores the places of the largest elements
// unless winners is 0.
func (b *Device) poolFours(y, winners, x cuda.Ptr, s Shape, p Pool) {
	o := p.Out(s)
	launch := kernelFor(b.halves(s), b.launchPoolFwd, b.launchPoolFwdHalf)
	launch(blocksFor(o.Len()/4, 256), x, y, winners, s.H, s.W, s.C, o.H, o.W, poolCode(p.Kind), p.scale())
}

func (b *Device) PoolGrad(dx, dy *Array, o PoolGradOptions) {
	p := checkPoolGrad(dx, dy, o)
	s := dx.Shape
	if p.size() == 2 && s.C%4 == 0 && (p.Kind != MaxPool || o.Mask != nil) {
		b.unpool(dx.at, dy.at, o, s, p)
		return
	}
	launch := kernelFor(b.halves(s), b.launchPoolAnyBwd, b.launchPoolAnyBwdHalf)
	launch(blocksFor(s.Len(), 256), dx.at, dy.at, at(o.X), at(o.Y),
		s.H, s.W, s.C, dy.Shape.H, dy.Shape.W, p.size(), poolCode(p.Kind), p.scale(), flag(o.Add))
}

// unpool writes the gradient of features of shape s at dx.
func (b *Device) unpool(dx, dy cuda.Ptr, o PoolGradOptions, s Shape, p Pool) {
	var mask deviceMask
	if o.Mask != nil {
		mask = o.Mask.device
	}
	out := p.Out(s)
	launch := kernelFor(b.halves(s), b.launchUnpool, b.launchUnpoolHalf)
	launch(blocksFor(s.Len()/4, 256), dx, dy, mask.winners, mask.signs, at(o.X), at(o.Y),
		s.H, s.W, s.C, out.H, out.W, poolCode(p.Kind), p.scale(), flag(o.Add))
}
