package sample

import (
	"image"
	"math"
)

var mosaicRegions = []label{sky, sun, mountain, water, land}

const tessera = 0.0235 // side of a stone, in heights

// stone is what is found at a point of the mosaic: the stone's design point, how
// far inside it the point lies (0 in the grout), and the position within it.
type stone struct {
	p      point
	inside float64 // in heights
	dx, dy float64 // from its middle, in heights
	id     uint32
}

// course bends the plane so that rows of stones follow the design: circles
// round the sun, waves in the sea. It returns row coordinates in heights.
func course(p point) (a, b float64, seed uint32) {
	sx, sy := (mosaicSun[0]-0.5)*aspectOf(p), mosaicSun[1]
	dx, dy := p.x-sx, p.v-sy
	if p.v < seaLevel(p.x) && p.v < ridgeline(p) {
		r := math.Hypot(dx, dy)
		// Along the circle the stones keep their size, because the angle is scaled
		// by the radius of their row.
		row := (math.Floor(r/tessera) + 0.5) * tessera
		return math.Atan2(dy, dx) * math.Max(row, tessera), r, 1
	}
	if p.v < seaLevel(p.x) {
		return p.x + 0.3*p.v, p.v - ridgeline(p)*0.8 + 0.1, 2
	}
	return p.x, p.v - 0.022*math.Sin(p.x*7+p.v*6)*(0.5+p.v), 3
}

var mosaicSun = [2]float64{0.36, 0.33}

func seaLevel(x float64) float64 { return 0.585 + 0.004*math.Sin(x*9) }

// ridgeline is the upper edge of the hills, v; they stand on the right.
func ridgeline(p point) float64 {
	u := p.u
	return math.Min(0.60-0.33*math.Exp(-sq((u-0.86)/0.15)), 0.60-0.20*math.Exp(-sq((u-0.62)/0.11))) + 0.008*math.Sin(p.x*27)
}

// emblem is the design the stones are chosen for.
func emblem(p point) label {
	if p.v > 0.87+0.05*math.Sin(p.x*3.3+0.9)-0.02*math.Sin(p.x*8) {
		return land
	}
	if p.v > seaLevel(p.x) {
		return water
	}
	if p.v > ridgeline(p) {
		return mountain
	}
	if math.Hypot(p.x-(mosaicSun[0]-0.5)*aspectOf(p), p.v-mosaicSun[1]) < 0.118 {
		return sun
	}
	return sky
}

// lay finds the stone at p: the nearest of the jittered middles in row
// coordinates, and the distance to the border with the second nearest.
func lay(p point) stone {
	a, b, seed := course(p)
	ca, cb := math.Floor(a/tessera), math.Floor(b/tessera)
	best, second := math.Inf(1), math.Inf(1)
	var s stone
	var bx, by float64
	for j := -1; j <= 1; j++ {
		for i := -1; i <= 1; i++ {
			ia, ib := int(ca)+i, int(cb)+j
			shift := 0.5 * float64(ib&1) // bricks
			ma := (float64(ia) + 0.5 + shift - 0.25 + 0.34*(random(ia, ib, 1000+seed)-0.5)) * tessera
			mb := (float64(ib) + 0.5 + 0.24*(random(ia, ib, 1010+seed)-0.5)) * tessera
			// Stones are square, so the larger of the two distances counts most.
			dx, dy := a-ma, b-mb
			d := math.Sqrt(math.Sqrt(sq(dx)*sq(dx) + sq(dy)*sq(dy)))
			if d < best {
				second = best
				best, bx, by = d, dx, dy
				s.id = hash(ia, ib, 1020+seed)
			} else if d < second {
				second = d
			}
		}
	}
	s.dx, s.dy = bx, by
	s.inside = (second - best) / 2
	// The design is read at the stone's centre, so that a stone has one colour.
	// Near the sun, rows bend, and the way back to the centre follows them.
	s.p = p
	if seed == 1 {
		sx, sy := (mosaicSun[0]-0.5)*aspectOf(p), mosaicSun[1]
		angle, r := math.Atan2(p.v-sy, p.x-sx), math.Hypot(p.x-sx, p.v-sy)
		angle -= bx / math.Max(r, tessera)
		r = math.Max(0, r-by)
		s.p.x, s.p.v = sx+r*math.Cos(angle), sy+r*math.Sin(angle)
	} else {
		s.p.x -= bx
		s.p.v -= by
	}
	if aspect := aspectOf(p); aspect > 0 {
		s.p.u = s.p.x/aspect + 0.5
	}
	return s
}

func labelMosaic(w, h int) func(point) label {
	return func(p point) label { return emblem(lay(p).p) }
}

// glass is the colour of a stone: a few pigments a region, chosen by the
// design and by chance.
func glass(s stone) rgb {
	p, r := s.p, float64(s.id&0xFFFF)/0xFFFF
	d := math.Hypot(p.x-(mosaicSun[0]-0.5)*aspectOf(p), p.v-mosaicSun[1])
	switch emblem(p) {
	case sun:
		return ramp(clamp(d/0.118*0.8+0.35*(r-0.5)), hex(0xFFF3B8), hex(0xFFD84A), hex(0xF6A81E), hex(0xE07414))
	case mountain:
		t := (p.v - ridgeline(p)) / 0.25
		return ramp(clamp(t+0.5*(r-0.5)), hex(0xC07A9A), hex(0x7A4A84), hex(0x4A3A78), hex(0x2E2E5E))
	case water:
		wave := math.Sin(p.v*62 + 2.2*math.Sin(p.x*6+p.v*9))
		c := ramp(clamp(0.5+0.38*wave+0.4*(r-0.5)), hex(0x0E3A56), hex(0x12647E), hex(0x2A98A0), hex(0x8ED0C0))
		path := math.Exp(-sq((p.x - (mosaicSun[0]-0.5)*aspectOf(p)) / (0.05 + 0.35*(p.v-0.58))))
		if r < 0.62*path {
			c = ramp(r/0.62, hex(0xFFE9A0), hex(0xF8B840), hex(0xE88A3C))
		}
		return c
	case land:
		return ramp(clamp(0.5+0.35*math.Sin(p.x*21+p.v*50)+0.5*(r-0.5)), hex(0x5A3A22), hex(0x96683A), hex(0xCFA468), hex(0x7E8A3C))
	}
	// Sky: rings and rays of warm stone that cool with the distance.
	angle := math.Atan2(p.v-mosaicSun[1], p.x-(mosaicSun[0]-0.5)*aspectOf(p))
	ray := step(-0.15, 0.35, math.Cos(angle*12)) * step(0.62, 0.16, d)
	c := ramp(clamp(d*1.45+0.28*(r-0.5)), hex(0xE8743A), hex(0xD4553A), hex(0xA83A4E), hex(0x5A3F7E), hex(0x2E4A8C), hex(0x2A3F74))
	return blend(c, ramp(r, hex(0xFFD070), hex(0xF2A63C)), 0.85*ray)
}

// drawMosaic sets the stones in grout and lights them from the upper left.
func drawMosaic(w, h int) *image.NRGBA {
	return render(w, h, func(p point) (rgb, int) {
		s := lay(p)
		gap := 0.0016
		edge := s.inside - gap
		soft := math.Max(p.px, 0.0006)
		// Each stone is tilted a little its own way, and rounded at the rim.
		tx, ty := float64(s.id>>8&255)/255-0.5, float64(s.id>>16&255)/255-0.5
		rim := step(0.0045, 0, edge)
		facing := 0.5*tx + 0.5*ty - (s.dx+s.dy)/tessera*(0.25+1.1*rim)
		c := glass(s).mul(0.96 + 0.26*facing)
		speck := fbm(p.x*120, p.v*120, 2, 0.6, p.px*120, 1040)
		c = c.mul(1 + 0.07*speck + 0.10*(float64(s.id>>24)/255-0.5))
		shine := sq(sq(sq(clamp(0.55+facing)))) * 0.22
		c = c.add(rgb{shine, shine, shine * 0.9})
		grout := hex(0x8E8474).mul(0.62 + 0.12*fbm(p.x*160, p.v*160, 2, 0.6, p.px*160, 1050))
		covered := clamp(edge/soft + 0.5)
		return blend(grout, c, covered), int(s.id)
	})
}
