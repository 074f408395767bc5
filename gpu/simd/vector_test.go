package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDotsAndAxpy(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(7, 8))
		for n := range 70 {
			v, a, b, c := random(r, n), random(r, n), random(r, n), random(r, n)
			var want [3]float64
			for i := range n {
				want[0] += float64(v[i]) * float64(a[i])
				want[1] += float64(v[i]) * float64(b[i])
				want[2] += float64(v[i]) * float64(c[i])
			}
			va, vb, vc := ks.Dots(v, a, b, c)
			for i, got := range [3]float64{va, vb, vc} {
				if math.Abs(got-want[i]) > 1e-12*float64(n) {
					t.Fatalf("%d elements: dot product %d is %g, want %g", n, i, got, want[i])
				}
			}
			dst := append([]float32(nil), a...)
			ks.Axpy(dst, 0.7, b)
			for i := range dst {
				if want := float64(a[i]) + float64(float32(0.7))*float64(b[i]); !near(dst[i], want, 4) {
					t.Fatalf("%d elements: axpy %d is %g, want %g", n, i, dst[i], want)
				}
			}
		}
	})
}
