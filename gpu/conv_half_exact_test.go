package gpu

import (
	"math"
	"testing"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/testutil"
)

// TestHalfConvSplitInputs: a convolution that knows where its input comes from, and one
// that reads pooled features with their rounding errors, compute as if their inputs were
// not rounded: with any number of threads. Images are smaller than a block, larger, odd.
func TestHalfConvSplitInputs(t *testing.T) {
	for _, k := range simd.AllBF16() {
		t.Run(k.Name, func(t *testing.T) {
			for i, size := range []Shape{{1, 1, 0}, {9, 67, 0}, {17, 5, 0}} {
				pad, pool := Pad(i%2), Pool{Kind: []PoolKind{MaxPool, AvgPool}[i%2], Ceil: true}
				s, first, second := withChannels(size, 3), withChannels(size, 32), withChannels(size, 64)
				pooled := pool.Out(second)
				third := withChannels(pooled, 40)
				x := random(1, s.Len(), 50)
				w1, b1 := random(2, first.C*27, 0.2), random(3, first.C, 1)
				w2, b2 := random(4, second.C*first.C*9, 0.06), random(5, second.C, 0.3)
				w3, b3 := random(6, third.C*second.C*9, 0.04), random(7, third.C, 0.3)
				var before [2][]float32
				for _, threads := range []int{1, 3} {
					b := newHalfCPU(threads, k)
					f1, f2, f3 := b.NewFilter(w1, b1, 3, first.C), b.NewFilter(w2, b2, first.C, second.C), b.NewFilter(w3, b3, second.C, third.C)
					image, act1, act2, act3 := upload(b, s, x), b.NewArray(first), b.NewArray(second), b.NewArray(third)
					split := b.NewArray(b.Split(pooled, third))
					if split.Shape.C != 2*pooled.C {
						t.Fatalf("%v split is %v", pooled, split.Shape)
					}
					b.Conv(ConvOut{Act: act1}, image, f1, pad)
					b.Conv(ConvOut{Act: act2, Pooled: split, Mask: b.NewMask(second, pool), Pool: pool, From: ConvFrom{X: image, Filter: f1, Pad: pad}}, act1, f2, ZeroPad)
					b.Conv(ConvOut{Act: act3}, split, f3, ZeroPad)
					got := [2][]float32{download(b, act2), download(b, act3)}
					if before[0] != nil && !(equal32(got[0], before[0]) && equal32(got[1], before[1])) {
						t.Errorf("%v: other bytes with %d threads", s, threads)
					}
					before = got
					b.Close()
				}
				a1 := refReLU(refConv(x, s, w1, b1, first.C, pad))
				a2 := refReLU(refConv(narrow(a1), first, w2, b2, second.C, ZeroPad))
				a3 := refReLU(refConv(narrow(refPool(a2, second, pool)), pooled, w3, b3, third.C, ZeroPad))
				for j, want := range [][]float64{a2, a3} {
					off := 0 // values that the exact ones would not be rounded to
					for n, v := range want {
						if before[j][n] != math.Float32frombits(uint32(simd.RoundBF16(float32(v)))<<16) {
							off++
						}
					}
					e := testutil.RelL2(before[j], want)
					t.Logf("%v, convolution %d: %d of %d values, relative error %.2g", s, j+2, off, len(want), e)
					if off > len(want)/50 || !(e < 2.5e-3) {
						t.Errorf("%v, convolution %d: %d of %d values are not the exact ones rounded; relative error %.2g", s, j+2, off, len(want), e)
					}
				}
			}
		})
	}
}
