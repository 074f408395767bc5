// Package flow finds where the pixels of one picture are in the next, moves
// pictures accordingly, and says where the result can be trusted.
//
// Of Impasto it imports internal/picture only.
package flow

import (
	"math"

	"github.com/impasto/impasto/internal/picture"
)

// Field says where each pixel of one picture is in another: the pixel at (x, y) is
// at (x+U, y+V), in pixels, (H, W).
type Field struct {
	W, H int
	U, V []float32
}

// New returns a field without motion.
func New(w, h int) *Field {
	return &Field{W: w, H: h, U: make([]float32, w*h), V: make([]float32, w*h)}
}

// Resize adapts the field to pictures of w x h pixels. Its vectors are scaled too.
func (f *Field) Resize(w, h int) *Field {
	if w == f.W && h == f.H {
		return f
	}
	g := &Field{W: w, H: h,
		U: picture.Resample(f.U, f.W, f.H, 1, w, h, picture.Bilinear),
		V: picture.Resample(f.V, f.W, f.H, 1, w, h, picture.Bilinear)}
	sx, sy := float32(w)/float32(f.W), float32(h)/float32(f.H)
	for i := range g.U {
		g.U[i] *= sx
		g.V[i] *= sy
	}
	return g
}

// These are the settings of the estimate. Residuals are in pixels (see system), so
// smoothness does not depend on contrast.
const (
	alpha      = 0.6  // weight of smoothness
	gamma      = 1.0  // weight of the constancy of gradients beside that of brightness
	epsilon    = 1e-3 // smooths the robust penalty sqrt(s^2 + epsilon^2) near 0
	zeta       = 0.7  // levels of 255: contrast below says little about motion
	shrink     = 0.7  // of neighbouring sizes
	leastSide  = 12   // of the coarsest size, in pixels
	warps      = 4    // times the second picture is warped, at each size
	sweeps     = 12   // of the solver for each
	relaxation = 1.9  // over-relaxation of the solver
	blur       = 0.8  // deviation of the smoothing at each size, in pixels
)

// Estimate finds where the pixels of a are in b, both (H, W) luma 0..1.
//
// It minimises, coarse to fine with the second picture warped by what is known
// so far, the energy of Brox, Bruhn, Papenberg and Weickert, "High accuracy
// optical flow estimation based on a theory for warping", ECCV 2004:
//
//	sum psi((I_b(x+w) - I_a(x))^2) + gamma psi(|grad I_b(x+w) - grad I_a(x)|^2) + alpha psi(|grad u|^2 + |grad v|^2)
//
// with psi(s^2) = sqrt(s^2 + epsilon^2), each constraint divided by the length
// of its gradient as in Zimmer, Bruhn and Weickert, "Optic flow in harmony",
// IJCV 2011. It works in one thread and always in the same order.
func Estimate(a, b []float32, w, h int) *Field {
	var f *Field
	for _, s := range sizes(w, h) {
		la, lb := level(a, w, h, s.w, s.h), level(b, w, h, s.w, s.h)
		if f == nil {
			f = New(s.w, s.h)
		} else {
			f = f.Resize(s.w, s.h)
		}
		for range warps {
			newSystem(la, lb, f).solve(f)
		}
	}
	return f
}

type size struct{ w, h int }

// sizes lists the sizes of the pyramid, coarse to fine.
func sizes(w, h int) []size {
	list := []size{{w, h}}
	for k := shrink; math.Round(float64(min(w, h))*k) >= leastSide; k *= shrink {
		list = append([]size{{int(math.Round(float64(w) * k)), int(math.Round(float64(h) * k))}}, list...)
	}
	return list
}

// level returns a picture at one size, 0..255, slightly smoothed.
func level(p []float32, w, h, w2, h2 int) []float32 {
	if w != w2 || h != h2 {
		p = picture.Resample(p, w, h, 1, w2, h2, picture.Bilinear)
	}
	p = smooth(p, w2, h2)
	for i := range p {
		p[i] *= 255
	}
	return p
}

// smooth convolves with a Gaussian of deviation blur.
func smooth(p []float32, w, h int) []float32 {
	var k [7]float32
	sum := float32(0)
	for i := range k {
		d := float64(i - len(k)/2)
		k[i] = float32(math.Exp(-d * d / (2 * blur * blur)))
		sum += k[i]
	}
	pass := func(src []float32, n, lines, step, line int) []float32 {
		dst := make([]float32, len(src))
		for l := range lines {
			for i := range n {
				v := float32(0)
				for j, c := range k {
					v += c * src[l*line+min(max(i+j-len(k)/2, 0), n-1)*step]
				}
				dst[l*line+i*step] = v / sum
			}
		}
		return dst
	}
	return pass(pass(p, w, h, 1, w), h, w, w, 1)
}

// dx and dy are derivatives by the five-point rule. At the border the border's
// pixels repeat, so that the derivative is effectively one-sided.
func dx(p []float32, w, h int) []float32 {
	d := make([]float32, len(p))
	for y := range h {
		row, out := p[y*w:(y+1)*w], d[y*w:(y+1)*w]
		for x := range w {
			out[x] = (8*(row[min(x+1, w-1)]-row[max(x-1, 0)]) - row[min(x+2, w-1)] + row[max(x-2, 0)]) / 12
		}
	}
	return d
}

func dy(p []float32, w, h int) []float32 {
	d := make([]float32, len(p))
	for y := range h {
		a, b := p[max(y-1, 0)*w:], p[min(y+1, h-1)*w:]
		aa, bb := p[max(y-2, 0)*w:], p[min(y+2, h-1)*w:]
		for x := range w {
			d[y*w+x] = (8*(b[x]-a[x]) - bb[x] + aa[x]) / 12
		}
	}
	return d
}
