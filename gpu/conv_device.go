package gpu

import "github.com/impasto/impasto/cuda"

// The tiles of kernels/conv.cu and conv_first.cu: a block computes 8x16 pixels
// of 64 channels, with inputs in chunks of 4.
const (
	convTileH, convTileW, convTileK = 8, 16, 64
	convChunk                       = 4
)

// deviceFilter holds a filter's weights as the kernels read them: packed by
// pack, or for the image's three channels (27, K), and the bias (K).
type deviceFilter struct{ forward, backward, bias cuda.Ptr }

// NewFilter lays weights (K, C, 3, 3) out for both directions. The image's
// convolution has 3 inputs; all other counts are multiples of 4.
func (b *Device) NewFilter(weight, bias []float32, in, out int) *Filter {
	b.outside("NewFilter")
	checkFilter(weight, bias, in, out)
	f := &Filter{In: in, Out: out}
	if in != 3 {
		b.fours(in)
	}
	b.fours(out)
	if b.err != nil {
		return f
	}
	tap := func(k, c, t int) float32 { return weight[(k*in+c)*9+t] }
	f.device.bias = b.uploaded(bias)
	if in == 3 {
		taps := make([]float32, 27*out)
		for t := range 9 {
			for c := range 3 {
				for k := range out {
					taps[(t*3+c)*out+k] = tap(k, c, t)
				}
			}
		}
		f.device.forward = b.uploaded(taps)
		f.device.backward = f.device.forward
		return f
	}
	f.device.forward = b.uploaded(packFilter(in, out, tap))
	// Backward is a convolution of the gradient: inputs and outputs change
	// places and the taps are turned round.
	f.device.backward = b.uploaded(packFilter(out, in, func(c, k, t int) float32 { return tap(k, c, 8-t) }))
	return f
}

// packFilter lays taps out as (out/64, in/4, 9, 4, 64), the last block filled up
// with zeros.
func packFilter(in, out int, tap func(k, c, t int) float32) []float32 {
	v := make([]float32, chunks(out, convTileK)*in*9*convTileK)
	for k := range out {
		for c := range in {
			for t := range 9 {
				v[(((k/convTileK*(in/convChunk)+c/convChunk)*9+t)*convChunk+c%convChunk)*convTileK+k%convTileK] = tap(k, c, t)
			}
		}
	}
	return v
}

// ConvTile is 1: each output is a sum by itself.
func (b *Device) ConvTile() int { return 1 }

func (b *Device) FreeFilters(filters ...*Filter) {
	b.outside("FreeFilters")
	for _, f := range filters {
		b.free(f.device.forward, f.device.bias)
		if f.In != 3 {
			b.free(f.device.backward)
		}
		f.device = deviceFilter{}
	}
}

// convGrid is (tiles, blocks of channels), and how many tiles lie side by side.
func convGrid(s Shape, k int) (cuda.Dim3, int32) {
	across := chunks(s.W, convTileW)
	return cuda.Dim3{X: chunks(s.H, convTileH) * across, Y: chunks(k, convTileK)}, int32(across)
}

func (b *Device) Conv(out ConvOut, x *Array, f *Filter, pad Pad) {
	checkConv(out, x, f)
	h, w := int32(x.Shape.H), int32(x.Shape.W)
	full := Shape{x.Shape.H, x.Shape.W, f.Out}
	var mask deviceMask
	if out.Mask != nil {
		mask = out.Mask.device
	}
	blocks, across := convGrid(x.Shape, f.Out)
	if f.In == 3 {
		act := at(out.Act)
		pools := out.Pool.Kind != NoPool && (out.Pooled != nil || mask.winners != 0)
		if act == 0 && pools {
			act = b.scratch(b.Bytes(full) + b.Bytes(out.Pool.Out(full)))
		}
		b.launch("conv_first", "conv_first_fwd", blocks, new(cuda.Args).Ptr(x.at).Ptr(f.device.forward).Ptr(f.device.bias).
			Ptr(act).Ptr(mask.signs).Int(h).Int(w).Int(int32(f.Out)).Int(across).Int(flag(pad == ReplicatePad)))
		if pools {
			pooled := at(out.Pooled)
			if pooled == 0 { // only the winners are wanted
				pooled = b.scratch(b.Bytes(full)+b.Bytes(out.Pool.Out(full))) + cuda.Ptr(b.Bytes(full))
			}
			b.poolFours(pooled, mask.winners, act, full, out.Pool)
		}
		return
	}
	p := out.Pool.Out(full)
	b.launch("conv", "conv3x3_fwd", blocks, new(cuda.Args).Ptr(x.at).Ptr(f.device.forward).Ptr(f.device.bias).
		Ptr(at(out.Act)).Ptr(mask.signs).Ptr(at(out.Pooled)).Ptr(mask.winners).Int(h).Int(w).Int(int32(f.In)).Int(int32(f.Out)).
		Int(across).Int(flag(pad == ReplicatePad)).Int(poolCode(out.Pool.Kind)).Int(int32(p.H)).Int(int32(p.W)).Float(out.Pool.scale()))
}

// ConvGrad spreads a pooled gradient as the kernel reads it. The image's
// convolution does not, since no VGG pools after it: there the full-size
// gradient is made in scratch.
func (b *Device) ConvGrad(dx, dy *Array, f *Filter, o ConvGradOptions) {
	checkConvGrad(dx, dy, f, o)
	h, w := int32(dx.Shape.H), int32(dx.Shape.W)
	blocks, across := convGrid(dx.Shape, f.In)
	if f.In == 3 {
		from := dy.at
		if o.Unpool != nil {
			from = b.scratch(b.Bytes(o.Unpool.Shape))
			b.unpool(from, dy.at, PoolGradOptions{Mask: o.Unpool}, o.Unpool.Shape, o.Unpool.Pool)
		}
		blocks.Y = 1
		b.launch("conv_first", "conv_first_bwd", blocks, new(cuda.Args).Ptr(from).Ptr(f.device.backward).Ptr(dx.at).
			Int(h).Int(w).Int(int32(f.Out)).Int(across).Int(flag(o.Add)).Int(flag(o.Pad == ReplicatePad)))
		if o.Gate != nil {
			b.Gate(dx, o.Gate)
		}
		return
	}
	if o.Pad == ReplicatePad {
		fail("ConvGrad", "on a device only the image's convolution has replicate padding")
	}
	var gate cuda.Ptr
	if o.Gate != nil {
		gate = o.Gate.device.signs
	}
	kernel, args := "conv3x3_bwd", new(cuda.Args).Ptr(dy.at)
	if o.Unpool != nil {
		kernel = "conv3x3_bwd_pooled"
		args.Ptr(o.Unpool.device.winners).Ptr(o.Unpool.device.signs)
	}
	args.Ptr(f.device.backward).Ptr(dx.at).Ptr(gate).Int(h).Int(w).Int(int32(f.Out)).Int(int32(f.In)).Int(across).Int(flag(o.Add))
	if o.Unpool != nil {
		args.Int(int32(dy.Shape.H)).Int(int32(dy.Shape.W)).Int(poolCode(o.Unpool.Pool.Kind)).Float(o.Unpool.Pool.scale())
	}
	b.launch("conv", kernel, blocks, args)
}

func (b *Device) Gate(dx *Array, m *Mask) {
	if m.Shape != dx.Shape {
		fail("Gate", "the mask is %v, dx is %v", m.Shape, dx.Shape)
	}
	n := dx.Shape.Len()
	b.launch("vector", "gate", blocksFor(n, 1024), new(cuda.Args).Ptr(dx.at).Ptr(m.device.signs).Int(int32(n)))
}
