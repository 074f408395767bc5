package gpu

// gramCell is the side of the cells that Gram sums by.
const gramCell = 64

func (b *CPU) Gram(g, f *Array, norm float64) {
	checkGram(g, f)
	s := &b.gramSums
	s.Channels = f.Shape.C
	if n := s.Channels * s.Channels; len(s.second) < n {
		s.second = make([]float64, n)
	}
	b.ClearSums(s)
	b.AddSums(s, f, f.Shape.Whole(), gramCell)
	b.Moments(g, nil, s, norm, f.Shape.Pixels())
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

func (b *CPU) Mean(m, f *Array) {
	checkMean(m, f)
	c := f.Shape.C
	b.mean = meanTask{f.data, f.Shape, f.Shape.Whole(), b.partials(f.Shape.H * c)}
	b.workers.run(f.Shape.H, &b.mean)
	for j := range c {
		s := 0.0
		for i := range f.Shape.H {
			s += b.mean.part[i*c+j]
		}
		m.data[j] = float32(s / float64(f.Shape.Pixels()))
	}
}
