package gpu

// gramCell is the side of the cells in which Gram sums.
const gramCell = 64

// Gram writes the Gram matrix of features f (H, W, C), g = norm * f^T f, to g
// (C, C, 1). norm 1/(H W) makes it independent of the size of the picture (Gatys
// et al. 2015).
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

// GramLoss compares a Gram matrix g (C, C, 1) with targets A of that shape:
// slot = sum over t of coef_t * sum (g - A_t)^2, and d = 4 norm * sum over t of
// coef_t (g - A_t), which StyleGrad turns into the gradient of the features
// (Gatys et al. 2015). d may be g, or nil for the value alone.
func (b *CPU) GramLoss(d, g *Array, targets []GramTarget, norm float64, slot int) {
	checkGramLoss(d, g, targets, slot)
	loss := 0.0
	if len(targets) == 1 && d != nil { // the usual case, without the inner loop
		coef, a, out := targets[0].Coef, targets[0].A.data[:len(g.data)], d.data[:len(g.data)]
		for i, v := range g.data {
			e := float64(v) - float64(a[i])
			s := coef * e
			loss += s * e
			out[i] = float32(4 * norm * s)
		}
		b.status.Loss[slot] = loss
		return
	}
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

// StyleGrad adds to dx (H, W, C) the gradient of a loss on the first and second
// moments of features f (H, W, C): dx(p) += d f(p) + shift, with d (C, C, 1)
// symmetric and shift (1, C, 1) or nil.
func (b *CPU) StyleGrad(dx, f, d, shift *Array) {
	checkStyleGrad(dx, f, d, shift)
	var row []float32
	if shift != nil {
		row = shift.data
	}
	c := f.Shape.C
	if dx.half != nil && f.half != nil {
		b.halfStyle.run(b, dx.half, f.half, d.data, row, c)
		return
	}
	b.multiply(dx.data, f.data, d.data, row, c, c, true) // d is symmetric
}

// Mean writes the mean of features f (H, W, C) over positions to m (1, C, 1).
func (b *CPU) Mean(m, f *Array) {
	checkMean(m, f)
	c := f.Shape.C
	b.mean = meanTask{b, f, f.Shape.Whole(), b.partials(f.Shape.H * c)}
	b.workers.run(f.Shape.H, &b.mean)
	for j := range c {
		s := 0.0
		for i := range f.Shape.H {
			s += b.mean.part[i*c+j]
		}
		m.data[j] = float32(s / float64(f.Shape.Pixels()))
	}
}
