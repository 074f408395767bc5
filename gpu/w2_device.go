package gpu

import "github.com/impasto/impasto/cuda"

func (b *Device) NewW2Target(mean, second *Array, eps float64) *W2Target {
	b.outside("NewW2Target")
	t := newW2Target(b, mean, second, eps)
	c := mean.Shape.W
	b.covariance(t.cov, mean, second, eps)
	norm := b.scratch(8)
	w := b.newtonSchulz(t, t.cov, norm)
	b.Copy(t.root, w[0])
	b.launchScaleRoot(blocksFor(c*c, 256), t.root.at, norm, c*c)
	return t
}

func (b *Device) covariance(cov, mean, second *Array, eps float64) {
	c := mean.Shape.W
	b.launchCovariance(blocksFor(c*c, 256), cov.at, mean.at, second.at, c, float32(eps))
}

// product computes dst = scale * x y + diagonal * I; dst is neither x nor y.
func (b *Device) product(dst, x, y *Array, scale, diagonal float32) {
	c := x.Shape.H
	tiles := chunks(c, 32)
	b.launchMatmul(cuda.Dim3{X: tiles, Y: tiles}, dst.at, x.at, y.at, c, scale, diagonal)
}

// newtonSchulz writes |m|_F to norm. It returns the target's work space, which begins
// with (m/|m|)^(1/2) and (m/|m|)^(-1/2). m may be the fourth matrix of it.
func (b *Device) newtonSchulz(t *W2Target, m *Array, norm cuda.Ptr) [5]*Array {
	w := t.work
	b.launchNewtonSchulzStart(cuda.Dim3{X: 1}, norm, w[0].at, w[1].at, m.at, t.mean.Shape.W)
	for range newtonSchulzSteps {
		y, z, step, y2, z2 := w[0], w[1], w[2], w[3], w[4]
		b.product(step, z, y, -0.5, 1.5)
		b.product(y2, y, step, 1, 0)
		b.product(z2, step, z, 1, 0)
		w = [5]*Array{y2, z2, step, y, z}
	}
	return w
}

// W2Loss keeps the canvas's covariance, whose trace the loss needs, in scratch.
func (b *Device) W2Loss(d, shift, mean, second *Array, t *W2Target, pixels int, coef float64, slot int) {
	checkW2(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	norm := b.scratch(deviceAlign + b.Bytes(Matrix(c)))
	cov := &Array{Shape: Matrix(c), at: norm + deviceAlign, view: true}
	b.covariance(cov, mean, second, t.eps)
	b.product(t.work[4], t.root, cov, 1, 0)
	b.product(t.work[3], t.work[4], t.root, 1, 0)
	w := b.newtonSchulz(t, t.work[3], norm)
	b.launchW2Loss(cuda.Dim3{X: 1}, b.slot(slot), mean.at, t.mean.at, cov.at, t.cov.at, w[0].at, norm, c, float32(coef))
	if d == nil {
		return
	}
	b.product(w[2], t.root, w[1], 1, 0)
	b.product(w[3], w[2], t.root, 1, 0)
	b.launchW2Grad(cuda.Dim3{X: c}, d.at, shift.at, w[3].at, norm, mean.at, t.mean.at, c, pixels, float32(coef))
}
