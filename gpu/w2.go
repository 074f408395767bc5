package gpu

// W2Target is a painting's feature statistics prepared for W2Loss: mean (1, C, 1),
// covariance and its square root (C, C, 1), and the work space of the loss. Targets
// share nothing but the backend.
type W2Target struct {
	mean, cov, root *Array
	eps             float64
	work            [5]*Array // matrices (C, C, 1)
}

// Arrays lists the target's arrays, for Free.
func (t *W2Target) Arrays() []*Array { return append(t.work[:], t.mean, t.cov, t.root) }

// newtonSchulzSteps is fixed, so that the loss can be recorded. Each step grows
// the smallest resolved eigenvalues 2.25-fold, so fifteen settle those within
// 1e-5 of the largest; style-transfer-pytorch takes twelve.
const newtonSchulzSteps = 15

// NewW2Target prepares the target from a painting's Mean and its second moment
// (Gram with norm 1/(H*W)); the means of several paintings' make a blend. eps
// (style-transfer-pytorch: 1e-4) is added to the variances.
//
// W2Loss is the squared 2-Wasserstein distance of two normal distributions with
// the features' mean and covariance, divided by C, as in style-transfer-pytorch:
//
//	C1   = second - mean mean^T + eps I,   S = C2^(1/2),   M = S C1 S
//	slot = coef/C * ( |mean - mean2|^2 + tr C1 + tr C2 - 2 tr M^(1/2) )
//
// for canvas features of so many pixels. d (C, C, 1) and shift (1, C, 1) are
// what StyleGrad turns into the gradient of the features; both nil: value only.
// Since S is constant, the derivative with respect to C1 is closed,
//
//	I - S M^(-1/2) S,
//
// and the coupled Newton-Schulz iteration Y <- Y T, Z <- T Z with
// T = (3 I - Z Y)/2 from Y = M/|M|, Z = I yields both roots (Higham, Functions
// of Matrices, 6.7). So no gradient goes through the iteration.

func checkW2(d, shift, mean, second *Array, t *W2Target, pixels, slot int) {
	checkStatisticsLoss("W2Loss", d, shift, mean, second, t.mean, t.cov, pixels, slot)
}

// newW2Target returns a target whose arrays are not filled yet.
func newW2Target(b Backend, mean, second *Array, eps float64) *W2Target {
	checkStatistics("NewW2Target", mean, second)
	c := mean.Shape.W
	t := &W2Target{mean: b.NewArray(Vector(c)), cov: b.NewArray(Matrix(c)), root: b.NewArray(Matrix(c)), eps: eps}
	for i := range t.work {
		t.work[i] = b.NewArray(Matrix(c))
	}
	b.Copy(t.mean, mean)
	return t
}
