package gpu

import "math"

// NewW2Target prepares a painting's mean (1, C, 1) and second moment (C, C, 1) for
// W2Loss: the variances, with eps added, and a factor of the covariance.
func (b *CPU) NewW2Target(mean, second *Array, eps float64, form W2Form) *W2Target {
	t := newW2Target(b, mean, second, eps, form)
	if form == W2Fast {
		t.factorize(b, mean, second)
		return t
	}
	cov := t.work[0].data
	covariance(cov, mean.data, second.data, eps)
	t.setVariance(b, cov)
	norm, _ := b.newtonSchulz(t)
	t.right = b.NewArray(second.Shape)
	t.left = t.right
	for i, v := range t.work[0].data {
		t.right.data[i] = v * float32(math.Sqrt(norm))
	}
	return t
}

// covariance computes second - mean mean^T + eps I.
func covariance(cov, mean, second []float32, eps float64) {
	c := len(mean)
	for i := range c {
		for j := range c {
			cov[i*c+j] = float32(float64(second[i*c+j]) - float64(mean[i])*float64(mean[j]))
		}
		cov[i*c+i] += float32(eps)
	}
}

// newtonSchulz replaces M in work[0] by (M/norm)^(1/2), writes (M/norm)^(-1/2)
// to work[1] and returns norm = |M|_F. W2Fast computes the trace of the first root, and
// not that root.
func (b *CPU) newtonSchulz(t *W2Target) (norm, trace float64) {
	n := t.rank
	size := n * n
	m := t.work[0].data[:size]
	norm = math.Sqrt(b.dotData(m, m))
	if norm == 0 {
		norm = 1
	}
	for i := range m {
		m[i] /= float32(norm)
	}
	clear(t.work[1].data[:size])
	for i := range n {
		t.work[1].data[i*n+i] = 1
	}
	scales := t.form.scales()
	for i, r := range scales {
		y, z, step := t.work[0].data[:size], t.work[1].data[:size], t.work[2].data[:size]
		y2, z2 := t.work[3].data[:size], t.work[4].data[:size]
		scale, diagonal := float32(-0.5*r*r*r), float32(1.5*r)
		fast := t.form == W2Fast
		if fast && i == 0 { // z is I
			scaled(step, y, n, scale, diagonal)
			copy(z2, step)
			b.square(t.form, y2, y, step, n, 1, 0)
		} else {
			b.square(t.form, step, z, y, n, scale, diagonal)
			b.square(t.form, z2, step, z, n, 1, 0)
			if fast && i == len(scales)-1 {
				trace = b.dotData(y, step) // of the product
			} else {
				b.square(t.form, y2, y, step, n, 1, 0)
			}
		}
		t.work = [5]*Array{t.work[3], t.work[4], t.work[2], t.work[0], t.work[1]}
	}
	return norm, trace
}

// W2Loss is the squared Wasserstein-2 distance of two normal distributions over C:
// of features with that mean and second moment, over so many pixels, and of the
// target; see w2.go for the formula. d (C, C, 1) and shift (1, C, 1) are for
// StyleGrad; both nil: the value alone.
func (b *CPU) W2Loss(d, shift, mean, second *Array, t *W2Target, pixels int, coef float64, slot int) {
	checkW2(d, shift, mean, second, t, pixels, slot)
	c, r := mean.Shape.W, t.rank
	cov := t.work[4].data
	covariance(cov, mean.data, second.data, t.eps)
	distance, trace := 0.0, 0.0
	for i := range c {
		e := float64(mean.data[i]) - float64(t.mean.data[i])
		distance += e * e
		trace += float64(cov[i*c+i]) + float64(t.variance.data[i])
	}
	b.multiply(t.work[3].data[:r*c], t.left.data, cov, nil, c, c, false)
	b.square(t.form, t.work[0].data[:r*r], t.work[3].data[:r*c], t.right.data, r, 1, 0)
	norm, root := b.newtonSchulz(t)
	if t.form == W2Fast {
		trace -= 2 * math.Sqrt(norm) * root
	} else {
		for i := range c {
			trace -= 2 * math.Sqrt(norm) * float64(t.work[0].data[i*c+i])
		}
	}
	k := coef / float64(c)
	b.status.Loss[slot] = k * (distance + trace)
	if d == nil {
		return
	}
	b.multiply(t.work[2].data[:c*r], t.right.data, t.work[1].data[:r*r], nil, r, r, false)
	b.square(t.form, t.work[3].data, t.work[2].data[:c*r], t.left.data, c, 1, 0)
	inv := 1 / math.Sqrt(norm)
	for i := range c {
		slope := 2 * k * (float64(mean.data[i]) - float64(t.mean.data[i]))
		for j := range c {
			// The mean of the two halves keeps d symmetric to the bit. W2Fast has equal halves.
			mirror := j*c + i
			if t.form == W2Fast {
				mirror = i*c + j
			}
			g := -inv * 0.5 * (float64(t.work[3].data[i*c+j]) + float64(t.work[3].data[mirror]))
			if i == j {
				g++
			}
			g *= k
			slope -= 2 * g * float64(mean.data[j])
			d.data[i*c+j] = float32(2 * g / float64(pixels))
		}
		shift.data[i] = float32(slope / float64(pixels))
	}
}

// square computes dst (n, n) = scale * x y + diagonal * I. dst is symmetric but for
// rounding; W2Fast computes one half of it and copies the other.
func (b *CPU) square(form W2Form, dst, x, y []float32, n int, scale, diagonal float32) {
	if form == W2Fast {
		b.multiplySymmetric(dst, x, y, n, scale, diagonal)
		return
	}
	b.multiply(dst, x, y, nil, len(x)/n, n, false)
	if scale == 1 && diagonal == 0 {
		return
	}
	scaled(dst, dst, n, scale, diagonal)
}

// scaled computes dst (n, n) = scale * x + diagonal * I.
func scaled(dst, x []float32, n int, scale, diagonal float32) {
	for i, v := range x {
		dst[i] = v * scale
	}
	for i := range n {
		dst[i*n+i] += diagonal
	}
}
