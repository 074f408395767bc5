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
	dst, a   []float32
	p, row   []float32
	m, k, n  int
	add      bool
	phase    productPhase
	panelLen int

	symmetric       bool // compute the upper triangle and copy it
	scale, diagonal float32
}

// productPhase is a part of a product that its chunks do together.
type productPhase int

const (
	packPanels productPhase = iota
	multiplyRows
	mirrorRows
)

// productRows is how many rows of dst a chunk computes, and symmetricRows how many of a
// symmetric one. With fewer, less is computed below the diagonal in vain.
const productRows, symmetricRows = 96, 48

func (b *CPU) multiply(dst, a, p, row []float32, k, n int, add bool) {
	t := &b.product
	*t = productTask{b: b, dst: dst, a: a, p: p, row: row, m: len(a) / k, k: k, n: n, add: add, panelLen: (k + 1) * b.kernels.NR}
	t.start()
}

// multiplySymmetric computes dst (n, n) = scale * a (n, k) * p (k, n) + diagonal * I for
// factors whose product is symmetric but for rounding. dst is symmetric to the bit.
func (b *CPU) multiplySymmetric(dst, a, p []float32, n int, scale, diagonal float32) {
	t := &b.product
	k := len(a) / n
	*t = productTask{b: b, dst: dst, a: a, p: p, m: n, k: k, n: n,
		panelLen: (k + 1) * b.kernels.NR, symmetric: true, scale: scale, diagonal: diagonal}
	t.start()
}

func (t *productTask) start() {
	b := t.b
	panels := chunks(t.n, b.kernels.NR)
	grown(&b.packed, panels*t.panelLen)
	t.phase = packPanels
	b.workers.run(panels, t)
	t.phase = multiplyRows
	b.workers.run(chunks(t.m, t.rows()), t)
	if t.symmetric {
		t.phase = mirrorRows
		b.workers.run(chunks(t.m, t.rows()), t)
	}
}

func (t *productTask) rows() int {
	if t.symmetric {
		return symmetricRows
	}
	return productRows
}

func (t *productTask) chunk(worker, i int) {
	switch t.phase {
	case packPanels:
		t.pack(i)
	case multiplyRows:
		t.multiply(worker, i)
	case mirrorRows:
		t.mirror(i)
	}
}

func (t *productTask) pack(i int) {
	nr := t.b.kernels.NR
	panel := t.b.packed[i*t.panelLen:]
	pack(panel, t.p, t.k, t.n, i*nr, t.n, nr)
	if t.row != nil {
		pack(panel[t.k*nr:], t.row, 1, t.n, i*nr, t.n, nr)
	}
}

// mirror scales the upper triangle in a chunk of rows, adds to its diagonal and copies it
// below. It goes through the triangle in blocks, because columns are far apart in memory.
func (t *productTask) mirror(i int) {
	const block = 16
	n, dst := t.n, t.dst
	end := min((i+1)*symmetricRows, n)
	for r0 := i * symmetricRows; r0 < end; r0 += block {
		r1 := min(r0+block, end)
		for col := r0; col < n; col++ {
			below := dst[col*n:][:n]
			for r := r0; r < min(r1, col+1); r++ {
				v := t.scale * dst[r*n+col]
				if r == col {
					v += t.diagonal
				}
				dst[r*n+col], below[r] = v, v
			}
		}
	}
}

func (t *productTask) multiply(worker, i int) {
	ks := t.b.kernels
	nr := ks.NR
	r0, first := i*t.rows(), 0
	rows := min(t.rows(), t.m-r0)
	if t.symmetric {
		first = r0 / nr
	}
	a, out := t.a[r0*t.k:], t.dst[r0*t.n:]
	for j := first; j < chunks(t.n, nr); j++ {
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
