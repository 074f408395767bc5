package sample

import (
	"math"
)

var valleyRegions = []label{sky, sun, mountain, water, land, tree}

// The light of the scene: a low sun on the left.
var (
	evening    = light(0xFFD9A0).mul(2.6)
	skylight   = light(0x8FB4E8).mul(0.55)
	horizon    = light(0xF6C9A0).mul(1.1)
	sunAt      = [2]float64{0.27, 0.235} // u, v
	valleyLine = 0.655                   // the far shore, v
)

// ranges are the mountains, far to near: base line and height (v), crests per
// picture height, share of haze.
var ranges = []struct{ base, height, crests, haze float64 }{
	{0.57, 0.42, 1.25, 0.50},
	{0.60, 0.29, 1.7, 0.36},
	{0.635, 0.17, 2.3, 0.22},
	{0.655, 0.055, 5.0, 0.10},
}

// valleyScene is the valley in a picture of this aspect.
func valleyScene(aspect float64) func(point) (rgb, label, int) {
	trees := conifers(aspect)
	return func(p point) (rgb, label, int) { return valley(p, trees) }
}

// valley returns the linear light, the region and the object at p.
func valley(p point, trees []conifer) (rgb, label, int) {
	for i := len(trees) - 1; i >= 0; i-- {
		if c, ok := trees[i].at(p); ok {
			return c, tree, 8 + i
		}
	}
	if edge := bank(p); p.v > edge {
		return meadow(p, p.v-edge), land, 0
	}
	if p.v <= valleyLine {
		return aboveShore(p)
	}
	// The lake mirrors what lies above the shore, moved by ripples that grow
	// towards the viewer.
	d := p.v - valleyLine
	near := d * 4
	ripple := fbm(p.x*9/(0.25+near), d*110/(0.35+near), 4, 0.55, p.px*110/(0.35+near), 301)
	q := p
	q.v = valleyLine - d*0.92 + ripple*0.035*(0.15+near)
	q.v = math.Min(q.v, valleyLine-0.001)
	q.x += ripple * 0.02 * near
	c, _, _ := aboveShore(q)
	glassy := clamp(0.78 - 0.45*near)
	deep := light(0x1C4F6C).mul(0.6)
	c = blend(deep, c.mul(0.86), glassy)
	// Wind draws bright streaks on the water, strongest below the sun.
	wind := step(0.25, 0.8, fbm(p.x*1.6, d*26, 3, 0.5, p.px*26, 333))
	c = blend(c, light(0xC8D4E0).mul(0.7), 0.16*wind)
	glint := math.Exp(-sq((p.u-sunAt[0])/0.05)) * step(0.2, 0.9, ripple)
	c = c.add(evening.mul(0.5 * glint * (1 - near*0.4)))
	// A dark line where the far shore meets its image.
	return c.mul(1 - 0.5*math.Exp(-d*220)), water, 0
}

// aboveShore is the sky and the mountains.
func aboveShore(p point) (rgb, label, int) {
	for i := len(ranges) - 1; i >= 0; i-- {
		if top := crest(i, p.x, p.px); p.v > top {
			return slope(p, i, top), mountain, i
		}
	}
	d := math.Hypot(p.x-(sunAt[0]-0.5)*aspectOf(p), p.v-sunAt[1])
	if d < 0.03 {
		return evening.mul(2.2), sun, 0
	}
	return valleySky(p, d), sky, 0
}

// aspectOf recovers the picture's aspect from a point of it.
func aspectOf(p point) float64 {
	if math.Abs(p.u-0.5) < 1e-9 {
		return 1
	}
	return p.x / (p.u - 0.5)
}

// crest is the sky line of range i, v at x.
func crest(i int, x, px float64) float64 {
	r := ranges[i]
	n := ridged(x*r.crests+7.3*float64(i)+2.2, 0.37+float64(i)*3.1, 8, px*r.crests, uint32(40+i))
	if i == 3 { // a wood, not a mountain
		n = 0.5*n + 0.35*math.Abs(noise(x*70, 0, 77))*visible(1, px*70)
	}
	return r.base - r.height*n
}

// slope lights a mountainside: rock by the gradient of a fractal height, snow
// on the heights, wood below, haze with distance and towards the foot.
func slope(p point, i int, top float64) rgb {
	r := ranges[i]
	k := 4.5 * r.crests
	px := p.px * k
	height := func(x, y float64) float64 { return ridged(x*k, y*k*0.8+9, 6, px, uint32(90+7*i)) }
	const e = 0.004
	h0 := height(p.x, p.v)
	lit := clamp(0.5 + (h0-height(p.x-e, p.v-0.4*e))*(26.0/k*4.5))
	rock := blend(light(0x4A4550), light(0x9A8474), clamp(h0*1.5-0.2))
	c := rock
	up := (r.base - p.v) / r.height // 0 at the foot, up to 1 at the crest
	if i < 2 {
		snow := step(0.30, 0.52, up+0.35*(h0-0.5)+0.12*fbm(p.x*14, p.v*14, 4, 0.5, p.px*14, 5))
		c = blend(c, light(0xF4F2F5), snow)
	}
	wood := step(0.5, 0.2, up+0.3*(h0-0.4)) * clamp(float64(i)*0.6)
	grain := fbm(p.x*60, p.v*90, 3, 0.6, p.px*90, 8)
	c = blend(c, light(0x2F4A2C).mul(1+0.5*grain), wood)
	if i == 3 {
		c = light(0x24402A).mul(1 + 0.6*grain + 0.8*step(0.02, 0, p.v-top))
		lit = 0.35 + 0.3*h0
	}
	c = c.tint(evening.mul(0.12 + 0.88*lit*lit*1.2).add(skylight))
	mist := clamp(r.haze + 0.45*(1-up)*float64(3-i)/3*(0.75+0.4*fbm(p.x*2.2, p.v*9, 3, 0.5, p.px*9, 12)))
	haze := blend(light(0x86A8D6), horizon, step(0.55, 0.0, math.Abs(p.u-sunAt[0])))
	return blend(c, haze.mul(0.85), mist)
}

// valleySky is a gradient, the sun's glow (d from it), and lit clouds.
func valleySky(p point, d float64) rgb {
	c := ramp(p.v/0.55, light(0x2F62B0), light(0x6F9FD6).mul(1.05), light(0xC9CFDC).mul(1.1), horizon.mul(1.1))
	c = c.add(evening.mul(0.35*math.Exp(-d*7) + 0.9*math.Exp(-d*34)))
	stretch := 1.5 + 5*p.v
	cloud := func(dx, dy float64) float64 {
		x, y := (p.x+dx)*1.9, (p.v+dy)*1.9*stretch
		return fbm(x+0.4*fbm(x, y, 2, 0.5, p.px*8, 64), y, 6, 0.52, p.px*1.9*stretch, 60)
	}
	n := cloud(0, 0)
	cover := step(0.02, 0.5, n) * step(0.56, 0.3, p.v)
	if cover > 0 {
		edge := clamp(0.55 + 1.6*(n-cloud(-0.03, 0.02)))
		body := blend(light(0x8C93B4), light(0xFFE9CF).mul(1.7), edge)
		c = blend(c, body.add(evening.mul(0.3*math.Exp(-d*6))), 0.85*cover)
	}
	return c
}

// bank is the upper edge of the near shore, v at x: high at the sides.
func bank(p point) float64 {
	side := math.Abs(p.u - 0.55)
	return 0.985 - 0.34*side*side*2.2 - 0.03*step(0.3, 0.6, side) + 0.012*fbm(p.x*5, 0, 4, 0.5, p.px*5, 210)
}

// meadow is grass and flowers, d below the bank's edge.
func meadow(p point, d float64) rgb {
	k := 130 / (1 + 6*d)
	blades := fbm(p.x*k, p.v*k*0.28, 3, 0.6, p.px*k, 220)
	patches := fbm(p.x*5, p.v*9, 4, 0.5, p.px*9, 230)
	c := ramp(0.5+0.5*patches, light(0x2E4A1E), light(0x567A2A), light(0x9A9A3C))
	c = c.mul(clamp(0.75+0.7*blades) * mix(1.2, 0.75, clamp(d*5)))
	// Flowers: one chance in each cell of a grid.
	const cell = 0.011
	ix, iy := int(math.Floor(p.x/cell)), int(math.Floor(p.v/cell*1.4))
	if random(ix, iy, 240) < 0.16+0.3*patches {
		dx := p.x/cell - float64(ix) - 0.3 - 0.4*random(ix, iy, 241)
		dy := p.v/cell*1.4 - float64(iy) - 0.3 - 0.4*random(ix, iy, 242)
		petal := ramp(random(ix, iy, 243), light(0xFFF4E0), light(0xF2C230), light(0xC04A6A))
		c = blend(c, petal, step(0.32, 0.2, math.Hypot(dx, dy))*visible(cell, p.px*1.2))
	}
	return c.tint(evening.mul(0.75).add(skylight)).add(evening.mul(0.12 * math.Exp(-d*90)))
}

// conifer is a fir tree: foot (x, v) and height.
type conifer struct {
	x, foot, height float64
	seed            uint32
}

// conifers stands firs on both sides, far ones first.
func conifers(aspect float64) []conifer {
	var trees []conifer
	for i := range 15 {
		side := 1.0
		if i%3 == 0 {
			side = -1
		}
		r := random(i, 1, 400)
		depth := float64(i) / 14 // 0 far, 1 near
		u := 0.5 + side*(0.27+0.24*random(i, 2, 400))
		if side < 0 {
			u = 0.5 - (0.36 + 0.15*random(i, 2, 400))
		}
		trees = append(trees, conifer{(u - 0.5) * aspect, 0.80 + 0.17*depth, (0.16 + 0.1*r) * (0.8 + 1.0*depth), uint32(410 + i)})
	}
	return trees
}

// at is the tree's light at p, if p is on it.
func (t conifer) at(p point) (rgb, bool) {
	up := (t.foot - p.v) / t.height // 0 at the foot, 1 at the tip
	if up < 0 || up > 1 {
		return rgb{}, false
	}
	dx := (p.x - t.x) / t.height
	if math.Abs(dx) > 0.26 {
		return rgb{}, false
	}
	if up < 0.07 {
		if math.Abs(dx) > 0.014 {
			return rgb{}, false
		}
		return light(0x3A2A1C).tint(evening.mul(0.3).add(skylight)).mul(0.6 + 20*clamp(0.014-dx)), true
	}
	// Tiers of branches: each starts wide and narrows upwards.
	up = (up - 0.07) / 0.93
	droop := up + 0.35*math.Abs(dx)
	tier := math.Mod(droop*11+0.4*noise(dx*9, up*5, t.seed), 1)
	width := 0.235 * math.Pow(1-up, 0.85) * (1.08 - 0.5*tier)
	width *= 1 + 0.55*noise(dx*40, up*46, t.seed+1)*visible(t.height/46, p.px)
	if math.Abs(dx) > width {
		return rgb{}, false
	}
	needles := fbm(dx*50, up*70, 2, 0.6, p.px/t.height*70, t.seed+2)
	sunny := clamp(0.45 - dx/(width+0.02)*0.6 + 0.35*needles)
	c := ramp(sunny, light(0x0C1F16), light(0x1F4026), light(0x5E7A34))
	return c.tint(evening.mul(0.55).add(skylight)).mul(mix(1.15, 0.5, tier)), true
}
