package style

import (
	"math"
)

// view is a painting at some angle and size. The patches of all views are candidates
// (Li & Wand 2016).
type view struct {
	style int
	angle float64 // degrees, anticlockwise
	scale float64
}

// These are the steps of angle, in degrees, and of size between neighbouring views:
// CNNMRF's pi/24, and 5 %.
const (
	viewTurn = 7.5
	viewStep = 1.05
)

// views lists the views of every painting. The first one of each is the painting as it
// is.
func (o Options) views(styles int) []view {
	var list []view
	for s := range styles {
		list = append(list, view{s, 0, 1})
		for i := -o.StyleScales; i <= o.StyleScales; i++ {
			for j := -o.StyleRotations; j <= o.StyleRotations; j++ {
				if i != 0 || j != 0 {
					list = append(list, view{s, viewTurn * float64(j), math.Pow(viewStep, float64(i))})
				}
			}
		}
	}
	return list
}

// turn rotates p about its centre. It returns the largest upright rectangle that holds
// only pixels of p.
func (v view) turn(p *Picture) *Picture {
	if v.angle == 0 {
		return p
	}
	sin, cos := math.Sincos(v.angle * math.Pi / 180)
	w, h := inscribed(float64(p.W), float64(p.H), math.Abs(sin), math.Abs(cos))
	out := newPicture(max(1, int(w+1e-6)), max(1, int(h+1e-6)))
	for y := range out.H {
		for x := range out.W {
			dx, dy := float64(x)+0.5-float64(out.W)/2, float64(y)+0.5-float64(out.H)/2
			sx := cos*dx - sin*dy + float64(p.W)/2 - 0.5
			sy := sin*dx + cos*dy + float64(p.H)/2 - 0.5
			bilinear(out.Pix[(y*out.W+x)*3:][:3], p, sx, sy)
		}
	}
	return out
}

// inscribed returns the size of the largest upright rectangle in a w x h rectangle that
// is turned by an angle with that sine and cosine.
func inscribed(w, h, sin, cos float64) (float64, float64) {
	long, short := max(w, h), min(w, h)
	if short <= 2*sin*cos*long || math.Abs(sin-cos) < 1e-10 {
		// Two corners touch the long sides, the other two are free.
		half := short / 2
		if w >= h {
			return half / sin, half / cos
		}
		return half / cos, half / sin
	}
	both := cos*cos - sin*sin
	return (w*cos - h*sin) / both, (h*cos - w*sin) / both
}

// bilinear interpolates p between its pixels. Outside p the border is repeated.
func bilinear(dst []float32, p *Picture, x, y float64) {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := float32(x-x0), float32(y-y0)
	at := func(y, x float64) []float32 {
		yi, xi := min(max(int(y), 0), p.H-1), min(max(int(x), 0), p.W-1)
		return p.Pix[(yi*p.W+xi)*3:][:3]
	}
	a, b, c, d := at(y0, x0), at(y0, x0+1), at(y0+1, x0), at(y0+1, x0+1)
	for i := range dst {
		top := a[i] + float32(fx*(b[i]-a[i]))
		low := c[i] + float32(fx*(d[i]-c[i]))
		dst[i] = top + float32(fy*(low-top))
	}
}
