package simd

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// patch6 lays 36 pixels of c channels out at random distances.
func patch6(r *rand.Rand, c int) (*[36]*float32, []float32) {
	var px [36]*float32
	data := random(r, 36*(c+16))
	for i, p := range r.Perm(36) {
		px[i] = &data[p*(c+16)]
	}
	return &px, data
}

// winoMatrix evaluates a polynomial basis at the points in float64: an
// independent form of the transforms. deg columns; infinity takes the leading one.
func winoMatrix(deg int) [6][]float64 {
	a, b := math.Sqrt2, math.Sqrt(0.5)
	var m [6][]float64
	for i, x := range []float64{0, a, -a, b, -b, math.Inf(1)} {
		m[i] = make([]float64, deg)
		for j := range deg {
			if math.IsInf(x, 1) {
				if j == deg-1 {
					m[i][j] = 1
				}
			} else {
				m[i][j] = math.Pow(x, float64(j))
			}
		}
	}
	return m
}

// TestWinograd runs patch and filter transforms, the 36 products and the output
// transform, against the direct sum in float64.
func TestWinograd(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, c := range []int{32, 48, 80} {
			nr := ks.NR
			px, _ := patch6(r, c)
			taps, bias := random(r, c*9*nr), random(r, nr)
			vp, up, mp := c+16, c*nr+16, nr+16
			v, u, m := Floats(36*vp), Floats(36*up), Floats(36*mp)
			ks.WinoIn(px, 16, &v[0], vp, c-16)
			ks.WinoIn(px, 0, &v[c-16], vp, 16) // channels 0-15 come last
			for row := range 6 {
				ks.WinoFilter(&taps[0], &u[row*6*up], up, c, row)
			}
			for i := range 36 {
				ks.Gemm(1, c, &v[i*vp], c, 1, &u[i*up], &m[i*mp], nr, false, nil, 0)
			}
			want := func(y, x, k int) (sum float64) {
				for j := range c {
					ch := (j + 16) % c
					for t := range 9 {
						sum += float64(*at(px[(y+t/3)*6+x+t%3], ch)) * float64(taps[(j*9+t)*nr+k])
					}
				}
				return sum
			}
			tol := 1e-5 * math.Sqrt(float64(c)*9)
			off := 16
			for mode := range 6 {
				if mode == 1 && nr == 16 {
					continue // one group cannot be split
				}
				var tile Tile
				out, bits := random(r, 16*(nr+off)), make([]byte, 16*(nr+off)/8)
				for p := range 16 {
					tile.Px[p], tile.Sign[p] = &out[p*(nr+off)], &bits[p*(nr+off)/8]
				}
				for i := range bits {
					bits[i] = byte(r.Uint32())
				}
				old, oldBits := append([]float32(nil), out...), append([]byte(nil), bits...)
				switch mode {
				case 0:
					ks.WinoOut(&m[0], mp, &tile, off, off, nr, &bias[0])
				case 1: // in two parts
					ks.WinoOut(&m[16], mp, &tile, off+16, off+16, nr-16, &bias[16%nr])
					ks.WinoOut(&m[0], mp, &tile, off, off, 16, &bias[0])
				default:
					ks.WinoBack(&m[0], mp, &tile, off, off, nr, mode&1 == 1, mode >= 4)
				}
				for p := range 16 {
					for k := -off; k < nr; k++ {
						i := p*(nr+off) + off + k
						on := oldBits[i/8]>>(i%8)&1 == 1
						w := float64(old[i])
						if k >= 0 {
							w = want(p/4, p%4, k)
							if mode <= 1 {
								w = max(0, w+float64(bias[k]))
								on = out[i] > 0
							} else {
								if mode&1 == 1 {
									w += float64(old[i])
								}
								if mode >= 4 && !on {
									w = 0
								}
							}
						}
						if math.Abs(float64(out[i])-w) > tol {
							t.Fatalf("c=%d mode %d: pixel %d channel %d is %g, want %g", c, mode, p, k, out[i], w)
						}
						if on != (bits[i/8]>>(i%8)&1 == 1) {
							t.Fatalf("c=%d mode %d: pixel %d channel %d has the wrong sign bit", c, mode, p, k)
						}
					}
				}
			}
		}
	})
}

// TestWinoPoints checks the filter transform against the definition: the
// filter's polynomial at the points over the product of their differences.
func TestWinoPoints(t *testing.T) {
	g := [3]float32{0.3, -1.1, 0.7}
	got := winoFilter1(&g)
	x := []float64{0, math.Sqrt2, -math.Sqrt2, math.Sqrt(0.5), -math.Sqrt(0.5)}
	m := winoMatrix(3)
	for i := range 6 {
		want, f := 0.0, 1.0
		for j := range 3 {
			want += m[i][j] * float64(g[j])
		}
		if i < 5 {
			for j := range 5 {
				if j != i {
					f *= x[i] - x[j]
				}
			}
		}
		if want /= f; math.Abs(float64(got[i])-want) > 1e-6 {
			t.Errorf("point %d: %g, want %g", i, got[i], want)
		}
	}
}

// TestWinoNaN checks that ReLU lets NaN pass and that NaN's sign bit is clear.
func TestWinoNaN(t *testing.T) {
	eachKernels(t, func(t *testing.T, ks *Kernels) {
		src, out, bits := Floats(36*16), Floats(16*16), make([]byte, 32)
		var tile Tile
		for p := range 16 {
			tile.Px[p], tile.Sign[p] = &out[p*16], &bits[p*2]
		}
		src[5] = float32(math.NaN()) // plane 0, channel 5: part of every pixel's sum only at (0, 0)
		ks.WinoOut(&src[0], 16, &tile, 0, 0, 16, &Floats(16)[0])
		if v := out[5]; v == v {
			t.Errorf("pixel 0 channel 5 is %g, want NaN", v)
		}
		if bits[0] != 0 {
			t.Errorf("sign bits of pixel 0 are %08b, want none", bits[0])
		}
	})
}

func BenchmarkWino(b *testing.B) {
	for _, ks := range All()[1:] {
		const c, plane = 64, 64*48 + 16
		r := rand.New(rand.NewPCG(1, 1))
		px, _ := patch6(r, c)
		v, u, taps := Floats(36*plane), Floats(36*plane), random(r, 9*ks.NR*c)
		out, bits := Floats(16*c), make([]byte, 16*c/8)
		var tile Tile
		for p := range 16 {
			tile.Px[p], tile.Sign[p] = &out[p*c], &bits[p*c/8]
		}
		run := func(name string, per int, f func(i int)) {
			b.Run(ks.Name+"/"+name+"/"+strconv.Itoa(c), func(b *testing.B) {
				best := time.Hour
				for b.Loop() {
					start := time.Now()
					for i := range 48 {
						f(i)
					}
					best = min(best, time.Since(start))
				}
				b.ReportMetric(float64(best.Nanoseconds())/48/float64(per), "ns/16")
			})
		}
		run("in", c/16, func(i int) { ks.WinoIn(px, 0, &v[i*c], plane, c) })
		run("out", c/16, func(i int) { ks.WinoOut(&v[i*c], plane, &tile, 0, 0, c, &u[0]) })
		run("back", c/16, func(i int) { ks.WinoBack(&v[i*c], plane, &tile, 0, 0, c, true, true) })
		run("filter", ks.NR/16, func(i int) { ks.WinoFilter(&taps[0], &u[i*ks.NR], plane, 1, i%6) })
	}
}
