package gpu

import "math"

type vectorOp int

const (
	opFill vectorOp = iota
	opCopy
	opAxpy
	opDot
	opAbsSum
)

type vectorTask struct {
	b    *CPU
	op   vectorOp
	dst  Array
	x    Array
	n    int
	a    float32
	part []float64
}

func (b *CPU) vectors(op vectorOp, dst, x Array, n int, a float32, part []float64) {
	b.vector = vectorTask{b, op, dst, x, n, a, part}
	b.workers.run(chunks(n, chunkLen), &b.vector)
}

func (t *vectorTask) chunk(worker, i int) {
	lo, n := i*chunkLen, min(t.n-i*chunkLen, chunkLen)
	if t.op == opFill {
		t.fill(worker, lo, n)
		return
	}
	if t.op == opCopy && t.dst.half != nil {
		copy(t.dst.half[lo:lo+n], t.x.half[lo:])
		return
	}
	dst := t.b.read(worker, 0, &t.dst, lo, n)
	var x []float32
	if t.op != opAbsSum {
		x = t.b.read(worker, 1, &t.x, lo, n)
	}
	switch t.op {
	case opCopy:
		copy(dst, x)
	case opAxpy:
		t.b.kernels.Axpy(dst, t.a, x)
		t.b.keep(&t.dst, lo, dst)
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

// fill sets elements to a value. It clears them all at once if that is zero.
func (t *vectorTask) fill(worker, lo, n int) {
	if t.a == 0 && t.dst.half != nil {
		clear(t.dst.half[lo : lo+n])
		return
	}
	dst := t.b.write(worker, 0, &t.dst, lo, n)
	if t.a == 0 {
		clear(dst)
		return
	}
	for j := range dst {
		dst[j] = t.a
	}
	t.b.keep(&t.dst, lo, dst)
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
func (b *CPU) Fill(dst *Array, v float32) { b.vectors(opFill, *dst, Array{}, dst.Shape.Len(), v, nil) }

// Copy copies src to dst, of the same shape.
func (b *CPU) Copy(dst, src *Array) {
	sameShape("Copy", dst, src)
	b.vectors(opCopy, *dst, *src, dst.Shape.Len(), 0, nil)
}

// Axpy adds a times x to dst.
func (b *CPU) Axpy(dst *Array, a float64, x *Array) {
	sameShape("Axpy", dst, x)
	b.vectors(opAxpy, *dst, *x, dst.Shape.Len(), float32(a), nil)
}

// AddNormalized adds a x / (|x|_1 + 1e-8) to dst, the normalised gradient of
// neural-style.
func (b *CPU) AddNormalized(dst *Array, a float64, x *Array) {
	sameShape("AddNormalized", dst, x)
	n := x.Shape.Len()
	part := b.partials(chunks(n, chunkLen))
	b.vectors(opAbsSum, *x, Array{}, n, 0, part)
	b.vectors(opAxpy, *dst, *x, n, float32(a/(sum(part)+1e-8)), nil)
}

// Dot returns the sum of the products of x and y, in float64.
func (b *CPU) Dot(x, y *Array) float64 {
	sameShape("Dot", x, y)
	return b.dot(*x, *y, x.Shape.Len())
}

func (b *CPU) dotData(x, y []float32) float64 {
	return b.dot(Array{data: x}, Array{data: y}, len(x))
}

func (b *CPU) dot(x, y Array, n int) float64 {
	part := b.partials(chunks(n, chunkLen))
	b.vectors(opDot, x, y, n, 0, part)
	return sum(part)
}

// Weigh multiplies the channels of each pixel of dst by w. It is used for masks of
// images, which are small compared with features.
func (b *CPU) Weigh(dst, w *Array) {
	checkWeigh(dst, w)
	c := dst.Shape.C
	for i, v := range w.data {
		px := b.read(0, 0, dst, i*c, c)
		for j := range px {
			px[j] *= v
		}
		b.keep(dst, i*c, px)
	}
}
