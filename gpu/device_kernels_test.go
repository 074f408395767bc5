package gpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// Kernels by themselves, at sizes and with operands that whole operations reach
// only on real devices, or that they hide.

// onDevices runs f as a sub-test on every software device.
func onDevices(t *testing.T, f func(t *testing.T, b *Device)) {
	onEach(t, func(t *testing.T, b Backend) {
		if d, ok := b.(*Device); ok {
			f(t, d)
		}
	})
}

// TestDotOfManyChunks has more partial sums than a block has threads.
func TestDotOfManyChunks(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{1, 257*chunkLen + 5, 1}
		x, y := random(63, s.Len(), 1), random(64, s.Len(), 1)
		want, size := 0.0, 0.0
		for i := range x {
			v := float64(x[i]) * float64(y[i])
			want += v
			size += math.Abs(v)
		}
		near(t, b, "dot", []float64{b.Dot(upload(b, s, x), upload(b, s, y))}, []float64{want}, 1e-12*size, 0)
	})
}

// TestAdamOfManyChunks judges an image with more partial sums than a block has
// threads: a gradient of ones has the norm sqrt(n).
func TestAdamOfManyChunks(t *testing.T) {
	onOneDevice(t, func(t *testing.T, b Backend) {
		s := Shape{1, (257*chunkLen)/3 + 1, 3}
		x, g := b.NewArray(s), b.NewArray(s)
		b.Fill(g, 1)
		b.NewAdam(s, AdamOptions{LearningRate: 0.25}).Step(x, g)
		near(t, b, "gradient norm", []float64{b.Status().GradNorm}, []float64{math.Sqrt(float64(s.Len()))}, 0, 1e-9)
		moved := download(b, x)
		for _, i := range []int{0, chunkLen, len(moved) - 1} {
			if math.Abs(float64(moved[i])+0.25) > 1e-5 {
				t.Errorf("element %d moved to %g, want -0.25", i, moved[i])
			}
		}
	})
}

// TestW2Wide runs the reductions of the mean+covariance loss for more channels
// than a block has threads; the products before them would take too long here.
func TestW2Wide(t *testing.T) {
	const c, r, pixels, coef, norm = 260, 258, 7, 0.5, 2.25
	mean, mean2 := random(70, c, 1), random(71, c, 1)
	cov, variance2, root, inverse := random(72, c*c, 1), random(73, c, 1), random(74, r*r, 1), random(75, c*c, 1)
	loss := 0.0
	d, shift := make([]float64, c*c), make([]float64, c)
	for i := range c {
		e := float64(mean[i]) - float64(mean2[i])
		loss += coef / c * (e*e + float64(cov[i*c+i]) + float64(variance2[i]))
		if i < r {
			loss -= coef / c * 2 * math.Sqrt(norm) * float64(root[i*r+i])
		}
		shift[i] = 2 * coef / c / pixels * e
		for j := range c {
			g := -(float64(inverse[i*c+j]) + float64(inverse[j*c+i])) / 2 / math.Sqrt(norm)
			if i == j {
				g++
			}
			d[i*c+j] = 2 * coef / c / pixels * g
			shift[i] -= d[i*c+j] * float64(mean[j])
		}
	}
	onDevices(t, func(t *testing.T, b *Device) {
		at := func(s Shape, v []float32) cuda.Ptr { return upload(b, s, v).at }
		n := b.alloc(8)
		b.upload(n, binary.LittleEndian.AppendUint64(nil, math.Float64bits(norm)))
		m, m2 := at(Vector(c), mean), at(Vector(c), mean2)
		b.launchW2Loss(cuda.Dim3{X: 1}, b.slot(3), m, m2, at(Matrix(c), cov), at(Vector(c), variance2), at(Matrix(r), root), n, c, r, coef)
		near(t, b, "loss", []float64{lossOf(b, 3)}, []float64{loss}, 1e-9, 1e-9)
		gotD, gotShift := b.NewArray(Matrix(c)), b.NewArray(Vector(c))
		b.launchW2Grad(cuda.Dim3{X: c}, gotD.at, gotShift.at, at(Matrix(c), inverse), n, m, m2, c, pixels, coef)
		got := download(b, gotD)
		near(t, b, "gradient", got, d, 1e-9, 1e-6)
		near(t, b, "shift", download(b, gotShift), shift, 1e-7, 1e-6)
		for i := range c {
			for j := range i {
				if got[i*c+j] != got[j*c+i] {
					t.Fatalf("gradient (%d, %d) is %g, its mirror image %g", i, j, got[i*c+j], got[j*c+i])
				}
			}
		}
	})
}

// TestProduct multiplies matrices of different sides. Where only one half is computed,
// the right factor is the left one transposed.
func TestProduct(t *testing.T) {
	onDevices(t, func(t *testing.T, b *Device) {
		for _, size := range []struct {
			m, k, n int
			half    bool
		}{{1, 1, 1, false}, {5, 5, 5, false}, {33, 68, 5, false}, {3, 35, 70, false}, {68, 68, 68, false}, {1, 3, 1, true}, {33, 5, 33, true}, {70, 33, 70, true}} {
			m, k, n := size.m, size.k, size.n
			x, y := random(76, m*k, 1), random(77, k*n, 1)
			if size.half {
				for i := range y {
					y[i] = x[i%n*k+i/n]
				}
			}
			want := product(wide(x), wide(y), m, k, n)
			for i := range want {
				want[i] *= -0.5
				if i/n == i%n {
					want[i] += 1.5
				}
			}
			shape := func(h, w int) Shape { return Shape{H: h, W: w, C: 1} }
			dst := b.NewArray(shape(m, n))
			b.product(dst, upload(b, shape(m, k), x), upload(b, shape(k, n), y), m, k, n, -0.5, 1.5, size.half)
			near(t, b, fmt.Sprint(size), download(b, dst), want, 1e-5, 1e-5)
		}
	})
}

// TestCovariance has an eps that is not lost in rounding.
func TestCovariance(t *testing.T) {
	onDevices(t, func(t *testing.T, b *Device) {
		const c, eps = 20, 0.5
		mean, second := random(78, c, 1), random(79, c*c, 1)
		want := make([]float64, c*c)
		for i := range want {
			want[i] = float64(second[i]) - float64(mean[i/c])*float64(mean[i%c])
			if i/c == i%c {
				want[i] += eps
			}
		}
		cov := b.NewArray(Matrix(c))
		b.covariance(cov, upload(b, Vector(c), mean), upload(b, Matrix(c), second), eps)
		near(t, b, "covariance", download(b, cov), want, 1e-6, 1e-6)
	})
}

// TestRootOfZeros: the norm of a zero matrix counts as 1, so nothing is divided by it.
func TestRootOfZeros(t *testing.T) {
	onDevices(t, func(t *testing.T, b *Device) {
		const c = 5
		norm, y, z := b.alloc(8), b.NewArray(Matrix(c)), b.NewArray(Matrix(c))
		b.launchNewtonSchulzStart(cuda.Dim3{X: 1}, norm, y.at, z.at, b.NewArray(Matrix(c)).at, c)
		raw := make([]byte, 8)
		b.download(raw, norm)
		if v := math.Float64frombits(binary.LittleEndian.Uint64(raw)); v != 1 {
			t.Errorf("norm is %g, want 1", v)
		}
		one := make([]float64, c*c)
		for i := range c {
			one[i*c+i] = 1
		}
		near(t, b, "y", download(b, y), make([]float64, c*c), 0, 0)
		near(t, b, "z", download(b, z), one, 0, 0)
	})
}

// TestMatchStrips has more rows, columns and channels than one block of the
// device takes at once, and equal scores in different blocks.
func TestMatchStrips(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []struct{ x, f Shape }{{Shape{matchRows + 7, 5, 4}, Shape{6, 5, 4}}, {Shape{4, 70, 4}, Shape{3, 131, 4}}, {Shape{3, 5, 36}, Shape{4, 6, 36}}, {Shape{3, 4, 260}, Shape{3, 5, 260}}} {
			for _, size := range []int{1, 3} {
				for _, exact := range []bool{false, true} {
					x, f := random(83, c.x.Len(), 1), random(84, c.f.Len(), 1)
					o := BankOptions{Size: size, Stride: 1}
					if exact {
						o.Norm = NoNorm
						for _, v := range [][]float32{x, f} {
							for i := range v {
								v[i] = float32(int(v[i]*7) & 1)
							}
						}
					}
					bank := b.NewBank(upload(b, c.f, f), o)
					m := b.NewMatches(bank.MatchGrid(c.x, 1))
					b.Match(m, upload(b, c.x, x), bank, MatchOptions{})
					checkMatches(t, fmt.Sprintf("%v in %v, size %d", c.x, c.f, size), b, m, refMatch(x, f, c.x, c.f, o, 1, nil), exact)
				}
			}
		}
	})
}

// TestMatchAnySide has more style patches than a block has threads, for a side
// and a stride without a kernel of their own.
func TestMatchAnySide(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		xs, fs := Shape{5, 6, 4}, Shape{12, 14, 4}
		x, f, o := random(85, xs.Len(), 1), random(86, fs.Len(), 1), BankOptions{Size: 2, Stride: 1}
		bank := b.NewBank(upload(b, fs, f), o)
		m := b.NewMatches(bank.MatchGrid(xs, 2))
		b.Match(m, upload(b, xs, x), bank, MatchOptions{Stride: 2})
		checkMatches(t, "2 x 2 every second pixel", b, m, refMatch(x, f, xs, fs, o, 2, nil), false)
	})
}
