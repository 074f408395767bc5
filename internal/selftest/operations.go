package selftest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/impasto/impasto/gpu"
)

// opCheck is one operation: got from the backend, want from the loops.
type opCheck struct {
	name string
	run  func(b gpu.Backend, rng *rand.Rand) (got []float32, want []float64)
}

var opChecks = []opCheck{
	{"convolution", testConv},
	{"convolution gradient", testConvGrad},
	{"max pooling", func(b gpu.Backend, r *rand.Rand) ([]float32, []float64) { return testPool(b, r, gpu.MaxPool) }},
	{"average pooling", func(b gpu.Backend, r *rand.Rand) ([]float32, []float64) { return testPool(b, r, gpu.AvgPool) }},
	{"Gram matrix", testGram},
	{"style gradient", testStyleGrad},
	{"content loss", testContent},
}

// Operations compares each main operation of the CPU backend with the plainest
// loops there are, in float64, on small odd sizes.
func Operations() []Finding {
	b := gpu.NewCPU(gpu.CPUOptions{})
	defer b.Close()
	return operations(b, "cpu", tolerance)
}

// operations is Operations on a backend that findings call name. allowed is the largest
// error, as a share of the largest value.
func operations(b gpu.Backend, name string, allowed float64) (all []Finding) {
	var names []string
	for _, c := range opChecks {
		worst := c.worst(b)
		if !(worst <= allowed) {
			all = append(all, Finding{State: Problem, What: "self-test", Fix: "IMPASTO_SIMD=generic impasto doctor",
				Text: fmt.Sprintf("%s on %s is off by %.2g of its largest value", c.name, name, worst)})
			continue
		}
		names = append(names, c.name)
	}
	if len(names) > 0 {
		all = append(all, Finding{State: OK, What: "self-test", Text: name + ": " + strings.Join(names, ", ")})
	}
	return all
}

// Half says by which instructions the processor multiplies in half precision, or why it
// cannot, and compares its operations as Operations does.
func Half() []Finding {
	name, without := gpu.CPUHalf()
	f := Finding{State: OK, What: "half", Text: "bfloat16 by " + name}
	switch name {
	case "":
		f.State, f.Text = Note, fmt.Sprintf("without AMX or AVX512-BF16, --precision half paints in single precision; AMX is not used, because %v", without)
	case "generic":
		f.State, f.Text = Note, "bfloat16 in plain Go, which is slow: IMPASTO_SIMD=generic asks for it"
	case "amx":
	default:
		f.Text += fmt.Sprintf("; AMX is not used, because %v, and without it half precision saves memory, not time", without)
	}
	all := []Finding{f}
	if name == "" {
		return all
	}
	b := gpu.NewCPU(gpu.CPUOptions{Precision: gpu.Half})
	defer b.Close()
	return append(all, operations(b, "cpu in half precision", halfCPUTolerance)...)
}

// worst is the largest error over the largest wanted value.
func (c opCheck) worst(b gpu.Backend) float64 {
	got, want := c.run(b, rand.New(rand.NewPCG(1, 2)))
	if len(got) != len(want) {
		return math.Inf(1)
	}
	off, scale := 0.0, 1e-30
	for i, w := range want {
		scale = max(scale, math.Abs(w))
		if d := math.Abs(float64(got[i]) - w); !(d <= off) {
			off = d
		}
	}
	return off / scale
}

func randoms(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*r.Float32() - 1
	}
	return v
}

// coarse is randoms with the 8 bits that bfloat16 stores exactly, so that half precision
// rounds nothing but the results.
func coarse(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.IntN(256)-128) / 128
	}
	return v
}

const testH, testW, testC, testK = 13, 17, 16, 32

// tap calls f for every product of a 3x3 convolution: output pixel o, input
// pixel i (both as indices of H*W) and weight position t of 9.
func tap(f func(o, i, t int)) {
	for y := range testH {
		for x := range testW {
			for t := range 9 {
				if v, u := y+t/3-1, x+t%3-1; v >= 0 && v < testH && u >= 0 && u < testW {
					f(y*testW+x, v*testW+u, t)
				}
			}
		}
	}
}

func testConv(b gpu.Backend, r *rand.Rand) ([]float32, []float64) {
	x, w, bias := coarse(r, testH*testW*testC), coarse(r, testK*testC*9), coarse(r, testK)
	act := b.NewArray(gpu.Shape{H: testH, W: testW, C: testK})
	b.Conv(gpu.ConvOut{Act: act}, gpu.ArrayOf(b, gpu.Shape{H: testH, W: testW, C: testC}, x), b.NewFilter(w, bias, testC, testK), gpu.ZeroPad)
	want := make([]float64, testH*testW*testK)
	tap(func(o, i, t int) {
		for k := range testK {
			for c := range testC {
				want[o*testK+k] += float64(x[i*testC+c]) * float64(w[(k*testC+c)*9+t])
			}
		}
	})
	for o := range want {
		want[o] = max(0, want[o]+float64(bias[o%testK]))
	}
	return gpu.Values(b, act), want
}

func testConvGrad(b gpu.Backend, r *rand.Rand) ([]float32, []float64) {
	dy, w := coarse(r, testH*testW*testK), coarse(r, testK*testC*9)
	dx := b.NewArray(gpu.Shape{H: testH, W: testW, C: testC})
	b.ConvGrad(dx, gpu.ArrayOf(b, gpu.Shape{H: testH, W: testW, C: testK}, dy), b.NewFilter(w, make([]float32, testK), testC, testK), gpu.ConvGradOptions{})
	want := make([]float64, testH*testW*testC)
	tap(func(o, i, t int) {
		for k := range testK {
			for c := range testC {
				want[i*testC+c] += float64(dy[o*testK+k]) * float64(w[(k*testC+c)*9+t])
			}
		}
	})
	return gpu.Values(b, dx), want
}

func testPool(b gpu.Backend, r *rand.Rand, kind gpu.PoolKind) ([]float32, []float64) {
	x := coarse(r, testH*testW*testC)
	in := gpu.Shape{H: testH, W: testW, C: testC}
	p := gpu.Pool{Kind: kind}
	out := p.Out(in)
	y := b.NewArray(out)
	b.Pool(y, gpu.ArrayOf(b, in, x), p)
	want := make([]float64, out.Len())
	for i := range want {
		c, u, v := i%testC, i/testC%out.W, i/testC/out.W
		best, sum := math.Inf(-1), 0.0
		for t := range 4 {
			e := float64(x[((2*v+t/2)*testW+2*u+t%2)*testC+c])
			best, sum = max(best, e), sum+e
		}
		want[i] = best
		if kind == gpu.AvgPool {
			want[i] = sum / 4
		}
	}
	return gpu.Values(b, y), want
}

func testGram(b gpu.Backend, r *rand.Rand) ([]float32, []float64) {
	f := coarse(r, testH*testW*testC)
	g := b.NewArray(gpu.Matrix(testC))
	b.Gram(g, gpu.ArrayOf(b, gpu.Shape{H: testH, W: testW, C: testC}, f), 0.5)
	want := make([]float64, testC*testC)
	for p := range testH * testW {
		for i := range testC {
			for j := range testC {
				want[i*testC+j] += 0.5 * float64(f[p*testC+i]) * float64(f[p*testC+j])
			}
		}
	}
	return gpu.Values(b, g), want
}

func testStyleGrad(b gpu.Backend, r *rand.Rand) ([]float32, []float64) {
	f, d := coarse(r, testH*testW*testC), coarse(r, testC*testC)
	for i := range testC { // as a loss makes it, d is symmetric
		for j := range i {
			d[i*testC+j] = d[j*testC+i]
		}
	}
	s := gpu.Shape{H: testH, W: testW, C: testC}
	dx := b.NewArray(s)
	b.StyleGrad(dx, gpu.ArrayOf(b, s, f), gpu.ArrayOf(b, gpu.Matrix(testC), d), nil)
	want := make([]float64, s.Len())
	for o := range want {
		for j := range testC {
			want[o] += float64(d[o%testC*testC+j]) * float64(f[o/testC*testC+j])
		}
	}
	return gpu.Values(b, dx), want
}

func testContent(b gpu.Backend, r *rand.Rand) ([]float32, []float64) {
	f, target := coarse(r, testH*testW*testC), coarse(r, testH*testW*testC)
	s := gpu.Shape{H: testH, W: testW, C: testC}
	dx := b.NewArray(s)
	b.ContentLoss(dx, gpu.ArrayOf(b, s, f), gpu.ArrayOf(b, s, target), 0.5, 0)
	want := make([]float64, s.Len())
	for i := range want {
		want[i] = float64(f[i]) - float64(target[i])
	}
	return gpu.Values(b, dx), want
}
