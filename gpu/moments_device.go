package gpu

import "github.com/impasto/impasto/cuda"

// NewMomentsTarget prepares a painting's mean (1, C, 1) and second moment
// (C, C, 1) for MomentsLoss, on the host.
func (b *Device) NewMomentsTarget(mean, second *Array) *MomentsTarget {
	b.outside("NewMomentsTarget")
	return newMomentsTarget(b, mean, second)
}

// MomentsLoss compares the mean (1, C, 1) and the second moment (C, C, 1) of
// features over so many pixels with the target; see moments.go for the formula.
// d (C, C, 1) and shift (1, C, 1) are for StyleGrad; both nil: the value alone.
func (b *Device) MomentsLoss(d, shift, mean, second *Array, t *MomentsTarget, w MomentsWeights, pixels, slot int) {
	checkMomentsLoss(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	part := b.scratch(8 * int64(c))
	b.launchMomentsLoss(cuda.Dim3{X: c}, at(d), at(shift), part, mean.at, second.at, t.mean.at, t.second.at, t.deviation.at,
		c, pixels, float32(t.floor), float32(w.Gram), float32(w.Mean), float32(w.Deviation))
	b.sumInto(b.slot(slot), part, c)
}
