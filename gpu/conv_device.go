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
	b.eights(in, out)
	if b.err != nil {
		return f
	}
	tap := func(k, c, t int) float32 { return weight[(k*in+c)*9+t] }
	f.device.bias = b.uploaded(b.parts(bias))
	if in == 3 {
		taps := make([]float32, 27*out)
		for t := range 9 {
			for c := range 3 {
				for k := range out {
					taps[(t*3+c)*out+k] = tap(k, c, t)
				}
			}
		}
		f.device.forward = b.uploaded(b.parts(taps))
		f.device.backward = f.device.forward
		return f
	}
	if b.half {
		b.packHalf(f, tap)
		return f
	}
	f.device.forward = b.uploaded(packFilter(in, out, tap))
	// Backward is a convolution of the gradient, with inputs and outputs exchanged and
	// the taps in reverse order.
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

// ConvTile returns 1, since each output is computed separately.
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

// convGrid returns the grid (tiles, blocks of channels), and the number of tiles in a
// row.
func convGrid(s Shape, k int) (cuda.Dim3, int) {
	across := chunks(s.W, convTileW)
	return cuda.Dim3{X: chunks(s.H, convTileH) * across, Y: chunks(k, convTileK)}, across
}

func (b *Device) Conv(out ConvOut, x *Array, f *Filter, pad Pad) {
	checkConv(b, out, x, f)
	h, w := x.Shape.H, x.Shape.W
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
		launch := kernelFor(b.halves(full), b.launchConvFirstFwd, b.launchConvFirstFwdHalf)
		launch(blocks, x.at, f.device.forward, f.device.bias, act, mask.signs, h, w, f.Out, across, flag(pad == ReplicatePad))
		if pools {
			pooled := at(out.Pooled)
			if pooled == 0 { // only the winners are stored
				pooled = b.scratch(b.Bytes(full)+b.Bytes(out.Pool.Out(full))) + cuda.Ptr(b.Bytes(full))
			}
			b.poolFours(pooled, mask.winners, act, full, out.Pool)
		}
		return
	}
	if b.half {
		b.convHalf(out, x, f, pad, mask)
		return
	}
	p := out.Pool.Out(full)
	b.launchConv3x3Fwd(blocks, x.at, f.device.forward, f.device.bias, at(out.Act), mask.signs, at(out.Pooled), mask.winners,
		h, w, f.In, f.Out, across, flag(pad == ReplicatePad), poolCode(out.Pool.Kind), p.H, p.W, out.Pool.scale())
}

// ConvGrad spreads a pooled gradient while the kernel reads it. In half precision it
// computes the gradient of a style loss as a tap of the convolution. The image's
// convolution does not, since no VGG pools after it: there the full-size gradient is
// made in scratch.
func (b *Device) ConvGrad(dx, dy *Array, f *Filter, o ConvGradOptions) {
	checkConvGrad(dx, dy, f, o)
	if !b.half || f.In == 3 {
		addStyle(b, dx, &o)
	}
	h, w := dx.Shape.H, dx.Shape.W
	blocks, across := convGrid(dx.Shape, f.In)
	if f.In == 3 {
		from := dy.at
		if o.Unpool != nil {
			from = b.scratch(b.Bytes(o.Unpool.Shape))
			b.unpool(from, dy.at, PoolGradOptions{Mask: o.Unpool}, o.Unpool.Shape, o.Unpool.Pool)
		}
		blocks.Y = 1
		if b.halves(Shape{h, w, f.Out}) {
			b.launchConvFirstBwdHalf(blocks, from, f.device.backward, dx.at, h, w, f.Out, across, flag(o.Add), flag(o.Pad == ReplicatePad), b.gradient)
			b.rescale()
		} else {
			b.launchConvFirstBwd(blocks, from, f.device.backward, dx.at, h, w, f.Out, across, flag(o.Add), flag(o.Pad == ReplicatePad))
		}
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
	if b.half {
		b.convGradHalf(dx, dy, f, o, gate)
		return
	}
	if m := o.Unpool; m != nil {
		b.launchConv3x3BwdPooled(blocks, dy.at, m.device.winners, m.device.signs, f.device.backward, dx.at, gate,
			h, w, f.Out, f.In, across, flag(o.Add), dy.Shape.H, dy.Shape.W, poolCode(m.Pool.Kind), m.Pool.scale())
		return
	}
	b.launchConv3x3Bwd(blocks, dy.at, f.device.backward, dx.at, gate, h, w, f.Out, f.In, across, flag(o.Add))
}

// Split returns x: only the processor stores rounding errors.
func (b *Device) Split(x, y Shape) Shape { return x }

// Recomputes returns false.
func (b *Device) Recomputes(from, x, y Shape) bool { return false }

// StyleInPlace returns false, since blocks of a launch read features that others write.
func (b *Device) StyleInPlace(dx, dy Shape) bool { return false }

func (b *Device) Gate(dx *Array, m *Mask) {
	if m.Shape != dx.Shape {
		fail("Gate", "the mask is %v, dx is %v", m.Shape, dx.Shape)
	}
	n := dx.Shape.Len()
	launch := kernelFor(b.halves(dx.Shape), b.launchGate, b.launchGateHalf)
	launch(blocksFor(n, 1024), dx.at, m.device.signs, n)
}
