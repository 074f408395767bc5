package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// The products of two channels in half precision are exact in float32, so Gram matrices
// of stored features lose nothing to their instructions. A panel is 32 channels. It holds
// its positions twice, 32 at a time: as the right-hand factor, and transposed as the left
// one.

// setHalf prepares for features in half precision.
func (t *momentTask) setHalf() {
	t.width = halfOutputs
	t.slice = chunks(t.slice, halfOutputs) * halfOutputs
	t.offsets = t.offsets[:0]
	for s := range t.slice / halfOutputs {
		t.offsets = append(t.offsets, s*simd.BF16Step)
	}
}

// factors returns panel j of a cell as both factors, (slice/32; 32, 32) each.
func (t *momentTask) factors(cell, j int) (left, right []uint16) {
	n := t.slice * t.width
	panel := unsafe.Slice((*uint16)(unsafe.Pointer(&t.panel(cell, j)[0])), 2*n)
	return panel[:n], panel[n:]
}

func (t *momentTask) packHalf(worker, i int) {
	c := t.f.Shape.C
	panels := chunks(c, t.width)
	cell, j := i/panels, i%panels
	r, from, to := t.part(cell)
	left, right := t.factors(cell, j)
	for p := from; p < to; p += halfOutputs {
		at := (p - from) / halfOutputs * simd.BF16Step
		src, stride := t.positions(worker, r, p, min(halfOutputs, to-p), j*t.width)
		t.b.bf16.Pack(&right[at], &src[0], stride)
		t.b.bf16.Transpose(&left[at], &right[at])
	}
}

// positions returns 32 rows of 32 channels from first on, stride apart, of which n are
// positions from p on. If they do not lie at one distance, they are copied and filled up
// with zeros.
func (t *momentTask) positions(worker int, r Rect, p, n, first int) (rows []uint16, stride int) {
	f, c := t.f.half, t.f.Shape.C
	channels := min(halfOutputs, c-first)
	if n == halfOutputs && channels == halfOutputs && (r.W == t.f.Shape.W || p%r.W+n <= r.W) {
		return f[t.at(r, p)+first:], c
	}
	copied := unsafe.Slice((*uint16)(unsafe.Pointer(&t.b.scratchFor(worker, simd.BF16Step/2)[0])), simd.BF16Step)
	clear(copied)
	for i := range n {
		copy(copied[i*halfOutputs:], f[t.at(r, p+i)+first:][:channels])
	}
	return copied, halfOutputs
}

// multiplyHalf does what multiply does.
func (t *momentTask) multiplyHalf(_, i int) {
	panels := chunks(t.f.Shape.C, t.width)
	cell, j := i%t.cells, panels-1-i/t.cells
	side := panels * t.width
	partial := t.partial[cell*side*side:]
	_, from, to := t.part(cell)
	steps := chunks(to-from, halfOutputs)
	if steps == 0 {
		return
	}
	_, right := t.factors(cell, j)
	for r := range j + 1 {
		left, _ := t.factors(cell, r)
		t.b.bf16.Mul(t.width, &left[0], halfOutputs, &t.offsets[0], steps, &right[0],
			&partial[r*t.width*side+j*t.width], side, t.round > 0)
	}
}
