package main

import (
	"math"
	"slices"

	"github.com/impasto/impasto/style"
)

// plane is one channel of a picture, (h, w), in levels of 0..255.
type plane struct {
	w, h int
	v    []float64
}

func (p plane) like() plane { return plane{p.w, p.h, make([]float64, len(p.v))} }

// at repeats the border.
func (p plane) at(x, y int) float64 {
	return p.v[min(max(y, 0), p.h-1)*p.w+min(max(x, 0), p.w-1)]
}

// split returns luma and the two chroma channels of ITU-R BT.601.
func split(p *style.Picture) (y, cb, cr plane) {
	y = plane{p.W, p.H, make([]float64, p.W*p.H)}
	cb, cr = y.like(), y.like()
	for i := range y.v {
		r, g, b := 255*float64(p.Pix[3*i]), 255*float64(p.Pix[3*i+1]), 255*float64(p.Pix[3*i+2])
		y.v[i] = 0.299*r + 0.587*g + 0.114*b
		cb.v[i], cr.v[i] = 0.564*(b-y.v[i]), 0.713*(r-y.v[i])
	}
	return y, cb, cr
}

// blur smooths by (1 2 1)/4 in both directions, with taps k pixels apart.
func (p plane) blur(k int) plane {
	across, down := p.like(), p.like()
	for y := range p.h {
		for x := range p.w {
			across.v[y*p.w+x] = (p.at(x-k, y) + 2*p.at(x, y) + p.at(x+k, y)) / 4
		}
	}
	for y := range p.h {
		for x := range p.w {
			down.v[y*p.w+x] = (across.at(x, y-k) + 2*across.at(x, y) + across.at(x, y+k)) / 4
		}
	}
	return down
}

// octaves splits p into bands of detail, the finest first.
func (p plane) octaves() [3]plane {
	var bands [3]plane
	for i := range bands {
		smooth := p.blur(1 << i)
		bands[i] = p.like()
		for j := range p.v {
			bands[i].v[j] = p.v[j] - smooth.v[j]
		}
		p = smooth
	}
	return bands
}

// checker is the response to a checkerboard of single pixels.
func (p plane) checker() plane {
	out := p.like()
	for y := range p.h {
		for x := range p.w {
			out.v[y*p.w+x] = (p.at(x, y) - p.at(x, y+1) - p.at(x+1, y) + p.at(x+1, y+1)) / 4
		}
	}
	return out
}

// edge is what flat areas keep clear of, in pixels.
const edge = 6

// flat marks the half of p that has least detail in its second and third
// octave, averaged over 11x11 pixels, without the border.
func (p plane) flat() []bool {
	o := p.octaves()
	detail := p.like()
	for i := range detail.v {
		detail.v[i] = o[1].v[i]*o[1].v[i] + o[2].v[i]*o[2].v[i]
	}
	mean := p.like()
	for y := range p.h {
		for x := range p.w {
			sum := 0.0
			for dy := -5; dy <= 5; dy++ {
				for dx := -5; dx <= 5; dx++ {
					sum += detail.at(x+dx, y+dy)
				}
			}
			mean.v[y*p.w+x] = sum
		}
	}
	sorted := slices.Clone(mean.v)
	slices.Sort(sorted)
	median := sorted[len(sorted)/2]
	marks := make([]bool, len(p.v))
	for i, v := range mean.v {
		x, y := i%p.w, i/p.w
		marks[i] = v <= median && x >= edge && y >= edge && x < p.w-edge && y < p.h-edge
	}
	return marks
}

// rms is the root of the mean of the planes' summed squares where marks is set;
// nil: everywhere.
func rms(marks []bool, planes ...plane) float64 {
	sum, n := 0.0, 0
	for i := range planes[0].v {
		if marks != nil && !marks[i] {
			continue
		}
		n++
		for _, p := range planes {
			sum += p.v[i] * p.v[i]
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}

// detail is how much there is of each kind.
type detail struct {
	fine, colour, checker float64 // in flat areas: highest octave of luma and of chroma, checkerboards
	strokes               float64 // everywhere: second and third octave of luma
}

func detailOf(p *style.Picture, flat []bool) detail {
	y, cb, cr := split(p)
	oy, ob, or := y.octaves(), cb.octaves(), cr.octaves()
	return detail{
		fine: rms(flat, oy[0]), colour: rms(flat, ob[0], or[0]), checker: rms(flat, y.checker(), cb.checker(), cr.checker()),
		strokes: rms(nil, oy[1], oy[2]),
	}
}

// noiseOf is the detail of a painted picture where the photograph is flat, over
// that of the painting where the painting is flat. All have the same long side.
func noiseOf(painted, photo, painting *style.Picture) detail {
	y, _, _ := split(photo)
	own, _, _ := split(painting)
	a, b := detailOf(painted, y.flat()), detailOf(painting, own.flat())
	over := func(a, b float64) float64 { return a / math.Max(b, 0.25) } // a painting without any would divide by zero
	return detail{over(a.fine, b.fine), over(a.colour, b.colour), over(a.checker, b.checker), over(a.strokes, b.strokes)}
}
