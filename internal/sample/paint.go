package sample

import (
	"image"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// rgb is a colour. Scenes compute in linear light and are encoded by film.
// Paintings mix their pigments in sRGB values.
type rgb struct{ r, g, b float64 }

// hex is an sRGB colour 0xRRGGBB, its values in 0..1.
func hex(v uint32) rgb {
	return rgb{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

// light returns a hexadecimal colour in linear light. It is called for every pixel,
// so gamma 2.2 is replaced by a cubic that differs by less than 0.01.
func light(v uint32) rgb {
	c := hex(v)
	return rgb{c.r * c.r * (0.8 + 0.2*c.r), c.g * c.g * (0.8 + 0.2*c.g), c.b * c.b * (0.8 + 0.2*c.b)}
}

func (c rgb) mul(t float64) rgb     { return rgb{c.r * t, c.g * t, c.b * t} }
func (c rgb) add(d rgb) rgb         { return rgb{c.r + d.r, c.g + d.g, c.b + d.b} }
func (c rgb) tint(d rgb) rgb        { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) film() rgb             { return rgb{film(c.r), film(c.g), film(c.b)} }
func blend(a, b rgb, t float64) rgb { return a.mul(1 - t).add(b.mul(t)) }

// film encodes linear light: a shoulder that keeps highlights, then gamma 2.2.
func film(v float64) float64 {
	v = math.Max(0, v)
	return math.Pow(v*(1+v/6)/(1+v), 1/2.2)
}

// ramp interpolates evenly spaced colours.
func ramp(t float64, colours ...rgb) rgb {
	t = clamp(t) * float64(len(colours)-1)
	i := min(int(t), len(colours)-2)
	return blend(colours[i], colours[i+1], t-float64(i))
}

// point is a position: u, v across and down in 0..1, x = u in units of the
// height with its origin in the middle, px the size of a pixel in those units.
type point struct{ u, v, x, px float64 }

// frame turns pixel positions of a w x h picture into points.
type frame struct{ w, h, aspect float64 }

func newFrame(w, h int) frame {
	return frame{float64(w), float64(h), float64(w) / float64(h)}
}

func (f frame) at(x, y float64) point {
	u, v := x/f.w, y/f.h
	return point{u, v, (u - 0.5) * f.aspect, 1 / f.h}
}

// render fills a picture with shade, which returns a colour in sRGB values
// and the number of the object seen. Pixels at the edge of an object are
// computed from nine samples.
func render(w, h int, shade func(p point) (rgb, int)) *image.NRGBA {
	f := newFrame(w, h)
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	colours, ids := make([]rgb, w*h), make([]int, w*h)
	eachRow(h, func(y int) {
		for x := range w {
			colours[y*w+x], ids[y*w+x] = shade(f.at(float64(x)+0.5, float64(y)+0.5))
		}
	})
	eachRow(h, func(y int) {
		for x := range w {
			i := y*w + x
			id := ids[i]
			c := colours[i]
			if x > 0 && ids[i-1] != id || x < w-1 && ids[i+1] != id || y > 0 && ids[i-w] != id || y < h-1 && ids[i+w] != id {
				for s := range 9 {
					if s != 4 {
						d, _ := shade(f.at(float64(x)+(float64(s%3)+0.5)/3, float64(y)+(float64(s/3)+0.5)/3))
						c = c.add(d)
					}
				}
				c = c.mul(1.0 / 9)
			}
			set(im, x, y, c)
		}
	})
	return im
}

// A scene returns, for pictures of an aspect, the linear light, the region and the
// number of the object at a point.
type scene func(aspect float64) func(point) (rgb, label, int)

// photograph returns the function that draws a scene as a film would show it: its
// light falls off by the share dark at 1/reach heights from (u, 0.5).
func (s scene) photograph(u, dark, reach float64) func(w, h int) *image.NRGBA {
	return func(w, h int) *image.NRGBA {
		at := s(float64(w) / float64(h))
		return render(w, h, func(p point) (rgb, int) {
			c, l, id := at(p)
			return c.mul(1 - dark*sq(math.Hypot(p.u-u, p.v-0.5)*reach)).film(), int(l)*64 + id
		})
	}
}

// labels returns the regions of a picture of w x h pixels.
func (s scene) labels(w, h int) func(point) label {
	at := s(float64(w) / float64(h))
	return func(p point) label { _, l, _ := at(p); return l }
}

// eachRow calls do for the rows 0..h-1, on all cores. Rows are independent, so
// the picture does not depend on the number of cores.
func eachRow(h int, do func(y int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(h, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for y := int(next.Add(1)) - 1; y < h; y = int(next.Add(1)) - 1 {
				do(y)
			}
		})
	}
	all.Wait()
}

// set stores an sRGB colour, its values clamped to 0..1.
func set(im *image.NRGBA, x, y int, c rgb) {
	p := im.Pix[im.PixOffset(x, y):]
	p[0], p[1], p[2], p[3] = byte255(c.r), byte255(c.g), byte255(c.b), 255
}

func byte255(v float64) uint8 { return uint8(math.Round(255 * clamp(v))) }
