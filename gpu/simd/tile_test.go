package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPool compares every implementation with the definition: the winner of a
// window is the first of its largest, and the mean is in float64.
func TestPool(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, n := range []int{16, 32, 48} {
			const off, pool, bits = 16, 32, 48
			var tile Tile
			data, pooled, marks := random(r, 16*(n+off)), random(r, 4*(n+pool)), make([]byte, 8*(n+bits)/8)
			for i := range data {
				switch r.IntN(8) {
				case 0, 1, 2:
					data[i] = 0 // ties
				case 3:
					data[i] = float32(math.NaN())
				}
			}
			for p := range 16 {
				tile.Px[p] = &data[p*(n+off)]
			}
			for w := range 4 {
				tile.Pool[w] = &pooled[w*(n+pool)]
				tile.Lo[w], tile.Hi[w] = &marks[2*w*(n+bits)/8], &marks[(2*w+1)*(n+bits)/8]
			}
			value := func(w, i, c int) float64 {
				return float64(data[(w/2*8+w%2*2+i/2*4+i%2)*(n+off)+off+c])
			}
			ks.PoolMax(&tile, off, pool, bits, n, 0.5)
			for w := range 4 {
				for c := range n {
					best, won := value(w, 0, c), 0
					for i := 1; i < 4; i++ {
						if e := value(w, i, c); e > best || math.IsNaN(e) {
							best, won = e, i
						}
					}
					got := float64(pooled[w*(n+pool)+pool+c])
					place := 0
					if bit(tile.Lo[w], bits+c) {
						place++
					}
					if bit(tile.Hi[w], bits+c) {
						place += 2
					}
					if (got != best/2 && !math.IsNaN(best)) || math.IsNaN(got) != math.IsNaN(best) || place != won {
						t.Fatalf("n=%d window %d channel %d: %g from place %d, want %g from %d", n, w, c, got, place, best/2, won)
					}
				}
			}
			for i, v := range data {
				if v != v {
					data[i] = 1
				}
			}
			ks.PoolAvg(&tile, off, pool, n, 2)
			for w := range 4 {
				for c := range n {
					want := (value(w, 0, c) + value(w, 1, c) + value(w, 2, c) + value(w, 3, c)) / 2
					if got := float64(pooled[w*(n+pool)+pool+c]); math.Abs(got-want) > 1e-6 {
						t.Fatalf("n=%d window %d channel %d: mean %g, want %g", n, w, c, got, want)
					}
				}
			}
		}
	})
}

func TestUnpool(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(7, 8))
		const dy, sign, arg, n = 16, 32, 48, 64
		var u Unpool
		grads, bits := random(r, 36*(n+dy)), make([]byte, 3*36*(n+arg)/8)
		for i := range bits {
			bits[i] = byte(r.Uint32())
		}
		for i := range 36 {
			u.Dy[i], u.Scale[i] = &grads[i*(n+dy)], float32(r.NormFloat64())
			u.Sign[i] = &bits[3*i*(n+arg)/8]
			u.Lo[i], u.Hi[i] = &bits[(3*i+1)*(n+arg)/8], &bits[(3*i+2)*(n+arg)/8]
		}
		for mode := range 2 {
			dst := random(r, 36*16)
			ks.Unpool(&dst[0], &u, dy, sign, arg, mode == 1)
			for i := range 36 {
				y, x := (i/6+1)%2, (i%6+1)%2 // the patch starts one pixel before a window
				for c := range 16 {
					won := bit(u.Lo[i], arg+c) == (x == 1) && bit(u.Hi[i], arg+c) == (y == 1)
					want := float32(0)
					if bit(u.Sign[i], sign+c) && (won || mode == 1) {
						want = grads[i*(n+dy)+dy+c] * u.Scale[i]
					}
					if got := dst[i*16+c]; got != want {
						t.Fatalf("avg=%d pixel %d channel %d: %g, want %g", mode, i, c, got, want)
					}
				}
			}
		}
	})
}

func TestReLU(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, n := range []int{16, 32, 48, 160} {
			x, sign := random(r, n+16), make([]byte, n/8+2)
			x[3], x[7] = float32(math.NaN()), 0
			old := append([]float32(nil), x...)
			ks.ReLU(&x[0], &sign[0], n)
			for i, v := range old {
				want := v
				if i < n && v < 0 {
					want = 0
				}
				if x[i] != want && v == v || (x[i] != x[i]) != (v != v) {
					t.Fatalf("n=%d: value %d is %g, want %g", n, i, x[i], want)
				}
				if got := bit(&sign[0], i); got != (i < n && v > 0) {
					t.Fatalf("n=%d: sign %d is %v of %g", n, i, got, v)
				}
			}
			ks.ReLU(&old[0], nil, n)
			for i := range old {
				if old[i] != x[i] && x[i] == x[i] {
					t.Fatalf("n=%d without signs: value %d is %g, want %g", n, i, old[i], x[i])
				}
			}
		}
	})
}
