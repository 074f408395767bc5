package sample

import (
	"math"
)

var lighthouseRegions = []label{sky, water, land, building}

// This is the geometry. Positions are in heights of the picture, measured from the
// right edge for everything on the cliff, and from the left for the boat.
const (
	seaLine    = 0.60 // the horizon, v
	towerRight = 0.44 // axis of the tower, from the right edge
	towerTop   = 0.235
	towerFoot  = 0.535
)

var (
	noon    = light(0xFFF3DC).mul(2.1)
	daySky  = light(0x9CC4F0).mul(0.6)
	hazeSea = light(0xCFE3EE).mul(1.1)
)

// lighthouseScene returns the lighthouse scene for a picture of this aspect.
func lighthouseScene(aspect float64) func(point) (rgb, label, int) {
	return func(p point) (rgb, label, int) { return lighthouse(p, aspect) }
}

func lighthouse(p point, aspect float64) (rgb, label, int) {
	right := aspect/2 - p.x // from the right edge
	left := p.x + aspect/2
	if c, id, ok := tower(right-towerRight, p); ok {
		return c, building, id
	}
	if c, id, ok := cottage(right-0.235, p); ok {
		return c, building, id
	}
	if top := cliffTop(right, p.px); p.v > top && right < cliffEdge(p.v, p.px) {
		return cliff(p, right, p.v-top), land, 0
	}
	if c, id, ok := boat(left-0.30, p); ok {
		return c, building, 8 + id
	}
	if p.v > seaLine {
		return sea(p, right), water, 0
	}
	return daylight(p), sky, 0
}

// daylight is a blue sky with cumulus clouds that are white on the side of the sun,
// at the upper left.
func daylight(p point) rgb {
	c := ramp(p.v/seaLine, light(0x2767B8).mul(0.9), light(0x5E9BDD), light(0xB5D5EE).mul(1.1), hazeSea)
	density := func(dx, dy float64) float64 {
		x, y := (p.x+dx)*2.1, (p.v+dy)*3.0
		px := p.px * 3
		x += 0.25 * fbm(x*1.5, y*1.5, 2, 0.5, px*1.5, 510)
		n := fbm(x+5.3, y, 7, 0.55, px, 500)
		// Clouds are denser in a band above the horizon, and flat at their base.
		return n + 0.55 - 1.7*math.Abs(p.v+dy-0.30) - 0.1*p.x
	}
	n := density(0, 0)
	if cover := step(0.08, 0.34, n) * step(0.585, 0.47, p.v); cover > 0 {
		toSun := density(-0.035, -0.045)
		bright := clamp(0.62 + 1.15*(n-toSun) - 0.18*n)
		body := ramp(bright, light(0x7E8DA8).mul(0.85), light(0xC2C9D6).mul(1.2), light(0xFFF8EC).mul(2.4))
		c = blend(c, body, cover*0.96)
	}
	wisps := step(0.1, 0.8, fbm(p.x*1.1+2, p.v*7, 5, 0.55, p.px*7, 520))
	return blend(c, hazeSea.mul(1.2), 0.35*wisps*step(0.4, 0.1, p.v))
}

// sea is water in perspective: the length of waves decreases with the distance.
func sea(p point, right float64) rgb {
	d := p.v - seaLine
	far := 0.02 / (d + 0.012) // 1.7 at the horizon, 0.05 at the bottom
	x, y := p.x*far*18, far*70
	pxy := p.px * 70 * far * far / 0.02 // a pixel's height on the water
	swell := fbm(x*0.9, y*0.55, 3, 0.5, math.Max(pxy*0.55, p.px*far*18), 530)
	chop := fbm(x*4.5+swell, y*2.4, 4, 0.6, math.Max(pxy*2.4, p.px*far*80), 540)
	slope := 0.65*swell + 0.55*chop
	deep := ramp(clamp(d*2.6), light(0x4B86A8).mul(0.9), light(0x236B8C).mul(0.72), light(0x0D4258).mul(0.6))
	mirror := light(0x8FBBDD).mul(1.0)
	c := blend(deep, mirror, clamp(0.26+0.42*slope+0.25*math.Exp(-d*16)))
	c = c.add(light(0x2FA08A).mul(0.16 * clamp(slope) * clamp(d*4))) // light through the crests
	caps := step(0.62, 0.86, slope) * clamp(d*9)
	c = blend(c, light(0xF5FAFA).mul(1.25), 0.85*caps)
	sparkle := step(0.35, 0.75, slope) * math.Exp(-sq((p.u-0.16)/0.17))
	c = c.add(noon.mul(0.30 * sparkle))
	// Surf at the foot of the cliff.
	shore := right - cliffEdge(p.v, p.px)
	foam := step(0.10, 0.0, shore+0.05*fbm(p.x*9, p.v*24, 4, 0.6, p.px*24, 550)) * step(0.0, 0.10, d)
	c = blend(c, light(0xF2F7F6).mul(1.15+0.3*chop), clamp(foam*(0.55+0.9*chop+0.3*swell)))
	return blend(c, hazeSea, math.Exp(-d*55)*0.8)
}

// cliffTop is the upper edge of the land, v; right is the distance from the
// right edge of the picture.
func cliffTop(right, px float64) float64 {
	return 0.515 + 0.10*sq(clamp(right-0.2)*1.25) + 0.012*fbm(right*7, 2, 4, 0.5, px*7, 560) + 0.02*step(0.2, 0, right)
}

// cliffEdge is how far the land reaches from the right edge at v.
func cliffEdge(v, px float64) float64 {
	ledge := fbm(v*13, 1.7, 4, 0.6, px*13, 565)
	return 0.60 + 1.68*sq(v-0.55) + 0.20*(v-0.55) + 0.022*ledge + 0.012*math.Floor(3*ledge)/3
}

// cliff is rock in layers under a cap of grass; d is the depth below its top.
func cliff(p point, right, d float64) rgb {
	edge := cliffEdge(p.v, p.px) - right // distance inside the sea-side edge
	turf := 0.052 + 0.03*fbm(p.x*11, 0, 3, 0.5, p.px*11, 570) + 0.09*step(0.30, 0.0, right)
	if d < turf {
		blades := fbm(p.x*90, p.v*45, 3, 0.6, p.px*90, 575)
		c := ramp(0.5+0.5*fbm(p.x*7, p.v*13, 4, 0.5, p.px*13, 580), light(0x3E5C22), light(0x6B8C34), light(0xA8A850))
		return c.mul(clamp(0.8 + 0.5*blades)).mul(mix(1.1, 0.5, step(turf*0.6, turf, d))).tint(noon.mul(0.55).add(daySky))
	}
	// Layers tilt and bend; joints run across them.
	y := p.v*17 + p.x*3.5 + 0.9*fbm(p.x*4, p.v*4, 3, 0.5, p.px*4, 585)
	height := func(dx, dy float64) float64 {
		return ridged((p.x+dx)*10, (p.v+dy)*5, 6, p.px*10, 590) + 0.28*noise(3, y+dy*17, 595)
	}
	h := height(0, 0)
	lit := clamp(0.45 + 7*(h-height(-0.008, -0.006)))
	strata := 0.5 + 0.5*noise(7.5, y*1.6, 600)
	c := ramp(strata, light(0x6A5648), light(0xA0866A), light(0xC8B492), light(0x8C7660))
	c = c.mul(0.55 + 0.6*clamp(h))
	c = blend(c, light(0x5E6B34), 0.6*step(0.55, 0.85, h+0.4*fbm(p.x*20, p.v*20, 3, 0.5, p.px*20, 605))*step(0.3, 0.1, d))
	wet := step(0.80, 0.93, p.v+0.03*fbm(p.x*12, p.v*12, 3, 0.5, p.px*12, 606))
	c = c.mul(1 - 0.5*wet)
	shade := mix(0.35, 1, step(0.34, 0.0, edge)) // the face turns away from the sun
	c = c.tint(noon.mul(0.95 * lit * shade).add(daySky.mul(0.8)))
	return c.mul(0.65 + 0.35*step(turf, turf+0.05, d))
}

// tower is the lighthouse; dx is the distance left of its axis.
func tower(dx float64, p point) (rgb, int, bool) {
	t := (p.v - towerTop) / (towerFoot - towerTop) // 0 under the lantern, 1 at the foot
	turn := func(half float64) (float64, bool) {   // -1 right .. 1 left across a round body
		return dx / half, math.Abs(dx) < half
	}
	round := func(s float64, c rgb) rgb { // a cylinder, lit from the left, sky light from the right
		lambert := clamp(0.82*s + 0.57*math.Sqrt(clamp(1-s*s)))
		return c.tint(noon.mul(0.9 * lambert).add(daySky.mul(0.75 + 0.25*clamp(-s))))
	}
	white, red, dark := light(0xF4F0E6), light(0xB8322A), light(0x2A2E33)
	switch {
	case t > 0 && t < 1:
		s, ok := turn(mix(0.029, 0.047, t+0.3*sq(t)*t-0.3*t*t))
		if !ok {
			return rgb{}, 0, false
		}
		c, id := white, 1
		if band := math.Mod(t*5-0.06*math.Sqrt(clamp(1-s*s))+10, 2); band > 1 {
			c, id = red, 2
		}
		c = c.mul(1 + 0.07*fbm(dx*80, p.v*40, 3, 0.6, p.px*80, 610) - 0.1*step(0.6, 1, t))
		// Windows, one above the other.
		if wv := math.Mod(t*5+0.55, 2); math.Abs(s-0.15) < 0.13 && wv > 0.4 && wv < 0.68 && t < 0.8 {
			return dark.mul(0.7), 3, true
		}
		if math.Abs(s-0.1) < 0.2 && t > 0.9 {
			return light(0x3A4A3E).mul(0.8), 3, true
		}
		return round(s, c), id, true
	case t > -0.03 && t <= 0: // the gallery
		if s, ok := turn(0.041); ok {
			return round(s, dark.mul(1.6)), 4, true
		}
	case t > -0.085 && t <= -0.03: // its rail
		bar := math.Abs(math.Mod(math.Abs(dx)+0.0035, 0.007)-0.0035) < 0.0011
		if s, ok := turn(0.040); ok && (bar || t < -0.072) {
			return round(s, dark.mul(1.3)), 4, true
		}
		if s, ok := turn(0.022); ok {
			return lantern(s), 5, true
		}
	case t > -0.175 && t <= -0.085:
		if s, ok := turn(0.022); ok {
			return lantern(s), 5, true
		}
	case t > -0.26 && t <= -0.175: // the roof: a dome and its ball
		if s, ok := turn(0.027 * math.Sqrt(clamp((t+0.26)/0.085))); ok {
			return round(s, red.mul(0.9)), 6, true
		}
	case t > -0.31 && t <= -0.26:
		if s, ok := turn(0.0022); ok {
			return round(s, dark), 4, true
		}
	}
	return rgb{}, 0, false
}

// lantern is glass between bars, with the lamp's warm light inside.
func lantern(s float64) rgb {
	if math.Abs(math.Mod(s+3.0, 0.5)-0.25) < 0.035 {
		return light(0x30343A)
	}
	return blend(light(0x7FA6BC), light(0xFFE9A0).mul(2.2), math.Exp(-sq(s/0.4)))
}

// cottage is the keeper's house; dx is the distance left of its middle.
func cottage(dx float64, p point) (rgb, int, bool) {
	const half, eaves, foot, ridge = 0.085, 0.475, 0.545, 0.432
	if p.v > ridge && p.v < eaves {
		slope := (p.v - ridge) / (eaves - ridge)
		if math.Abs(dx) < half*(0.78+0.30*slope) {
			row := math.Mod(slope*7, 1)
			tile := random(int(math.Floor(dx*260+3*math.Floor(slope*7))), int(slope*7), 620)
			c := ramp(tile, light(0x8C3B28), light(0xB05A3C), light(0x9A4A34)).mul(mix(0.65, 1.1, row))
			return c.tint(noon.mul(0.75).add(daySky)), 21, true
		}
	}
	if p.v < ridge && p.v > ridge-0.03 && math.Abs(dx+0.04) < 0.011 {
		return light(0xA08878).tint(noon.mul(0.5 + 20*math.Max(0, dx+0.04)).add(daySky)), 23, true
	}
	if p.v < eaves || p.v > foot || math.Abs(dx) > half {
		return rgb{}, 0, false
	}
	for _, at := range []float64{-0.052, 0.0, 0.052} {
		if math.Abs(dx-at) < 0.0125 && p.v > 0.493 && (p.v < 0.521 || at == 0) {
			if at == 0 {
				return light(0x2F5B78).mul(0.9), 24, true
			}
			if math.Abs(dx-at) < 0.0015 {
				return light(0xF4F0E6), 25, true
			}
			return light(0x35424C).mul(0.7 + 20*(0.52-p.v)), 24, true
		}
	}
	plaster := light(0xEFE6D2).mul(1 + 0.08*fbm(dx*60, p.v*60, 3, 0.6, p.px*60, 630))
	return plaster.tint(noon.mul(0.8).add(daySky)).mul(mix(0.62, 1, step(eaves, eaves+0.012, p.v))), 22, true
}

// boat is a small sailing boat; dx is the distance right of its mast.
func boat(dx float64, p point) (rgb, int, bool) {
	const foot, top = 0.665, 0.495
	sway := dx - 0.05*(p.v-foot)
	up := (foot - p.v) / (foot - top)
	if p.v > foot && p.v < foot+0.022 {
		depth := (p.v - foot) / 0.022
		if sway > -0.052+0.016*depth && sway < 0.062-0.034*depth*depth {
			c := blend(light(0x7A3B22), light(0xE8E0D0), step(0.30, 0.22, depth))
			return c.tint(noon.mul(0.7).add(daySky)), 1, true
		}
	}
	if up < 0 || up > 1 {
		return rgb{}, 0, false
	}
	if math.Abs(sway) < 0.0018 {
		return light(0x5A4632), 2, true
	}
	cloth := func(belly float64) rgb {
		seam := 0.9 + 0.1*step(0.0, 0.15, math.Abs(math.Mod(up*6, 1)-0.5))
		return light(0xF6EAD0).mul(seam).tint(noon.mul(0.45 + 0.5*belly).add(daySky.mul(0.8)))
	}
	if up > 0.05 && sway > 0.003 && sway < 0.055*math.Pow(1-up, 0.8)+0.003 { // mainsail
		return cloth(1 - sway/0.06), 3, true
	}
	if up > 0.08 && up < 0.86 && sway < -0.003 && sway > -0.044*(1-up/0.86)-0.003 { // jib
		return light(0xD8563A).mul(0.9 + 4*-sway).tint(noon.mul(0.6).add(daySky)), 4, true
	}
	return rgb{}, 0, false
}
