package gpu

import "math"

// NewW2Target prepares a painting's mean (1, C, 1) and second moment (C, C, 1) for
// W2Loss: its covariance, with eps on the diagonal, and the root of that.
func (b *CPU) NewW2Target(mean, second *Array, eps float64) *W2Target {
	t := newW2Target(b, mean, second, eps)
	covariance(t.cov.data, mean.data, second.data, eps)
	copy(t.work[0].data, t.cov.data)
	norm := b.newtonSchulz(t)
	for i, v := range t.work[0].data {
		t.root.data[i] = v * float32(math.Sqrt(norm))
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
// to work[1] and returns norm = |M|_F.
func (b *CPU) newtonSchulz(t *W2Target) (norm float64) {
	c := t.mean.Shape.W
	norm = math.Sqrt(b.dotData(t.work[0].data, t.work[0].data))
	if norm == 0 {
		norm = 1
	}
	for i := range t.work[0].data {
		t.work[0].data[i] /= float32(norm)
	}
	clear(t.work[1].data)
	for i := range c {
		t.work[1].data[i*c+i] = 1
	}
	for range newtonSchulzSteps {
		y, z, step, y2, z2 := t.work[0], t.work[1], t.work[2], t.work[3], t.work[4]
		b.mul(step, z, y)
		for i := range step.data {
			step.data[i] *= -0.5
		}
		for i := range c {
			step.data[i*c+i] += 1.5
		}
		b.mul(y2, y, step)
		b.mul(z2, step, z)
		t.work = [5]*Array{y2, z2, step, y, z}
	}
	return norm
}

// W2Loss is the squared Wasserstein-2 distance of two normal distributions over C:
// of features with that mean and second moment, over so many pixels, and of the
// target; see w2.go for the formula. d (C, C, 1) and shift (1, C, 1) are for
// StyleGrad; both nil: the value alone.
func (b *CPU) W2Loss(d, shift, mean, second *Array, t *W2Target, pixels int, coef float64, slot int) {
	checkW2(d, shift, mean, second, t, pixels, slot)
	c := mean.Shape.W
	cov := t.work[4].data
	covariance(cov, mean.data, second.data, t.eps)
	distance, trace := 0.0, 0.0
	for i := range c {
		e := float64(mean.data[i]) - float64(t.mean.data[i])
		distance += e * e
		trace += float64(cov[i*c+i]) + float64(t.cov.data[i*c+i])
	}
	b.mul(t.work[3], t.root, t.work[4])
	b.mul(t.work[0], t.work[3], t.root)
	norm := b.newtonSchulz(t)
	for i := range c {
		trace -= 2 * math.Sqrt(norm) * float64(t.work[0].data[i*c+i])
	}
	k := coef / float64(c)
	b.status.Loss[slot] = k * (distance + trace)
	if d == nil {
		return
	}
	b.mul(t.work[2], t.root, t.work[1])
	b.mul(t.work[3], t.work[2], t.root)
	inv := 1 / math.Sqrt(norm)
	for i := range c {
		slope := 2 * k * (float64(mean.data[i]) - float64(t.mean.data[i]))
		for j := range c {
			// The mean of the two halves keeps d symmetric to the bit.
			g := -inv * 0.5 * (float64(t.work[3].data[i*c+j]) + float64(t.work[3].data[j*c+i]))
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

// mul computes the product of two square matrices, dst = x y.
func (b *CPU) mul(dst, x, y *Array) {
	c := x.Shape.H
	b.multiply(dst.data, x.data, y.data, nil, c, c, false)
}
