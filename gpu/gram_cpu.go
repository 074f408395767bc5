package gpu

func (b *CPU) Gram(g, f *Array, norm float64) {
	checkGram(g, f)
	b.moment(g.data, f.data, f.Shape.C, norm)
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

func (b *CPU) StyleGrad(dx, f, d, shift *Array) {
	checkStyleGrad(dx, f, d, shift)
	var row []float32
	if shift != nil {
		row = shift.data
	}
	c := f.Shape.C
	b.multiply(dx.data, f.data, d.data, row, c, c, true) // d is symmetric
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
