package maps

import (
	"math"

	"github.com/impasto/impasto/internal/picture"
)

// lab converts a picture to CIE L*a*b* (D65, 2 degree observer), (H, W, 3). L is
// 0..100, a and b are about -100..100. Distances in it are close to those that
// people see. Sources: https://www.color.org/chardata/rgb/srgb.xalter and CIE
// 15:2004.
func lab(p *picture.Picture) []float64 {
	var linear [256]float64
	for i := range linear {
		v := float64(i) / 255
		if v <= 0.04045 {
			linear[i] = v / 12.92
		} else {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	// f is the cube root, with a linear part near 0.
	f := func(t float64) float64 {
		const d = 6.0 / 29
		if t > d*d*d {
			return math.Cbrt(t)
		}
		return t/(3*d*d) + 4.0/29
	}
	out := make([]float64, len(p.Pix))
	at := func(v float32) float64 { return linear[int(min(1, max(0, v))*255+0.5)] }
	for i := 0; i < len(out); i += 3 {
		r, g, b := at(p.Pix[i]), at(p.Pix[i+1]), at(p.Pix[i+2])
		x := f((0.4124564*r + 0.3575761*g + 0.1804375*b) / 0.95047)
		y := f(0.2126729*r + 0.7151522*g + 0.0721750*b)
		z := f((0.0193339*r + 0.1191920*g + 0.9503041*b) / 1.08883)
		out[i], out[i+1], out[i+2] = 116*y-16, 500*(x-y), 200*(y-z)
	}
	return out
}

// blur replaces each of the c channels of v (h, w, c) by its mean over a square of
// 2 r + 1 pixels, twice. The result is close to a Gaussian blur with deviation r.
func blur(v []float64, w, h, c, r int) {
	plane := make([]float64, w*h)
	for k := range c {
		for i := range plane {
			plane[i] = v[i*c+k]
		}
		boxMean(plane, w, h, r)
		boxMean(plane, w, h, r)
		for i := range plane {
			v[i*c+k] = plane[i]
		}
	}
}
