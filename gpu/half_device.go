package gpu

import (
	"encoding/binary"
	"fmt"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/binary16"
)

// In half precision an array whose number of channels is a multiple of eight, as that
// of features is, lies in device memory as binary16. Images, maps of fewer channels,
// matrices and vectors stay float32. Kernels compute in float32 either way.
//
// Values are stored divided by halfUnit, 16. A picture of black and white squares has
// features of VGG19 up to 32513, and an image that an optimiser has not bounded has
// larger ones; with the unit the largest binary16 stands for a million. Layers are
// positively homogeneous, so the first layer's weights and all biases are divided by
// 16, and powers of two lose nothing. Values that are still too large are stored as the
// largest.
//
// Gradients of features are stored multiplied by a further power of two, GradientScale
// of kernels/common.cuh, since most are far below the smallest binary16. Losses
// multiply by it where gradients begin, and the image's convolution divides by it where
// they end. After each backward pass a kernel chooses the next scale by the largest
// gradient it saw, without the host. Before a recorded program first runs, its
// evaluations run a few times without the optimiser's step, so that the first gradients
// that count have a scale that fits.

// halfUnit is the value of a stored 1.
const halfUnit = 16

// unit returns the value of a stored 1 in an array of shape s.
func (b *Device) unit(s Shape) float32 {
	if b.halves(s) {
		return halfUnit
	}
	return 1
}

// settlings is how often the evaluations run first. From any scale the first run brings
// the largest gradient of the deepest layer into range. The next ones do so for
// gradients that were cut off on the way.
const settlings = 3

// convStages is how many taps of weights a convolution on tensor cores keeps in shared
// memory, if DeviceOptions do not say it. It is not yet measured which number is
// faster; docs/kernels.md compares them.
const convStages = 3

// openHalf chooses the precision, and the form of its convolutions.
func (b *Device) openHalf(p Precision, stages int) {
	b.stages = stages
	if stages == 0 {
		b.stages = convStages
	}
	if _, software := cuda.As[cuda.Software](b.d); p == Auto && b.target >= 80 && !software {
		p = Half
	}
	b.half = p == Half
	if !b.half {
		return
	}
	if b.target < 80 {
		b.note(cuda.Errorf(cuda.InvalidPTX, "open", "half precision needs the tensor cores of compute capability 8.0, the device has %d.%d: use single", b.d.Info().Major, b.d.Info().Minor))
	}
	b.gradient = b.alloc(12)
	b.setScale(1)
}

// Stages returns how many taps of weights its convolutions in half precision keep in
// shared memory.
func (b *Device) Stages() int { return b.stages }

// setScale sets the factor of gradients relative to features, a power of two. The slope
// of a loss with respect to a stored value is halfUnit times that with respect to the
// value, and is itself stored divided by halfUnit. So the device's scale is per square
// unit.
func (b *Device) setScale(v float32) {
	v /= halfUnit * halfUnit
	b.upload(b.gradient, append(floatBytes([]float32{v, 1 / v}), 0, 0, 0, 0))
}

// Precision returns Half or Single.
func (b *Device) Precision() Precision {
	if b.half {
		return Half
	}
	return Single
}

// halves reports whether arrays of shape s are stored as binary16.
func (b *Device) halves(s Shape) bool { return b.half && s.C%8 == 0 }

// width returns the bytes of an element of an array, and size those of all elements.
func (b *Device) width(s Shape) int64 {
	if b.halves(s) {
		return 2
	}
	return 4
}

func (b *Device) size(s Shape) int64 { return b.width(s) * int64(s.Len()) }

// room returns the bytes that are allocated for an array. A single position may be
// memory for views, which are counted in float32.
func (b *Device) room(s Shape) int64 {
	if s.Pixels() == 1 {
		return 4 * int64(s.Len())
	}
	return b.size(s)
}

// stored returns values as they lie in an array of shape s.
func (b *Device) stored(s Shape, v []float32) []byte {
	if !b.halves(s) {
		return floatBytes(v)
	}
	return halfBytes(v, halfUnit)
}

// halfBytes returns values, divided by unit, as binary16.
func halfBytes(v []float32, unit float32) []byte {
	out := make([]byte, 0, 2*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint16(out, floatToHalf(x/unit))
	}
	return out
}

// inSingle returns the address of a's values as float32: in a, or in a copy.
func (b *Device) inSingle(a *Array) cuda.Ptr {
	if !b.halves(a.Shape) {
		return a.at
	}
	n := a.Shape.Len()
	if b.aside == nil || b.aside.Shape.Len() < n {
		b.aside = &Array{Shape: Shape{1, 1, n}, at: b.alloc(4 * int64(n))}
	}
	b.launchToSingle(blocksFor(n, 1024), b.aside.at, a.at, halfUnit, n)
	return b.aside.at
}

// scale returns the scale of gradients for a kernel whose gradients begin there.
func (b *Device) scale() cuda.Ptr {
	b.scaled = true
	return b.gradient
}

// rescale chooses the next scale when gradients that losses began have reached the
// image.
func (b *Device) rescale() {
	if b.scaled {
		b.launchGradientScale(cuda.Dim3{X: 1}, b.gradient)
		b.scaled, b.rescaled = false, true
	}
}

// prepareSettling records the evaluations of f alone, if it makes gradients.
func (p *deviceProgram) prepareSettling(f func()) {
	b := p.b
	if !b.rescaled {
		return
	}
	b.rescaled, b.settling = false, true
	p.evaluation = b.recorded(f)
	b.settling = false
}

// settle runs the evaluations, the first time the program runs.
func (p *deviceProgram) settle() {
	if p.evaluation == nil || p.b.err != nil {
		return
	}
	for range settlings {
		p.b.note(p.evaluation.Launch())
	}
	p.endSettling()
}

func (p *deviceProgram) endSettling() {
	if p.evaluation != nil {
		p.b.note(p.evaluation.Close())
		p.evaluation = nil
	}
}

// eights refuses networks whose channels do not allow half precision.
func (b *Device) eights(in, out int) {
	for _, c := range []int{in, out} {
		if b.half && c != 3 && c%8 != 0 {
			b.note(fmt.Errorf("a layer of %d channels is computed in single precision alone: half moves channels eight at a time", c))
		}
	}
}

// parts returns biases, or the weights of the first layer, divided by halfUnit if
// features are.
func (b *Device) parts(v []float32) []float32 {
	if !b.half {
		return v
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x / halfUnit
	}
	return out
}

// The blocks of kernels/conv_mma.cu: 8x16 pixels of 64 or 128 channels, with
// inputs in chunks of 32.
const halfChunk, halfBlock = 32, 64

// packHalf lays a filter out for both directions.
func (b *Device) packHalf(f *Filter, tap func(k, c, t int) float32) {
	f.device.forward = b.uploadedHalf(packFilterHalf(f.In, f.Out, tap))
	f.device.backward = b.uploadedHalf(packFilterHalf(f.Out, f.In, func(c, k, t int) float32 { return tap(k, c, 8-t) }))
}

// packFilterHalf lays taps out as (in/32, 9, out, 32), filled up with zeros to whole
// chunks of inputs and 64 outputs. halfRow gives the order of the outputs.
func packFilterHalf(in, out int, tap func(k, c, t int) float32) []float32 {
	rows := chunks(out, halfBlock) * halfBlock
	v := make([]float32, chunks(in, halfChunk)*9*rows*halfChunk)
	for k := range out {
		for c := range in {
			for t := range 9 {
				v[((c/halfChunk*9+t)*rows+halfRow(k))*halfChunk+c%halfChunk] = tap(k, c, t)
			}
		}
	}
	return v
}

// halfRow returns the row of output k. Of 32 outputs, number 8t + 2j + e lies in row 8j
// + 2t + e, see conv_mma.cu.
func halfRow(k int) int { return k&^31 + k>>1&3*8 + k>>3&3*2 + k&1 }

func (b *Device) uploadedHalf(v []float32) cuda.Ptr {
	p := b.alloc(2 * int64(len(v)))
	b.upload(p, halfBytes(v, 1))
	return p
}

// convBlocks returns the grid for k output channels, and whether a block computes 128
// of them. It does if that leaves enough blocks for every multiprocessor to hold one
// and a half times the two it can.
func (b *Device) convBlocks(s Shape, k int) (grid cuda.Dim3, across int, wide bool) {
	grid, across = convGrid(s, k)
	if grid.Y%2 == 0 && grid.X*grid.Y/2 >= 3*b.d.Info().SMs {
		grid.Y /= 2
		wide = true
	}
	return grid, across, wide
}

func (b *Device) convHalf(out ConvOut, x *Array, f *Filter, pad Pad, mask deviceMask) {
	s := x.Shape
	grid, across, wide := b.convBlocks(s, f.Out)
	launch := kernelFor(b.stages == 2, kernelFor(wide, b.launchConvHalfFwd64, b.launchConvHalfFwd128),
		kernelFor(wide, b.launchConvHalfFwd64Two, b.launchConvHalfFwd128Two))
	p := out.Pool.Out(Shape{s.H, s.W, f.Out})
	launch(grid, x.at, f.device.forward, f.device.bias, at(out.Act), mask.signs, at(out.Pooled), mask.winners,
		s.H, s.W, f.In, f.Out, across, flag(pad == ReplicatePad), poolCode(out.Pool.Kind), p.H, p.W, out.Pool.scale())
}

func (b *Device) convGradHalf(dx, dy *Array, f *Filter, o ConvGradOptions, gate cuda.Ptr) {
	s := dx.Shape
	grid, across, wide := b.convBlocks(s, f.In)
	var packed, scales cuda.Ptr
	if o.Style.F != nil {
		packed, scales = b.packGradient(o.Style.D)
		b.scaled = true
	}
	if m := o.Unpool; m != nil {
		launch := kernelFor(b.stages == 2, kernelFor(wide, b.launchConvHalfBwdPooled64, b.launchConvHalfBwdPooled128),
			kernelFor(wide, b.launchConvHalfBwdPooled64Two, b.launchConvHalfBwdPooled128Two))
		launch(grid, dy.at, m.device.winners, m.device.signs, f.device.backward, dx.at, gate, b.gradient,
			s.H, s.W, f.Out, f.In, across, flag(o.Add), dy.Shape.H, dy.Shape.W, poolCode(m.Pool.Kind), m.Pool.scale(),
			at(o.Style.F), packed, scales, at(o.Style.Shift), halfUnit)
		return
	}
	launch := kernelFor(b.stages == 2, kernelFor(wide, b.launchConvHalfBwd64, b.launchConvHalfBwd128),
		kernelFor(wide, b.launchConvHalfBwd64Two, b.launchConvHalfBwd128Two))
	launch(grid, dy.at, f.device.backward, dx.at, gate, b.gradient, s.H, s.W, f.Out, f.In, across, flag(o.Add),
		at(o.Style.F), packed, scales, at(o.Style.Shift), halfUnit)
}

// kernelFor chooses between two kernels with the same parameters: one for the usual
// case, another for where special holds, such as features that are stored as binary16.
func kernelFor[F any](special bool, usual, other F) F {
	if special {
		return other
	}
	return usual
}

// packGradient stores the matrix of a style loss as binary16. Each row has its own
// scale.
func (b *Device) packGradient(d *Array) (packed, scales cuda.Ptr) {
	c := d.Shape.H
	rows := chunks(c, halfBlock) * halfBlock
	values := rows * chunks(c, halfChunk) * halfChunk
	packed = b.scratch(2*int64(values) + 4*int64(rows))
	scales = packed + cuda.Ptr(2*values)
	b.launchGradientPack(cuda.Dim3{X: rows}, packed, scales, d.at, halfUnit*halfUnit, c)
	return packed, scales
}

func (b *Device) styleGradHalf(dx, f, d, shift *Array) {
	n, c := f.Shape.Pixels(), f.Shape.C
	packed, scales := b.packGradient(d)
	b.launchStyleGradHalf(cuda.Dim3{X: chunks(n, 128), Y: chunks(c, halfBlock)}, dx.at, f.at, packed, scales, at(shift), halfUnit, b.scale(), n, c)
}

// matchChannels returns the number that a bank's channels are filled up to, and
// matchWidth the bytes of one channel.
func (b *Device) matchChannels(c int) int {
	if b.half {
		return (c + 7) &^ 7
	}
	return (c + 3) &^ 3
}

func (b *Device) matchWidth() int64 {
	if b.half {
		return 2
	}
	return 4
}

// matchGain returns the factor between products of stored features and scores.
func (b *Device) matchGain(norm MatchNorm) float32 {
	if norm == PatchNorm {
		return halfUnit // the norm is that of the stored values
	}
	return halfUnit * halfUnit
}

// floatToHalf rounds to the nearest binary16. Values that are too large become the
// largest.
func floatToHalf(v float32) uint16 { return binary16.Round(min(max(v, -65504), 65504)) }
