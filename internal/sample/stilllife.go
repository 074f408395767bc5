package sample

import (
	"math"
)

var stillLifeRegions = []label{wall, table, fruit, jug}

// vec is a point or direction in the scene: x right, y up, z towards the
// viewer; the table is y = 0.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec              { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec              { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(t float64) vec          { return vec{a.x * t, a.y * t, a.z * t} }
func (a vec) dot(b vec) float64          { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) norm() float64              { return math.Sqrt(a.dot(a)) }
func (a vec) unit() vec                  { return a.mul(1 / a.norm()) }
func (a vec) along(d vec, t float64) vec { return a.add(d.mul(t)) }

// ball is a fruit: a sphere stretched along axis by the factor long.
type ball struct {
	at     vec
	radius float64
	axis   vec
	long   float64
	skin   func(n vec, axis vec, px float64) (c rgb, gloss float64)
}

var (
	window = vec{-0.62, 0.62, 0.48}.unit() // towards the light
	daylit = light(0xFFEBCB).mul(2.3)
	room   = light(0x8E8678).mul(0.20)
	eye    = vec{0, 1.55, 5.6}

	fruits = []ball{
		{vec{-0.15, 0.36, 0.95}, 0.36, vec{0.25, 1, 0.35}.unit(), 0.93, apple(0xA51C1C, 0xD9A13A)},
		{vec{0.62, 0.34, 0.62}, 0.34, vec{-0.3, 1, 0.5}.unit(), 0.92, apple(0x8FA02E, 0xC9B84A)},
		{vec{1.22, 0.33, 0.95}, 0.33, vec{0.1, 1, 0.1}.unit(), 1, orange},
		{vec{0.30, 0.32, 0.15}, 0.34, vec{0.1, 1, -0.1}.unit(), 1, orange},
		{vec{0.52, 0.22, 1.42}, 0.22, vec{1, 0.08, 0.45}.unit(), 1.38, lemon},
		{vec{-0.78, 0.21, 1.30}, 0.21, vec{0.8, 0.05, -0.6}.unit(), 1.35, lemon},
	}
)

const (
	jugX, jugZ, jugHeight = -0.95, 0.25, 1.75
	wallZ                 = -1.6
	cosDown, sinDown      = 0.985, 0.172 // the view is lowered by ten degrees
	tableEdge             = 2.45         // its front edge, z
)

// stillLifeScene returns the scene, which is the same for pictures of every aspect.
func stillLifeScene(float64) func(point) (rgb, label, int) { return stillLife }

// stillLife casts the ray through p.
func stillLife(p point) (rgb, label, int) {
	// The view is wide enough for a square picture. A wider picture shows more of
	// the room.
	x, y := p.x*0.60+0.02, (0.5-p.v)*0.60
	ray := vec{x, y*cosDown - sinDown, -cosDown - y*sinDown}.unit()
	hit, t := -1, math.Inf(1)
	for i := range fruits {
		if d, ok := fruits[i].meet(eye, ray); ok && d < t {
			hit, t = i, d
		}
	}
	if d, ok := meetJug(eye, ray); ok && d < t {
		return shadeJug(eye.along(ray, d), ray, p.px), jug, 0
	}
	if hit >= 0 {
		return fruits[hit].shade(eye.along(ray, t), ray, p.px*t, hit), fruit, hit
	}
	if t := -eye.y / ray.y; t > 0 {
		at := eye.along(ray, t)
		if at.z < tableEdge && at.z > wallZ {
			return shadeTable(at, p.px*t), table, 0
		}
	}
	if t := (tableEdge - eye.z) / ray.z; t > 0 { // the front of the table top
		at := eye.along(ray, t)
		if at.y < 0 {
			grain := fbm(at.x*3, at.y*40, 3, 0.5, p.px*t*40, 700)
			return light(0x5A3820).mul(0.34 + 0.1*grain + 0.5*step(-0.03, 0, at.y)), table, 1
		}
	}
	return shadeWall(eye.along(ray, (wallZ-eye.z)/ray.z), p.px*6), wall, 0
}

// squeezed maps a point or direction to the space where the fruit is a sphere.
func (b *ball) squeezed(v vec) vec { return v.along(b.axis, v.dot(b.axis)*(1/b.long-1)) }

// meet returns the distance at which a ray from o meets the fruit.
func (b *ball) meet(o, d vec) (float64, bool) {
	q, e := b.squeezed(o.sub(b.at)), b.squeezed(d)
	a, h := e.dot(e), q.dot(e)
	disc := h*h - a*(q.dot(q)-b.radius*b.radius)
	if disc < 0 {
		return 0, false
	}
	t := (-h - math.Sqrt(disc)) / a
	return t, t > 1e-4
}

func (b *ball) shade(at, ray vec, px float64, self int) rgb {
	n := b.squeezed(b.squeezed(at.sub(b.at))).unit()
	c, gloss := b.skin(n, b.axis, px/b.radius)
	return lit(at, n, ray, c, gloss, self)
}

// lit is diffuse light from the window and the room, with a soft highlight.
func lit(at, n, ray vec, c rgb, gloss float64, self int) rgb {
	sunny := clamp(n.dot(window)) * shadow(at, self)
	open := occlusion(at, n, self)
	sum := c.tint(daylit.mul(sunny).add(room.mul((1.0 + 0.9*n.y) * open)))
	// This is light reflected by the table.
	sum = sum.add(c.tint(light(0xA0663A).mul(0.26 * clamp(0.2-n.y) * math.Exp(-1.5*at.y) * (0.35 + 0.65*open))))
	half := window.sub(ray).unit()
	spec := math.Pow(clamp(n.dot(half)), 10+gloss*90) * gloss * shadow(at, self)
	rim := sq(sq(1-clamp(-n.dot(ray)))) * 0.12 * gloss * open
	return sum.add(daylit.mul(1.1 * spec)).add(light(0xA9B4C4).mul(rim))
}

// shadow returns the visible part of the window from at, 0..1. Objects cast a
// penumbra that widens with their distance.
func shadow(at vec, self int) float64 {
	s := 1.0
	for i := range fruits {
		if i != self {
			s *= fruits[i].shade01(at)
		}
	}
	if self != jugSelf {
		for _, k := range jugBeads {
			b := ball{at: vec{jugX, k[0], jugZ}, radius: k[1], axis: vec{0, 1, 0}, long: 1}
			s = math.Min(s, b.shade01(at))
		}
	}
	return s
}

// shade01 returns how much of the window's light passes the fruit on its way to at.
func (b *ball) shade01(at vec) float64 {
	to := b.squeezed(b.at.sub(at))
	dir := b.squeezed(window)
	along := to.dot(dir) / dir.norm()
	if along < 0 {
		return 1
	}
	miss := math.Sqrt(math.Max(0, to.dot(to)-along*along)) - b.radius
	return step(-0.10*along-0.01, 0.16*along+0.01, miss)
}

// occlusion returns how much of the room is visible above at. Near objects hide
// part of it.
func occlusion(at, n vec, self int) float64 {
	o := 1.0
	if self != tableSelf {
		o *= 1 - 0.6*clamp(0.5-0.5*n.y)*math.Exp(-2.5*at.y)
	}
	hide := func(centre vec, r float64) {
		d := centre.sub(at)
		l := d.norm()
		o *= 1 - clamp(d.dot(n)/l*0.7+0.3)*math.Min(1, r*r/(l*l))*0.85
	}
	for i := range fruits {
		if i != self {
			hide(fruits[i].at, fruits[i].radius)
		}
	}
	if self != jugSelf {
		for _, k := range jugBeads {
			hide(vec{jugX, k[0], jugZ}, k[1]*0.8)
		}
	}
	return clamp(o)
}

// These surfaces cast no shadow on themselves.
const tableSelf, jugSelf = -1, -2

func apple(red, yellow uint32) func(vec, vec, float64) (rgb, float64) {
	a, b := light(red), light(yellow)
	return func(n, axis vec, px float64) (rgb, float64) {
		lat := n.dot(axis)
		side := n.along(axis, -lat)
		angle := math.Atan2(side.z, side.x)
		streak := fbm(math.Cos(angle)*7, math.Sin(angle)*7+lat*1.2, 4, 0.6, px*9, 710)
		t := clamp(0.25 + 0.75*streak + 0.55*step(0.55, 1, lat) + 0.08*n.z)
		c := blend(a, b, t)
		if dot := fbm(n.x*24, n.y*24+n.z*11, 1, 0.5, px*24, 715); dot > 0.95 {
			c = blend(c, b.mul(1.3), 0.5)
		}
		if lat > 0.90 { // the hollow of the stem
			c = blend(c, light(0x4A3A1A), step(0.90, 0.99, lat))
		}
		return c, 0.75
	}
}

func orange(n, axis vec, px float64) (rgb, float64) {
	pores := fbm(n.x*30+n.z*13, n.y*30-n.z*9, 2, 0.6, px*32, 720)
	c := ramp(0.5+0.5*fbm(n.x*3, n.y*3+n.z, 3, 0.5, px*3, 722), light(0xD8660E), light(0xF08A1A))
	c = c.mul(1 + 0.28*pores)
	if lat := n.dot(axis); lat > 0.975 {
		c = light(0x5A5A20)
	}
	return c, 0.33 + 0.2*pores
}

func lemon(n, axis vec, px float64) (rgb, float64) {
	pores := fbm(n.x*26+n.z*9, n.y*26-n.z*7, 2, 0.6, px*28, 730)
	tip := step(0.8, 1, math.Abs(n.dot(axis)))
	return blend(light(0xF0C81E), light(0xB8B030), 0.7*tip).mul(1 + 0.16*pores), 0.45
}

// jugProfile is the radius of the jug at height y, and its derivative.
func jugProfile(y float64) (r, slope float64) {
	f := func(y float64) float64 {
		t := y / jugHeight
		root := math.Sqrt(clamp(math.Sin(math.Pi * clamp(0.13+0.78*t))))
		belly := 0.50 * root * math.Sqrt(root)
		neck := 0.205 + 0.10*step(0.86, 1.0, t)
		return mix(belly, neck, step(0.48, 0.80, t))
	}
	const e = 1e-3
	r = f(y)
	return r, (f(y+e) - r) / e
}

// jugBeads approximate the jug where it only hides light: heights and radii.
var jugBeads = [][2]float64{{0.30, 0.40}, {0.62, 0.48}, {0.95, 0.40}, {1.22, 0.26}, {1.45, 0.22}, {1.65, 0.26}}

// jugDistance returns a lower bound of the distance to the jug and its handle.
func jugDistance(q vec) float64 {
	x, z := q.x-jugX, q.z-jugZ
	ring := math.Hypot(x, z)
	r, slope := jugProfile(math.Max(0, math.Min(jugHeight, q.y)))
	body := (ring - r) / math.Sqrt(1+slope*slope)
	body = math.Max(body, math.Max(q.y-jugHeight, -q.y))
	if q.y > jugHeight-0.25 { // hollow
		body = math.Max(body, r-0.035-ring)
	}
	// The handle: part of a flattened torus on the left.
	hx, hy := x+0.33, (q.y-1.16)/1.35
	handle := math.Hypot(math.Hypot(hx, hy)-0.30, z/1.25) - 0.052
	if x > -0.16 {
		handle = math.Max(handle, 0.2)
	}
	return math.Min(body, handle*0.9)
}

func meetJug(o, d vec) (float64, bool) {
	// Only rays that pass the sphere round the jug are marched.
	bound := ball{at: vec{jugX - 0.1, jugHeight / 2, jugZ}, radius: 1.02, axis: vec{0, 1, 0}, long: 1}
	t, ok := bound.meet(o, d)
	if !ok {
		return 0, false
	}
	for range 70 {
		step := jugDistance(o.along(d, t))
		if step < 0.0012 {
			return t, true
		}
		if t += 0.85 * step; t > 8 {
			break
		}
	}
	return 0, false
}

// shadeJug glazes the upper part blue over an earthen body.
func shadeJug(at, ray vec, px float64) rgb {
	const e = 0.002
	n := vec{
		jugDistance(at.add(vec{e, 0, 0})) - jugDistance(at.add(vec{-e, 0, 0})),
		jugDistance(at.add(vec{0, e, 0})) - jugDistance(at.add(vec{0, -e, 0})),
		jugDistance(at.add(vec{0, 0, e})) - jugDistance(at.add(vec{0, 0, -e})),
	}.unit()
	angle := math.Atan2(at.z-jugZ, at.x-jugX)
	drip := 0.60 + 0.10*noise(angle*2.3, 0, 740) + 0.05*noise(angle*7, 1, 741)
	rings := noise(3, at.y*26, 742) * visible(1, px*6*26)
	speckle := fbm(at.x*40+at.z*17, at.y*40, 2, 0.6, px*6*40, 743)
	clay := light(0x9C6A45).mul(1 + 0.10*rings + 0.18*speckle)
	glaze := blend(light(0x1F4E6E), light(0x4D8CA0), clamp(0.5+0.5*fbm(angle*2, at.y*3, 4, 0.55, px*18, 744)))
	glaze = glaze.mul(1 + 0.10*speckle)
	k := step(drip-0.012, drip+0.012, at.y)
	c := blend(clay, glaze, k)
	c = c.mul(1 - 0.45*math.Exp(-sq((at.y-drip)/0.018)))
	if ring := math.Hypot(at.x-jugX, at.z-jugZ); at.y > jugHeight-0.24 && ring < 0.2 {
		c = c.mul(0.3) // inside
	}
	return lit(at, n, ray, c, mix(0.12, 0.95, k), jugSelf)
}

// shadeTable is boards of old wood.
func shadeTable(at vec, px float64) rgb {
	const board = 0.62
	i := math.Floor(at.z / board)
	z := at.z/board - i
	x := at.x + 7*random(int(i), 0, 750)
	warp := fbm(x*0.7, at.z*2.2, 3, 0.5, px*2.2, 751)
	rings := 0.5 + 0.5*math.Sin((at.z*9+warp*3.2+0.3*x)*6)*visible(0.12, px)
	fibre := fbm(x*2.4, at.z*55, 3, 0.6, px*55, 752)
	c := ramp(clamp(0.45+0.28*(rings-0.5)+0.30*fibre+0.2*(random(int(i), 1, 750)-0.5)), light(0x4E2E18), light(0x8A5630), light(0xB98350))
	c = c.mul(1 - 0.75*step(0.03, 0, math.Min(z, 1-z)))
	reach := clamp(1.0 - 0.16*(at.x+1.2)) // the light falls off from the window
	up := vec{0, 1, 0}
	sunny := window.y * shadow(at, tableSelf) * reach
	view := at.sub(eye).unit()
	half := window.sub(view).unit()
	gloss := math.Pow(clamp(half.y), 26) * 0.16 * shadow(at, tableSelf) * (1 + 0.5*fibre)
	return c.tint(daylit.mul(sunny).add(room.mul(1.7 * occlusion(at, up, tableSelf)))).add(daylit.mul(gloss))
}

// shadeWall is plaster, light falling across it from the left.
func shadeWall(at vec, px float64) rgb {
	rough := fbm(at.x*1.3, at.y*1.3, 6, 0.6, px*1.3, 760)
	fine := fbm(at.x*14, at.y*14, 3, 0.6, px*14, 765)
	c := blend(light(0x4E5A52), light(0x7C7A62), clamp(0.5+0.6*rough)).mul(1 + 0.10*fine)
	beam := step(1.5, -1.0, at.x*0.8+0.65*(at.y-1.2)+0.15*rough)
	fall := 0.10 + 0.55*beam
	jugShade := ball{at: vec{jugX, 0.8, jugZ}, radius: 0.6, axis: vec{0, 1, 0}, long: 1.6}
	s := mix(0.45, 1, jugShade.shade01(at))
	return c.tint(daylit.mul(0.5 * fall * s).add(room.mul(0.8 + 0.4*clamp(at.y*0.4))))
}
