package gpu

import "math"

// NewMomentsTarget prepares a painting's mean (1, C, 1) and second moment
// (C, C, 1) for MomentsLoss.
func (b *CPU) NewMomentsTarget(mean, second *Array) *MomentsTarget {
	return newMomentsTarget(b, mean, second)
}

// MomentsLoss compares the mean (1, C, 1) and the second moment (C, C, 1) of
// features over so many pixels with the target; see moments.go for the formula.
// d (C, C, 1) and shift (1, C, 1) are for StyleGrad; both nil: the value alone.
func (b *CPU) MomentsLoss(d, shift, mean, second *Array, t *MomentsTarget, w MomentsWeights, pixels, slot int) {
	checkMomentsLoss(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	b.moments = momentsTask{d, shift, mean.data, second.data, t, w, 1 / float64(pixels), b.partials(c)}
	b.workers.run(c, &b.moments)
	b.status.Loss[slot] = sum(b.moments.part)
}

// momentsTask computes the loss and its gradient, a row of the matrix at a time.
type momentsTask struct {
	d, shift     *Array
	mean, second []float32
	t            *MomentsTarget
	w            MomentsWeights
	scale        float64   // 1 / pixels
	part         []float64 // the loss of each row
}

func (k *momentsTask) chunk(_, i int) {
	c := len(k.mean)
	second, target := k.second[i*c:][:c], k.t.second.data[i*c:][:c]
	mu := float64(k.mean[i])
	sigma := math.Sqrt(max(float64(second[i])-mu*mu, 0) + k.t.floor)
	e, r := mu-float64(k.t.mean.data[i]), sigma-float64(k.t.deviation.data[i])
	pairs := 0.0
	for j, g := range second {
		e := float64(g) - float64(target[j])
		pairs += e * e
		if k.d != nil {
			d := 4 * k.w.Gram * e
			if i == j {
				d += 2 * k.w.Deviation * r / sigma
			}
			k.d.data[i*c+j] = float32(k.scale * d)
		}
	}
	k.part[i] = k.w.Gram*pairs + k.w.Mean*e*e + k.w.Deviation*r*r
	if k.d != nil {
		k.shift.data[i] = float32(k.scale * 2 * (k.w.Mean*e - k.w.Deviation*mu*r/sigma))
	}
}
