package gpu

import (
	"fmt"
	"math"
	"testing"
)

func TestJoin(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range oddShapes {
			for _, c := range [][2]int{{1, 0}, {3, 1}, {16, 3}, {33, 5}} {
				s, ms := withChannels(size, c[0]), withChannels(size, c[1])
				f, m := random(70, s.Len(), 2), random(71, ms.Len(), 1)
				clear(f[:c[0]]) // a pixel without a direction
				for _, unit := range []bool{false, true} {
					var want []float64
					for p := range s.Pixels() {
						norm := 1.0
						if unit {
							squares := 0.0
							for _, v := range f[p*c[0]:][:c[0]] {
								squares += float64(v) * float64(v)
							}
							if norm = math.Sqrt(squares); norm == 0 {
								norm = 1
							}
						}
						for _, v := range f[p*c[0]:][:c[0]] {
							want = append(want, 0.3*float64(v)/norm)
						}
						for _, v := range m[p*c[1]:][:c[1]] {
							want = append(want, float64(v))
						}
					}
					var am *Array
					if c[1] > 0 {
						am = upload(b, ms, m)
					}
					dst := b.NewArray(withChannels(size, c[0]+c[1]))
					b.Join(dst, upload(b, s, f), am, 0.3, unit)
					near(t, b, fmt.Sprintf("%v + %d, unit %v", s, c[1], unit), download(b, dst), want, 1e-7, 1e-6)
				}
			}
		}
	})
}

// TestPoolMaps compares average pooling of maps to a layer's grid, as style
// does it in one step, with means of blocks of 2^(block-1) pixels.
func TestPoolMaps(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range append(oddShapes, Shape{37, 61, 0}, Shape{3, 70, 0}) {
			for channels := 1; channels <= 5; channels += 2 {
				s := withChannels(size, channels)
				m := random(72, s.Len(), 100)
				for block := 1; block <= 5; block++ {
					for _, ceil := range []bool{false, true} {
						side := 1 << (block - 1)
						// the grid as the network's own poolings make it, one after another
						grid := size
						for range block - 1 {
							grid = Pool{Kind: MaxPool, Ceil: ceil}.Out(grid)
						}
						p := Pool{Kind: AvgPool, Size: side, Ceil: ceil}
						if got := p.Out(s); got != withChannels(grid, channels) {
							t.Fatalf("%v pooled to block %d, ceil %v: %v, the network has %v", s, block, ceil, got, grid)
						}
						var want []float64
						for y := range grid.H {
							for x := range grid.W {
								for c := range channels {
									sum, n := 0.0, 0.0
									for yy := y * side; yy < min((y+1)*side, s.H); yy++ {
										for xx := x * side; xx < min((x+1)*side, s.W); xx++ {
											sum += float64(m[(yy*s.W+xx)*channels+c])
											n++
										}
									}
									want = append(want, sum/n)
								}
							}
						}
						dst := b.NewArray(p.Out(s))
						b.Pool(dst, upload(b, s, m), p)
						near(t, b, fmt.Sprintf("%v, block %d, ceil %v", s, block, ceil), download(b, dst), want, 1e-4, 1e-5)
					}
				}
			}
		}
	})
}

func TestWeigh(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range oddShapes {
			s := withChannels(size, 3)
			v, w := random(73, s.Len(), 2), random(74, s.Pixels(), 1)
			want := make([]float64, s.Len())
			for i := range want {
				want[i] = float64(v[i]) * float64(w[i/3])
			}
			dst := upload(b, s, v)
			b.Weigh(dst, upload(b, withChannels(size, 1), w))
			near(t, b, s.String(), download(b, dst), want, 0, 1e-6)
		}
	})
}
