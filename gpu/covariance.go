package gpu

// CovarianceTarget is a painting's feature statistics prepared for
// CovarianceLoss: mean (1, C, 1), covariance (C, C, 1), and the weights of
// channels (1, C, 1).
type CovarianceTarget struct {
	mean, cov, weight   *Array
	meanShare, covShare float64 // weights of the two parts, over their divisors
}

// Arrays lists the target's arrays, for Free.
func (t *CovarianceTarget) Arrays() []*Array { return []*Array{t.mean, t.cov, t.weight} }

// The shares of the two parts of CovarianceLoss. With them, and with
// covarianceQuiet, strokes keep their length and flat areas stay flat; see
// docs/looks.md.
const (
	covarianceMeanShare = 0.3
	covariancePairShare = 0.7

	// covarianceQuiet is the share of the mean variance that is added to each channel's
	// own variance before its weight is taken. So a channel that hardly varies counts
	// at most 21 times as much as one of mean variance.
	covarianceQuiet = 0.05

	// covarianceFlat is the least variance, over the mean square, that is used for a
	// painting. A painting of one colour has none, and an error relative to it would
	// have no bound.
	covarianceFlat = 0.01
)

// NewCovarianceTarget prepares the target from a painting's Mean m and its second
// moment (Gram with norm 1/(H*W)). For a blend, these are the means of several
// paintings' values.
//
// CovarianceLoss compares the means and the covariances of features directly, without
// the matrix root of W2Loss. Channels are weighted so that those with large values do
// not dominate. With S the painting's covariance, a the mean of its diagonal, and mu
// and Sigma the canvas's mean and covariance,
//
//	w_i  = 1.05 a / (S_ii + 0.05 a)
//	slot = coef * ( 0.3 * sum_i w_i (mu_i - m_i)^2 / sum_i w_i (m_i^2 + S_ii)
//	              + 0.7 * sum_ij w_i w_j (Sigma_ij - S_ij)^2 / sum_ij w_i w_j S_ij^2 )
//
// for canvas features of so many pixels. It has no units: features twice as large give
// the same loss. d (C, C, 1) and shift (1, C, 1) are the arguments from which StyleGrad
// computes the gradient of the features. If both are nil, only the value is computed.
// With G_ij = dslot/dSigma_ij,
//
//	d = 2 G / pixels      shift = (dslot/dmu - 2 G mu) / pixels

// covarianceStatistics computes the values of a target on the host.
func covarianceStatistics(mean, second []float32) (cov, weight []float32, meanShare, covShare float64) {
	c := len(mean)
	cov, weight = make([]float32, c*c), make([]float32, c)
	covariance(cov, mean, second, 0)
	variance, power := 0.0, 0.0
	for i := range c {
		variance += max(0, float64(cov[i*c+i])) / float64(c)
		power += float64(second[i*c+i]) / float64(c)
	}
	least := covarianceFlat * max(power, 1e-10) // a black picture has features of zeros
	variance = max(variance, least)
	for i := range c {
		own := max(0, float64(cov[i*c+i]))
		weight[i] = float32((1 + covarianceQuiet) * variance / (own + covarianceQuiet*variance))
	}
	meanNorm, covNorm := 0.0, 0.0
	for i := range c {
		wi := float64(weight[i])
		meanNorm += wi * float64(second[i*c+i])
		for j := range c {
			s := float64(cov[i*c+j])
			covNorm += wi * float64(weight[j]) * s * s
		}
	}
	return cov, weight, covarianceMeanShare / max(meanNorm, 1e-30), covariancePairShare / max(covNorm, float64(c)*least*least)
}

// newCovarianceTarget computes the target on the host.
func newCovarianceTarget(b Backend, mean, second *Array) *CovarianceTarget {
	checkStatistics("NewCovarianceTarget", mean, second)
	m, s := Values(b, mean), Values(b, second)
	cov, weight, meanShare, covShare := covarianceStatistics(m, s)
	return &CovarianceTarget{mean: ArrayOf(b, mean.Shape, m), cov: ArrayOf(b, second.Shape, cov),
		weight: ArrayOf(b, mean.Shape, weight), meanShare: meanShare, covShare: covShare}
}

func checkCovariance(d, shift, mean, second *Array, t *CovarianceTarget, pixels, slot int) {
	checkStatisticsLoss("CovarianceLoss", d, shift, mean, second, t.mean, t.cov, pixels, slot)
}
