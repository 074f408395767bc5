package gpu

// NewCovarianceTarget prepares a painting's mean (1, C, 1) and second moment
// (C, C, 1) for CovarianceLoss.
func (b *CPU) NewCovarianceTarget(mean, second *Array) *CovarianceTarget {
	return newCovarianceTarget(b, mean, second)
}

// CovarianceLoss compares the mean (1, C, 1) and the second moment (C, C, 1) of
// features over so many pixels with the target; see covariance.go for the
// formula. d (C, C, 1) and shift (1, C, 1) are for StyleGrad; both nil: the
// value alone.
func (b *CPU) CovarianceLoss(d, shift, mean, second *Array, t *CovarianceTarget, pixels int, coef float64, slot int) {
	checkCovariance(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	b.covariance = covarianceTask{d, shift, mean.data, second.data, t, 2 / float64(pixels), coef, b.partials(c)}
	b.workers.run(c, &b.covariance)
	loss := 0.0
	for _, v := range b.covariance.part {
		loss += v
	}
	b.status.Loss[slot] = loss
}

// covarianceTask computes the loss and its gradient, a row of the matrix at a time.
type covarianceTask struct {
	d, shift     *Array
	mean, second []float32
	t            *CovarianceTarget
	scale        float64 // 2 / pixels
	coef         float64
	part         []float64 // the loss of each row
}

func (k *covarianceTask) chunk(_, i int) {
	c := len(k.mean)
	mi, wi := float64(k.mean[i]), float64(k.t.weight.data[i])
	second, cov, weight := k.second[i*c:][:c], k.t.cov.data[i*c:][:c], k.t.weight.data[:c]
	var d []float32
	if k.d != nil {
		d = k.d.data[i*c:][:c]
	}
	pairs, slope := 0.0, 0.0
	for j, s := range second {
		mj := float64(k.mean[j])
		e := float64(s) - mi*mj - float64(cov[j])
		g := wi * float64(weight[j]) * e
		pairs += g * e
		if d != nil {
			g *= 2 * k.coef * k.t.covShare
			slope -= g * mj
			d[j] = float32(k.scale * g)
		}
	}
	e := mi - float64(k.t.mean.data[i])
	k.part[i] = k.coef * (k.t.meanShare*wi*e*e + k.t.covShare*pairs)
	if d != nil {
		k.shift.data[i] = float32(k.scale * (k.coef*k.t.meanShare*wi*e + slope))
	}
}
