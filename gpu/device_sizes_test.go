package gpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/testutil"
)

// TestManyChannels has more channels than the kernels' loops have threads: 264 in
// and out of a convolution both ways, and in a Gram matrix, whose tiles then have
// a row of five. The processor, which other tests hold to float64, is the reference
// of the convolution.
func TestManyChannels(t *testing.T) {
	testutil.NeedDevices(t)
	const c = 264
	cpu := NewCPU(CPUOptions{})
	defer cpu.Close()
	for _, k := range [][2]int{{c, 8}, {8, c}} {
		in, out := Shape{3, 5, k[0]}, Shape{3, 5, k[1]}
		weights, bias := random(90, 9*k[0]*k[1], 0.1), random(91, k[1], 1)
		x, dy := random(92, in.Len(), 1), random(93, out.Len(), 1)
		run := func(b Backend) (act, dx []float32) {
			f, y, d := b.NewFilter(weights, bias, k[0], k[1]), b.NewArray(out), b.NewArray(in)
			b.Conv(ConvOut{Act: y}, upload(b, in, x), f, ZeroPad)
			b.ConvGrad(d, upload(b, out, dy), f, ConvGradOptions{})
			return download(b, y), download(b, d)
		}
		act, dx := run(cpu)
		for _, b := range emulated(t) {
			gotAct, gotDx := run(b)
			what := fmt.Sprintf("%s, %d to %d channels", b.Name(), k[0], k[1])
			testutil.Close(t, what+" forward", gotAct, act, 1e-4, 1e-5)
			testutil.Close(t, what+" backward", gotDx, dx, 1e-4, 1e-5)
		}
	}
	s := Shape{2, 3, c}
	f := random(94, s.Len(), 1)
	for _, b := range emulated(t) {
		g := b.NewArray(Matrix(c))
		b.Gram(g, upload(b, s, f), 0.5)
		testutil.Close(t, b.Name()+" Gram matrix", download(b, g), refGram(wide(f), c, 0.5), 1e-5, 1e-5)
	}
}

// TestNormOfNearlyNothing: 1e-8 keeps a vector whose norm is about as small from
// growing to length 1.
func TestNormOfNearlyNothing(t *testing.T) {
	testutil.NeedDevices(t)
	s := Shape{1, 1, 4}
	for _, b := range emulated(t) {
		x := []float32{1e-8, -1e-8, 2e-8, 0} // the sum of absolute values is 4e-8
		dst := b.NewArray(s)
		b.AddNormalized(dst, 3, upload(b, s, x))
		want := make([]float64, 4)
		for i, v := range x {
			want[i] = 3 * float64(v) / (4e-8 + 1e-8)
		}
		testutil.Close(t, b.Name(), download(b, dst), want, 0, 1e-5)
	}
}

// TestManyTiles has more rows of tiles than a block has threads in a row: 66 of
// eight pixels, the last with one.
func TestManyTiles(t *testing.T) {
	testutil.NeedDevices(t)
	s := Shape{8*65 + 1, 3, 4}
	cpu := NewCPU(CPUOptions{})
	defer cpu.Close()
	for _, in := range []Shape{s, {s.H, s.W, 3}} { // the image has a kernel of its own
		weights, bias, x, dy := random(95, 9*in.C*4, 0.3), random(96, 4, 1), random(97, in.Len(), 1), random(98, s.Len(), 1)
		run := func(b Backend) (act, dx []float32) {
			f, y, d := b.NewFilter(weights, bias, in.C, 4), b.NewArray(s), b.NewArray(in)
			b.Conv(ConvOut{Act: y}, upload(b, in, x), f, ZeroPad)
			b.ConvGrad(d, upload(b, s, dy), f, ConvGradOptions{})
			return download(b, y), download(b, d)
		}
		act, dx := run(cpu)
		for _, b := range emulated(t) {
			gotAct, gotDx := run(b)
			testutil.Close(t, fmt.Sprintf("%s forward of %d channels", b.Name(), in.C), gotAct, act, 1e-5, 1e-5)
			testutil.Close(t, fmt.Sprintf("%s backward of %d channels", b.Name(), in.C), gotDx, dx, 1e-5, 1e-5)
		}
	}
}

// TestManyPixels takes the gradient of a style loss with more blocks of pixels than a
// kernel could assume: 66 blocks of 64 pixels, in half precision of 128. It also has more
// channels than a block has threads.
func TestManyPixels(t *testing.T) {
	onDevices(t, func(t *testing.T, b *Device) {
		for _, s := range []Shape{{1, 64*65 + 1, 8}, {1, 3, 264}} {
			if b.half && s.W > 64 {
				s.W = 128*65 + 1
			}
			f, d := random(101, s.Len(), 1), narrow(refGram(wide(random(102, 4*s.C, 1)), s.C, 0.1))
			want := make([]float64, s.Len())
			for i := range want {
				for j := range s.C {
					want[i] += float64(d[i%s.C*s.C+j]) * float64(f[i/s.C*s.C+j])
				}
			}
			dx := b.NewArray(s)
			b.StyleGrad(dx, upload(b, s, f), upload(b, Matrix(s.C), d), nil)
			near(t, b, fmt.Sprint(s, " gradient"), download(b, dx), want, 1e-5, 1e-5)
		}
	})
}

// TestManyColumns multiplies matrices of more than eight tiles by eight.
func TestManyColumns(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const c = 260
		x, y, dst := random(103, c*c, 1), random(104, c*c, 1), b.NewArray(Matrix(c))
		b.product(dst, upload(b, Matrix(c), x), upload(b, Matrix(c), y), c, c, c, 1, 0, false)
		got := download(b, dst)
		for i := 0; i < c; i += 37 {
			for j := range c {
				want := 0.0
				for k := range c {
					want += float64(x[i*c+k]) * float64(y[k*c+j])
				}
				if e := float64(got[i*c+j]) - want; e > 1e-4 || e < -1e-4 {
					t.Fatalf("product (%d, %d) is %g, want %g", i, j, got[i*c+j], want)
				}
			}
		}
	})
}

// TestSelfSimEdges: a distance equal to the least is kept, the next smaller one becomes 0.
func TestSelfSimEdges(t *testing.T) {
	onDevices(t, func(t *testing.T, b *Device) {
		unit, dst := upload(b, Shape{1, 2, 2}, []float32{1, 0, 0.5, 0}), b.NewArray(Matrix(2))
		for _, least := range []float32{0.5, math.Nextafter32(0.5, 1)} {
			b.launchSelfsimDistances(cuda.Dim3{X: 1, Y: 1}, dst.at, unit.at, 2, 2, least)
			want := 0.5
			if least > 0.5 {
				want = 0
			}
			near(t, b, fmt.Sprintf("least %g", least), download(b, dst), []float64{0, want, want, 0}, 0, 0)
		}
	})
}

// TestTiesOfAnySide: of equal scores the first patch wins, for every way to
// compare and whichever block or thread finds it.
func TestTiesOfAnySide(t *testing.T) {
	testutil.NeedDevices(t)
	xs, fs := Shape{6, 7, 4}, Shape{13, 15, 4}
	x, f := random(99, xs.Len(), 1), random(100, fs.Len(), 1)
	for _, v := range [][]float32{x, f} {
		for i := range v {
			v[i] = float32(int(v[i]*7) & 1)
		}
	}
	for _, b := range emulated(t) {
		for _, size := range []int{1, 2, 3, 4} {
			o := BankOptions{Size: size, Stride: 1, Norm: NoNorm}
			bank := b.NewBank(upload(b, fs, f), o)
			m := b.NewMatches(bank.MatchGrid(xs, 1))
			b.Match(m, upload(b, xs, x), bank, MatchOptions{})
			checkMatches(t, fmt.Sprintf("%s, side %d", b.Name(), size), b, m, refMatch(x, f, xs, fs, o, 1, nil), true)
		}
	}
}
