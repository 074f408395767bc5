package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDiag3(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, n := range []int{16, 32, 80} {
			ld, step, count := n+7, 2*(n+7), 5
			var s [3]*float32
			var data [3][]float32
			for i := range s {
				data[i] = random(r, count*step+3*ld+n)
				s[i] = &data[i][0]
			}
			inv, bias := random(r, n), random(r, n)
			bias[n-1], inv[n-1] = float32(math.Inf(-1)), 0
			data[0][3] = float32(math.NaN())
			out := make([]float32, count)
			ks.Diag3(&out[0], count, step, &s, ld, &inv[0], &bias[0], n)
			for i := range count {
				want := math.Inf(-1)
				for u := range n {
					sum := 0.0
					for row := range 3 {
						for d := range 3 {
							sum += float64(data[row][i*step+u+d*(ld+1)])
						}
					}
					if v := sum*float64(inv[u]) + float64(bias[u]); v > want {
						want = v
					}
				}
				if math.Abs(float64(out[i])-want) > 1e-5 {
					t.Fatalf("n=%d patch %d: %g, want %g", n, i, out[i], want)
				}
				found := false
				for u := range n {
					found = found || Diag3At(&s, i*step+u, ld, inv[u], bias[u]) == out[i]
				}
				if !found {
					t.Fatalf("n=%d patch %d: no column has the score %g", n, i, out[i])
				}
			}
		}
	})
}
