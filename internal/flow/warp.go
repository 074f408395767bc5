package flow

import "math"

// Warp moves a picture (H, W, c) of the field's size. Pixel (x, y) of the result is
// the value at (x+U, y+V), by Catmull-Rom interpolation. Beyond the border, the
// border's values repeat.
func (f *Field) Warp(src []float32, c int) []float32 {
	out, _ := f.warp(src, c)
	return out
}

// warp is like Warp, and also reports which pixels came from inside the picture.
func (f *Field) warp(src []float32, c int) (out []float32, inside []bool) {
	w, h := f.W, f.H
	out, inside = make([]float32, w*h*c), make([]bool, w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			px, py := float64(x)+float64(f.U[i]), float64(y)+float64(f.V[i])
			inside[i] = px >= 0 && py >= 0 && px <= float64(w-1) && py <= float64(h-1)
			px, py = clamp(px, w), clamp(py, h)
			x0, y0 := int(math.Floor(px)), int(math.Floor(py))
			kx, ky := catmullRom(float32(px-float64(x0))), catmullRom(float32(py-float64(y0)))
			for dy, a := range ky {
				row := min(max(y0+dy-1, 0), h-1) * w
				for dx, b := range kx {
					from := (row + min(max(x0+dx-1, 0), w-1)) * c
					for ch := range c {
						out[i*c+ch] += a * b * src[from+ch]
					}
				}
			}
		}
	}
	return out, inside
}

// clamp limits a coordinate, which may be NaN, to 0..n-1.
func clamp(v float64, n int) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, float64(n-1))
}

// catmullRom returns the weights of the pixels at -1, 0, 1, 2 for a point at t.
func catmullRom(t float32) [4]float32 {
	return [4]float32{
		((2-t)*t - 1) * t / 2,
		((3*t-5)*t*t + 2) / 2,
		((4-3*t)*t + 1) * t / 2,
		(t - 1) * t * t / 2,
	}
}

// Trust says where moving the picture before along back shows what this one
// shows: 1, or 0 where it was hidden there, lies past the border, or on the edge
// of something that moves. back leads from this picture to the one before,
// forth the other way. The rules are those of Ruder, Dosovitskiy and Brox,
// "Artistic style transfer for videos", 2016, section 4.2, after Sundaram, Brox
// and Keutzer, "Dense point trajectories", ECCV 2010: with w~ the flow forth
// at the end of the flow w^ back, a pixel is not trusted where
//
//	|w~ + w^|^2 > 0.01 (|w~|^2 + |w^|^2) + 0.5      it was hidden
//	|grad u^|^2 + |grad v^|^2 > 0.01 |w^|^2 + 0.002 it is on an edge of motion
func Trust(back, forth *Field) []float32 {
	w, h := back.W, back.H
	fu, inside := back.warp(forth.U, 1)
	fv, _ := back.warp(forth.V, 1)
	trust := make([]float32, w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			bu, bv := back.U[i], back.V[i]
			du, dv := fu[i]+bu, fv[i]+bv
			hidden := du*du+dv*dv > 0.01*(fu[i]*fu[i]+fv[i]*fv[i]+bu*bu+bv*bv)+0.5
			r, b := y*w+min(x+1, w-1), min(y+1, h-1)*w+x
			ux, uy, vx, vy := back.U[r]-bu, back.U[b]-bu, back.V[r]-bv, back.V[b]-bv
			edge := ux*ux+uy*uy+vx*vx+vy*vy > 0.01*(bu*bu+bv*bv)+0.002
			if inside[i] && !hidden && !edge {
				trust[i] = 1
			}
		}
	}
	return trust
}

// Between estimates the flow in both directions between two pictures (H, W), luma
// 0..1.
func Between(a, b []float32, w, h int) (ab, ba *Field) {
	done := make(chan *Field)
	go func() { done <- Estimate(a, b, w, h) }()
	ba = Estimate(b, a, w, h)
	return <-done, ba
}
