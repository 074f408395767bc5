package gpu

import (
	"math"

	"github.com/impasto/impasto/gpu/simd"
)

type vectorOp int

const (
	opFill vectorOp = iota
	opCopy
	opAxpy
	opDot
	opAbsSum
)

type vectorTask struct {
	kernels *simd.Kernels
	op      vectorOp
	dst     []float32
	x       []float32
	a       float32
	part    []float64
}

func (b *CPU) vectors(op vectorOp, dst, x []float32, a float32, part []float64) {
	b.vector = vectorTask{b.kernels, op, dst, x, a, part}
	b.workers.run(chunks(len(dst), chunkLen), &b.vector)
}

func (t *vectorTask) chunk(_, i int) {
	lo, hi := i*chunkLen, min(len(t.dst), (i+1)*chunkLen)
	dst := t.dst[lo:hi]
	var x []float32
	if t.x != nil {
		x = t.x[lo:hi]
	}
	switch t.op {
	case opFill:
		if t.a == 0 {
			clear(dst) // the one value that need not be written element by element
			return
		}
		for j := range dst {
			dst[j] = t.a
		}
	case opCopy:
		copy(dst, x)
	case opAxpy:
		t.kernels.Axpy(dst, t.a, x)
	case opDot:
		t.part[i] = dot(dst, x)
	case opAbsSum:
		s := 0.0
		for _, v := range dst {
			s += math.Abs(float64(v))
		}
		t.part[i] = s
	}
}

// dot sums products in float64.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

// Fill sets every element of dst to v.
func (b *CPU) Fill(dst *Array, v float32) { b.vectors(opFill, dst.data, nil, v, nil) }

// Copy copies src to dst, of the same shape.
func (b *CPU) Copy(dst, src *Array) {
	sameShape("Copy", dst, src)
	b.vectors(opCopy, dst.data, src.data, 0, nil)
}

// Axpy adds a times x to dst.
func (b *CPU) Axpy(dst *Array, a float64, x *Array) {
	sameShape("Axpy", dst, x)
	b.vectors(opAxpy, dst.data, x.data, float32(a), nil)
}

// AddNormalized adds a x / (|x|_1 + 1e-8) to dst, the normalised gradient of
// neural-style.
func (b *CPU) AddNormalized(dst *Array, a float64, x *Array) {
	sameShape("AddNormalized", dst, x)
	part := b.partials(chunks(len(x.data), chunkLen))
	b.vectors(opAbsSum, x.data, nil, 0, part)
	b.vectors(opAxpy, dst.data, x.data, float32(a/(sum(part)+1e-8)), nil)
}

// Dot is the sum of the products of x and y, in float64.
func (b *CPU) Dot(x, y *Array) float64 {
	sameShape("Dot", x, y)
	return b.dotData(x.data, y.data)
}

func (b *CPU) dotData(x, y []float32) float64 {
	part := b.partials(chunks(len(x), chunkLen))
	b.vectors(opDot, x, y, 0, part)
	return sum(part)
}

// Weigh is for masks of images, which are small beside features.
func (b *CPU) Weigh(dst, w *Array) {
	checkWeigh(dst, w)
	c := dst.Shape.C
	for i, v := range w.data {
		for j := range dst.data[i*c:][:c] {
			dst.data[i*c+j] *= v
		}
	}
}
