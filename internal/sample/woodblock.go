package sample

import (
	"image"
	"math"
)

var woodblockRegions = []label{sky, sun, mountain, water, land}

// An ink is one block of the print. The key block's dark line separates two
// neighbouring inks, except where a line would look wrong.
type ink uint8

const (
	paperSky ink = iota
	cloudInk
	sunInk
	peakInk
	snowInk
	deepInk
	midInk
	paleInk
	foamInk
	boatInk
	hullInk
)

var inks = [...]struct {
	colour rgb
	label  label
}{
	paperSky: {hex(0xEFE2C4), sky},
	cloudInk: {hex(0xE3D0AC), sky},
	sunInk:   {hex(0xC8452E), sun},
	peakInk:  {hex(0x5B7C9A), mountain},
	snowInk:  {hex(0xF7F1E2), mountain},
	deepInk:  {hex(0x16345E), water},
	midInk:   {hex(0x3C6C98), water},
	paleInk:  {hex(0xA9C6CC), water},
	foamInk:  {hex(0xF6F0E0), water},
	boatInk:  {hex(0xC99A54), land},
	hullInk:  {hex(0x7A5430), land},
}

func labelWoodblock(w, h int) func(point) label {
	return func(p point) label { return inks[block(p)].label }
}

// circle is a bubble of foam, in heights from the upper left corner.
type circle struct{ x, y, r float64 }

// foams are the scallops along the crests, placed once.
var foams = scallops()

// The great wave is a body whose back rises from the left, a hollow cut from it,
// and a lip that curls over to the right. In heights, from the left edge.
var hollow = struct{ x, y, a, b, tilt float64 }{0.615, 0.475, 0.285, 0.265, -0.25}

// inHollow returns the distance from the hollow's centre, which is 1 at its rim,
// and the angle.
func inHollow(x, y float64) (r, angle float64) {
	c, s := math.Cos(hollow.tilt), math.Sin(hollow.tilt)
	dx, dy := x-hollow.x, y-hollow.y
	ex, ey := (dx*c+dy*s)/hollow.a, (dy*c-dx*s)/hollow.b
	return math.Hypot(ex, ey), math.Atan2(ey, ex)
}

// back is the outer edge of the great wave, v at x.
func back(x float64) float64 {
	rise := step(-0.25, 0.50, x)
	fall := step(0.50, 0.95, x)
	return 0.74 - 0.60*rise + 0.55*fall*fall + 0.012*math.Sin(x*31)*rise
}

// swell is the crest line of lesser wave i, v at x: peaked, far to near.
func swell(i int, x float64) float64 {
	k := []float64{3.1, 3.9, 4.7}[i]
	base := []float64{0.745, 0.845, 0.955}[i]
	amp := []float64{0.075, 0.080, 0.055}[i]
	t := math.Abs(math.Mod(x*k/math.Pi+0.31*float64(i)+40.13, 1) - 0.5) // 0.5 at a crest
	return base - amp*math.Pow(2*t, 2.2) + 0.25*amp
}

func scallops() []circle {
	var out []circle
	// Along the lip: the inner edge of the hollow's upper arc, and its tip.
	for i := range 46 {
		t := float64(i) / 45
		a := mix(-2.55, 0.02, t) // from the back of the hollow over the top to the tip
		c, s := math.Cos(hollow.tilt), math.Sin(hollow.tilt)
		for ring := range 2 {
			r := 1.02 + 0.15*float64(ring)*(0.4+t) + 0.05*(random(i, ring, 901)-0.5)
			ex, ey := r*math.Cos(a)*hollow.a, r*math.Sin(a)*hollow.b
			size := (0.010 + 0.017*t*random(i, ring, 900)) * (1 + 0.5*t)
			if t < 0.25 {
				size *= 0.6
			}
			out = append(out, circle{hollow.x + ex*c - ey*s, hollow.y + ex*s + ey*c, size})
		}
	}
	// Fingers that fall from the tip.
	for i := range 26 {
		t := float64(i) / 25
		x := mix(0.60, 0.925, t)
		drop := 0.05 * random(i, 3, 902)
		y := hollow.y - hollow.b*math.Sqrt(clamp(1-sq((x-hollow.x)/0.33))) + 0.02 + drop + 0.13*sq(t)*t
		out = append(out, circle{x, y, 0.007 + 0.011*random(i, 4, 902)})
	}
	// Spray over the back.
	for i := range 34 {
		x := mix(0.18, 0.74, random(i, 5, 903))
		out = append(out, circle{x, back(x) - 0.012 - 0.055*random(i, 6, 903), 0.0022 + 0.0042*random(i, 7, 903)})
	}
	return out
}

// block returns the ink at p.
func block(p point) ink {
	x := p.x + aspectOf(p)/2 // from the left edge
	y := p.v
	scale := aspectOf(p) / 1.25 // the wave fills wide and narrow pictures alike
	x /= math.Max(0.55, math.Min(scale, 1.35))

	for i := 2; i >= 0; i-- {
		if i == 0 {
			if k, ok := rowingBoat(x, y); ok {
				return k
			}
		}
		if k, ok := lesserWave(i, x, y); ok {
			return k
		}
	}
	for _, c := range foams {
		if dx, dy := x-c.x, y-c.y; dx*dx+dy*dy < c.r*c.r {
			return foamInk
		}
	}
	r, angle := inHollow(x, y)
	if y > back(x) && r > 1 && x < 0.96 {
		return bodyStripe(x, y, r, angle)
	}
	if r <= 1 && y > 0.56 && x < 0.9 { // the trough seen through the hollow
		if y > 0.655+0.05*math.Sin(x*9) {
			return midInk
		}
	}
	if m := (y - 0.475) / 0.165; m > 0 && y < 0.665 { // the mountain, far off
		d := math.Abs(x - 0.735)
		if d < 0.030+0.155*math.Pow(m, 1.25) {
			if jag := 0.30 + 0.10*math.Sin(x*160)*(0.5+0.5*math.Sin(x*61)); m < jag {
				return snowInk
			}
			return peakInk
		}
	}
	if y > 0.655 {
		return paleInk
	}
	if math.Hypot(x-1.02, y-0.20) < 0.085 {
		return sunInk
	}
	if band := fbm(x*1.1, y*9, 2, 0.4, 0, 905); band > 0.30 && y < 0.44 && y > 0.06 {
		return cloudInk
	}
	return paperSky
}

// bodyStripe is the great wave's body, with stripes that follow the hollow as the
// water rises.
func bodyStripe(x, y, r, angle float64) ink {
	if y-back(x) < 0.020 {
		return foamInk
	}
	if r < 1.06 && angle < -0.4 {
		return foamInk
	}
	t := (r-1)*6.2 + 0.35*math.Sin(angle*3+x*5)
	taper := 0.16 + 0.5*clamp((y-0.30)*1.3)
	switch f := t - math.Floor(t); {
	case f < taper*0.75:
		return deepInk
	case f < taper*0.75+0.24:
		return midInk
	case f < taper*0.75+0.36:
		return paleInk
	}
	return deepInk
}

func lesserWave(i int, x, y float64) (ink, bool) {
	top := swell(i, x)
	if y < top {
		return 0, false
	}
	d := y - top
	edge := 0.012 + 0.006*math.Sin(x*95+float64(i)*2) + 0.005*math.Sin(x*151)
	if d < edge {
		return foamInk, true
	}
	switch t := d*15 + 0.25*math.Sin(x*8+float64(i)*1.7); {
	case t < 0.55:
		return paleInk, true
	case t < 0.95:
		return midInk, true
	case math.Mod(t, 0.62) < 0.13:
		return midInk, true
	}
	return deepInk, true
}

// rowingBoat is a long boat on the slope of the nearest swell.
func rowingBoat(x, y float64) (ink, bool) {
	dx := x - 1.06
	keel := 0.742 - 0.05*dx - sq(dx)
	if math.Abs(dx) > 0.155 {
		return 0, false
	}
	switch d := keel - y; {
	case d > 0 && d < 0.016*(1-sq(dx/0.155)*0.4):
		return hullInk, true
	case d >= 0.016*(1-sq(dx/0.155)*0.4) && d < 0.030:
		return boatInk, true
	case d >= 0.030 && d < 0.044 && math.Mod(dx+0.2, 0.042) < 0.020 && math.Abs(dx) < 0.11: // the rowers' backs
		return hullInk, true
	}
	return 0, false
}

// drawWoodblock prints the picture. It computes inks at twice the size and draws
// the key line where two differ. It adds bokashi (hand-wiped gradients) and the
// grain of wood and paper.
func drawWoodblock(w, h int) *image.NRGBA {
	f := newFrame(w, h)
	const k = 2
	W, H := w*k, h*k
	plate := make([]ink, W*H)
	eachRow(H, func(y int) {
		for x := range W {
			plate[y*W+x] = block(f.at((float64(x)+0.5)/k, (float64(y)+0.5)/k))
		}
	})
	line := 0.0019 * float64(h) * k // half the width of the key line, fine pixels
	reach := max(1, int(math.Round(line)))
	strength := math.Min(1, line/0.8)
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	eachRow(h, func(y int) {
		for x := range w {
			var c rgb
			for s := range k * k {
				fx, fy := x*k+s%k, y*k+s/k
				p := f.at((float64(fx)+0.5)/k, (float64(fy)+0.5)/k)
				d := print(p, plate[fy*W+fx])
				if keyLine(plate, W, H, fx, fy, reach) {
					d = blend(d, hex(0x14233C), 0.88*strength)
				}
				c = c.add(d)
			}
			p := f.at(float64(x)+0.5, float64(y)+0.5)
			// Paper: long fibres and a warm unevenness.
			fibre := 0.035*fbm(p.x*210, p.v*60, 2, 0.6, p.px*210, 910) + 0.03*fbm(p.x*4, p.v*4, 4, 0.5, p.px*4, 912)
			set(im, x, y, c.mul((1.0/(k*k))*(1+fibre)))
		}
	})
	return im
}

// print returns the printed colour of an ink at p.
func print(p point, i ink) rgb {
	c := inks[i].colour
	grain := fbm(p.x*3+0.5*noise(p.x*2, p.v*6, 920), p.v*75, 3, 0.5, p.px*75, 921)
	switch i {
	case paperSky, cloudInk:
		// Bokashi: the top of the sky wiped from blue, the horizon from rose.
		c = blend(c, hex(0x4D7699), 0.85*step(0.17, -0.02, p.v+0.01*grain))
		c = blend(c, hex(0xDDAE92), 0.55*step(0.38, 0.66, p.v))
	case peakInk:
		c = blend(hex(0x2F5278), hex(0x93ABB8), step(0.50, 0.66, p.v))
	case deepInk, midInk:
		c = blend(c, hex(0x1F4E70), 0.25*step(0.5, 1, p.v)).mul(1 + 0.16*grain)
	}
	return c.mul(1 + 0.02*grain)
}

// keyLine reports whether another ink begins within reach of a fine pixel.
func keyLine(plate []ink, w, h, x, y, reach int) bool {
	own := plate[y*w+x]
	for _, d := range [8][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}} {
		n := reach
		if d[0] != 0 && d[1] != 0 {
			n = max(1, reach*7/10)
		}
		qx, qy := x+d[0]*n, y+d[1]*n
		if qx < 0 || qy < 0 || qx >= w || qy >= h {
			continue
		}
		if other := plate[qy*w+qx]; other != own && !unlined(own, other) {
			return true
		}
	}
	return false
}

// unlined reports whether two inks are printed without a key line between them.
func unlined(a, b ink) bool {
	if a > b {
		a, b = b, a
	}
	soft := a == paperSky && b == cloudInk || a == deepInk && b == midInk || a == midInk && b == paleInk
	return soft || a == peakInk && b == snowInk || a == paperSky && b == sunInk || a == cloudInk && b == sunInk
}
