package gpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/testutil"
)

// newHalfCPU is a processor that stores features as bfloat16 and multiplies them by
// the routines k.
func newHalfCPU(threads int, k *simd.BF16Kernels) *CPU {
	b := NewCPU(CPUOptions{Threads: threads, Precision: Half})
	b.bf16 = k
	return b
}

// TestHalfConvProcessor compares convolutions of several blocks, panels and steps, with
// all that they fuse, with float64: on each implementation of the products.
func TestHalfConvProcessor(t *testing.T) {
	testutil.Numerics(t) // TestConvAnyThreads runs the same goroutines
	for _, k := range simd.AllBF16() {
		t.Run(k.Name, func(t *testing.T) {
			b := newHalfCPU(2, k)
			defer b.Close()
			for i, v := range wideConvs {
				s, full := withChannels(v.size, v.c), withChannels(v.size, v.k)
				weight, bias := random(uint64(i), v.k*v.c*9, 1/math.Sqrt(float64(9*v.c))), random(9, v.k, 0.3)
				pool := []Pool{{Kind: MaxPool}, {Kind: MaxPool, Ceil: true, Scale: 2}, {Kind: AvgPool, Ceil: true}, {Kind: AvgPool}}[i%4]
				f := b.NewFilter(weight, bias, v.c, v.k)
				x := random(50, s.Len(), 1)
				what := fmt.Sprintf("%v to %d", s, v.k)
				out := ConvOut{Act: b.NewArray(full), Pooled: b.NewArray(pool.Out(full)), Mask: b.NewMask(full, pool), Pool: pool}
				stored := upload(b, s, x)
				b.Conv(out, stored, f, ZeroPad)
				act := download(b, out.Act)
				near(t, b, what, act, refReLU(refConv(x, s, weight, bias, v.k, ZeroPad)), 0, 0)
				near(t, b, what+" pooled", download(b, out.Pooled), refPool(wide(act), full, pool), 0, 0)
				again := ConvOut{Pooled: b.NewArray(pool.Out(full)), Mask: b.NewMask(full, pool), Pool: pool}
				b.Conv(again, upload(b, s, x), f, ZeroPad)
				if got := download(b, again.Pooled); !equal32(got, download(b, out.Pooled)) {
					t.Errorf("%s: other pooled values where the activation is not stored", what)
				}

				dy, dp, before := random(51, full.Len(), 1), random(52, pool.Out(full).Len(), 1), random(54, s.Len(), 1)
				gate := random(53, s.Len(), 1)
				lower := b.NewMask(s, Pool{})
				packSigns(lower.sign, gate, v.c)
				gated := func(want []float64, added float64) []float64 {
					for j := range want {
						want[j] += added * float64(before[j])
						if gate[j] <= 0 {
							want[j] = 0
						}
					}
					return want
				}
				dx := upload(b, s, before)
				b.ConvGrad(dx, upload(b, full, dy), f, ConvGradOptions{Gate: lower, Add: true})
				near(t, b, what+" gradient", download(b, dx), gated(refConvGrad(wide(dy), s, weight, v.k, ZeroPad), 1), 0, 0)
				spread := refPoolGrad(wide(dp), largestOf(b, out.Act, stored, weight, bias), full, pool)
				for j := range spread {
					if act[j] <= 0 {
						spread[j] = 0
					}
				}
				b.ConvGrad(dx, upload(b, pool.Out(full), dp), f, ConvGradOptions{Unpool: out.Mask, Gate: lower})
				near(t, b, what+" gradient of the pooled", download(b, dx), gated(refConvGrad(spread, s, weight, v.k, ZeroPad), 0), 0, 0)
				b.FreeFilters(f)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// largestOf returns the values of which pooling takes the largest: those that the
// convolution of x stored in act. In half precision on the processor they are those
// before rounding, here in float64 from x and the weights as they are stored.
func largestOf(b Backend, act, x *Array, weight, bias []float32) []float64 {
	if _, ok := b.(*CPU); !ok || act.half == nil {
		return wide(download(b, act))
	}
	s, k := x.Shape, act.Shape.C
	if x.half != nil {
		weight = storedWeights(weight, halfTerms(s.C, k))
	}
	return refConv(download(b, x), s, weight, bias, k, ZeroPad)
}

// storedWeights are sums of so many bfloat16.
func storedWeights(weight []float32, terms int) []float32 {
	out := make([]float32, len(weight))
	for i, rest := range weight {
		for range terms {
			term := math.Float32frombits(uint32(simd.RoundBF16(rest)) << 16)
			out[i] += term
			rest -= term
		}
	}
	return out
}

// TestHalfStyleProcessor compares style terms that convolutions add with float64, also
// where the gradient is stored over the features: for one thread and several, to the
// same bytes.
func TestHalfStyleProcessor(t *testing.T) {
	for _, k := range simd.AllBF16() {
		t.Run(k.Name, func(t *testing.T) {
			for i, v := range append(wideStyles[:3:3], wideStyles[4], wideStyles[6], wideStyles[7], wideStyles[11]) {
				var first []float32
				for _, threads := range []int{1, 3} {
					for _, over := range []bool{false, true} {
						if v.over = over; over && v.add {
							continue
						}
						b := newHalfCPU(threads, k)
						if !b.StyleInPlace(withChannels(v.size, v.c), withChannels(v.size, v.k)) {
							t.Fatal("features cannot be overwritten")
						}
						got := v.check(t, b, fmt.Sprintf("%d: %d threads, %+v", i, threads, v), 1)
						if first == nil {
							first = got
						}
						if !equal32(got, first) {
							t.Errorf("%d: other bytes with %d threads, over the features: %v", i, threads, over)
						}
						b.Close()
					}
				}
			}
		})
	}
}

func equal32(a, b []float32) bool {
	for i, v := range a {
		if math.Float32bits(v) != math.Float32bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestHalfStorage: features take two bytes an element on the processor as well, and
// memory is shared by arrays of both kinds.
func TestHalfStorage(t *testing.T) {
	b := NewCPU(CPUOptions{Precision: Half})
	defer b.Close()
	for s, want := range map[Shape]int64{{16, 32, 64}: 2 * 16 * 32 * 64, {16, 32, 3}: 4 * 16 * 32 * 3, Matrix(64): 4 * 64 * 64, Vector(64): 4 * 64, {3, 3, 8}: 192} {
		if got := b.Bytes(s); got != want {
			t.Errorf("%v takes %d bytes, want %d", s, got, want)
		}
	}
	arena := b.NewArray(Shape{1, 1, 64}) // 256 bytes
	features, image := b.View(arena, 0, Shape{2, 2, 16}), b.View(arena, 128, Shape{2, 5, 3})
	v, w := random(1, 64, 1), random(2, 30, 1)
	b.Upload(features, v)
	b.Upload(image, w)
	if !equal32(download(b, features), v) || !equal32(download(b, image), w) {
		t.Error("views of a single position's memory overlap")
	}
	b.Upload(features, []float32{1e38, -3e38, 1e-30, float32(math.Inf(1)), 1.00390625, 1.01171875, float32(nan()), 63: 5})
	got := download(b, features)
	for i, want := range []float32{1e38, -3e38, 1e-30, float32(math.Inf(1)), 1, 1.015625} {
		if d := math.Abs(float64(got[i]/want - 1)); !(d <= 0x1p-8) && got[i] != want || i >= 4 && got[i] != want {
			t.Errorf("%g is stored as %g", want, got[i])
		}
	}
	if got[6] == got[6] || got[63] != 5 {
		t.Errorf("NaN is stored as %g, 5 as %g", got[6], got[63])
	}
}
