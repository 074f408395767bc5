package simd

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// eachKernels runs f for every implementation that this machine can run.
func eachKernels(t *testing.T, f func(t *testing.T, k *Kernels)) {
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) { f(t, k) })
	}
}

func random(r *rand.Rand, n int) []float32 {
	s := Floats(n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// near reports whether got is want up to float32 rounding of sums of size scale.
func near(got float32, want, scale float64) bool {
	d := float64(got) - want
	return d <= 2e-6*scale && d >= -2e-6*scale
}

func TestGemm(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 27, 64, 129} {
			for m := 1; m <= 30; m++ {
				transposed, acc := r.IntN(2) == 1, r.IntN(2) == 1
				ars, acs := k+r.IntN(3), 1
				if transposed {
					ars, acs = 1, m+r.IntN(3)
				}
				crs := ks.NR + r.IntN(5)
				a := random(r, (m-1)*ars+(k-1)*acs+1)
				b, c := random(r, k*ks.NR), random(r, m*crs)
				old := append([]float32(nil), c...)
				ks.Gemm(m, k, &a[0], ars, acs, &b[0], &c[0], crs, acc, nil, 0)
				for i := range m {
					for j := range crs {
						want, scale := float64(old[i*crs+j]), 0.0
						if j < ks.NR {
							if !acc {
								want = 0
							}
							scale = 1
							for p := range k {
								x := float64(a[i*ars+p*acs]) * float64(b[p*ks.NR+j])
								want += x
								scale += max(x, -x)
							}
						}
						if !near(c[i*crs+j], want, scale) {
							t.Fatalf("m=%d k=%d transposed=%v acc=%v: C(%d, %d) = %g, want %g",
								m, k, transposed, acc, i, j, c[i*crs+j], want)
						}
					}
				}
			}
		}
	})
}

// BenchmarkGemm reports the best of many runs: on a busy machine only the
// minimum says what the routine can do.
func BenchmarkGemm(b *testing.B) {
	for _, ks := range All() {
		for _, s := range [][2]int{{16, 512}, {64, 128}, {64, 256}, {192, 64}, {192, 128}, {192, 256}} {
			m, k := s[0], s[1]
			b.Run(ks.Name+"/"+strconv.Itoa(m)+"x"+strconv.Itoa(k), func(b *testing.B) {
				x, y, z := Floats(m*k), Floats(k*ks.NR), Floats(m*ks.NR)
				best := time.Hour
				for b.Loop() {
					start := time.Now()
					ks.Gemm(m, k, &x[0], k, 1, &y[0], &z[0], ks.NR, false, nil, 0)
					best = min(best, time.Since(start))
				}
				b.ReportMetric(2*float64(m*k*ks.NR)/best.Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
