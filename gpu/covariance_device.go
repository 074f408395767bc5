package gpu

import "github.com/impasto/impasto/cuda"

// NewCovarianceTarget prepares a painting's mean (1, C, 1) and second moment
// (C, C, 1) for CovarianceLoss, on the host.
func (b *Device) NewCovarianceTarget(mean, second *Array) *CovarianceTarget {
	b.outside("NewCovarianceTarget")
	return newCovarianceTarget(b, mean, second)
}

// CovarianceLoss compares the mean (1, C, 1) and the second moment (C, C, 1) of
// features over so many pixels with the target; see covariance.go for the
// formula. d (C, C, 1) and shift (1, C, 1) are for StyleGrad; both nil: the
// value alone.
func (b *Device) CovarianceLoss(d, shift, mean, second *Array, t *CovarianceTarget, pixels int, coef float64, slot int) {
	checkCovariance(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	part := b.scratch(8 * int64(c))
	b.launchCovarianceLoss(cuda.Dim3{X: c}, at(d), at(shift), part, mean.at, second.at, t.mean.at, t.cov.at, t.weight.at,
		c, pixels, float32(coef*t.meanShare), float32(coef*t.covShare))
	b.sumInto(b.slot(slot), part, c)
}
