package gpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// Kernels add and scale in float64 in sums over many terms and in differences of nearly
// equal numbers. The tests of the double_*_test.go files check that, with operands that need all 24 bits.
// A sum or a product in float32 is wrong by 1e-8 of the result. A value that a kernel
// stores as float32 must be the float64 result rounded once.

// onADevice runs f as a sub-test on one device in single precision.
func onADevice(t *testing.T, f func(t *testing.T, b *Device)) {
	onDevices(t, func(t *testing.T, b *Device) {
		if !b.half && b.Name() != "emu-forward" && b.Name() != "emu-random" {
			f(t, b)
		}
	})
}

// ragged returns n values around 0 that need all 24 bits of a float32.
func ragged(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 29))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// whole returns n whole numbers of 0 to most.
func whole(seed uint64, n, most int) []float32 {
	r := rand.New(rand.NewPCG(seed, 31))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.IntN(most + 1))
	}
	return v
}

// sameDouble checks that got is want, but for the order of a float64 sum.
func sameDouble(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*math.Abs(want)) {
		t.Errorf("%s is %.17g, want %.17g", what, got, want)
	}
}

// sameFloats checks that each value of got is that of want rounded once.
func sameFloats(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	wrong := 0
	for i, v := range got {
		if v != float32(want[i]) {
			if wrong == 0 {
				t.Errorf("%s: value %d is %.9g, want %.9g", what, i, v, want[i])
			}
			wrong++
		}
	}
	if wrong > 1 {
		t.Errorf("%s: %d of %d values are not rounded once", what, wrong, len(got))
	}
}

// doubles reads n float64 of device memory.
func doubles(b *Device, p cuda.Ptr, n int) []float64 {
	raw, v := make([]byte, 8*n), make([]float64, n)
	b.download(raw, p)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return v
}

// newDoubles copies v to new device memory.
func newDoubles(b *Device, v ...float64) cuda.Ptr {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
	}
	p := b.alloc(int64(len(raw)))
	b.upload(p, raw)
	return p
}

func TestDoublePool(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{30, 60, 3}
		x := whole(555, s.Len(), 1<<24)
		for _, kind := range []PoolKind{AvgPool, L2Pool} {
			p := Pool{Kind: kind, Size: 10}
			y, want := b.NewArray(p.Out(s)), make([]float64, p.Out(s).Len())
			for i, v := range x {
				c, px, py := i%3, i/3%s.W, i/3/s.W
				at := (py/10*6+px/10)*3 + c
				if kind == AvgPool {
					want[at] += float64(v)
				} else {
					want[at] += float64(v) * float64(v)
				}
			}
			for i := range want {
				if kind == L2Pool {
					want[i] = math.Sqrt(want[i])
				} else {
					want[i] /= 100
				}
				want[i] = float64(float32(p.scale()) * float32(want[i]))
			}
			b.Pool(y, upload(b, s, x), p)
			sameFloats(t, "pooled", download(b, y), want)
		}
	})
}

func TestDoubleVectors(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 3*chunkLen + 5, 1}
		x, y, dot, abs := ragged(556, s.Len()), ragged(557, s.Len()), 0.0, 0.0
		for i := range x {
			y[i] = float32(math.Copysign(float64(y[i]), float64(x[i]))) // no cancellation
			dot += float64(x[i]) * float64(y[i])
			abs += math.Abs(float64(x[i]))
		}
		sameDouble(t, "dot", b.Dot(upload(b, s, x), upload(b, s, y)), dot)
		part := b.alloc(8)
		b.launchAbsSumPartial(cuda.Dim3{X: 1}, upload(b, s, x).at, part, 1000)
		first := 0.0
		for _, v := range x[:1000] {
			first += math.Abs(float64(v))
		}
		sameDouble(t, "sum of magnitudes", doubles(b, part, 1)[0], first)
		b.AddLoss(4, 1+0x1p-40)
		b.AddLoss(5, 0x1p-41)
		b.MoveLoss(4, 5)
		if v := b.Loss(4); v != 1+0x1p-40+0x1p-41 {
			t.Errorf("moved loss is %.17g", v)
		}

		// Divided by the norm, also by norms as small as the number added to them.
		for _, size := range []float64{1, 1e-12, 0x1p-126} {
			for k := range 24 {
				a, v := float32(0.1*float64(k+1)), ragged(uint64(600+k), 37)
				norm, want := 0.0, make([]float64, len(v))
				for i := range v {
					v[i] = float32(size * float64(v[i]))
					norm += math.Abs(float64(v[i]))
				}
				g := float32(float64(a) / (norm + 1e-8))
				for i := range v {
					want[i] = float64(g) * float64(v[i])
				}
				dst := b.NewArray(Vector(len(v)))
				b.AddNormalized(dst, float64(a), upload(b, dst.Shape, v))
				sameFloats(t, "normalised", download(b, dst), want)
			}
		}
	})
}
