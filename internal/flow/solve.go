package flow

import "math"

// system is the linear system of one warp, 2 equations a pixel:
//
//	a11 u + a12 v + alpha sum_n s_n (u - u_n) = b1
//	a12 u + a22 v + alpha sum_n s_n (v - v_n) = b2
//
// over the four neighbours n. The unknowns are the whole field, not its
// increment.
type system struct {
	w, h                  int
	a11, a12, a22, b1, b2 []float32
	right, below          []float32 // s_n of the neighbour there
}

// newSystem makes the system for the current field f, with its robust weights psi'.
func newSystem(a, b []float32, f *Field) *system {
	w, h := f.W, f.H
	n := w * h
	warped, inside := f.warp(b, 1)
	mean, diff := make([]float32, n), make([]float32, n)
	for i := range mean {
		mean[i], diff[i] = (a[i]+warped[i])/2, warped[i]-a[i]
	}
	ix, iy := dx(mean, w, h), dy(mean, w, h)
	ixx, ixy, iyy := dx(ix, w, h), dy(ix, w, h), dy(iy, w, h)
	ixt, iyt := dx(diff, w, h), dy(diff, w, h)

	s := &system{w: w, h: h,
		a11: make([]float32, n), a12: make([]float32, n), a22: make([]float32, n),
		b1: make([]float32, n), b2: make([]float32, n),
	}
	for i := range n {
		if !inside[i] {
			continue // nothing is known about pixels that left the picture
		}
		u, v := f.U[i], f.V[i]
		add := func(weight, gx, gy, gt float32) {
			// weight (gx (U-u) + gy (V-v) + gt)^2, U and V unknown
			s.a11[i] += weight * gx * gx
			s.a12[i] += weight * gx * gy
			s.a22[i] += weight * gy * gy
			r := gx*u + gy*v - gt
			s.b1[i] += weight * gx * r
			s.b2[i] += weight * gy * r
		}
		t0 := 1 / (ix[i]*ix[i] + iy[i]*iy[i] + zeta*zeta)
		add(t0*dpsi(t0*diff[i]*diff[i]), ix[i], iy[i], diff[i])
		t1 := 1 / (ixx[i]*ixx[i] + ixy[i]*ixy[i] + zeta*zeta)
		t2 := 1 / (ixy[i]*ixy[i] + iyy[i]*iyy[i] + zeta*zeta)
		g := gamma * dpsi(t1*ixt[i]*ixt[i]+t2*iyt[i]*iyt[i])
		add(t1*g, ixx[i], ixy[i], ixt[i])
		add(t2*g, ixy[i], iyy[i], iyt[i])
	}
	s.right, s.below = smoothness(f)
	return s
}

// dpsi returns the derivative of sqrt(s2 + epsilon^2) with respect to s2.
func dpsi(s2 float32) float32 {
	return float32(0.5 / math.Sqrt(float64(s2)+epsilon*epsilon))
}

// smoothness returns alpha psi'(
// grad u
// ^2 +
// grad v
// ^2) between each pixel and its neighbours to the right and below.
func smoothness(f *Field) (right, below []float32) {
	w, h := f.W, f.H
	weight := make([]float32, w*h)
	for y := range h {
		for x := range w {
			i, l, r, a, b := y*w+x, y*w+max(x-1, 0), y*w+min(x+1, w-1), max(y-1, 0)*w+x, min(y+1, h-1)*w+x
			ux, uy := (f.U[r]-f.U[l])/2, (f.U[b]-f.U[a])/2
			vx, vy := (f.V[r]-f.V[l])/2, (f.V[b]-f.V[a])/2
			weight[i] = alpha * dpsi(ux*ux+uy*uy+vx*vx+vy*vy)
		}
	}
	right, below = make([]float32, w*h), make([]float32, w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			if x+1 < w {
				right[i] = (weight[i] + weight[i+1]) / 2
			}
			if y+1 < h {
				below[i] = (weight[i] + weight[i+w]) / 2
			}
		}
	}
	return right, below
}

// solve sweeps over the field with successive over-relaxation. Rows of zeros before
// the first and after the last row make border checks in the inner loop
// unnecessary. Weights across the border are zero too.
func (s *system) solve(f *Field) {
	w, n := s.w, s.w*s.h
	pad := func(v []float32) []float32 {
		return append(append(make([]float32, w, n+2*w), v...), make([]float32, w)...)
	}
	u, v, right, below := pad(f.U), pad(f.V), pad(s.right), pad(s.below)
	a11, a12, a22, b1, b2 := pad(s.a11), pad(s.a12), pad(s.a22), pad(s.b1), pad(s.b2)
	for i := w; i < w+n; i++ { // the diagonal is used only as a divisor
		sum := right[i-1] + right[i] + below[i-w] + below[i]
		a11[i], a22[i] = relaxation/max(a11[i]+sum, tiny), relaxation/max(a22[i]+sum, tiny)
	}
	for range sweeps {
		for i := w; i < w+n; i++ {
			l, r, a, b := right[i-1], right[i], below[i-w], below[i]
			u[i] = (1-relaxation)*u[i] + a11[i]*(b1[i]-a12[i]*v[i]+l*u[i-1]+r*u[i+1]+a*u[i-w]+b*u[i+w])
			v[i] = (1-relaxation)*v[i] + a22[i]*(b2[i]-a12[i]*u[i]+l*v[i-1]+r*v[i+1]+a*v[i-w]+b*v[i+w])
		}
	}
	copy(f.U, u[w:])
	copy(f.V, v[w:])
}

// tiny prevents a division by zero in a picture of one pixel, which has no
// neighbours.
const tiny = 1e-12
