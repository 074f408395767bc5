package gpu

import "math"

// CosineLoss compares the directions of x and t (H, W, C) at each position; see
// cosine.go.
func (b *CPU) CosineLoss(dx, x, t *Array, coef float64, slot int) {
	checkCosineLoss(dx, x, t, slot)
	b.cosine = cosineTask{b, dx, x, t, coef, b.partials(x.Shape.H)}
	b.workers.run(x.Shape.H, &b.cosine)
	b.status.Loss[slot] = coef * sum(b.cosine.part)
}

// cosineTask computes the loss and its gradient, a row at a time.
type cosineTask struct {
	b        *CPU
	dx, x, t *Array
	coef     float64
	part     []float64
}

func (k *cosineTask) chunk(worker, y int) {
	w, c := k.x.Shape.W, k.x.Shape.C
	xs, ts := k.b.read(worker, 0, k.x, y*w*c, w*c), k.b.read(worker, 1, k.t, y*w*c, w*c)
	var dxs []float32
	if k.dx != nil {
		dxs = k.b.write(worker, 2, k.dx, y*w*c, w*c)
	}
	value := 0.0
	for p := range w {
		x, t := xs[p*c:][:c], ts[p*c:][:c]
		xx, tt, xt := dots(x, t)
		cos, ofX, ofT := 0.0, 0.0, 0.0
		if xx > 0 && tt > 0 {
			root := math.Sqrt(xx * tt)
			cos = xt / root
			ofX, ofT = k.coef*cos/xx, -k.coef/root
		}
		value += 1 - cos
		if k.dx == nil {
			continue
		}
		a, e := float32(ofX), float32(ofT)
		dx := dxs[p*c:][:c]
		for i, v := range x {
			dx[i] = float32(a*v) + float32(e*t[i])
		}
	}
	if k.dx != nil {
		k.b.keep(k.dx, y*w*c, dxs)
	}
	k.part[y] = value
}

// dots returns the products of two vectors with themselves and each other. Products are
// summed in float32 by eights, and those sums in float64.
func dots(x, t []float32) (xx, tt, xt float64) {
	t = t[:len(x)]
	i := 0
	for ; i+8 <= len(x); i += 8 {
		var a, b, c float32
		u, v := x[i:i+8:i+8], t[i:i+8:i+8]
		for j := range u {
			a += float32(u[j] * u[j])
			b += float32(v[j] * v[j])
			c += float32(u[j] * v[j])
		}
		xx += float64(a)
		tt += float64(b)
		xt += float64(c)
	}
	for ; i < len(x); i++ {
		xx += float64(x[i]) * float64(x[i])
		tt += float64(t[i]) * float64(t[i])
		xt += float64(x[i]) * float64(t[i])
	}
	return xx, tt, xt
}
