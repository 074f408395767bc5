package gpu

import (
	"math"

	"github.com/impasto/impasto/gpu/simd"
)

// A weight is stored as bfloat16, with a relative error of up to 2^-9. In layers of few
// channels, whose errors all others inherit, it is the sum of two: the weight rounded,
// and the rounding error. There a convolution has two products for each tap. Its
// gradient has one: rounding errors of gradients change pictures much less.

const (
	// splitWeights is the most channels of a layer whose weights are two numbers. In
	// VGG19 these are conv1_2, conv2_1 and conv2_2.
	splitWeights = 128
	// splitFeatures is the most channels of pooled features that are two numbers.
	splitFeatures = 64
)

// halfTerms returns how many numbers a weight is.
func halfTerms(in, out int) int {
	if max(in, out) <= splitWeights {
		return 2
	}
	return 1
}

// Split doubles the channels of features in half precision if they are few: each
// position has the rounded values, then their rounding errors.
func (b *CPU) Split(x, y Shape) Shape {
	if b.halves(x) && b.halves(y) && x.C%halfOutputs == 0 && x.C <= splitFeatures {
		x.C *= 2
	}
	return x
}

// setFilter sets the weights of a convolution with f, or of its gradient.
func (t *halfConvTask) setFilter(f *Filter, grad bool) {
	if grad {
		t.terms = 1
		if f.cpu.halfGrad == nil {
			f.cpu.halfGrad = halfPanels(f.Out, f.In, 1, func(c, k, t int) float32 { return f.tap(k, c, 8-t) })
		}
		t.filter = f.cpu.halfGrad
		return
	}
	t.terms = halfTerms(f.In, f.Out)
	if f.cpu.half == nil {
		f.cpu.half = halfPanels(f.In, f.Out, t.terms, f.tap)
	}
	t.filter = f.cpu.half
}

// halfPanels rounds taps of in inputs and out outputs and lays them out for products of
// bfloat16: (out/32; terms, 3 dy, in/32, 3 dx; 32, 32), filled up with zeros. A tap is
// the sum of its terms, each of which rounds what those before leave.
func halfPanels(in, out, terms int, tap func(k, c, t int) float32) []uint16 {
	blocks := chunks(in, halfOutputs)
	p := bf16s(chunks(out, halfOutputs) * terms * 9 * blocks * simd.BF16Step)
	for k := range out {
		for c := range in {
			at := p[simd.BF16Index(c%halfOutputs, k%halfOutputs):]
			for t := range 9 {
				rest := tap(k, c, t)
				for term := range terms {
					step := ((k/halfOutputs*terms+term)*3+t/3)*blocks*3 + c/halfOutputs*3 + t%3
					v := simd.RoundBF16(rest)
					at[step*simd.BF16Step] = v
					rest -= math.Float32frombits(uint32(v) << 16)
				}
			}
		}
	}
	return p
}
