package explain

import (
	"math"
	"slices"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// placeColour returns the colour that represents a place of painting i. Red
// increases to the right, green increases downwards, and blue is the rest.
// Successive paintings rotate the channels.
func placeColour(p place) [3]float32 {
	u, v := float32(min(1, max(0, p.u))), float32(min(1, max(0, p.v)))
	c := [3]float32{0.1 + 0.85*u, 0.1 + 0.85*v, 0.95 - 0.425*(u+v)}
	return [3]float32{c[p.style%3], c[(p.style+1)%3], c[(p.style+2)%3]}
}

// Origin draws the canvas. Each pixel has the colour of the place that its patch
// came from. Key shows the colours of places.
func Origin(c *style.Correspondence) *picture.Picture {
	g := newGeometry(c)
	p := picture.New(c.CanvasW, c.CanvasH)
	for y := range p.H {
		for x := range p.W {
			n, dx, dy := g.nearest(x, y)
			v := placeColour(g.place(c.Index[n], dx, dy))
			copy(p.Pix[3*(y*p.W+x):], v[:])
		}
	}
	return p
}

// Key draws a painting under the colours of its places, at most side pixels long.
func Key(painting *picture.Picture, number, side int) *picture.Picture {
	p := painting.Flatten().Within(side, picture.Area).Clone()
	luma := p.Luma()
	for y := range p.H {
		for x := range p.W {
			i := y*p.W + x
			c := placeColour(place{number, (float64(x) + 0.5) / float64(p.W), (float64(y) + 0.5) / float64(p.H)})
			for k := range 3 {
				p.Pix[3*i+k] = c[k] * (0.35 + 0.65*luma[i])
			}
		}
	}
	return p
}

// Used draws a painting whose brightness shows how often patches were used: dark
// where none was used, white where most were.
func Used(c *style.Correspondence, painting *picture.Picture, number, side int) *picture.Picture {
	p := painting.Flatten().Within(side, picture.Area).Clone()
	g := newGeometry(c)
	count := make([]float32, p.W*p.H)
	most := float32(1)
	for _, i := range c.Index {
		at := g.place(i, g.side/2, g.side/2)
		if at.style != number {
			continue
		}
		// A square as large as the patch, in pixels of the painting at this size.
		base := g.base[number]
		rx, ry := int(g.side/2*float64(p.W)/float64(base.W)), int(g.side/2*float64(p.H)/float64(base.H))
		n := at.pixel(p.W, p.H)
		cx, cy := n%p.W, n/p.W
		for y := max(0, cy-ry); y <= min(p.H-1, cy+ry); y++ {
			for x := max(0, cx-rx); x <= min(p.W-1, cx+rx); x++ {
				count[y*p.W+x]++
				most = max(most, count[y*p.W+x])
			}
		}
	}
	for i, n := range count {
		light := float32(0.15)
		if n > 0 {
			light = 0.35 + 0.65*float32(math.Sqrt(float64(n/most)))
		}
		for k := range 3 {
			p.Pix[3*i+k] *= light
		}
	}
	return p
}

// Heat draws the canvas with the scores of its matches, dark blue for the lowest
// and yellow for the highest. It clips the lowest and highest twentieth, so that
// single patches do not determine the scale.
func Heat(c *style.Correspondence) *picture.Picture {
	g := newGeometry(c)
	sorted := slices.Sorted(slices.Values(c.Score))
	lo, hi := sorted[len(sorted)/20], sorted[len(sorted)-1-len(sorted)/20]
	p := picture.New(c.CanvasW, c.CanvasH)
	for y := range p.H {
		for x := range p.W {
			n, _, _ := g.nearest(x, y)
			t := float32(0.5)
			if hi > lo {
				t = min(1, max(0, (c.Score[n]-lo)/(hi-lo)))
			}
			v := heatColour(t)
			copy(p.Pix[3*(y*p.W+x):], v[:])
		}
	}
	return p
}

// heatColours are five colours with equal differences in lightness, which can be
// read without distinguishing red from green (after matplotlib's viridis).
var heatColours = [5][3]float32{{0.267, 0.005, 0.329}, {0.230, 0.322, 0.546}, {0.128, 0.567, 0.551}, {0.369, 0.789, 0.383}, {0.993, 0.906, 0.144}}

func heatColour(t float32) (v [3]float32) {
	i := min(int(t*4), 3)
	f := t*4 - float32(i)
	for k := range v {
		v[k] = heatColours[i][k] + f*(heatColours[i+1][k]-heatColours[i][k])
	}
	return v
}
