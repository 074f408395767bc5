package gpu

import "github.com/impasto/impasto/gpu/simd"

// All layers inherit the rounding errors of the first ones, so the inputs of these are
// split: each is the sum of two bfloat16, the value rounded and the rounding error. Of
// the four products of two such sums three are computed. The fourth, of both errors, is
// about as small as float32's own.
//
// Pooled features are stored split. The activation of the first layer is four times as
// large, but has only three inputs, so the second layer computes it again in float32,
// one row of a strip at a time.

// Recomputes reports whether x and y are stored in half precision and from has few channels.
func (b *CPU) Recomputes(from, x, y Shape) bool {
	return b.halves(x) && b.halves(y) && x.C%halfOutputs == 0 && from.C <= narrowInputs
}

// setExact makes the input that of the convolution from, if Recomputes says so of x.
func (t *halfConvTask) setExact(b *CPU, from ConvFrom, x Shape) {
	if from.X == nil || !b.Recomputes(from.X.Shape, x, withDepth(x, t.n)) {
		return
	}
	t.first = convTask{b: b, x: from.X, f: from.Filter, pad: from.Pad, taps: from.Filter.firstPanels(b.kernels.NR)}
	t.src.exact, t.src.split = &t.first, true
	t.c *= 2
}

// exactRow is memory for a row of a split input.
type exactRow struct {
	values []float32 // (columns, c)
	split  []uint16  // (columns, 2, c)
}

func (r *exactRow) reserve(t *halfConvTask) {
	if n := (t.columns + 2) * t.c / 2; t.src.exact != nil && len(r.values) < n {
		r.values, r.split = simd.Floats(n), bf16s(2*n)
	}
}

// row computes one row of the activation.
func (r *exactRow) row(t *halfConvTask, worker int, a area) []uint16 {
	c := t.c / 2
	v, split := r.values[:a.columns*c], r.split[:2*a.columns*c]
	t.src.exact.products(worker, a, v)
	t.src.exact.relu(v, nil)
	for x := range a.columns {
		px, to := v[x*c:][:c], split[2*x*c:][:2*c]
		t.b.round(to[:c], px)
		t.b.residue(to[c:], px, to[:c])
	}
	return split
}
