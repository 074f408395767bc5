package gpu

// gramParts is how many parts the positions are divided into: each has a
// partial matrix, and the parts are added in order.
const gramParts = 8

type gramTask struct {
	f, part []float32
	c       int
}

func (b *CPU) Gram(g, f *Array, norm float64) {
	checkGram(g, f)
	c := f.Shape.C
	t := &b.gram
	if len(t.part) < gramParts*c*c {
		t.part = make([]float32, gramParts*c*c)
	}
	t.f, t.c = f.data, c
	b.workers.run(gramParts, t)
	for i := range c {
		for j := i; j < c; j++ {
			s := 0.0
			for p := range gramParts {
				s += float64(t.part[p*c*c+i*c+j])
			}
			v := float32(norm * s)
			g.data[i*c+j], g.data[j*c+i] = v, v
		}
	}
}

// chunk sums the upper triangle over its share of the positions.
func (t *gramTask) chunk(_, i int) {
	c := t.c
	n := len(t.f) / c
	part := t.part[i*c*c:][:c*c]
	clear(part)
	for p := i * n / gramParts; p < (i+1)*n/gramParts; p++ {
		row := t.f[p*c:][:c]
		for a, v := range row {
			dst := part[a*c+a:][:c-a]
			for j, w := range row[a:] {
				dst[j] += v * w
			}
		}
	}
}

func (b *CPU) GramLoss(d, g *Array, targets []GramTarget, norm float64, slot int) {
	checkGramLoss(d, g, targets, slot)
	loss := 0.0
	for i, v := range g.data {
		s := 0.0
		for _, t := range targets {
			e := float64(v) - float64(t.A.data[i])
			loss += t.Coef * e * e
			s += t.Coef * e
		}
		if d != nil {
			d.data[i] = float32(4 * norm * s)
		}
	}
	b.status.Loss[slot] = loss
}

// styleRows is how many positions a chunk of StyleGrad covers.
const styleRows = 64

type styleGradTask struct {
	dx, f, d, shift []float32
	c               int
}

func (b *CPU) StyleGrad(dx, f, d, shift *Array) {
	checkStyleGrad(dx, f, d, shift)
	b.styleGrad = styleGradTask{dx: dx.data, f: f.data, d: d.data, c: f.Shape.C}
	if shift != nil {
		b.styleGrad.shift = shift.data
	}
	b.workers.run(chunks(f.Shape.Pixels(), styleRows), &b.styleGrad)
}

func (t *styleGradTask) chunk(_, i int) {
	c := t.c
	for p := i * styleRows; p < min(len(t.f)/c, (i+1)*styleRows); p++ {
		acc := t.dx[p*c:][:c]
		mulAdd(acc, t.f[p*c:][:c], t.d) // d is symmetric
		for j, s := range t.shift {
			acc[j] += s
		}
	}
}

// meanRows is how many positions a chunk of Mean covers.
const meanRows = 1024

type meanTask struct {
	f    []float32
	c    int
	part []float64
}

func (b *CPU) Mean(m, f *Array) {
	checkMean(m, f)
	c := f.Shape.C
	n := chunks(f.Shape.Pixels(), meanRows)
	b.mean = meanTask{f.data, c, b.partials(n * c)}
	b.workers.run(n, &b.mean)
	for j := range c {
		s := 0.0
		for i := range n {
			s += b.mean.part[i*c+j]
		}
		m.data[j] = float32(s / float64(f.Shape.Pixels()))
	}
}

func (t *meanTask) chunk(_, i int) {
	c := t.c
	part := t.part[i*c:][:c]
	clear(part)
	for p := i * meanRows; p < min(len(t.f)/c, (i+1)*meanRows); p++ {
		for j, v := range t.f[p*c:][:c] {
			part[j] += float64(v)
		}
	}
}
