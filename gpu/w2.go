package gpu

import (
	"math"
	"slices"
)

// W2Target is a painting's feature statistics prepared for W2Loss: mean (1, C, 1),
// variances (1, C, 1), a factor of the covariance, and the work space of the loss.
// Targets share nothing but the backend.
type W2Target struct {
	mean, variance *Array
	right, left    *Array // factor S (C, R, 1) with S S^T = C2, and its transpose
	rank           int    // R
	eps            float64
	form           W2Form
	work           [5]*Array // matrices (C, C, 1) or smaller ones in their place
}

// W2Form is how W2Loss computes matrix roots.
type W2Form int

const (
	// W2Full takes the symmetric root of the painting's covariance as the factor and
	// fifteen plain steps for every root.
	W2Full W2Form = iota

	// W2Fast takes a Cholesky factor of low rank, nine scaled steps, and computes half of
	// each symmetric matrix.
	W2Fast
)

// Arrays lists the target's arrays, for Free.
func (t *W2Target) Arrays() []*Array {
	list := append(t.work[:], t.mean, t.variance, t.right)
	if t.left != t.right {
		list = append(list, t.left)
	}
	return list
}

// NewW2Target prepares the target from a painting's Mean and its second moment
// (Gram with norm 1/(H*W)); the means of several paintings' make a blend. eps
// (style-transfer-pytorch: 1e-4) is added to the variances.
//
// W2Loss is the squared 2-Wasserstein distance of two normal distributions with
// the features' mean and covariance, divided by C, as in style-transfer-pytorch:
//
//	C1   = second - mean mean^T + eps I,   C2 = S S^T,   M = S^T C1 S
//	slot = coef/C * ( |mean - mean2|^2 + tr C1 + tr C2 - 2 tr M^(1/2) )
//
// for canvas features of so many pixels. d (C, C, 1) and shift (1, C, 1) are
// what StyleGrad turns into the gradient of the features; both nil: value only.
// Any factor S gives the same trace, because the eigenvalues of M other than 0 are
// those of C1 C2. Since S is constant, the derivative with respect to C1 is closed,
//
//	I - S M^(-1/2) S^T,
//
// and the coupled Newton-Schulz iteration Y <- Y T, Z <- T Z with
// T = (3 r I - r^3 Z Y)/2 from Y = M/|M|, Z = I yields both roots (Higham, Functions
// of Matrices, 6.7; r = 1 in a plain step). So no gradient goes through the iteration.
//
// W2Fast has S of rank R, which is at most C, and R x R matrices in the iteration. A
// painting has fewer positions than channels in deep layers of small pictures, so R is
// small there; in others R is small because channels depend on each other.

// w2Spare is the share of a painting's variance that the factor of W2Fast may leave out.
const w2Spare = 1e-3

// newtonSchulzSteps is fixed, so that the loss can be recorded. Each plain step grows
// the smallest resolved eigenvalues 2.25-fold, so fifteen settle those within
// 1e-5 of the largest; style-transfer-pytorch takes twelve.
const newtonSchulzSteps = 15

// scaledSteps are the scales r of the steps of W2Fast. If all square roots of
// eigenvalues are in l..1, then r = sqrt(3 / (1 + l + l^2)) maps them by
// (3 r x - (r x)^3)/2 to l'..1 with the largest l' that a cubic can give, because both
// ends become l' (Chen and Chow 2014). Nine steps settle those down to 1/437 = 1.5^-15,
// which fifteen plain steps settle too.
var scaledSteps = func() (scales [9]float64) {
	l := math.Pow(1.5, -newtonSchulzSteps)
	for i := range scales {
		r := math.Sqrt(3 / (1 + l + l*l))
		scales[i] = r
		l = 1.5*r*l - 0.5*math.Pow(r*l, 3)
	}
	return scales
}()

// scales returns the scale of each step.
func (f W2Form) scales() []float64 {
	if f == W2Fast {
		return scaledSteps[:]
	}
	return plainSteps
}

var plainSteps = slices.Repeat([]float64{1}, newtonSchulzSteps)

func checkW2(d, shift, mean, second *Array, t *W2Target, pixels, slot int) {
	checkStatisticsLoss("W2Loss", d, shift, mean, second, t.mean, t.work[0], pixels, slot)
}

// newW2Target returns a target without its factor and the variances.
func newW2Target(b Backend, mean, second *Array, eps float64, form W2Form) *W2Target {
	checkStatistics("NewW2Target", mean, second)
	c := mean.Shape.W
	t := &W2Target{mean: b.NewArray(Vector(c)), eps: eps, form: form, rank: c}
	for i := range t.work {
		t.work[i] = b.NewArray(Matrix(c))
	}
	b.Copy(t.mean, mean)
	return t
}

// setVariance stores the diagonal of a covariance (C, C).
func (t *W2Target) setVariance(b Backend, cov []float32) {
	c := t.mean.Shape.W
	diagonal := make([]float32, c)
	for i := range diagonal {
		diagonal[i] = cov[i*c+i]
	}
	t.variance = ArrayOf(b, Vector(c), diagonal)
}

// factorize sets the factor of W2Fast and the variances, on the host.
func (t *W2Target) factorize(b Backend, mean, second *Array) {
	c := mean.Shape.W
	cov := make([]float32, c*c)
	covariance(cov, Values(b, mean), Values(b, second), t.eps)
	rows, r := lowRankFactor(cov, c, t.eps)
	right, left, diagonal := make([]float32, c*r), make([]float32, r*c), make([]float32, c)
	for i := range c {
		sum := 0.0
		for k, v := range rows[i*c:][:r] {
			right[i*r+k], left[k*c+i] = float32(v), float32(v)
			sum += v * v
		}
		diagonal[i] = float32(sum)
	}
	t.rank = r
	t.right, t.left = ArrayOf(b, Shape{H: c, W: r, C: 1}, right), ArrayOf(b, Shape{H: r, W: c, C: 1}, left)
	t.variance = ArrayOf(b, Vector(c), diagonal)
}

// lowRankFactor returns a factor L of a covariance (C, C) whose diagonal contains eps,
// with rows of C values of which the first r count. It is the Cholesky factor that takes
// the channel with the largest rest next. cov - L L^T has no negative eigenvalues, and
// its trace is at most w2Spare times that of cov, both without eps.
func lowRankFactor(cov []float32, c int, eps float64) (rows []float64, r int) {
	rows, rest := make([]float64, c*c), make([]float64, c)
	taken := make([]bool, c)
	trace, left := 0.0, 0.0
	for i := range rest {
		rest[i] = float64(cov[i*c+i])
		trace += max(0, rest[i]-eps)
	}
	left = trace
	for r < c && (r == 0 || left > w2Spare*trace) {
		next := -1
		for i, v := range rest {
			if !taken[i] && (next < 0 || v > rest[next]) {
				next = i
			}
		}
		if rest[next] <= 0 {
			break
		}
		taken[next] = true
		pivot, root := rows[next*c:][:r+1], math.Sqrt(rest[next])
		left = 0
		for i := range c {
			if taken[i] && i != next {
				continue
			}
			row := rows[i*c:][:r+1]
			sum := float64(cov[i*c+next])
			for k, v := range row[:r] {
				sum -= v * pivot[k]
			}
			row[r] = sum / root
			rest[i] -= row[r] * row[r]
			if i != next {
				left += max(0, rest[i]-eps)
			}
		}
		r++
	}
	return rows, max(r, 1)
}
