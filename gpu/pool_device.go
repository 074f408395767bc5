package gpu

import "github.com/impasto/impasto/cuda"

// poolCode is a kind as kernels/pool.cuh numbers it.
func poolCode(k PoolKind) int32 { return max(0, int32(k)-1) }

// Pool takes the kernel for features where it can, else the one for any window
// and any number of channels.
func (b *Device) Pool(y, x *Array, p Pool) {
	checkPool(y, x, p)
	if p.size() == 2 && x.Shape.C%4 == 0 {
		b.poolFours(y.at, 0, x.at, x.Shape, p)
		return
	}
	s := x.Shape
	b.launch("pool", "pool_any", blocksFor(y.Shape.Len(), 256), new(cuda.Args).Ptr(y.at).Ptr(x.at).Int(int32(s.H)).Int(int32(s.W)).Int(int32(s.C)).
		Int(int32(y.Shape.H)).Int(int32(y.Shape.W)).Int(int32(p.size())).Int(poolCode(p.Kind)).Float(p.scale()))
}

// poolFours pools features of shape s 2x2 and notes the winners unless that is 0.
func (b *Device) poolFours(y, winners, x cuda.Ptr, s Shape, p Pool) {
	o := p.Out(s)
	b.launch("pool", "pool_fwd", blocksFor(o.Len()/4, 256), new(cuda.Args).Ptr(x).Ptr(y).Ptr(winners).Int(int32(s.H)).Int(int32(s.W)).Int(int32(s.C)).
		Int(int32(o.H)).Int(int32(o.W)).Int(poolCode(p.Kind)).Float(p.scale()))
}

func (b *Device) PoolGrad(dx, dy *Array, o PoolGradOptions) {
	p := checkPoolGrad(dx, dy, o)
	s := dx.Shape
	if p.size() == 2 && s.C%4 == 0 && (p.Kind != MaxPool || o.Mask != nil) {
		b.unpool(dx.at, dy.at, o, s, p)
		return
	}
	b.launch("pool", "pool_any_bwd", blocksFor(s.Len(), 256), new(cuda.Args).Ptr(dx.at).Ptr(dy.at).Ptr(at(o.X)).Ptr(at(o.Y)).
		Int(int32(s.H)).Int(int32(s.W)).Int(int32(s.C)).Int(int32(dy.Shape.H)).Int(int32(dy.Shape.W)).Int(int32(p.size())).
		Int(poolCode(p.Kind)).Float(p.scale()).Int(flag(o.Add)))
}

// unpool writes the gradient of features of shape s at dx.
func (b *Device) unpool(dx, dy cuda.Ptr, o PoolGradOptions, s Shape, p Pool) {
	var mask deviceMask
	if o.Mask != nil {
		mask = o.Mask.device
	}
	out := p.Out(s)
	b.launch("pool", "unpool", blocksFor(s.Len()/4, 256), new(cuda.Args).Ptr(dx).Ptr(dy).Ptr(mask.winners).Ptr(mask.signs).Ptr(at(o.X)).Ptr(at(o.Y)).
		Int(int32(s.H)).Int(int32(s.W)).Int(int32(s.C)).Int(int32(out.H)).Int(int32(out.W)).Int(poolCode(p.Kind)).Float(p.scale()).Int(flag(o.Add)))
}
