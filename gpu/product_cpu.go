package gpu

// Matrix products use the micro-kernels. The right-hand factor is packed in panels
// (columns/NR; rows, NR), filled up with zeros.

// productDepth is how many terms a product sums at a time. A panel of that depth stays
// in the first level of cache.
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

// one is a matrix of ones with strides 0. As the left-hand factor it adds a row to all
// rows.
var one = [1]float32{1}

// productTask computes dst (m, n) = or += a (m, k) * p (k, n), all with contiguous
// rows. If row is not nil, it is added to every row of dst.
type productTask struct {
	b        *CPU
	dst, a   Array
	p, row   []float32
	m, k, n  int
	add      bool
	packing  bool
	panelLen int
}

// productRows is how many rows of dst a chunk computes.
const productRows = 96

func (b *CPU) multiply(dst, a, p, row []float32, k, n int, add bool) {
	b.multiplyArrays(Array{data: dst}, Array{data: a}, p, row, len(a)/k, k, n, add)
}

func (b *CPU) multiplyArrays(dst, a Array, p, row []float32, m, k, n int, add bool) {
	t := &b.product
	*t = productTask{b: b, dst: dst, a: a, p: p, row: row, m: m, k: k, n: n, add: add, panelLen: (k + 1) * b.kernels.NR}
	panels := chunks(n, b.kernels.NR)
	grown(&b.packed, panels*t.panelLen)
	t.packing = true
	b.workers.run(panels, t)
	t.packing = false
	b.workers.run(chunks(m, productRows), t)
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
	rows := min(productRows, t.m-r0)
	a, out := t.b.read(worker, 0, &t.a, r0*t.k, rows*t.k), t.b.read(worker, 1, &t.dst, r0*t.n, rows*t.n)
	for j := range chunks(t.n, nr) {
		panel := t.b.packed[j*t.panelLen:]
		cols := min(nr, t.n-j*nr)
		dst, ld, add := out[j*nr:], t.n, t.add
		if cols < nr { // the kernel writes whole panels
			dst, ld, add = t.b.scratchFor(worker, productRows*nr), nr, false
		}
		if t.row != nil {
			ks.Gemm(rows, 1, &one[0], 0, 0, &panel[t.k*nr], &dst[0], ld, add, nil, 0)
			add = true
		}
		for k0 := 0; k0 < t.k; k0 += productDepth {
			depth := min(productDepth, t.k-k0)
			ks.Gemm(rows, depth, &a[k0], t.k, 1, &panel[k0*nr], &dst[0], ld, add || k0 > 0, nil, 0)
		}
		if cols < nr {
			copyColumns(out[j*nr:], dst, rows, t.n, nr, cols, t.add)
		}
	}
	t.b.keep(&t.dst, r0*t.n, out)
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
