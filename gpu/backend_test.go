package gpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
)

// drivers are further drivers that every test of an operation runs on: with the
// tag cuda there is gorgonia.org/cu.
var drivers = map[string]func(t testing.TB) cuda.Driver{}

// backends lists the implementations that every test of an operation runs on.
func backends(t testing.TB) map[string]Backend {
	list := map[string]Backend{
		"cpu-3":      NewCPU(CPUOptions{Threads: 3}),
		"cpu-half-3": NewCPU(CPUOptions{Threads: 3, Precision: Half}),
	}
	if !testutil.Race { // one thread has no race to find
		list["cpu"] = NewCPU(CPUOptions{Threads: 1})
		list["cpu-half"] = NewCPU(CPUOptions{Threads: 1, Precision: Half})
	}
	for _, order := range []emu.Schedule{emu.Forward, emu.Reverse, emu.Random} {
		if !testutil.Devices() || testutil.RealDriver() {
			break // a GPU is not kept waiting by its copies in software
		}
		name := "emu-" + order.String()
		list[name] = NewDevice(testutil.Driver(emu.Open(emu.Options{Schedule: order, Seed: 1})), DeviceOptions{Name: name})
	}
	if testutil.Devices() {
		list["emu-half"] = newHalf(emu.Options{Schedule: emu.Random, Seed: 2})
	}
	for name, open := range drivers {
		list[name] = NewDevice(open(t), DeviceOptions{Name: name, Precision: Single})
		list[name+"-half"] = NewDevice(open(t), DeviceOptions{Name: name + "-half"})
	}
	t.Cleanup(func() {
		for name, b := range list {
			if err := b.Err(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			b.Close()
		}
	})
	return list
}

// newHalf is a software device with tensor cores that computes in half precision.
func newHalf(o emu.Options) *Device {
	o.Capability = 80
	return NewDevice(testutil.Driver(emu.Open(o)), DeviceOptions{Name: "emu-half", Precision: Half})
}

// isHalf says whether b computes in half precision.
func isHalf(b Backend) bool {
	switch b := b.(type) {
	case *CPU:
		return b.Precision() == Half
	case *Device:
		return b.Precision() == Half
	}
	return false
}

// near is testutil.Close for results of b. In half precision the relative error
// of all values together is at most 2e-3, and that of each 5e-3 of the largest; on the
// processor, where half is bfloat16, 4e-3 and 1e-2.
func near[A, B ~float32 | ~float64](t testing.TB, b Backend, what string, got []A, want []B, abs, rel float64) {
	t.Helper()
	if isHalf(b) {
		all, each := 2e-3, 5e-3
		if _, cpu := b.(*CPU); cpu {
			all, each = 4e-3, 1e-2
		}
		most := 0.0
		for _, v := range want {
			most = max(most, math.Abs(float64(v)))
		}
		abs, rel = max(abs, each*most), max(rel, all)
		if e := testutil.RelL2(got, want); !(e <= all) && most > 0 {
			t.Errorf("%s: relative error %.2g", what, e)
		}
	}
	testutil.Close(t, what, got, want, abs, rel)
}

// onCPU runs f as a sub-test on the backends of the processor.
func onCPU(t *testing.T, f func(t *testing.T, b Backend)) {
	onEach(t, func(t *testing.T, b Backend) {
		if _, ok := b.(*CPU); ok {
			f(t, b)
		}
	})
}

// onOneDevice runs f as a sub-test on the backends of the processor and on one
// software device: for tests of hundreds of steps.
func onOneDevice(t *testing.T, f func(t *testing.T, b Backend)) {
	onEach(t, func(t *testing.T, b Backend) {
		if _, device := b.(*Device); !device || b.Name() == "emu-reverse" {
			f(t, b)
		}
	})
}

// onEach runs f as a sub-test on every backend.
func onEach(t *testing.T, f func(t *testing.T, b Backend)) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) { f(t, b) })
	}
}

// oddShapes are pictures without channels: the sizes where borders go wrong.
var oddShapes = []Shape{{1, 1, 0}, {1, 5, 0}, {2, 3, 0}, {3, 2, 0}, {4, 4, 0}, {7, 5, 0}, {8, 9, 0}, {13, 17, 0}, {18, 33, 0}}

// sizes are oddShapes, or on a software device a few of them: its time is dear.
func sizes(b Backend) []Shape {
	if _, ok := b.(*Device); ok {
		return []Shape{{1, 1, 0}, {1, 5, 0}, {3, 2, 0}, {7, 5, 0}, {9, 18, 0}}
	}
	return oddShapes
}

// share is the part of n cases that a backend runs: all, or where three software
// devices differ only in their schedule, every third.
func share(b Backend, n int) []int {
	var list []int
	for i := range n {
		if _, device := b.(*Device); !device || i%3 == map[string]int{"emu-forward": 0, "emu-reverse": 1, "emu-random": 2}[b.Name()] {
			list = append(list, i)
		}
	}
	return list
}

// takes says whether b computes on features of these channels: a device wants
// the image's 3, or a multiple of 4, in half precision of 8.
func takes(b Backend, channels ...int) bool {
	d, device := b.(*Device)
	for _, c := range channels {
		if device && c != 3 && (c%4 != 0 || d.half && c%8 != 0) {
			return false
		}
	}
	return true
}

func withChannels(s Shape, c int) Shape { return Shape{s.H, s.W, c} }

// random returns n normal values times scale, the same for the same seed. They
// have the 8 bits of a bfloat16, which a binary16 holds too, so that every backend
// computes on the same.
func random(seed uint64, n int, scale float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 17))
	v := make([]float32, n)
	for i := range v {
		fraction, exponent := math.Frexp(r.NormFloat64() * scale)
		v[i] = float32(math.Ldexp(math.Round(fraction*(1<<8)), exponent-8))
	}
	return v
}

// relu returns max(0, v), what features look like.
func relu(v []float32) []float32 {
	out := make([]float32, len(v))
	for i, e := range v {
		out[i] = max(e, 0)
	}
	return out
}

func upload(b Backend, s Shape, v []float32) *Array {
	a := b.NewArray(s)
	b.Upload(a, v)
	return a
}

func download(b Backend, a *Array) []float32 {
	v := make([]float32, a.Shape.Len())
	b.Download(v, a)
	return v
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, e := range v {
		out[i] = float64(e)
	}
	return out
}

// slope is the central difference of f along coordinate i of x.
func slope(f func(x []float64) float64, x []float64, i int, h float64) float64 {
	keep := x[i]
	x[i] = keep + h
	up := f(x)
	x[i] = keep - h
	down := f(x)
	x[i] = keep
	return (up - down) / (2 * h)
}

// slopes is slope along every coordinate.
func slopes(f func(x []float64) float64, x []float64, h float64) []float64 {
	g := make([]float64, len(x))
	for i := range x {
		g[i] = slope(f, x, i, h)
	}
	return g
}

// largest returns the largest absolute value, the scale of a tolerance.
func largest(v []float64) float64 {
	m := 0.0
	for _, e := range v {
		m = max(m, math.Abs(e))
	}
	return m
}

// lossOf returns the value in a slot after the backend has finished.
func lossOf(b Backend, slot int) float64 {
	b.Sync()
	return b.Status().Loss[slot]
}
