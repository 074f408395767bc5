package gpu

import (
	"fmt"
	"testing"
)

// refConv is conv3x3 + bias in float64, before ReLU.
func refConv(x []float32, s Shape, weight, bias []float32, k int, pad Pad) []float64 {
	out := make([]float64, s.H*s.W*k)
	for y := range s.H {
		for xx := range s.W {
			for o := range k {
				v := float64(bias[o])
				for c := range s.C {
					for ty := -1; ty <= 1; ty++ {
						for tx := -1; tx <= 1; tx++ {
							py, px := y+ty, xx+tx
							if pad == ReplicatePad {
								py, px = min(max(py, 0), s.H-1), min(max(px, 0), s.W-1)
							}
							if py >= 0 && py < s.H && px >= 0 && px < s.W {
								v += float64(x[(py*s.W+px)*s.C+c]) * float64(weight[((o*s.C+c)*3+ty+1)*3+tx+1])
							}
						}
					}
				}
				out[(y*s.W+xx)*k+o] = v
			}
		}
	}
	return out
}

// refConvGrad is the transpose of refConv's linear part, by scattering.
func refConvGrad(dy []float64, s Shape, weight []float32, k int, pad Pad) []float64 {
	dx := make([]float64, s.Len())
	for y := range s.H {
		for xx := range s.W {
			for o := range k {
				g := dy[(y*s.W+xx)*k+o]
				for c := range s.C {
					for ty := -1; ty <= 1; ty++ {
						for tx := -1; tx <= 1; tx++ {
							py, px := y+ty, xx+tx
							if pad == ReplicatePad {
								py, px = min(max(py, 0), s.H-1), min(max(px, 0), s.W-1)
							}
							if py >= 0 && py < s.H && px >= 0 && px < s.W {
								dx[(py*s.W+px)*s.C+c] += g * float64(weight[((o*s.C+c)*3+ty+1)*3+tx+1])
							}
						}
					}
				}
			}
		}
	}
	return dx
}

func refReLU(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, e := range v {
		out[i] = max(e, 0)
	}
	return out
}

// convChannels covers the first layer, odd counts, the mini network's and VGG's,
// more outputs than a block of the device computes, and widths that are no whole steps
// or panels of the processor's micro-kernels.
var convChannels = [][2]int{{3, 16}, {1, 1}, {5, 7}, {16, 16}, {3, 64}, {17, 33}, {32, 48}, {3, 20}, {3, 68}, {8, 68}, {24, 24}, {40, 8}, {3, 24}, {4, 9}}

func testFilter(c, k int) (weight, bias []float32) {
	return random(uint64(c*100+k), k*c*9, 1/float64(3*c)), random(uint64(k), k, 0.3)
}

// outputs that Conv is asked for: every combination that may be stored.
func TestConv(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, ck := range convChannels {
				for _, pad := range []Pad{ZeroPad, ReplicatePad} {
					c, k := ck[0], ck[1]
					if !takes(b, c, k) {
						continue
					}
					s := withChannels(size, c)
					weight, bias := testFilter(c, k)
					f := b.NewFilter(weight, bias, c, k)
					x := random(7, s.Len(), 1)
					want := refReLU(refConv(x, s, weight, bias, k, pad))
					out := ConvOut{Act: b.NewArray(withChannels(size, k))}
					b.Fill(out.Act, 99)
					b.Conv(out, upload(b, s, x), f, pad)
					what := fmt.Sprintf("%v to %d, pad %d", s, k, pad)
					near(t, b, what, download(b, out.Act), want, 2e-5, 1e-4)
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

func TestConvPools(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, ck := range [][2]int{{3, 16}, {5, 7}, {16, 24}, {24, 40}, {9, 13}} {
				for _, pool := range []Pool{{Kind: MaxPool}, {Kind: MaxPool, Ceil: true}, {Kind: AvgPool, Ceil: true, Scale: 2}, {Kind: AvgPool}} {
					for _, keep := range []bool{false, true} {
						c, k := ck[0], ck[1]
						if !takes(b, c, k) {
							continue
						}
						s := withChannels(size, c)
						weight, bias := testFilter(c, k)
						x := random(8, s.Len(), 1)
						act := refReLU(refConv(x, s, weight, bias, k, ZeroPad))
						full := withChannels(size, k)
						out := ConvOut{Pooled: b.NewArray(pool.Out(full)), Mask: b.NewMask(full, pool), Pool: pool}
						if keep {
							out.Act = b.NewArray(full)
						}
						b.Conv(out, upload(b, s, x), b.NewFilter(weight, bias, c, k), ZeroPad)
						what := fmt.Sprintf("%v to %d, %v pooling, ceil %v", s, k, pool.Kind, pool.Ceil)
						near(t, b, what, download(b, out.Pooled), refPool(act, full, pool), 2e-5, 1e-4)
						if keep {
							near(t, b, what+" act", download(b, out.Act), act, 2e-5, 1e-4)
						}
						if t.Failed() {
							return
						}
					}
				}
			}
		}
	})
}

// TestConvMask uses the mask as the backward pass does, gating ones, and holds
// it against the sign of the reference wherever that is clear.
func TestConvMask(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, ck := range [][2]int{{3, 16}, {5, 7}, {16, 36}, {3, 24}, {3, 12}, {24, 8}} {
				c, k := ck[0], ck[1]
				if !takes(b, c, k) {
					continue
				}
				s := withChannels(size, c)
				weight, bias := testFilter(c, k)
				x := random(9, s.Len(), 1)
				pre := refConv(x, s, weight, bias, k, ZeroPad)
				full := withChannels(size, k)
				mask := b.NewMask(full, Pool{})
				b.Conv(ConvOut{Mask: mask}, upload(b, s, x), b.NewFilter(weight, bias, c, k), ZeroPad)
				ones := b.NewArray(full)
				b.Fill(ones, 1)
				b.Gate(ones, mask)
				for i, v := range download(b, ones) {
					if d := pre[i]; (d > 1e-5 && v != 1) || (d < -1e-5 && v != 0) {
						t.Fatalf("%v to %d: element %d is %g, its gate %g", s, k, i, d, v)
					}
				}
			}
		}
	})
}

func TestConvGrad(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, ck := range convChannels {
				for _, pad := range []Pad{ZeroPad, ReplicatePad} {
					for _, add := range []bool{false, true} {
						c, k := ck[0], ck[1]
						if _, device := b.(*Device); !takes(b, c, k) || (device && c != 3 && pad == ReplicatePad) {
							continue
						}
						s := withChannels(size, c)
						weight, bias := testFilter(c, k)
						f := b.NewFilter(weight, bias, c, k)
						dy := random(10, s.Pixels()*k, 1)
						before := random(11, s.Len(), 1)
						want := refConvGrad(wide(dy), s, weight, k, pad)
						if add {
							for i, v := range before {
								want[i] += float64(v)
							}
						}
						dx := upload(b, s, before)
						b.ConvGrad(dx, upload(b, withChannels(size, k), dy), f, ConvGradOptions{Pad: pad, Add: add})
						what := fmt.Sprintf("%v from %d, pad %d, add %v", s, k, pad, add)
						near(t, b, what, download(b, dx), want, 2e-4, 1e-4)
						if t.Failed() {
							return
						}
					}
				}
			}
		}
	})
}

// TestConvGradFused holds the fused forms against the separate operations'
// references: spreading a pooled gradient first, adding, gating.
func TestConvGradFused(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range sizes(b) {
			for _, pool := range []Pool{{Kind: MaxPool}, {Kind: MaxPool, Ceil: true, Scale: 0.5}, {Kind: AvgPool}, {Kind: AvgPool, Ceil: true, Scale: 2}} {
				for _, mk := range [][2]int{{16, 24}, {24, 40}, {20, 13}} {
					c, m, k := 3, mk[0], mk[1] // image, lower layer, upper layer
					if !takes(b, m, k) {
						continue
					}
					full, lower := withChannels(size, k), withChannels(size, m)
					w1, b1 := testFilter(c, m)
					w2, b2 := testFilter(m, k)
					f1, f2 := b.NewFilter(w1, b1, c, m), b.NewFilter(w2, b2, m, k)
					x := upload(b, withChannels(size, c), random(12, size.H*size.W*c, 1))
					mask1, mask2 := b.NewMask(lower, Pool{}), b.NewMask(full, pool)
					act1, act2 := b.NewArray(lower), b.NewArray(full)
					b.Conv(ConvOut{Act: act1, Mask: mask1}, x, f1, ZeroPad)
					b.Conv(ConvOut{Act: act2, Mask: mask2, Pool: pool}, act1, f2, ZeroPad)
					pooled := pool.Out(full)
					dp := random(13, pooled.Len(), 1)
					before := random(14, lower.Len(), 1)
					// Winners and signs come from what the backend computed, so that
					// rounding cannot move them.
					a1, a2 := download(b, act1), download(b, act2)
					dy := refPoolGrad(wide(dp), largestOf(b, act2, act1, w2, b2), full, pool)
					for i := range dy {
						if a2[i] <= 0 {
							dy[i] = 0
						}
					}
					want := refConvGrad(dy, lower, w2, k, ZeroPad)
					for i := range want {
						want[i] += float64(before[i])
						if a1[i] <= 0 {
							want[i] = 0
						}
					}
					dx := upload(b, lower, before)
					b.ConvGrad(dx, upload(b, pooled, dp), f2, ConvGradOptions{Unpool: mask2, Add: true, Gate: mask1})
					near(t, b, fmt.Sprintf("%v, %d to %d, %v pooling, ceil %v", size, m, k, pool.Kind, pool.Ceil), download(b, dx), want, 2e-4, 1e-4)
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

// TestConvLetsNaNPass keeps the optimiser's guard able to see trouble.
func TestConvLetsNaNPass(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		weight, bias := testFilter(3, 16)
		x := random(15, 5*5*3, 1)
		x[37] = float32(nan())
		out := b.NewArray(Shape{5, 5, 16})
		b.Conv(ConvOut{Act: out}, upload(b, Shape{5, 5, 3}, x), b.NewFilter(weight, bias, 3, 16), ZeroPad)
		bad := 0
		for _, v := range download(b, out) {
			if v != v {
				bad++
			}
		}
		if bad == 0 {
			t.Error("a NaN in the image left no trace in the features")
		}
	})
}
