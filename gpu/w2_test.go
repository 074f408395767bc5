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
		for at, s := range []Shape{{5, 3, 1}, {6, 7, 3}, {5, 9, 4}, {9, 11, 8}, {20, 20, 17}} {
			for _, form := range []W2Form{W2Full, W2Fast} {
				if _, device := b.(*Device); device && (s.C%4 != 0 || form == W2Full && at != 2) {
					continue
				}
				testW2(t, b, s, form)
			}
		}
	})
}

func testW2(t *testing.T, b Backend, s Shape, form W2Form) {
	c := s.C
	f, target := relu(random(70, s.Len(), 2)), relu(random(71, s.Len(), 3))
	const eps, coef = 1e-4, 0.6
	feat, style := upload(b, s, f), upload(b, s, target)
	mean, second := b.NewArray(Vector(c)), b.NewArray(Matrix(c))
	stats := func(a *Array) {
		b.Mean(mean, a)
		b.Gram(second, a, 1/float64(s.Pixels()))
	}
	stats(style)
	w2 := b.NewW2Target(mean, second, eps, form)
	stats(feat)
	d, shift, dx := b.NewArray(Matrix(c)), b.NewArray(Vector(c)), b.NewArray(s)
	b.W2Loss(d, shift, mean, second, w2, s.Pixels(), coef, 9)
	loss := func(f []float64) float64 { return coef * refW2(f, wide(target), c, eps) }
	what := fmt.Sprint(s, " form ", form)
	near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 2e-4)
	b.StyleGrad(dx, feat, d, shift)
	sameSlopes(t, b, what, download(b, dx), loss, wide(f))
	// The statistics of the style itself: no loss. W2Fast may leave out a thousandth of the
	// variance, and its steps end 2e-5 below the root.
	stats(style)
	b.W2Loss(nil, nil, mean, second, w2, s.Pixels(), coef, 9)
	limit := 1e-4 * loss(wide(f))
	if form == W2Fast {
		_, cov := refStats(wide(target), c, eps)
		limit = 1.04e-3 * coef / float64(c) * cov.Trace()
	}
	if v := lossOf(b, 9); math.Abs(v) > limit {
		t.Errorf("%s: loss of the style's own statistics is %g", what, v)
	}
}

// sameSlopes compares some sixty elements of a gradient with finite differences.
func sameSlopes(t *testing.T, b Backend, what string, got []float32, loss func([]float64) float64, x []float64) {
	t.Helper()
	var g, want []float64
	for i := 0; i < len(x); i += 1 + len(x)/60 {
		g = append(g, float64(got[i]))
		want = append(want, slope(loss, x, i, 1e-4))
	}
	near(t, b, what+" gradient", g, want, 2e-3*largest(want), 2e-3)
}

// product multiplies x (m, k) and y (k, n).
func product(x, y []float64, m, k, n int) []float64 {
	out := make([]float64, m*n)
	for i := range out {
		for q := range k {
			out[i] += x[i/n*k+q] * y[q*n+i%n]
		}
	}
	return out
}

// symmetricMatrix makes a matrix of gonum of v (n, n), of which it takes the mean of both halves.
func symmetricMatrix(v []float64, n int) *mat.SymDense {
	m := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			m.SetSym(i, j, (v[i*n+j]+v[j*n+i])/2)
		}
	}
	return m
}

// TestW2LowRank has a painting with fewer positions than channels. Its factor has no more
// columns than positions, leaves out a thousandth of the variance at most, and no more
// than there is of it in any direction. With that factor, value and gradient are those of
// float64.
func TestW2LowRank(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		const c, eps, coef = 20, 1e-4, 0.6
		small, s := Shape{3, 4, c}, Shape{6, 7, c}
		if !takes(b, c) {
			return
		}
		f, painting := relu(random(72, s.Len(), 2)), relu(random(73, small.Len(), 3))
		mean, second := b.NewArray(Vector(c)), b.NewArray(Matrix(c))
		b.Mean(mean, upload(b, small, painting))
		b.Gram(second, upload(b, small, painting), 1/float64(small.Pixels()))
		w2 := b.NewW2Target(mean, second, eps, W2Fast)
		r := w2.rank
		right, left := wide(download(b, w2.right)), wide(download(b, w2.left))
		if r > small.Pixels() {
			t.Fatalf("rank %d of %d positions", r, small.Pixels())
		}
		m2, c2 := refStats(wide(painting), c, eps)
		kept := product(right, left, c, r, c)
		rest := make([]float64, c*c)
		trace, spare := 0.0, 0.0
		for i := range rest {
			rest[i] = c2.At(i/c, i%c) - kept[i]
		}
		for i := range c {
			trace += c2.At(i, i)
			spare += rest[i*c+i] - eps
		}
		if spare > 1e-3*trace {
			t.Errorf("the factor leaves out %g of a trace of %g", spare, trace)
		}
		var e mat.EigenSym
		if !e.Factorize(symmetricMatrix(rest, c), false) || e.Values(nil)[0] < -1e-5*trace {
			t.Errorf("the factor exceeds the covariance: the rest has the eigenvalue %g", e.Values(nil)[0])
		}

		feat := upload(b, s, f)
		b.Mean(mean, feat)
		b.Gram(second, feat, 1/float64(s.Pixels()))
		d, shift, dx := b.NewArray(Matrix(c)), b.NewArray(Vector(c)), b.NewArray(s)
		b.W2Loss(d, shift, mean, second, w2, s.Pixels(), coef, 9)
		b.StyleGrad(dx, feat, d, shift)
		loss := func(f []float64) float64 {
			m1, c1 := refStats(f, c, eps)
			full := make([]float64, c*c)
			v := 0.0
			for i := range full {
				full[i] = c1.At(i/c, i%c)
			}
			mixed := refRoot(symmetricMatrix(product(product(left, full, r, c, c), right, r, c, r), r))
			for i := range c {
				v += sq(m1[i]-m2[i]) + full[i*c+i] + kept[i*c+i]
			}
			for i := range r {
				v -= 2 * mixed.At(i, i)
			}
			return coef * v / c
		}
		near(t, b, "loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 2e-4)
		sameSlopes(t, b, "low rank", download(b, dx), loss, wide(f))
	})
}

// TestScaledSteps: nine scaled steps take every number from 1.5^-15 to 1 to 1, within
// 1e-4. Fifteen plain ones take the smallest only to 0.99.
func TestScaledSteps(t *testing.T) {
	for i := range 1000 {
		x := math.Pow(1.5, -15*float64(i)/999)
		y := x
		for _, r := range W2Fast.scales() {
			y = (3*r*y - math.Pow(r*y, 3)) / 2
		}
		if math.Abs(y-1) > 1e-4 {
			t.Errorf("%g becomes %g", x, y)
		}
	}
}

// TestSymmetricProduct multiplies a matrix by its transpose, for sides of one chunk of
// rows and of several.
func TestSymmetricProduct(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		cpu, ok := b.(*CPU)
		if !ok {
			return
		}
		for _, n := range []int{1, 5, 48, 49, 131} {
			const k = 19
			x := random(74, n*k, 1)
			y, dst := make([]float32, k*n), make([]float32, n*n)
			for i := range y {
				y[i] = x[i%n*k+i/n]
			}
			cpu.multiplySymmetric(dst, x, y, n, -0.5, 1.5)
			want := product(wide(x), wide(y), n, k, n)
			for i := range want {
				want[i] *= -0.5
				if i/n == i%n {
					want[i] += 1.5
				}
				if dst[i] != dst[i%n*n+i/n] {
					t.Fatalf("%d: (%d, %d) is %g, its mirror image %g", n, i/n, i%n, dst[i], dst[i%n*n+i/n])
				}
			}
			near(t, b, fmt.Sprintf("side %d", n), dst, want, 1e-5, 1e-5)
		}
	})
}
