package gpu

import (
	"fmt"
	"testing"
)

// refGram is norm * f^T f for f (n, c).
func refGram(f []float64, c int, norm float64) []float64 {
	g := make([]float64, c*c)
	for p := 0; p < len(f); p += c {
		for i := range c {
			for j := range c {
				g[i*c+j] += norm * f[p+i] * f[p+j]
			}
		}
	}
	return g
}

var featureShapes = []Shape{{1, 1, 1}, {1, 1, 16}, {2, 3, 5}, {7, 5, 17}, {5, 3, 20}, {13, 17, 33}, {20, 21, 64}, {9, 8, 96}}

func TestGram(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range featureShapes {
			if !takes(b, s.C) {
				continue
			}
			f := relu(random(40, s.Len(), 2))
			norm := 1 / float64(s.Pixels())
			g := b.NewArray(Matrix(s.C))
			b.Gram(g, upload(b, s, f), norm)
			got := download(b, g)
			near(t, b, fmt.Sprint(s), got, refGram(wide(f), s.C, norm), 1e-5, 1e-5)
			for i := range s.C {
				for j := range i {
					if got[i*s.C+j] != got[j*s.C+i] {
						t.Fatalf("%v: g[%d,%d] and its mirror differ", s, i, j)
					}
				}
			}
		}
	})
}

func TestMean(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range append(featureShapes, Shape{50, 60, 3}) {
			f := random(41, s.Len(), 2)
			want := make([]float64, s.C)
			for i, v := range f {
				want[i%s.C] += float64(v) / float64(s.Pixels())
			}
			m := b.NewArray(Vector(s.C))
			b.Mean(m, upload(b, s, f))
			near(t, b, fmt.Sprint(s), download(b, m), want, 1e-6, 1e-6)
		}
	})
}

// TestGramLoss holds loss and gradient of two weighted targets against the
// float64 loss and, on a small case, its finite differences.
func TestGramLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range featureShapes {
			c := s.C
			if !takes(b, c) {
				continue
			}
			f := relu(random(42, s.Len(), 1))
			a1 := refGram(wide(relu(random(43, s.Len(), 1))), c, 1/float64(s.Pixels()))
			a2 := refGram(wide(relu(random(44, s.Len(), 1.5))), c, 1/float64(s.Pixels()))
			t1, t2 := narrow(a1), narrow(a2)
			norm := 1 / float64(s.Len())
			const c1, c2 = 0.7, 0.3
			loss := func(f []float64) float64 {
				v := 0.0
				for i, g := range refGram(f, c, norm) {
					d1, d2 := g-float64(t1[i]), g-float64(t2[i])
					v += c1*d1*d1 + c2*d2*d2
				}
				return v
			}
			feat := upload(b, s, f)
			g, d := b.NewArray(Matrix(c)), b.NewArray(Matrix(c))
			targets := []GramTarget{{upload(b, Matrix(c), t1), c1}, {upload(b, Matrix(c), t2), c2}}
			b.Gram(g, feat, norm)
			b.GramLoss(d, g, targets, norm, 3)
			what := fmt.Sprint(s)
			near(t, b, what+" loss", []float64{lossOf(b, 3)}, []float64{loss(wide(f))}, 1e-9, 1e-5)
			want := make([]float64, s.Len())
			gram := refGram(wide(f), c, norm)
			for p := 0; p < s.Len(); p += c {
				for i := range c {
					for j := range c {
						e := c1*(gram[i*c+j]-float64(t1[i*c+j])) + c2*(gram[i*c+j]-float64(t2[i*c+j]))
						want[p+i] += 4 * norm * e * float64(f[p+j])
					}
				}
			}
			before := random(45, s.Len(), largest(want)/4)
			dx := upload(b, s, before)
			b.StyleGrad(dx, feat, d, nil)
			got := wide(download(b, dx))
			for i := range got {
				got[i] -= float64(before[i])
			}
			near(t, b, what+" gradient", got, want, 1e-5*largest(want)+1e-8, 1e-4)
			if s.Len() <= 30 {
				fd := slopes(loss, wide(f), 1e-5)
				near(t, b, what+" finite differences", want, fd, 1e-6*largest(fd)+1e-9, 1e-5)
			}
			// In place: d may be g.
			b.GramLoss(g, g, targets, norm, 4)
			near(t, b, what+" in place", download(b, g), download(b, d), 0, 0)
		}
	})
}

func TestStyleGradShift(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range []Shape{{5, 7, 20}, {3, 2, 68}} {
			f, shift := random(46, s.Len(), 1), random(47, s.C, 1)
			d := narrow(refGram(wide(random(48, s.Len(), 1)), s.C, 0.1)) // symmetric
			want := make([]float64, s.Len())
			for p := 0; p < s.Len(); p += s.C {
				for i := range s.C {
					want[p+i] = float64(shift[i])
					for j := range s.C {
						want[p+i] += float64(d[i*s.C+j]) * float64(f[p+j])
					}
				}
			}
			dx := b.NewArray(s)
			b.StyleGrad(dx, upload(b, s, f), upload(b, Matrix(s.C), d), upload(b, Vector(s.C), shift))
			near(t, b, "dx", download(b, dx), want, 1e-4, 1e-4)
		}
	})
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, e := range v {
		out[i] = float32(e)
	}
	return out
}
