package gpu

import "github.com/impasto/impasto/gpu/simd"

// Matrix products with the micro-kernels. The right-hand factor is packed in
// panels (columns/NR; rows, NR), filled up with zeros.

// productDepth is how many terms a product sums at a time: a panel that deep
// stays in the first level of cache.
const productDepth = 256

// pack copies columns first..first+NR of x, rows rows ld apart, into a panel.
func pack(panel, x []float32, rows, ld, first, cols, nr int) {
	cols = min(nr, cols-first)
	for r := range rows {
		row := panel[r*nr:][:nr]
		copy(row, x[r*ld+first:][:cols])
		clear(row[cols:])
	}
}

// one is a matrix of ones with strides 0: the left-hand factor that adds a row
// to all rows.
var one = [1]float32{1}

// productTask is dst (m, n) = or += a (m, k) * p (k, n), all contiguous rows,
// plus row in every row of dst where row is not nil.
type productTask struct {
	b        *CPU
	dst, a   []float32
	p, row   []float32
	k, n     int
	add      bool
	packing  bool
	panelLen int
}

// productRows is how many rows of dst a chunk computes.
const productRows = 96

func (b *CPU) multiply(dst, a, p, row []float32, k, n int, add bool) {
	t := &b.product
	*t = productTask{b: b, dst: dst, a: a, p: p, row: row, k: k, n: n, add: add, panelLen: (k + 1) * b.kernels.NR}
	panels := chunks(n, b.kernels.NR)
	grown(&b.packed, panels*t.panelLen)
	t.packing = true
	b.workers.run(panels, t)
	t.packing = false
	b.workers.run(chunks(len(a)/k, productRows), t)
}

func (t *productTask) chunk(worker, i int) {
	ks := t.b.kernels
	nr := ks.NR
	if t.packing {
		panel := t.b.packed[i*t.panelLen:]
		pack(panel, t.p, t.k, t.n, i*nr, t.n, nr)
		if t.row != nil {
			pack(panel[t.k*nr:], t.row, 1, t.n, i*nr, t.n, nr)
		}
		return
	}
	r0 := i * productRows
	rows := min(productRows, len(t.a)/t.k-r0)
	for j := range chunks(t.n, nr) {
		panel := t.b.packed[j*t.panelLen:]
		cols := min(nr, t.n-j*nr)
		dst, ld, add := t.dst[r0*t.n+j*nr:], t.n, t.add
		if cols < nr { // the kernel writes whole panels
			dst, ld, add = t.b.scratchFor(worker, productRows*nr), nr, false
		}
		if t.row != nil {
			ks.Gemm(rows, 1, &one[0], 0, 0, &panel[t.k*nr], &dst[0], ld, add, nil, 0)
			add = true
		}
		for k0 := 0; k0 < t.k; k0 += productDepth {
			depth := min(productDepth, t.k-k0)
			ks.Gemm(rows, depth, &t.a[r0*t.k+k0], t.k, 1, &panel[k0*nr], &dst[0], ld, add || k0 > 0, nil, 0)
		}
		if cols < nr {
			copyColumns(t.dst[r0*t.n+j*nr:], dst, rows, t.n, nr, cols, t.add)
		}
	}
}

// copyColumns copies or adds cols columns of src (rows nr apart) to dst (rows ld apart).
func copyColumns(dst, src []float32, rows, ld, nr, cols int, add bool) {
	for r := range rows {
		d, s := dst[r*ld:][:cols], src[r*nr:][:cols]
		if !add {
			copy(d, s)
			continue
		}
		for j, v := range s {
			d[j] += v
		}
	}
}

// momentTask is f^T f for f (positions, c), the upper triangle by panels. The
// positions are divided into parts with a partial matrix each, and worked
// through in rounds: pack a slice of every part, then multiply it.
type momentTask struct {
	ks              *simd.Kernels
	f               []float32
	c, n            int
	parts           int
	round           int
	packed, partial []float32
	g               []float32
	norm            float64
	phase           func(t *momentTask, i int)
}

const (
	// gramParts is the number of parts where the matrix is small; a large one
	// has panels enough to share out.
	gramParts      = 8
	gramSmall      = 128 // channels
	gramSlice      = 256 // positions of a part in a round
	gramSliceLarge = 1024
	gramRows       = 16 // of the result that a chunk of the last phase writes
)

func (t *momentTask) slice() int {
	if t.c <= gramSmall {
		return gramSlice
	}
	return gramSliceLarge
}

func (b *CPU) moment(g, f []float32, c int, norm float64) {
	t := &b.momentum
	t.ks, t.f, t.c, t.n, t.g, t.norm, t.parts = b.kernels, f, c, len(f)/c, g, norm, 1
	if c <= gramSmall {
		t.parts = gramParts
	}
	panels := chunks(c, t.ks.NR)
	side := panels * t.ks.NR
	t.packed = grown(&b.packed, t.parts*side*t.slice())
	t.partial = grown(&b.partialMoments, t.parts*side*side)
	rounds := chunks(chunks(t.n, t.parts), t.slice())
	for t.round = 0; t.round < rounds; t.round++ {
		t.phase = (*momentTask).pack
		b.workers.run(t.parts*panels, t)
		t.phase = (*momentTask).multiply
		b.workers.run(t.parts*panels, t)
	}
	t.phase = (*momentTask).finish
	b.workers.run(chunks(c, gramRows), t)
}

func (t *momentTask) chunk(_, i int) { t.phase(t, i) }

// positions are those of a part in this round.
func (t *momentTask) positions(part int) (from, to int) {
	end := (part + 1) * t.n / t.parts
	from = min(end, part*t.n/t.parts+t.round*t.slice())
	return from, min(end, from+t.slice())
}

func (t *momentTask) panel(part, j int) []float32 {
	return t.packed[(part*chunks(t.c, t.ks.NR)+j)*t.slice()*t.ks.NR:]
}

func (t *momentTask) pack(i int) {
	panels := chunks(t.c, t.ks.NR)
	part, j := i/panels, i%panels
	if from, to := t.positions(part); from < to {
		pack(t.panel(part, j), t.f[from*t.c:], to-from, t.c, j*t.ks.NR, t.c, t.ks.NR)
	}
}

// multiply takes panel j of a part against the panels up to it; those with most
// work come first.
func (t *momentTask) multiply(i int) {
	nr, panels := t.ks.NR, chunks(t.c, t.ks.NR)
	part, j := i%t.parts, panels-1-i/t.parts
	side := panels * nr
	partial := t.partial[part*side*side:]
	from, to := t.positions(part)
	if from == to && t.round > 0 {
		return
	}
	for r := range j + 1 {
		if from == to { // fewer positions than parts
			for y := range nr {
				clear(partial[(r*nr+y)*side+j*nr:][:nr])
			}
			continue
		}
		for k := 0; k < to-from; k += productDepth {
			t.ks.Gemm(nr, min(productDepth, to-from-k), &t.panel(part, r)[k*nr], 1, nr, &t.panel(part, j)[k*nr],
				&partial[r*nr*side+j*nr], side, t.round > 0 || k > 0, nil, 0)
		}
	}
}

// finish adds the parts in their order and mirrors the triangle.
func (t *momentTask) finish(i int) {
	c := t.c
	side := chunks(c, t.ks.NR) * t.ks.NR
	for y := i * gramRows; y < min(c, (i+1)*gramRows); y++ {
		for x := y; x < c; x++ {
			s := 0.0
			for p := range t.parts {
				s += float64(t.partial[(p*side+y)*side+x])
			}
			v := float32(t.norm * s)
			t.g[y*c+x], t.g[x*c+y] = v, v
		}
	}
}
