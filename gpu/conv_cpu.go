package gpu

import "github.com/impasto/impasto/gpu/simd"

// cpuFilter keeps a filter's weights (K, C, 3, 3) as they were given. It also holds
// them in the layouts that convolutions need, each made when it is first used.
type cpuFilter struct {
	weight, bias []float32

	plain, plainGrad   []float32 // (9, C, K) and (9, K, C), tap = 3*dy + dx
	panels, panelsGrad []float32 // (K/NR, C, 9, NR) and (C/NR, K, 9 turned round, NR); see conv_first_cpu.go for few inputs
	half, halfGrad     []uint16  // in half precision; see halfPanels
}

// NewFilter makes a filter of weights (K, C, 3, 3), the order of PyTorch and Caffe. It
// keeps the slices, so they must not change.
func (b *CPU) NewFilter(weight, bias []float32, in, out int) *Filter {
	checkFilter(weight, bias, in, out)
	return &Filter{In: in, Out: out, cpu: &cpuFilter{weight: weight, bias: bias}}
}

// FreeFilters frees the weights and their layouts.
func (b *CPU) FreeFilters(filters ...*Filter) {
	for _, f := range filters {
		f.cpu = nil
	}
}

// ConvTile returns the tile of Winograd's convolution; the plain one has none.
func (b *CPU) ConvTile() int { return winogradTile }

// Conv uses Winograd's form except for layers of very few channels.
func (b *CPU) Conv(out ConvOut, x *Array, f *Filter, pad Pad) {
	checkConv(b, out, x, f)
	if x.half != nil && b.halves(Shape{1, 1, f.Out}) {
		t := &b.halfConv
		t.h, t.w, t.c, t.n = x.Shape.H, x.Shape.W, x.Shape.C, f.Out
		t.setFilter(f, false)
		t.src = halfSource{x: x.half, pad: pad, split: x.Shape.C != f.In}
		t.setExact(b, out.From, x.Shape)
		t.dst = finishTarget{bias: f.cpu.bias, out: out}
		t.style.set(b, nil, StyleTerm{})
		t.run(b)
		return
	}
	if out.Pooled != nil && out.Pooled.Shape.C != f.Out {
		fail("Conv", "only a convolution in half precision stores split features")
	}
	if b.bf16 == nil && b.fast(f) && (out.Pool.Kind == NoPool || out.Pool.size() == 2) {
		t := &b.winograd
		t.h, t.w, t.c, t.n = x.Shape.H, x.Shape.W, padChannels(f.In), f.Out
		t.taps = f.forwardPanels(b.kernels.NR)
		t.src = gatherSource{x: x.data, c: f.In, pad: pad}
		t.dst = finishTarget{bias: f.cpu.bias, out: out}
		t.run(b)
		return
	}
	b.conv = convTask{b: b, out: out, x: x, f: f, pad: pad}
	if f.narrow() {
		b.conv.taps = f.firstPanels(b.kernels.NR)
	} else {
		b.conv.taps = f.forwardTaps()
	}
	b.workers.run(chunks(x.Shape.H, convRows), &b.conv)
}

// ConvGrad is the gradient of Conv with respect to its input: from dy (H, W, K),
// dx (H, W, C), dx(p, c) = sum over k, t of dy(p - t, k) * w(k, c, t). The
// options fuse pooling, addition and ReLU.
func (b *CPU) ConvGrad(dx, dy *Array, f *Filter, o ConvGradOptions) {
	checkConvGrad(dx, dy, f, o)
	if dx.half != nil && dy.half != nil && o.Pad == ZeroPad {
		t := &b.halfConv
		t.h, t.w, t.c, t.n = dx.Shape.H, dx.Shape.W, f.Out, f.In
		t.setFilter(f, true)
		t.src = halfSource{x: dy.half, mask: o.Unpool}
		t.dst = finishTarget{out: ConvOut{Act: dx, Mask: o.Gate}, add: o.Add}
		t.style.set(b, dx, o.Style)
		t.run(b)
		return
	}
	addStyle(b, dx, &o)
	if b.bf16 == nil && b.fast(f) && o.Pad == ZeroPad {
		t := &b.winograd
		t.h, t.w, t.c, t.n = dx.Shape.H, dx.Shape.W, padChannels(f.Out), f.In
		t.taps = f.gradPanels(b.kernels.NR)
		t.src = gatherSource{x: dy.data, c: f.Out, mask: o.Unpool}
		t.dst = finishTarget{out: ConvOut{Act: dx, Mask: o.Gate}, add: o.Add}
		t.run(b)
		return
	}
	if f.narrow() && o.Unpool == nil {
		b.firstGrad = firstGradTask{b, dx, dy, f, o, f.firstGradPanels(b.kernels.NR)}
		b.workers.run(chunks(dx.Shape.H, firstGradRows), &b.firstGrad)
		return
	}
	b.convGrad = convGradTask{b, dx, dy, f, o, f.gradTaps()}
	b.workers.run(chunks(dx.Shape.H, convRows), &b.convGrad)
}

// fast reports whether Winograd's form is faster for f. With less than half of
// channelStep it would compute mostly zeros. Without vector instructions, the channels
// that fill up a step cost as much as real ones.
func (b *CPU) fast(f *Filter) bool {
	whole := f.In%channelStep == 0 && f.Out%channelStep == 0
	return whole || min(f.In, f.Out) >= channelStep/2 && b.kernels.Name != "generic"
}

// tap returns weight (k, c, t).
func (f *Filter) tap(k, c, t int) float32 { return f.cpu.weight[(k*f.In+c)*9+t] }

func (f *Filter) forwardTaps() []float32 {
	if f.cpu.plain == nil {
		f.cpu.plain = make([]float32, len(f.cpu.weight))
		for t := range 9 {
			for c := range f.In {
				for k := range f.Out {
					f.cpu.plain[(t*f.In+c)*f.Out+k] = f.tap(k, c, t)
				}
			}
		}
	}
	return f.cpu.plain
}

func (f *Filter) gradTaps() []float32 {
	if f.cpu.plainGrad == nil {
		f.cpu.plainGrad = make([]float32, len(f.cpu.weight))
		for t := range 9 {
			for k := range f.Out {
				for c := range f.In {
					f.cpu.plainGrad[(t*f.Out+k)*f.In+c] = f.tap(k, c, t)
				}
			}
		}
	}
	return f.cpu.plainGrad
}

func (f *Filter) forwardPanels(nr int) []float32 {
	if f.cpu.panels == nil {
		f.cpu.panels = panels(f.In, f.Out, nr, f.tap)
	}
	return f.cpu.panels
}

// gradPanels returns the panels of the transposed convolution, with inputs and outputs
// exchanged and the taps in reverse order.
func (f *Filter) gradPanels(nr int) []float32 {
	if f.cpu.panelsGrad == nil {
		f.cpu.panelsGrad = panels(f.Out, f.In, nr, func(c, k, t int) float32 { return f.tap(k, c, 8-t) })
	}
	return f.cpu.panelsGrad
}

// panels lays taps of in inputs and out outputs out as (out/nr, in, 9, nr), filled up
// with zeros: the inputs to whole steps, the outputs to whole panels.
func panels(in, out, nr int, tap func(k, c, t int) float32) []float32 {
	depth := padChannels(in)
	p := simd.Floats(chunks(out, nr) * depth * 9 * nr)
	for k := range out {
		for c := range in {
			at := p[(k/nr*depth+c)*9*nr+k%nr:]
			for t := range 9 {
				at[t*nr] = tap(k, c, t)
			}
		}
	}
	return p
}

type gateTask struct {
	b  *CPU
	dx *Array
	m  *Mask
}

// Gate multiplies dx (H, W, C) by the ReLU of a mask: elements whose activation
// was zero become zero.
func (b *CPU) Gate(dx *Array, m *Mask) {
	if m.Shape != dx.Shape {
		fail("Gate", "the mask is %v, dx is %v", m.Shape, dx.Shape)
	}
	b.gate = gateTask{b, dx, m}
	b.workers.run(dx.Shape.H, &b.gate)
}

func (t *gateTask) chunk(worker, y int) {
	w, c := t.dx.Shape.W, t.dx.Shape.C
	row := t.b.read(worker, 0, t.dx, y*w*c, w*c)
	gatePixels(row, t.m, y*w, c)
	t.b.keep(t.dx, y*w*c, row)
}
