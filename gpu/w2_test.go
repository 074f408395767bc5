package gpu

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// refRoot is the square root of a symmetric matrix by its eigenvalues.
func refRoot(a *mat.SymDense) *mat.SymDense {
	n := a.SymmetricDim()
	var e mat.EigenSym
	if !e.Factorize(a, true) {
		panic("no eigenvalues")
	}
	values := e.Values(nil)
	var v mat.Dense
	e.VectorsTo(&v)
	out := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s := 0.0
			for k := range n {
				s += v.At(i, k) * math.Sqrt(math.Max(values[k], 0)) * v.At(j, k)
			}
			out.SetSym(i, j, s)
		}
	}
	return out
}

// refStats returns mean and covariance of f (n, c), eps on the diagonal.
func refStats(f []float64, c int, eps float64) ([]float64, *mat.SymDense) {
	n := float64(len(f) / c)
	mean := make([]float64, c)
	for i, v := range f {
		mean[i%c] += v / n
	}
	second := refGram(f, c, 1/n)
	cov := mat.NewSymDense(c, nil)
	for i := range c {
		for j := i; j < c; j++ {
			v := second[i*c+j] - mean[i]*mean[j]
			if i == j {
				v += eps
			}
			cov.SetSym(i, j, v)
		}
	}
	return mean, cov
}

// refW2 is the loss of style-transfer-pytorch on features, by eigenvalues.
func refW2(f, target []float64, c int, eps float64) float64 {
	m1, c1 := refStats(f, c, eps)
	m2, c2 := refStats(target, c, eps)
	root := refRoot(c2)
	var inner mat.Dense
	inner.Mul(root, c1)
	inner.Mul(&inner, root)
	sym := mat.NewSymDense(c, nil)
	for i := range c {
		for j := i; j < c; j++ {
			sym.SetSym(i, j, (inner.At(i, j)+inner.At(j, i))/2)
		}
	}
	mixed := refRoot(sym)
	v := 0.0
	for i := range c {
		v += sq(m1[i]-m2[i]) + c1.At(i, i) + c2.At(i, i) - 2*mixed.At(i, i)
	}
	return v / float64(c)
}

func TestW2Loss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range []Shape{{5, 3, 1}, {6, 7, 3}, {5, 9, 4}, {9, 11, 8}, {20, 20, 17}} {
			c := s.C
			if _, device := b.(*Device); device && c%4 != 0 {
				continue
			}
			f, target := relu(random(70, s.Len(), 2)), relu(random(71, s.Len(), 3))
			const eps, coef = 1e-4, 0.6
			feat, style := upload(b, s, f), upload(b, s, target)
			mean, second := b.NewArray(Vector(c)), b.NewArray(Matrix(c))
			stats := func(a *Array) {
				b.Mean(mean, a)
				b.Gram(second, a, 1/float64(s.Pixels()))
			}
			stats(style)
			w2 := b.NewW2Target(mean, second, eps)
			stats(feat)
			d, shift, dx := b.NewArray(Matrix(c)), b.NewArray(Vector(c)), b.NewArray(s)
			b.W2Loss(d, shift, mean, second, w2, s.Pixels(), coef, 9)
			loss := func(f []float64) float64 { return coef * refW2(f, wide(target), c, eps) }
			what := fmt.Sprint(s)
			near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 2e-4)
			b.StyleGrad(dx, feat, d, shift)
			x := wide(f)
			got := download(b, dx)
			var g, want []float64
			for i := 0; i < len(x); i += 1 + len(x)/60 {
				g = append(g, float64(got[i]))
				want = append(want, slope(loss, x, i, 1e-4))
			}
			near(t, b, what+" gradient", g, want, 2e-3*largest(want), 2e-3)
			// The statistics of the style itself: no loss, no gradient.
			stats(style)
			b.W2Loss(nil, nil, mean, second, w2, s.Pixels(), coef, 9)
			if v := lossOf(b, 9); math.Abs(v) > 1e-4*loss(wide(f)) {
				t.Errorf("%v: loss of the style's own statistics is %g", s, v)
			}
		}
	})
}
