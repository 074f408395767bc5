package simd

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// rawBytes is the memory of values.
func rawBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// awkward are random values among which are zeros of both signs, infinities and NaN.
func awkward(r *rand.Rand, n int) []float32 {
	v := random(r, n)
	for i := range v {
		switch r.IntN(12) {
		case 0:
			v[i] = 0
		case 1:
			v[i] = float32(math.Copysign(0, -1))
		case 2:
			v[i] = float32(math.Inf(1 - 2*r.IntN(2)))
		case 3:
			v[i] = float32(math.NaN())
		}
	}
	return v
}

// TestSameBytesAsPortable: where the order of operations is the same, NEON computes
// the bytes of the portable form, those of zeros' signs and of NaN included. On arm64
// the compiler fuses products and sums in the portable form as FMLA does; which of two
// products it fuses is its choice, and another version of Go may choose otherwise.
func TestSameBytesAsPortable(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	same := func(what string, n int, run func(ks *Kernels) []byte) {
		t.Helper()
		if want, got := run(generic), run(&neon); !bytes.Equal(got, want) {
			t.Errorf("%s, %d: the bytes differ from the portable form's", what, n)
		}
	}
	for _, n := range []int{16, 32, 48, 112} {
		x := awkward(r, n)
		same("ReLU", n, func(ks *Kernels) []byte {
			y, sign := append([]float32(nil), x...), make([]byte, n/8)
			ks.ReLU(&y[0], &sign[0], n)
			return append(rawBytes(y), sign...)
		})
		data := awkward(r, 16*n)
		for _, avg := range []bool{false, true} {
			same("pooling", n, func(ks *Kernels) []byte {
				var tile Tile
				pooled, marks := make([]float32, 4*n), make([]byte, n)
				for p := range 16 {
					tile.Px[p] = &data[p*n]
				}
				for w := range 4 {
					tile.Pool[w], tile.Lo[w], tile.Hi[w] = &pooled[w*n], &marks[2*w*n/8], &marks[(2*w+1)*n/8]
				}
				if avg {
					ks.PoolAvg(&tile, 0, 0, n, 0.78)
				} else {
					ks.PoolMax(&tile, 0, 0, 0, n, 0.78)
				}
				return append(rawBytes(canonical(pooled)), marks...)
			})
		}
		px, _ := patch6(r, n)
		same("input transform", n, func(ks *Kernels) []byte {
			v := make([]float32, 36*n)
			ks.WinoIn(px, 0, &v[0], n, n)
			return rawBytes(v)
		})
		src, bias, old := random(r, 36*n), random(r, n), random(r, 16*n)
		signs := make([]byte, 16*n/8)
		for i := range signs {
			signs[i] = byte(r.Uint32())
		}
		for mode := range 5 {
			same("output transform", n, func(ks *Kernels) []byte {
				var tile Tile
				out, bits := append([]float32(nil), old...), append([]byte(nil), signs...)
				for p := range 16 {
					tile.Px[p], tile.Sign[p] = &out[p*n], &bits[p*n/8]
				}
				if mode == 4 {
					ks.WinoOut(&src[0], n, &tile, 0, 0, n, &bias[0])
				} else {
					ks.WinoBack(&src[0], n, &tile, 0, 0, n, mode&1 != 0, mode&2 != 0)
				}
				return append(rawBytes(out), bits...)
			})
		}
		taps := random(r, n*9*16)
		for row := range 6 {
			same("filter transform", n, func(ks *Kernels) []byte {
				u := make([]float32, 6*n*16)
				ks.WinoFilter(&taps[0], &u[0], n*16, n, row)
				return rawBytes(u)
			})
		}
		for _, m := range []int{1, 5, 6, 13} {
			a, b, c := random(r, m*n), random(r, n*16), random(r, m*16)
			for _, acc := range []bool{false, true} {
				same("product", n, func(ks *Kernels) []byte {
					c := append([]float32(nil), c...)
					ks.Gemm(m, n, &a[0], n, 1, &b[0], &c[0], 16, acc, nil, 0)
					return rawBytes(c)
				})
			}
		}
		var s [3]*float32
		for i := range s {
			s[i] = &random(r, 5*2*(n+7)+3*(n+7)+n)[0]
		}
		inv, add := random(r, n), random(r, n)
		same("score", n, func(ks *Kernels) []byte {
			out := make([]float32, 5)
			ks.Diag3(&out[0], 5, 2*(n+7), &s, n+7, &inv[0], &add[0], n)
			return rawBytes(out)
		})
		same("vectors", n, func(ks *Kernels) []byte {
			dst := append([]float32(nil), inv...)
			ks.Axpy(dst, 0.7, add)
			return rawBytes(dst)
		})
	}
}

// canonical gives all NaN the same bytes: what a NaN times a number carries is the
// processor's affair.
func canonical(v []float32) []float32 {
	for i, e := range v {
		if e != e {
			v[i] = float32(math.NaN())
		}
	}
	return v
}
