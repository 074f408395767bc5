package gpu

import "github.com/impasto/impasto/cuda"

// NewW2Target computes the factor of W2Fast on the host.
func (b *Device) NewW2Target(mean, second *Array, eps float64, form W2Form) *W2Target {
	b.outside("NewW2Target")
	t := newW2Target(b, mean, second, eps, form)
	if form == W2Fast {
		t.factorize(b, mean, second)
		return t
	}
	c := mean.Shape.W
	cov := t.work[3]
	b.covariance(cov, mean, second, eps)
	t.setVariance(b, Values(b, cov))
	norm := b.scratch(8)
	w := b.newtonSchulz(t, cov, norm)
	t.right = b.NewArray(second.Shape)
	t.left = t.right
	b.Copy(t.right, w[0])
	b.launchScaleRoot(blocksFor(c*c, 256), t.right.at, norm, c*c)
	return t
}

func (b *Device) covariance(cov, mean, second *Array, eps float64) {
	c := mean.Shape.W
	b.launchCovariance(blocksFor(c*c, 256), cov.at, mean.at, second.at, c, float32(eps))
}

// product computes dst (m, n) = scale * x (m, k) y (k, n) + diagonal * I; dst is neither x
// nor y. half: of a symmetric matrix, one half is computed and copied. The arrays may be
// larger than the matrices.
func (b *Device) product(dst, x, y *Array, m, k, n int, scale, diagonal float32, half bool) {
	symmetric := 0
	if half {
		symmetric = 1
	}
	b.launchMatmul(cuda.Dim3{X: chunks(n, 32), Y: chunks(m, 32)}, dst.at, x.at, y.at, m, k, n, scale, diagonal, symmetric)
}

// newtonSchulz writes |m|_F to norm. It returns the target's work space, which begins
// with (m/|m|)^(1/2) and (m/|m|)^(-1/2). m may be the fourth matrix of it.
func (b *Device) newtonSchulz(t *W2Target, m *Array, norm cuda.Ptr) [5]*Array {
	w, n, half := t.work, t.rank, t.form == W2Fast
	b.launchNewtonSchulzStart(cuda.Dim3{X: 1}, norm, w[0].at, w[1].at, m.at, n)
	for _, r := range t.form.scales() {
		y, z, step, y2, z2 := w[0], w[1], w[2], w[3], w[4]
		b.product(step, z, y, n, n, n, float32(-0.5*r*r*r), float32(1.5*r), half)
		b.product(y2, y, step, n, n, n, 1, 0, half)
		b.product(z2, step, z, n, n, n, 1, 0, half)
		w = [5]*Array{y2, z2, step, y, z}
	}
	return w
}

// W2Loss keeps the canvas's covariance, whose trace the loss needs, in scratch.
func (b *Device) W2Loss(d, shift, mean, second *Array, t *W2Target, pixels int, coef float64, slot int) {
	checkW2(d, shift, mean, second, t, pixels, slot)
	c, r, half := mean.Shape.W, t.rank, t.form == W2Fast
	norm := b.scratch(deviceAlign + b.Bytes(Matrix(c)))
	cov := &Array{Shape: Matrix(c), at: norm + deviceAlign, view: true}
	b.covariance(cov, mean, second, t.eps)
	b.product(t.work[4], t.left, cov, r, c, c, 1, 0, false)
	b.product(t.work[3], t.work[4], t.right, r, c, r, 1, 0, half)
	w := b.newtonSchulz(t, t.work[3], norm)
	b.launchW2Loss(cuda.Dim3{X: 1}, b.slot(slot), mean.at, t.mean.at, cov.at, t.variance.at, w[0].at, norm, c, r, float32(coef))
	if d == nil {
		return
	}
	b.product(w[2], t.right, w[1], c, r, r, 1, 0, false)
	b.product(w[3], w[2], t.left, c, r, c, 1, 0, half)
	b.launchW2Grad(cuda.Dim3{X: c}, d.at, shift.at, w[3].at, norm, mean.at, t.mean.at, c, pixels, float32(coef))
}
