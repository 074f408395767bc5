package gpu

// GramTarget is one painting's Gram matrix (C, C, 1) and the weight of its loss.
type GramTarget struct {
	A    *Array
	Coef float64
}

// Gram is the Gram matrix of features f (H, W, C) over all positions, (C, C, 1):
//
//	g = norm * f^T f
//
// norm 1/(H*W) makes it independent of the picture's size; 1/(H*W*C) is
// neural-style's. With norm 1/(H*W) it is also the second moment that W2Loss
// wants. Mean is the mean of f over positions, (1, C, 1).
//
// GramLoss compares g with one or several targets (Gatys et al. 2015):
//
//	slot = sum over t of coef_t * sum (g - A_t)^2
//	d    = 4 * norm * sum over t of coef_t * (g - A_t)     (C, C, 1)
//
// d is the matrix that StyleGrad turns into the gradient of the features. d
// may be g itself, or nil when only the value is wanted.
//
// StyleGrad adds to dx the gradient of a loss on the features' first and second
// moments; shift (1, C, 1) may be nil:
//
//	dx(p) += d f(p) + shift

// StyleTerm is such a gradient, which ConvGrad adds. D is symmetric, and Shift may be
// nil. If F is nil, there is none.
type StyleTerm struct{ F, D, Shift *Array }

// addStyle adds ConvGrad's Style where the convolution does not.
func addStyle(b Backend, dx *Array, o *ConvGradOptions) {
	if o.Style.F == nil {
		return
	}
	if o.Style.F == dx {
		fail("ConvGrad", "features of %v cannot be overwritten", dx.Shape)
	}
	if !o.Add {
		b.Fill(dx, 0)
	}
	b.StyleGrad(dx, o.Style.F, o.Style.D, o.Style.Shift)
	o.Add, o.Style = true, StyleTerm{}
}

func checkGram(g, f *Array) {
	if g.Shape != Matrix(f.Shape.C) {
		fail("Gram", "g is %v for features %v", g.Shape, f.Shape)
	}
}

func checkGramLoss(d, g *Array, targets []GramTarget, slot int) {
	if g.Shape != Matrix(g.Shape.H) {
		fail("GramLoss", "g is %v, not a square matrix", g.Shape)
	}
	if len(targets) == 0 {
		fail("GramLoss", "no target")
	}
	if d != nil {
		sameShape("GramLoss", d, g)
	}
	for _, t := range targets {
		sameShape("GramLoss", t.A, g)
	}
	checkSlot("GramLoss", slot)
}

func checkStyleGrad(dx, f, d, shift *Array) {
	sameShape("StyleGrad", dx, f)
	if d.Shape != Matrix(f.Shape.C) {
		fail("StyleGrad", "d is %v for features %v", d.Shape, f.Shape)
	}
	if shift != nil && shift.Shape != Vector(f.Shape.C) {
		fail("StyleGrad", "the shift does not fit features %v", f.Shape)
	}
}

// checkStatistics checks a painting's mean and second moment.
func checkStatistics(op string, mean, second *Array) {
	if c := mean.Shape.W; mean.Shape != Vector(c) || second.Shape != Matrix(c) {
		fail(op, "mean %v and second moment %v", mean.Shape, second.Shape)
	}
}

// checkStatisticsLoss checks the arguments of a loss on mean and second moment. Those
// of its target have the shapes of the last two arrays.
func checkStatisticsLoss(op string, d, shift, mean, second, targetMean, targetSecond *Array, pixels, slot int) {
	sameShape(op, mean, targetMean)
	sameShape(op, second, targetSecond)
	if (d == nil) != (shift == nil) {
		fail(op, "d and shift go together")
	}
	if d != nil {
		sameShape(op, d, targetSecond)
		sameShape(op, shift, targetMean)
	}
	if pixels <= 0 {
		fail(op, "%d pixels", pixels)
	}
	checkSlot(op, slot)
}

func checkMean(m, f *Array) {
	if m.Shape != Vector(f.Shape.C) {
		fail("Mean", "m is %v for features %v", m.Shape, f.Shape)
	}
}
