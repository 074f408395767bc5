package gpu

import "math"

// MomentsTarget is a painting's feature statistics prepared for MomentsLoss:
// mean (1, C, 1), second moment (C, C, 1) and standard deviation (1, C, 1).
type MomentsTarget struct {
	mean, second, deviation *Array
	floor                   float64 // added to variances

	// Squares are the sums of squares of the painting's second moment, mean and
	// standard deviation, never zero. Weights divided by them are relative.
	Squares MomentsWeights
}

// Arrays lists the target's arrays, for Free.
func (t *MomentsTarget) Arrays() []*Array { return []*Array{t.mean, t.second, t.deviation} }

// MomentsWeights holds one number for each part of MomentsLoss.
type MomentsWeights struct{ Gram, Mean, Deviation float64 }

// momentsFlat is the share of a painting's mean square that is added to each variance
// before its root is taken. Without it a channel that does not vary would have a
// standard deviation of zero, where the root has no derivative.
const momentsFlat = 1e-6

// NewMomentsTarget prepares the target from a painting's Mean m and its second
// moment A (Gram with norm 1/(H*W)); the means of several paintings' make a
// blend.
//
// MomentsLoss compares the second moments, means and standard deviations of
// features (Galerne et al. 2022, "Scaling Painting Style Transfer"). With s the
// painting's standard deviation, G, mu and sigma the canvas's statistics, and w
// the weights,
//
//	sigma_i = sqrt(max(G_ii - mu_i^2, 0) + 1e-6 a)      a the mean of A_ii
//	slot    = w.Gram sum_ij (G_ij - A_ij)^2 + w.Mean sum_i (mu_i - m_i)^2
//	        + w.Deviation sum_i (sigma_i - s_i)^2
//
// for canvas features of so many pixels. d (C, C, 1) and shift (1, C, 1) are
// what StyleGrad turns into the gradient of the features; both nil: value only.
// With r_i = (sigma_i - s_i) / sigma_i,
//
//	d_ij    = (4 w.Gram (G_ij - A_ij) + [i = j] 2 w.Deviation r_i) / pixels
//	shift_i = 2 (w.Mean (mu_i - m_i) - w.Deviation mu_i r_i) / pixels

// momentsStatistics computes the values of a target on the host.
func momentsStatistics(mean, second []float32) (deviation []float32, floor float64, squares MomentsWeights) {
	c := len(mean)
	power := 0.0
	for i := range c {
		power += float64(second[i*c+i]) / float64(c)
	}
	power = max(power, 1e-10) // a black picture has features of zeros
	floor = momentsFlat * power
	deviation = make([]float32, c)
	for i, m := range mean {
		variance := float64(second[i*c+i]) - float64(m)*float64(m)
		deviation[i] = float32(math.Sqrt(max(variance, 0) + floor))
		squares.Mean += float64(m) * float64(m)
		squares.Deviation += float64(deviation[i]) * float64(deviation[i])
	}
	for _, v := range second {
		squares.Gram += float64(v) * float64(v)
	}
	// A painting of one colour hardly varies, so errors relative to its deviation would
	// have no bound.
	least := 0.01 * power * float64(c)
	squares.Gram = max(squares.Gram, least*least)
	squares.Mean = max(squares.Mean, least)
	squares.Deviation = max(squares.Deviation, least)
	return deviation, floor, squares
}

// newMomentsTarget computes the target on the host.
func newMomentsTarget(b Backend, mean, second *Array) *MomentsTarget {
	checkStatistics("NewMomentsTarget", mean, second)
	m, s := Values(b, mean), Values(b, second)
	deviation, floor, squares := momentsStatistics(m, s)
	return &MomentsTarget{mean: ArrayOf(b, mean.Shape, m), second: ArrayOf(b, second.Shape, s),
		deviation: ArrayOf(b, mean.Shape, deviation), floor: floor, Squares: squares}
}

func checkMomentsLoss(d, shift, mean, second *Array, t *MomentsTarget, pixels, slot int) {
	checkStatisticsLoss("MomentsLoss", d, shift, mean, second, t.mean, t.second, pixels, slot)
}
