package gpu

import (
	"math"

	"github.com/impasto/impasto/gpu/simd"
)

// A weight is stored as bfloat16, with a relative error of up to 2^-9. In layers of few
// channels, whose errors all others inherit, it is the sum of two: the weight rounded,
// and the rounding error. There a convolution has two products for each tap.

// splitChannels is the most channels of a layer whose weights are two numbers. In VGG19
// that is conv1_2, a tenth of all products.
const splitChannels = 64

// halfTerms returns how many numbers a weight is.
func halfTerms(in, out int) int {
	if max(in, out) <= splitChannels {
		return 2
	}
	return 1
}

// setFilter sets the weights of a convolution with f, or of its gradient.
func (t *halfConvTask) setFilter(f *Filter, grad bool) {
	t.terms = halfTerms(f.In, f.Out)
	if grad {
		if f.cpu.halfGrad == nil {
			f.cpu.halfGrad = halfPanels(f.Out, f.In, t.terms, func(c, k, t int) float32 { return f.tap(k, c, 8-t) })
		}
		t.filter = f.cpu.halfGrad
		return
	}
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
