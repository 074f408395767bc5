package gpu

import (
	"fmt"
	"math"
	"testing"
)

var vectorShapes = []Shape{{1, 1, 1}, {3, 5, 3}, {37, 37, 3}, {64, 64, 3}}

func TestVectors(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range vectorShapes {
			x, y := random(60, s.Len(), 2), random(61, s.Len(), 2)
			ax, ay := upload(b, s, x), upload(b, s, y)
			dot, abs := 0.0, 0.0
			axpy, normed := make([]float64, s.Len()), make([]float64, s.Len())
			for i := range x {
				dot += float64(x[i]) * float64(y[i])
				abs += math.Abs(float64(x[i]))
				axpy[i] = float64(y[i]) - 0.3*float64(x[i])
			}
			for i := range x {
				normed[i] = float64(y[i]) + 5*float64(x[i])/(abs+1e-8)
			}
			near(t, b, "dot", []float64{b.Dot(ax, ay)}, []float64{dot}, 1e-6, 1e-9)
			z := b.NewArray(s)
			b.Copy(z, ay)
			b.Axpy(z, -0.3, ax)
			near(t, b, "axpy", download(b, z), axpy, 1e-6, 1e-6)
			b.Copy(z, ay)
			b.AddNormalized(z, 5, ax)
			near(t, b, "normalised", download(b, z), normed, 1e-6, 1e-6)
			b.Fill(z, -7)
			for _, v := range download(b, z) {
				if v != -7 {
					t.Fatalf("fill wrote %g", v)
				}
			}
		}
	})
}

// TestView: arrays in one arena do not touch each other.
func TestView(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s1, s2 := Shape{3, 5, 7}, Shape{2, 2, 9}
		arena := b.NewArray(Shape{1, 1, int(b.Bytes(s1)+b.Bytes(s2)) / 4})
		a1, a2 := b.View(arena, 0, s1), b.View(arena, b.Bytes(s1), s2)
		b.Fill(a1, 1)
		b.Fill(a2, 2)
		for _, v := range download(b, a1) {
			if v != 1 {
				t.Fatalf("the first view holds %g", v)
			}
		}
		near(t, b, "dot", []float64{b.Dot(a2, a2)}, []float64{4 * float64(s2.Len())}, 0, 0)
	})
}

// refKernel restates the filters from their definitions.
func refKernel(f ResampleFilter, x float64) float64 {
	x = math.Abs(x)
	switch f {
	case Bilinear:
		return math.Max(0, 1-x)
	case Bicubic: // Keys 1981 with a = -1/2
		const a = -0.5
		if x <= 1 {
			return (a+2)*x*x*x - (a+3)*x*x + 1
		} else if x < 2 {
			return a*x*x*x - 5*a*x*x + 8*a*x - 4*a
		}
		return 0
	}
	if x == 0 {
		return 1
	} else if x >= 3 {
		return 0
	}
	return 3 * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/3) / (math.Pi * math.Pi * x * x)
}

// refResample weighs all pixels for each output pixel, in two dimensions at once.
func refResample(src []float64, to, from Shape, f ResampleFilter) []float64 {
	weights := func(i, m, n int) []float64 {
		scale := float64(n) / float64(m)
		stretch := math.Max(1, scale)
		centre := (float64(i) + 0.5) * scale
		w, total := make([]float64, n), 0.0
		for j := range w {
			w[j] = refKernel(f, (float64(j)+0.5-centre)/stretch)
			total += w[j]
		}
		for j := range w {
			w[j] /= total
		}
		return w
	}
	dst := make([]float64, to.Len())
	for y := range to.H {
		wy := weights(y, to.H, from.H)
		for x := range to.W {
			wx := weights(x, to.W, from.W)
			for c := range to.C {
				for j, vy := range wy {
					for i, vx := range wx {
						dst[(y*to.W+x)*to.C+c] += vy * vx * src[(j*from.W+i)*to.C+c]
					}
				}
			}
		}
	}
	return dst
}

func TestResample(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, filter := range []ResampleFilter{Bilinear, Bicubic, Lanczos} {
			for _, c := range [][2]Shape{{{7, 5, 3}, {7, 5, 3}}, {{10, 7, 3}, {7, 5, 3}}, {{5, 3, 3}, {13, 17, 3}}, {{1, 1, 1}, {4, 6, 1}}, {{9, 2, 2}, {1, 1, 2}}} {
				to, from := c[0], c[1]
				src := random(62, from.Len(), 1)
				dst := b.NewArray(to)
				b.Resample(dst, upload(b, from, src), filter)
				want := refResample(wide(src), to, from, filter)
				if to == from {
					want = wide(src)
				}
				near(t, b, fmt.Sprintf("%v %v to %v", filter, from, to), download(b, dst), want, 2e-6, 1e-5)
			}
		}
	})
}
