package gpu

import (
	"fmt"
	"math"
	"testing"
)

// refCovarianceLoss is CovarianceLoss of features f against those of a painting,
// both (n, c), by its formula in float64.
func refCovarianceLoss(f, target []float64, c int) float64 {
	mu, sigma := refStats(f, c, 0)
	m, s := refStats(target, c, 0)
	a, power := 0.0, 0.0
	for i := range c {
		a += s.At(i, i) / float64(c)
		power += (s.At(i, i) + m[i]*m[i]) / float64(c)
	}
	power = math.Max(power, 1e-10)
	a = math.Max(a, 0.01*power)
	w := make([]float64, c)
	for i := range c {
		w[i] = 1.05 * a / (s.At(i, i) + 0.05*a)
	}
	var means, meanNorm, pairs, pairNorm float64
	for i := range c {
		means += w[i] * sq(mu[i]-m[i])
		meanNorm += w[i] * (m[i]*m[i] + s.At(i, i))
		for j := range c {
			pairs += w[i] * w[j] * sq(sigma.At(i, j)-s.At(i, j))
			pairNorm += w[i] * w[j] * sq(s.At(i, j))
		}
	}
	pairNorm = math.Max(pairNorm, float64(c)*sq(0.01*power))
	return 0.3*means/meanNorm + 0.7*pairs/pairNorm
}

// covarianceOf sets up the loss of features (s) against a painting's.
func covarianceOf(b Backend, s Shape, painting []float32, of Shape) (*CovarianceTarget, func(f []float32) (feat, mean, second *Array)) {
	stats := func(f []float32, s Shape) (feat, mean, second *Array) {
		feat, mean, second = upload(b, s, f), b.NewArray(Vector(s.C)), b.NewArray(Matrix(s.C))
		b.Mean(mean, feat)
		b.Gram(second, feat, 1/float64(s.Pixels()))
		return feat, mean, second
	}
	_, mean, second := stats(painting, of)
	return b.NewCovarianceTarget(mean, second), func(f []float32) (*Array, *Array, *Array) { return stats(f, s) }
}

func TestCovarianceLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []struct{ s, of Shape }{
			{Shape{5, 3, 1}, Shape{4, 7, 1}}, {Shape{6, 7, 3}, Shape{5, 5, 3}}, {Shape{1, 1, 8}, Shape{9, 11, 8}},
			{Shape{9, 11, 8}, Shape{3, 4, 8}}, {Shape{20, 20, 17}, Shape{13, 21, 17}}, {Shape{5, 7, 68}, Shape{6, 6, 68}},
			{Shape{3, 3, 260}, Shape{4, 3, 260}},
		} {
			s := c.s
			if _, device := b.(*Device); device && s.C%4 != 0 {
				continue
			}
			const coef = 0.6
			f, painting := relu(random(170, s.Len(), 2)), relu(random(171, c.of.Len(), 3))
			target, stats := covarianceOf(b, s, painting, c.of)
			feat, mean, second := stats(f)
			d, shift, dx := b.NewArray(Matrix(s.C)), b.NewArray(Vector(s.C)), b.NewArray(s)
			b.CovarianceLoss(d, shift, mean, second, target, s.Pixels(), coef, 9)
			loss := func(f []float64) float64 { return coef * refCovarianceLoss(f, wide(painting), s.C) }
			what := fmt.Sprint(s)
			near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 2e-5)
			b.StyleGrad(dx, feat, d, shift)
			x, got := wide(f), download(b, dx)
			var g, want []float64
			for i := 0; i < len(x); i += 1 + max(len(x)/40, len(x)*s.C/2000) { // the reference takes C*C a position
				g = append(g, float64(got[i]))
				want = append(want, slope(loss, x, i, 1e-4))
			}
			near(t, b, what+" gradient", g, want, 1e-4*largest(want), 1e-3)
			b.CovarianceLoss(nil, nil, mean, second, target, s.Pixels(), coef, 10)
			if lossOf(b, 10) != lossOf(b, 9) {
				t.Errorf("%v: the value alone is %g, with the gradient %g", s, lossOf(b, 10), lossOf(b, 9))
			}
			v := download(b, d)
			for i := range s.C {
				for j := range i {
					if v[i*s.C+j] != v[j*s.C+i] {
						t.Fatalf("%v: d is not symmetric at %d, %d", s, i, j)
					}
				}
			}
			b.Free(append(target.Arrays(), feat, mean, second, d, shift, dx)...)
		}
	})
}

// A painting's own statistics have no loss and no gradient, also where it has
// no variance or no light at all.
func TestCovarianceLossOfItself(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{6, 5, 8}
		flat := make([]float32, s.Len())
		for i := range flat {
			flat[i] = float32(i%s.C) * 0.25
		}
		for name, painting := range map[string][]float32{"noise": relu(random(172, s.Len(), 3)), "one colour": flat, "black": make([]float32, s.Len())} {
			target, stats := covarianceOf(b, s, painting, s)
			_, mean, second := stats(painting)
			d, shift := b.NewArray(Matrix(s.C)), b.NewArray(Vector(s.C))
			b.CovarianceLoss(d, shift, mean, second, target, s.Pixels(), 1, 3)
			if v := lossOf(b, 3); !(math.Abs(v) < 1e-9) {
				t.Errorf("%s: loss %g", name, v)
			}
			for _, v := range append(download(b, d), download(b, shift)...) {
				if !(math.Abs(float64(v)) < 1e-5) {
					t.Fatalf("%s: a gradient of %g", name, v)
				}
			}
			_, mean, second = stats(relu(random(173, s.Len(), 1)))
			b.CovarianceLoss(d, shift, mean, second, target, s.Pixels(), 1, 3)
			if v := lossOf(b, 3); v-v != 0 || v < 0 {
				t.Errorf("%s: loss of another picture is %g", name, v)
			}
		}
	})
}

func TestCovarianceLossChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		mean, second := b.NewArray(Vector(3)), b.NewArray(Matrix(3))
		target := b.NewCovarianceTarget(mean, second)
		for what, call := range map[string]func(){
			"a target of other channels": func() { b.NewCovarianceTarget(mean, b.NewArray(Matrix(4))) },
			"d without shift":            func() { b.CovarianceLoss(second, nil, mean, second, target, 4, 1, 0) },
			"no pixels":                  func() { b.CovarianceLoss(nil, nil, mean, second, target, 0, 1, 0) },
			"a slot out of range":        func() { b.CovarianceLoss(nil, nil, mean, second, target, 4, 1, Slots) },
			"features of other channels": func() { b.CovarianceLoss(nil, nil, b.NewArray(Vector(4)), second, target, 4, 1, 0) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s was taken", what)
					}
				}()
				call()
			}()
		}
	})
}
