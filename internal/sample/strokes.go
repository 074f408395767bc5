package sample

import (
	"image"
	"math"
)

var strokesRegions = []label{sky, sun, mountain, land, tree, building}

// whorls rotate the strokes of the sky: place (u, v), reach in heights, and
// rotation, whose sign is the direction.
var whorls = []struct{ u, v, reach, turn float64 }{
	{0.74, 0.20, 0.17, 1}, // round the sun
	{0.43, 0.27, 0.13, -1},
	{0.27, 0.13, 0.085, 1},
	{0.56, 0.09, 0.06, -1},
	{0.93, 0.36, 0.07, -1},
}

const (
	fieldLine = 0.60 // where the fields begin, v
	cypressU  = 0.16
)

func labelStrokes(w, h int) func(point) label {
	return func(p point) label { return motif(p) }
}

// motif is the design under the paint.
func motif(p point) label {
	up := (0.95 - p.v) / 0.80 // along the cypress
	dx := p.x - (cypressU-0.5)*aspectOf(p)
	if up > 0 && up < 1 {
		sway := 0.018*math.Sin(up*9) + 0.02*up
		width := 0.085 * math.Pow(math.Sin(math.Pi*math.Pow(up, 0.55)), 0.9) * (1 + 0.22*noise(up*22, dx*9, 800))
		if math.Abs(dx-sway) < width {
			return tree
		}
	}
	if house(p) {
		return building
	}
	if p.v > fieldLine+0.03*math.Sin(p.x*2.6+0.4)+0.02*p.x {
		return land
	}
	if p.v > hills(p.x) {
		return mountain
	}
	if s := whorls[0]; math.Hypot(p.x-(s.u-0.5)*aspectOf(p), p.v-s.v) < 0.072 {
		return sun
	}
	return sky
}

func hills(x float64) float64 {
	return 0.50 - 0.060*math.Sin(x*3.1+1.1) - 0.035*math.Sin(x*6.7+0.3) - 0.05*x
}

// house is a cottage and its neighbour below the hills.
func house(p point) bool {
	for _, b := range [][3]float64{{0.66, 0.612, 0.040}, {0.735, 0.604, 0.028}, {0.60, 0.603, 0.022}} {
		dx := math.Abs(p.x - (b[0]-0.5)*aspectOf(p))
		if dx < b[2] && p.v < b[1] && p.v > b[1]-b[2]*1.5+0.8*math.Max(0, dx-0.2*b[2]) {
			return true
		}
	}
	return false
}

// drift is the direction of the strokes at p, radians.
func drift(p point) float64 {
	switch motif(p) {
	case tree:
		return -math.Pi/2 + 0.55*math.Sin(p.v*26+p.x*18) + 0.3*noise(p.x*12, p.v*8, 810)
	case building:
		return 0.1
	case mountain:
		const e = 0.01
		return math.Atan2(hills(p.x+e)-hills(p.x-e), 2*e) + 0.35*noise(p.x*6, p.v*14, 811)
	case land: // rows run to a point on the horizon
		vx, vy := p.x-0.25, p.v-0.47
		return math.Atan2(vy, vx) + 0.35*noise(p.x*5, p.v*9, 812)
	}
	// The sky flows from left to right and turns round the whorls.
	fx, fy := 1.0, 0.32*math.Cos(p.x*4.1+0.8)+0.25*noise(p.x*3, p.v*5, 813)
	for _, s := range whorls {
		dx, dy := p.x-(s.u-0.5)*aspectOf(p), p.v-s.v
		d := math.Hypot(dx, dy) + 1e-6
		k := 5.5 * s.turn * math.Exp(-sq(d/s.reach))
		// The flow points slightly inwards, so that the strokes spiral.
		fx += k * (-dy - 0.25*s.turn*dx) / d
		fy += k * (dx - 0.25*s.turn*dy) / d
	}
	return math.Atan2(fy, fx)
}

// pigment returns the colour of a stroke at p. r is random in 0..1.
func pigment(p point, r, r2 float64) rgb {
	var c rgb
	switch motif(p) {
	case tree:
		c = ramp(r, hex(0x0E2A24), hex(0x1F4A2C), hex(0x3A5A22), hex(0x5A3B1E), hex(0x12303A))
		if r2 > 0.86 {
			c = hex(0x8C8A2E)
		}
	case building:
		c = ramp(r, hex(0xD8C8A0), hex(0xE6E0D0), hex(0xB86A3A))
		if r2 > 0.7 {
			c = hex(0xB4502A)
		}
	case mountain:
		depth := clamp((p.v - hills(p.x)) * 9)
		c = ramp(0.7*depth+0.5*(r-0.5), hex(0x8FA4D4), hex(0x3F5FA8), hex(0x2A3C82), hex(0x3E6A6A))
		if r2 > 0.9 {
			c = hex(0x9C6FA0)
		}
	case land:
		rows := math.Sin(math.Atan2(p.v-0.47, p.x-0.25) * 34)
		c = ramp(0.5+0.30*rows+0.5*(r-0.5), hex(0x8C5A1A), hex(0xC8861E), hex(0xE8B42C), hex(0xF6DC66))
		if green := step(0.05, 0.5, fbm(p.x*3, p.v*6, 3, 0.5, 0, 820)); r2 < 0.75*green {
			c = ramp(r, hex(0x4A6A24), hex(0x7E9A34), hex(0xB0B44A))
		} else if r2 > 0.95 {
			c = hex(0xC8442A)
		}
	case sun:
		c = ramp(r, hex(0xFFF6C0), hex(0xFFE26A), hex(0xFFC43A))
	default:
		tide := 0.5 + 0.5*math.Sin(p.v*17+3.5*noise(p.x*2.1, p.v*3.1, 821))
		c = ramp(0.55*tide+0.55*(r-0.1)*0.9, hex(0x12245C), hex(0x1F4796), hex(0x2F6FB8), hex(0x5CA3C8), hex(0xB4D8D0))
		for i, s := range whorls { // light round the sun and the stars
			d := math.Hypot(p.x-(s.u-0.5)*aspectOf(p), p.v-s.v) / s.reach
			glow := math.Exp(-sq(d * 1.05))
			ring := 0.5 + 0.5*math.Cos(d*9)
			warm := ramp(r, hex(0xF8E08A), hex(0xF2B83A), hex(0xE88A2A))
			if i > 0 {
				warm = ramp(r, hex(0xF4F2D0), hex(0xD8E4C0), hex(0xA8D0D8))
			}
			if r2 < glow*(0.35+0.75*ring) {
				c = warm
			}
		}
		if r2 > 0.965 {
			c = hex(0xE8A04A) // a note of the other side of the wheel
		}
	}
	return c
}

// drawStrokes paints four coats: broad strokes that cover the ground, then finer
// ones. Edges of the motif get strokes of their own, because each stroke takes the
// colour at its start.
func drawStrokes(w, h int) *image.NRGBA {
	f := newFrame(w, h)
	c := newCanvas(w, h, hex(0x6A5638))
	side := float64(h)
	flow := func(x, y float64) float64 { return drift(f.at(x, y)) }
	coats := []struct{ spacing, length, width float64 }{ // in heights
		{0.030, 0.120, 0.034},
		{0.018, 0.085, 0.019},
		{0.0135, 0.062, 0.0125},
		{0.013, 0.042, 0.0085},
	}
	for layer, coat := range coats {
		nx := int(math.Ceil(f.aspect/coat.spacing)) + 2
		ny := int(math.Ceil(1/coat.spacing)) + 2
		// Cells are visited in an order without visible rows, with a stride that is
		// coprime to their number.
		n := nx * ny
		stride := coprime(n)
		for k := range n {
			i := k * stride % n
			gx, gy := i%nx, i/nx
			seed := uint32(830 + layer)
			x := (float64(gx) - 0.5 + random(gx, gy, seed)) * coat.spacing * side
			y := (float64(gy) - 0.5 + random(gx, gy, seed+50)) * coat.spacing * side
			p := f.at(x, y)
			what := motif(p)
			length, width := coat.length, coat.width
			switch what {
			case sun, building:
				length, width = length*0.35, width*0.7
			case mountain, tree:
				length, width = length*0.7, width*0.85
			}
			length *= 0.7 + 0.6*random(gx, gy, seed+60)
			b := brush{
				length: length * side, width: math.Max(width*side, 0.9),
				colour: pigment(p, random(gx, gy, seed+70), random(gx, gy, seed+80)),
				seed:   layer*100003 + i,
			}
			// The stroke begins further back along the flow, so that the place of
			// its colour is in the middle.
			b.x, b.y = x, y
			for range 6 {
				a := flow(b.x, b.y)
				b.x -= math.Cos(a) * b.length / 12
				b.y -= math.Sin(a) * b.length / 12
			}
			c.stroke(b, flow)
		}
	}
	c.relief(0.0022 * side)
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			set(im, x, y, c.colour[y*w+x])
		}
	}
	return im
}

// coprime returns a number near 0.618 n that has no common divisor with n.
func coprime(n int) int {
	for s := max(1, int(0.618*float64(n))); ; s++ {
		a, b := s, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return s
		}
	}
}
