package picture

import "math"

// Oklab (Ottosson, "A perceptual color space for image processing", 2020): L is
// lightness, a runs from green to red, b from blue to yellow. Equal distances look
// about equally large, and L, a and b vary nearly independently in pictures.
//
//	(l, m, s) = M1 (R, G, B), linear light
//	(L, a, b) = M2 (cbrt l, cbrt m, cbrt s)
var (
	toCones = mat3{
		{0.4122214708, 0.5363325363, 0.0514459929},
		{0.2119034982, 0.6806995451, 0.1073969566},
		{0.0883024619, 0.2817188376, 0.6299787005},
	}
	conesToLab = mat3{
		{0.2104542553, 0.7936177850, -0.0040720468},
		{1.9779984951, -2.4285922050, 0.4505937099},
		{0.0259040371, 0.7827717662, -0.8086757660},
	}
	fromCones  = toCones.inverse()
	labToCones = conesToLab.inverse()
)

// oklab returns L, a and b of each pixel, (H, W, 3).
func (p *Picture) oklab() []float32 {
	lab := make([]float32, len(p.Pix))
	parallelRows(p.H, func(y int) {
		for i := 3 * y * p.W; i < 3*(y+1)*p.W; i += 3 {
			v := toCones.apply([3]float64{float64(decode(p.Pix[i])), float64(decode(p.Pix[i+1])), float64(decode(p.Pix[i+2]))})
			for c := range v {
				v[c] = math.Cbrt(v[c])
			}
			for c, e := range conesToLab.apply(v) {
				lab[i+c] = float32(e)
			}
		}
	})
	return lab
}

// setOklab sets the colours of p to lab. A colour outside RGB keeps its lightness
// and hue, and its chroma is reduced until it fits.
func (p *Picture) setOklab(lab []float32) {
	parallelRows(p.H, func(y int) {
		for i := 3 * y * p.W; i < 3*(y+1)*p.W; i += 3 {
			v := linearOf(float64(lab[i]), float64(lab[i+1]), float64(lab[i+2]))
			if !shown(v) {
				v = lessChroma(float64(lab[i]), float64(lab[i+1]), float64(lab[i+2]))
			}
			for c, e := range v {
				p.Pix[i+c] = encode(float32(min(max(e, 0), 1)))
			}
		}
	})
}

// linearOf converts an Oklab colour to linear RGB. The result is in 0..1 if RGB can
// show the colour.
func linearOf(l, a, b float64) [3]float64 {
	v := labToCones.apply([3]float64{l, a, b})
	for c := range v {
		v[c] = v[c] * v[c] * v[c]
	}
	return fromCones.apply(v)
}

// shown reports whether linear RGB lies within 0..1, apart from rounding errors.
func shown(v [3]float64) bool {
	const slack = 1e-4
	for _, e := range v {
		if e < -slack || e > 1+slack {
			return false
		}
	}
	return true
}

// lessChroma returns the colour with the largest share of the chroma a, b that RGB
// can show.
func lessChroma(l, a, b float64) [3]float64 {
	lo, hi := 0.0, 1.0
	for range 12 {
		mid := (lo + hi) / 2
		if shown(linearOf(l, mid*a, mid*b)) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return linearOf(l, lo*a, lo*b)
}

// KeepColoursOklab returns the lightness of out with the chroma of content, as
// KeepColours does in YUV. content is resized to out's size where it differs.
func KeepColoursOklab(out, content *Picture) *Picture {
	if content.W != out.W || content.H != out.H {
		content = content.Resize(out.W, out.H, Lanczos3)
	}
	q := out.Clone()
	lab, from := out.oklab(), content.oklab()
	for i := 0; i < len(lab); i += 3 {
		lab[i+1], lab[i+2] = from[i+1], from[i+2]
	}
	q.setOklab(lab)
	return q
}

// MatchColoursOklab returns style with its colours moved so that their mean and
// covariance in Oklab are the content's, as MatchColours does for sRGB codes.
func MatchColoursOklab(style, content *Picture) *Picture {
	q := style.Clone()
	lab := style.oklab()
	m := transport(momentsOf(lab), momentsOf(content.oklab()), 1e-6)
	for i := 0; i < len(lab); i += 3 {
		m.move(lab[i : i+3])
	}
	q.setOklab(lab)
	return q
}

// FinishColours gives p the colours of the styles. The mean and covariance of a and
// b in Oklab become those of the styles. Then a and b are smoothed except across
// edges of L (guided filter: He, Sun, Tang 2010), and kept within the range of the
// styles. The lightness does not change.
func FinishColours(p *Picture, styles []*Picture) *Picture {
	q := p.Clone()
	lab := p.oklab()
	var of chroma
	for _, s := range styles {
		of.see(s.oklab())
	}
	from := momentsOf(lab).chroma()
	m := transport(from, of.moments(), 1e-6)
	for i := 0; i < len(lab); i += 3 {
		m.move(lab[i : i+3])
	}
	smoothChroma(lab, p.W, p.H)
	for i := 0; i < len(lab); i += 3 {
		for c := 1; c < 3; c++ {
			lab[i+c] = min(max(lab[i+c], of.lo[c]), of.hi[c])
		}
	}
	q.setOklab(lab)
	return q
}
