package sample

import "math"

// canvas is wet paint: colours (sRGB values) and the thickness of the paint.
type canvas struct {
	w, h   int
	colour []rgb
	height []float64
}

func newCanvas(w, h int, ground rgb) *canvas {
	c := &canvas{w, h, make([]rgb, w*h), make([]float64, w*h)}
	for i := range c.colour {
		c.colour[i] = ground
	}
	return c
}

// brush is one stroke: where it starts (pixels), its length and width
// (pixels), its colour, and a number for the chance in it.
type brush struct {
	x, y, length, width float64
	colour              rgb
	seed                int
}

// stroke drags a brush along the directions of flow (radians at a pixel).
// Bristles leave stripes of slightly different colour and thickness; the paint
// is thickest at the rims and where the brush was lifted.
func (c *canvas) stroke(b brush, flow func(x, y float64) float64) {
	steps := max(1, int(b.length/0.7))
	across := max(1, int(math.Ceil(b.width/0.7)))
	x, y := b.x, b.y
	for i := range steps {
		t := (float64(i) + 0.5) / float64(steps)
		angle := flow(x, y)
		dx, dy := math.Cos(angle), math.Sin(angle)
		// Round ends, and a slow taper towards the lift.
		half := b.width / 2 * math.Sqrt(clamp(1-sq(2*t-1)*sq(2*t-1))) * (1.05 - 0.25*t)
		for j := range across {
			s := (2*(float64(j)+0.5)/float64(across) - 1) // -1..1 across
			c.dab(b, x-dy*s*half, y+dx*s*half, s, t)
		}
		x += dx * b.length / float64(steps)
		y += dy * b.length / float64(steps)
	}
}

// dab leaves what one bristle leaves at one place, s across and t along.
func (c *canvas) dab(b brush, x, y, s, t float64) {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	if ix < 0 || iy < 0 || ix >= c.w || iy >= c.h {
		return
	}
	bristle := noise(s*4.5, t*1.3+float64(b.seed%97), uint32(b.seed))
	if dry := 0.55 - 1.1*t + 0.75*bristle; dry < -0.62 {
		return // a dry bristle skips
	}
	i := iy*c.w + ix
	k := 0.86
	shade := 1 + 0.16*bristle
	c.colour[i] = blend(c.colour[i], b.colour.mul(shade), k)
	rim := 0.55 + 0.45*sq(s) + 0.35*step(0.75, 0.95, t) + 0.30*bristle
	c.height[i] = 0.45*c.height[i] + rim
}

// relief lights the paint from the upper left: slope gives light and shadow,
// thin glints on the steepest ridges. depth is the thickness of a stroke in
// pixels.
func (c *canvas) relief(depth float64) {
	at := func(x, y int) float64 {
		return c.height[min(max(y, 0), c.h-1)*c.w+min(max(x, 0), c.w-1)]
	}
	for y := range c.h {
		for x := range c.w {
			gx := (at(x+1, y) - at(x-1, y)) / 2 * depth
			gy := (at(x, y+1) - at(x, y-1)) / 2 * depth
			n := 1 / math.Sqrt(1+gx*gx+gy*gy)
			facing := (0.55*gx + 0.62*gy + 0.56) * n // light from (-0.55, -0.62, 0.56) on the normal (-gx, -gy, 1)
			i := y*c.w + x
			shade := 0.42 + 0.78*clamp(facing)
			glint := sq(sq(sq(sq(clamp(facing))))) * 0.09
			c.colour[i] = c.colour[i].mul(shade).add(rgb{glint, glint, glint * 0.9})
		}
	}
}
