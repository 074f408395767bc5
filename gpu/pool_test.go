package gpu

import (
	"fmt"
	"math"
	"testing"
)

func nan() float64 { return math.NaN() }

// refWindows calls f for each pooled element with the elements of its window,
// in row order.
func refWindows(s Shape, p Pool, f func(out int, in []int)) {
	n := p.Size
	if n == 0 {
		n = 2
	}
	o := p.Out(s)
	for y := range o.H {
		for x := range o.W {
			for c := range s.C {
				var in []int
				for dy := range n {
					for dx := range n {
						if y*n+dy < s.H && x*n+dx < s.W {
							in = append(in, ((y*n+dy)*s.W+x*n+dx)*s.C+c)
						}
					}
				}
				f((y*o.W+x)*s.C+c, in)
			}
		}
	}
}

func refScale(p Pool) float64 {
	if p.Scale == 0 {
		return 1
	}
	return float64(p.Scale)
}

func refPool(x []float64, s Shape, p Pool) []float64 {
	y := make([]float64, p.Out(s).Len())
	refWindows(s, p, func(out int, in []int) {
		v := 0.0
		switch p.Kind {
		case MaxPool:
			v = math.Inf(-1)
			for _, i := range in {
				v = max(v, x[i])
			}
		case AvgPool:
			for _, i := range in {
				v += x[i] / float64(len(in))
			}
		case L2Pool:
			for _, i := range in {
				v += x[i] * x[i]
			}
			v = math.Sqrt(v)
		}
		y[out] = v * refScale(p)
	})
	return y
}

// refPoolGrad is the gradient of sum(dy * pool(x)).
func refPoolGrad(dy, x []float64, s Shape, p Pool) []float64 {
	dx := make([]float64, s.Len())
	refWindows(s, p, func(out int, in []int) {
		g := dy[out] * refScale(p)
		switch p.Kind {
		case MaxPool:
			best := in[0]
			for _, i := range in[1:] {
				if x[i] > x[best] {
					best = i
				}
			}
			dx[best] += g
		case AvgPool:
			for _, i := range in {
				dx[i] += g / float64(len(in))
			}
		case L2Pool:
			norm := 0.0
			for _, i := range in {
				norm += x[i] * x[i]
			}
			for _, i := range in {
				if norm > 0 {
					dx[i] += g * x[i] / math.Sqrt(norm)
				}
			}
		}
	})
	return dx
}

var allPools = []Pool{
	{Kind: MaxPool}, {Kind: MaxPool, Ceil: true}, {Kind: MaxPool, Scale: 0.5}, {Kind: MaxPool, Size: 4, Ceil: true, Scale: 0.5},
	{Kind: AvgPool}, {Kind: AvgPool, Ceil: true}, {Kind: AvgPool, Scale: 2}, {Kind: AvgPool, Size: 8, Ceil: true}, {Kind: AvgPool, Size: 4},
	{Kind: L2Pool}, {Kind: L2Pool, Ceil: true, Scale: 0.78},
}

func TestPoolAndGrad(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, c := range []int{1, 3, 8, 17} {
				for _, p := range allPools {
					s := withChannels(size, c)
					x := random(20, s.Len(), 1)
					if p.Kind == L2Pool {
						x = relu(x) // windows of zeros included
					}
					what := fmt.Sprintf("%v %v size %d ceil %v", s, p.Kind, p.Size, p.Ceil)
					ax := upload(b, s, x)
					ay := b.NewArray(p.Out(s))
					b.Pool(ay, ax, p)
					near(t, b, what, download(b, ay), refPool(wide(x), s, p), 1e-6, 1e-5)
					dy := random(21, p.Out(s).Len(), 1)
					want := refPoolGrad(wide(dy), wide(x), s, p)
					dx := upload(b, s, random(22, s.Len(), 1)) // must be overwritten
					b.PoolGrad(dx, upload(b, p.Out(s), dy), PoolGradOptions{X: ax, Y: ay, Pool: p})
					near(t, b, what+" gradient", download(b, dx), want, 1e-5, 1e-5)
					b.PoolGrad(dx, upload(b, p.Out(s), dy), PoolGradOptions{X: ax, Y: ay, Pool: p, Add: true})
					for i := range want {
						want[i] *= 2
					}
					near(t, b, what+" gradient added", download(b, dx), want, 1e-5, 1e-5)
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

// TestPoolGradMasked spreads a gradient through a convolution's mask: added to
// what is there, then gated by ReLU.
func TestPoolGradMasked(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, pool := range []Pool{{Kind: MaxPool, Scale: 0.5}, {Kind: MaxPool, Ceil: true}, {Kind: AvgPool, Ceil: true, Scale: 2}} {
				for _, add := range []bool{false, true} {
					c, k := 3, 20
					if !takes(b, k) {
						k = 24
					}
					s := withChannels(size, k)
					weight, bias := testFilter(c, k)
					act, mask := b.NewArray(s), b.NewMask(s, pool)
					x := upload(b, withChannels(size, c), random(23, size.H*size.W*c, 1))
					b.Conv(ConvOut{Act: act, Mask: mask, Pool: pool}, x, b.NewFilter(weight, bias, c, k), ZeroPad)
					a, before, dy := download(b, act), random(24, s.Len(), 1), random(25, pool.Out(s).Len(), 1)
					want := refPoolGrad(wide(dy), largestOf(b, act, x, weight, bias), s, pool)
					for i := range want {
						if add {
							want[i] += float64(before[i])
						}
						if a[i] <= 0 {
							want[i] = 0
						}
					}
					dx := upload(b, s, before)
					b.PoolGrad(dx, upload(b, pool.Out(s), dy), PoolGradOptions{Mask: mask, Add: add})
					near(t, b, fmt.Sprintf("%v, %v pooling, ceil %v, add %v", s, pool.Kind, pool.Ceil, add), download(b, dx), want, 1e-5, 1e-5)
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

// TestMaxPoolTies: of equal elements the first of the window wins, and exactly one.
func TestMaxPoolTies(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{4, 4, 3}
		x := b.NewArray(s)
		b.Fill(x, 5)
		p := Pool{Kind: MaxPool}
		y, dx, dy := b.NewArray(p.Out(s)), b.NewArray(s), b.NewArray(p.Out(s))
		b.Fill(dy, 1)
		b.Pool(y, x, p)
		b.PoolGrad(dx, dy, PoolGradOptions{X: x, Y: y, Pool: p})
		for i, v := range download(b, dx) {
			row, col := i/12, i/3%4
			want := float32(0)
			if row%2 == 0 && col%2 == 0 {
				want = 1
			}
			if v != want {
				t.Fatalf("dx at row %d, column %d is %g, want %g", row, col, v, want)
			}
		}
	})
}

// TestMaxPoolTiesMasked is the same for the winners a convolution notes.
func TestMaxPoolTiesMasked(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		const c, k = 3, 8
		s, pool := Shape{5, 5, k}, Pool{Kind: MaxPool, Ceil: true}
		bias := make([]float32, k)
		for i := range bias {
			bias[i] = 1
		}
		mask := b.NewMask(s, pool)
		b.Conv(ConvOut{Act: b.NewArray(s), Mask: mask, Pool: pool}, b.NewArray(Shape{5, 5, c}), b.NewFilter(make([]float32, k*c*9), bias, c, k), ZeroPad)
		dx, dy := b.NewArray(s), b.NewArray(pool.Out(s))
		b.Fill(dy, 1)
		b.PoolGrad(dx, dy, PoolGradOptions{Mask: mask})
		for i, v := range download(b, dx) {
			row, col := i/(5*k), i/k%5
			if first := row%2 == 0 && col%2 == 0; first != (v == 1) || !first && v != 0 {
				t.Fatalf("dx at row %d, column %d is %g", row, col, v)
			}
		}
	})
}

// TestMaxPoolNaN: a window with a pixel that is not a number has no largest.
func TestMaxPoolNaN(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []int{3, 4} {
			s, pool := Shape{4, 4, c}, Pool{Kind: MaxPool}
			x := random(26, s.Len(), 1)
			bad := map[int]bool{}
			for q := range 4 { // a corner of each of the four windows
				y, xx := q/2*2+q/2, q%2*2+q%2
				x[(y*4+xx)*c] = float32(nan())
				bad[(y/2*2+xx/2)*c] = true
			}
			y := b.NewArray(pool.Out(s))
			b.Pool(y, upload(b, s, x), pool)
			for i, v := range download(b, y) {
				if bad[i] != (v != v) {
					t.Errorf("%d channels: pooled element %d is %g", c, i, v)
				}
			}
		}
	})
}

func TestPoolOut(t *testing.T) {
	for _, c := range []struct {
		in   Shape
		p    Pool
		want Shape
	}{
		{Shape{5, 4, 2}, Pool{Kind: MaxPool}, Shape{2, 2, 2}},
		{Shape{5, 4, 2}, Pool{Kind: MaxPool, Ceil: true}, Shape{3, 2, 2}},
		{Shape{1, 1, 2}, Pool{Kind: AvgPool}, Shape{1, 1, 2}},
		{Shape{33, 15, 1}, Pool{Kind: AvgPool, Size: 16}, Shape{2, 1, 1}},
		{Shape{33, 15, 1}, Pool{}, Shape{33, 15, 1}},
	} {
		if got := c.p.Out(c.in); got != c.want {
			t.Errorf("%v of %v: got %v, want %v", c.p, c.in, got, c.want)
		}
	}
}
