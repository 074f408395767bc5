package gpu

import (
	"fmt"
	"math"
	"testing"
)

// refMoments returns the mean (c) and second moments (c, c) of features f (n, c).
func refMoments(f []float64, c int) (mean []float64, second [][]float64) {
	mean, second = make([]float64, c), make([][]float64, c)
	n := float64(len(f) / c)
	for i := range c {
		second[i] = make([]float64, c)
		for p := 0; p < len(f); p += c {
			mean[i] += f[p+i] / n
			for j := range c {
				second[i][j] += f[p+i] * f[p+j] / n
			}
		}
	}
	return mean, second
}

// refMomentsLoss is MomentsLoss of features f against those of a painting, both
// (n, c), by its formula in float64.
func refMomentsLoss(f, painting []float64, c int, w MomentsWeights) float64 {
	return refMomentsLossOf(painting, c, w)(f)
}

// refMomentsLossOf is the loss against a painting.
func refMomentsLossOf(painting []float64, c int, w MomentsWeights) func(f []float64) float64 {
	m, a := refMoments(painting, c)
	power := 0.0
	for i := range c {
		power += a[i][i] / float64(c)
	}
	floor := 1e-6 * math.Max(power, 1e-10)
	return func(f []float64) float64 {
		mu, g := refMoments(f, c)
		loss := 0.0
		for i := range c {
			sigma := math.Sqrt(math.Max(g[i][i]-mu[i]*mu[i], 0) + floor)
			s := math.Sqrt(math.Max(a[i][i]-m[i]*m[i], 0) + floor)
			loss += w.Mean*sq(mu[i]-m[i]) + w.Deviation*sq(sigma-s)
			for j := range c {
				loss += w.Gram * sq(g[i][j]-a[i][j])
			}
		}
		return loss
	}
}

// momentsOf sets up the loss of features (s) against a painting's.
func momentsOf(b Backend, s Shape, painting []float32, of Shape) (*MomentsTarget, func(f []float32) (feat, mean, second *Array)) {
	stats := func(f []float32, s Shape) (feat, mean, second *Array) {
		feat, mean, second = upload(b, s, f), b.NewArray(Vector(s.C)), b.NewArray(Matrix(s.C))
		b.Mean(mean, feat)
		b.Gram(second, feat, 1/float64(s.Pixels()))
		return feat, mean, second
	}
	_, mean, second := stats(painting, of)
	return b.NewMomentsTarget(mean, second), func(f []float32) (*Array, *Array, *Array) { return stats(f, s) }
}

func TestMomentsLoss(t *testing.T) {
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
			f, painting := relu(random(170, s.Len(), 2)), relu(random(171, c.of.Len(), 3))
			target, stats := momentsOf(b, s, painting, c.of)
			feat, mean, second := stats(f)
			d, shift, dx := b.NewArray(Matrix(s.C)), b.NewArray(Vector(s.C)), b.NewArray(s)
			kinds := []MomentsWeights{{0.3, 0.7, 1.1}, {0.4, 0, 0}, {0, 0.6, 0}, {0, 0, 0.9}}
			for _, kind := range share(b, len(kinds)) {
				w := kinds[kind]
				if s.Pixels() == 1 && w.Deviation > 0 {
					w.Deviation = 0 // a position by itself lies where the root is cut off; see below
				}
				what := fmt.Sprint(s, " ", w)
				b.MomentsLoss(d, shift, mean, second, target, w, s.Pixels(), 9)
				loss := refMomentsLossOf(wide(painting), s.C, w)
				near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 2e-5)
				b.Fill(dx, 0)
				b.StyleGrad(dx, feat, d, shift)
				x, got := wide(f), download(b, dx)
				var g, want []float64
				for i := 0; i < len(x); i += 1 + max(len(x)/40, len(x)*s.C/2000) { // the reference takes C*C a position
					g = append(g, float64(got[i]))
					want = append(want, slope(loss, x, i, 1e-4))
				}
				near(t, b, what+" gradient", g, want, 2e-4*largest(want), 1e-3)
				b.MomentsLoss(nil, nil, mean, second, target, w, s.Pixels(), 10)
				if lossOf(b, 10) != lossOf(b, 9) {
					t.Errorf("%s: the value alone is %g, with the gradient %g", what, lossOf(b, 10), lossOf(b, 9))
				}
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

// Features that do not vary have a standard deviation of nearly 0: the loss and
// its gradient stay finite, and a painting's own statistics have neither.
func TestMomentsLossWithoutVariance(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{6, 5, 8}
		flat := make([]float32, s.Len())
		for i := range flat {
			flat[i] = float32(i%s.C) * 0.25
		}
		w := MomentsWeights{0.5, 0.5, 0.5}
		pictures := map[string][]float32{"noise": relu(random(172, s.Len(), 3)), "one colour": flat, "black": make([]float32, s.Len())}
		for name, painting := range pictures {
			target, stats := momentsOf(b, s, painting, s)
			if q := target.Squares; !(q.Gram > 0 && q.Mean > 0 && q.Deviation > 0) {
				t.Errorf("%s: squares %+v", name, q)
			}
			d, shift, dx := b.NewArray(Matrix(s.C)), b.NewArray(Vector(s.C)), b.NewArray(s)
			for other, picture := range pictures {
				feat, mean, second := stats(picture)
				b.MomentsLoss(d, shift, mean, second, target, w, s.Pixels(), 3)
				loss := refMomentsLoss(wide(picture), wide(painting), s.C, w)
				near(t, b, name+" and "+other, []float64{lossOf(b, 3)}, []float64{loss}, 1e-5, 1e-4)
				b.Fill(dx, 0)
				b.StyleGrad(dx, feat, d, shift)
				for _, v := range download(b, dx) {
					if v-v != 0 || name == other && math.Abs(float64(v)) > 1e-5 {
						t.Fatalf("%s and %s: a gradient of %g", name, other, v)
					}
				}
			}
		}
	})
}

// Rounding may leave a second moment below the square of the mean.
func TestMomentsLossBelowTheMean(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		mean, second := upload(b, Vector(4), []float32{1, 0, 2, 3}), upload(b, Matrix(4), []float32{0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 9})
		target := b.NewMomentsTarget(mean, second)
		d, shift := b.NewArray(Matrix(4)), b.NewArray(Vector(4))
		b.MomentsLoss(d, shift, mean, second, target, MomentsWeights{1, 1, 1}, 4, 2)
		if v := lossOf(b, 2); !(math.Abs(v) < 1e-9) {
			t.Errorf("a loss of %g against itself", v)
		}
		other := b.NewMomentsTarget(upload(b, Vector(4), make([]float32, 4)), upload(b, Matrix(4), []float32{4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4}))
		b.MomentsLoss(d, shift, mean, second, other, MomentsWeights{0, 0, 1}, 4, 2)
		want := 0.0
		for _, variance := range []float64{0, 0, 1, 0} {
			want += sq(math.Sqrt(variance+1e-6*4) - math.Sqrt(4+1e-6*4))
		}
		near(t, b, "loss", []float64{lossOf(b, 2)}, []float64{want}, 1e-5, 1e-5)
	})
}

func TestMomentsLossChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		mean, second := b.NewArray(Vector(3)), b.NewArray(Matrix(3))
		target := b.NewMomentsTarget(mean, second)
		w := MomentsWeights{1, 1, 1}
		for what, call := range map[string]func(){
			"a target of other channels": func() { b.NewMomentsTarget(mean, b.NewArray(Matrix(4))) },
			"d without shift":            func() { b.MomentsLoss(second, nil, mean, second, target, w, 4, 0) },
			"no pixels":                  func() { b.MomentsLoss(nil, nil, mean, second, target, w, 0, 0) },
			"a slot out of range":        func() { b.MomentsLoss(nil, nil, mean, second, target, w, 4, Slots) },
			"features of other channels": func() { b.MomentsLoss(nil, nil, b.NewArray(Vector(4)), second, target, w, 4, 0) },
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
