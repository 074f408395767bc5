package explain

import (
	"math"

	"github.com/impasto/impasto/style"
)

// geometry converts matches to places of the paintings.
type geometry struct {
	c    *style.Correspondence
	step float64              // pixels between neighbouring patches of the canvas
	side float64              // of a patch, in pixels
	base map[int]style.Source // by painting, the view that is neither turned nor resized
}

func newGeometry(c *style.Correspondence) *geometry {
	g := &geometry{c: c, step: float64(c.Stride * c.Cell), side: float64(c.Size * c.Cell), base: map[int]style.Source{}}
	for _, s := range c.Sources {
		if b, seen := g.base[s.Style]; !seen || b.Angle != 0 || b.Scale != 1 {
			g.base[s.Style] = s
		}
	}
	return g
}

// place is a point of a painting, across and down, 0..1 each. Patches at the border
// may reach slightly beyond.
type place struct {
	style int
	u, v  float64
}

// pixel returns the index of the pixel at the place in a picture of w x h pixels.
func (p place) pixel(w, h int) int {
	x, y := min(max(int(p.u*float64(w)), 0), w-1), min(max(int(p.v*float64(h)), 0), h-1)
	return y*w + x
}

// place returns where a patch of the paintings has the point dx, dy pixels from
// its upper left corner. A view turned by an angle and resized by a scale shows,
// at x, y pixels from its middle,
//
//	(cos x - sin y, sin x + cos y) / scale
//
// pixels from the middle of the painting as it is.
func (g *geometry) place(index int32, dx, dy float64) place {
	s, col, row := g.c.At(index)
	base := g.base[s.Style]
	step := float64(s.Stride * g.c.Cell)
	x := (float64(col)*step + dx - float64(s.W)/2) / s.Scale
	y := (float64(row)*step + dy - float64(s.H)/2) / s.Scale
	sin, cos := math.Sincos(s.Angle * math.Pi / 180)
	scale := base.Scale // 1, unless the painting was too small and was enlarged
	return place{s.Style, 0.5 + (cos*x-sin*y)*scale/float64(base.W), 0.5 + (sin*x+cos*y)*scale/float64(base.H)}
}

// nearest returns the canvas patch whose centre is nearest to a pixel of the
// canvas, and the pixel's distance from the patch's upper left corner.
func (g *geometry) nearest(px, py int) (patch int, dx, dy float64) {
	x, dx := g.along(px, g.c.W)
	y, dy := g.along(py, g.c.H)
	return y*g.c.W + x, dx, dy
}

func (g *geometry) along(p, patches int) (int, float64) {
	at := float64(p) + 0.5
	n := min(max(int(math.Round((at-g.side/2)/g.step)), 0), patches-1)
	return n, at - float64(n)*g.step
}
