package flow

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// texture is a sum of waves of many lengths and directions, so that any motion
// of it is known exactly, between pixels too. 0..1.
func texture(seed uint64) func(x, y float64) float64 {
	type wave struct{ kx, ky, phase, size float64 }
	rng := rand.New(rand.NewPCG(seed, 7))
	var waves []wave
	for range 40 {
		length := 5 * math.Pow(16, rng.Float64()) // 5 to 80 pixels
		angle := 2 * math.Pi * rng.Float64()
		k := 2 * math.Pi / length
		waves = append(waves, wave{k * math.Cos(angle), k * math.Sin(angle), 2 * math.Pi * rng.Float64(), math.Sqrt(length)})
	}
	return func(x, y float64) float64 {
		sum, norm := 0.0, 0.0
		for _, w := range waves {
			sum += w.size * math.Sin(w.kx*x+w.ky*y+w.phase)
			norm += w.size * w.size
		}
		return min(max(0.5+0.25*sum/math.Sqrt(norm), 0), 1)
	}
}

func sample(at func(x, y float64) float64, w, h int) []float32 {
	p := make([]float32, w*h)
	for i := range p {
		p[i] = float32(at(float64(i%w), float64(i/w)))
	}
	return p
}

// affine is a motion x' = centre + m (x - centre) + d of the plane.
type affine struct{ m11, m12, m21, m22, cx, cy, dx, dy float64 }

func (a affine) apply(x, y float64) (float64, float64) {
	x, y = x-a.cx, y-a.cy
	return a.cx + a.m11*x + a.m12*y + a.dx, a.cy + a.m21*x + a.m22*y + a.dy
}

func (a affine) inverse() affine {
	d := a.m11*a.m22 - a.m12*a.m21
	i := affine{m11: a.m22 / d, m12: -a.m12 / d, m21: -a.m21 / d, m22: a.m11 / d, cx: a.cx, cy: a.cy}
	i.dx, i.dy = -(i.m11*a.dx + i.m12*a.dy), -(i.m21*a.dx + i.m22*a.dy)
	return i
}

func similarity(w, h int, zoom, degrees, dx, dy float64) affine {
	s, c := math.Sincos(degrees * math.Pi / 180)
	return affine{zoom * c, -zoom * s, zoom * s, zoom * c, float64(w-1) / 2, float64(h-1) / 2, dx, dy}
}

// TestKnownMotions: translations whole and between pixels, small and large,
// rotations, zooms and all at once. The error is the mean distance to where the
// motion really leads, over pixels that stay in the picture.
func TestKnownMotions(t *testing.T) {
	const w, h = 121, 97
	for name, c := range map[string]struct {
		motion affine
		most   float64 // pixels
	}{
		"rest":                 {similarity(w, h, 1, 0, 0, 0), 0.001},
		"one pixel":            {similarity(w, h, 1, 0, 1, 0), 0.03},
		"half a pixel":         {similarity(w, h, 1, 0, 0.5, -0.5), 0.03},
		"three and a quarter":  {similarity(w, h, 1, 0, -3.25, 2.5), 0.05},
		"twelve":               {similarity(w, h, 1, 0, 12, -7), 0.1},
		"turned by two":        {similarity(w, h, 1, 2, 0, 0), 0.1},
		"turned by six":        {similarity(w, h, 1, -6, 0, 0), 0.15},
		"larger by 3 %":        {similarity(w, h, 1.03, 0, 0, 0), 0.1},
		"smaller by 8 %":       {similarity(w, h, 0.92, 0, 0, 0), 0.15},
		"turned, larger, away": {similarity(w, h, 1.04, 3, 4, 5), 0.15},
	} {
		t.Run(name, func(t *testing.T) {
			at, back := texture(3), c.motion.inverse()
			a := sample(at, w, h)
			b := sample(func(x, y float64) float64 { return at(back.apply(x, y)) }, w, h)
			f := Estimate(a, b, w, h)
			sum, n := 0.0, 0
			for i := range f.U {
				x, y := float64(i%w), float64(i/w)
				tx, ty := c.motion.apply(x, y)
				if tx < 0 || ty < 0 || tx > w-1 || ty > h-1 {
					continue
				}
				sum += math.Hypot(x+float64(f.U[i])-tx, y+float64(f.V[i])-ty)
				n++
			}
			t.Logf("mean error %.4f pixels over %d pixels", sum/float64(n), n)
			if !(sum/float64(n) <= c.most) {
				t.Errorf("the mean error is %.3f pixels, at most %.3f are allowed", sum/float64(n), c.most)
			}
		})
	}
}

// TestBrightnessMayChange: the constancy of gradients carries through a change
// of light that brightness alone does not.
func TestBrightnessMayChange(t *testing.T) {
	const w, h = 101, 83
	at := texture(5)
	a := sample(at, w, h)
	b := sample(func(x, y float64) float64 { return at(x-2, y+1) + 0.03 }, w, h)
	f := Estimate(a, b, w, h)
	sum := 0.0
	for i := range f.U {
		sum += math.Hypot(float64(f.U[i])-2, float64(f.V[i])+1)
	}
	if mean := sum / float64(len(f.U)); !(mean < 0.3) {
		t.Errorf("the mean error is %.3f pixels", mean)
	}
}

// TestOcclusion: a disc moves over a still ground. What it uncovers is not
// trusted, nor its edge; the still ground and its inside are.
func TestOcclusion(t *testing.T) {
	const w, h, r, step = 120, 90, 20.0, 6.0
	ground, disc := texture(1), texture(2)
	scene := func(cx float64) []float32 {
		return sample(func(x, y float64) float64 {
			if math.Hypot(x-cx, y-45) < r {
				return disc(x-cx, y)
			}
			return ground(x, y)
		}, w, h)
	}
	before, now := scene(50), scene(50+step)
	back, forth := Between(now, before, w, h)
	trust := Trust(back, forth)
	share := func(in func(x, y float64) bool) float64 {
		sum, n := 0.0, 0.0
		for i, v := range trust {
			if in(float64(i%w), float64(i/w)) {
				sum += float64(v)
				n++
			}
		}
		return sum / n
	}
	uncovered := share(func(x, y float64) bool {
		return math.Hypot(x-50, y-45) < r-1 && math.Hypot(x-50-step, y-45) > r+1
	})
	inside := share(func(x, y float64) bool { return math.Hypot(x-50-step, y-45) < r-6 })
	outside := share(func(x, y float64) bool {
		return math.Hypot(x-50, y-45) > r+8 && math.Hypot(x-50-step, y-45) > r+8
	})
	t.Logf("trusted: %.2f of what was uncovered, %.2f inside the disc, %.2f of the ground", uncovered, inside, outside)
	if uncovered > 0.2 || inside < 0.9 || outside < 0.95 {
		t.Errorf("trusted: %.2f of what was uncovered, %.2f inside the disc, %.2f of the ground", uncovered, inside, outside)
	}
}

// TestTrustOfKnownFields: each rule alone.
func TestTrustOfKnownFields(t *testing.T) {
	uniform := func(u, v float32) *Field {
		f := New(9, 7)
		for i := range f.U {
			f.U[i], f.V[i] = u, v
		}
		return f
	}
	trusted := func(back, forth *Field) (n int) {
		for _, v := range Trust(back, forth) {
			n += int(v)
		}
		return n
	}
	if n := trusted(uniform(0, 0), uniform(0, 0)); n != 63 {
		t.Errorf("%d of 63 pixels at rest are trusted", n)
	}
	if n := trusted(uniform(-2, 0), uniform(2, 0)); n != 7*7 { // two columns came from outside
		t.Errorf("%d of 63 pixels are trusted, 49 came from inside", n)
	}
	if n := trusted(uniform(0, 0), uniform(0.8, 0)); n != 0 { // 0.64 > 0.01 * 0.64 + 0.5
		t.Errorf("%d pixels are trusted that do not come back", n)
	}
	if n := trusted(uniform(0, 0), uniform(0.7, 0)); n != 63 { // 0.49 < 0.01 * 0.49 + 0.5
		t.Errorf("%d of 63 pixels are trusted that come back to within 0.7", n)
	}
	edge := uniform(0, 0)
	for y := range 7 {
		for x := 5; x < 9; x++ {
			edge.U[y*9+x] = 0.2 // 0.04 > 0.002: column 4 is an edge
		}
	}
	if n := trusted(edge, uniform(0, 0)); n != 63-7-7 { // and the last column comes from outside
		t.Errorf("%d pixels are trusted, 49 lie off the edge of motion and inside", n)
	}
}

// TestWarp moves a known function by a known field.
func TestWarp(t *testing.T) {
	const w, h = 31, 23
	src := make([]float32, w*h*2)
	for i := range w * h {
		x, y := float64(i%w), float64(i/w)
		src[2*i], src[2*i+1] = float32(0.1*x-0.05*y), float32(0.002*x*y)
	}
	f := New(w, h)
	for i := range f.U {
		f.U[i], f.V[i] = 1.25, -0.5
	}
	out := f.Warp(src, 2)
	for y := 3; y < h-3; y++ {
		for x := 3; x < w-4; x++ {
			px, py := float64(x)+1.25, float64(y)-0.5
			for c, want := range []float64{0.1*px - 0.05*py, 0.002 * px * py} { // Catmull-Rom is exact for both
				if got := float64(out[(y*w+x)*2+c]); math.Abs(got-want) > 1e-5 {
					t.Fatalf("channel %d at %d,%d is %g, want %g", c, x, y, got, want)
				}
			}
		}
	}
	for i := range f.U {
		f.U[i], f.V[i] = 1e9, float32(math.NaN())
	}
	for i, v := range f.Warp(src, 2) {
		if v != src[2*(w-1)+i%2] {
			t.Fatal("past the border the border does not repeat")
		}
	}
}

// TestAnySize: single pixels, single rows and flat pictures are at rest.
func TestAnySize(t *testing.T) {
	for _, s := range []size{{1, 1}, {1, 9}, {13, 1}, {2, 2}, {17, 5}} {
		p := make([]float32, s.w*s.h)
		for i := range p {
			p[i] = 0.5
		}
		f := Estimate(p, p, s.w, s.h)
		for i := range f.U {
			if f.U[i] != 0 || f.V[i] != 0 {
				t.Errorf("%v: pixel %d of a flat picture moves by %g, %g", s, i, f.U[i], f.V[i])
			}
		}
	}
}

// TestBetween: both ways at once give what each gives alone, every time.
func TestBetween(t *testing.T) {
	const w, h = 40, 30
	at := texture(9)
	a, b := sample(at, w, h), sample(func(x, y float64) float64 { return at(x-1.5, y) }, w, h)
	ab, ba := Between(a, b, w, h)
	again, _ := Between(a, b, w, h)
	one, other := Estimate(a, b, w, h), Estimate(b, a, w, h)
	if !slices.Equal(ab.U, one.U) || !slices.Equal(ba.V, other.V) || !slices.Equal(ab.V, again.V) {
		t.Error("the flow depends on how it is asked for")
	}
}

// TestResize: paths grow with the picture.
func TestResize(t *testing.T) {
	f := New(20, 10)
	for i := range f.U {
		f.U[i], f.V[i] = 2, -1
	}
	g := f.Resize(50, 30)
	for i := range g.U {
		if math.Abs(float64(g.U[i])-5) > 1e-5 || math.Abs(float64(g.V[i])+3) > 1e-5 {
			t.Fatalf("2, -1 became %g, %g", g.U[i], g.V[i])
		}
	}
}

func BenchmarkEstimate512(b *testing.B) {
	const w, h = 512, 384
	at := texture(3)
	p, q := sample(at, w, h), sample(func(x, y float64) float64 { return at(x-3, y+2) }, w, h)
	for b.Loop() {
		Estimate(p, q, w, h)
	}
}
