package gpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/testutil"
)

// finish is when the last of n chunks of a cost each is done by workers of these
// speeds, which take the next chunk whenever they are free, as workers.run has it.
// What is free at the same time takes chunks in the order slowest first, the worst.
func finish(speeds []float64, costs []float64) float64 {
	free := make([]float64, len(speeds))
	last := 0.0
	for _, c := range costs {
		next := 0
		for w := range free {
			if free[w] < free[next] || free[w] == free[next] && speeds[w] < speeds[next] {
				next = w
			}
		}
		free[next] += c / speeds[next]
		last = max(last, free[next])
	}
	return last
}

// parted are the sizes of chunks of at most each of n.
func parted(n, each int) (sizes []float64) {
	for at := 0; at < n; at += each {
		sizes = append(sizes, float64(min(each, n-at)))
	}
	return sizes
}

// TestSlowCoresDoNotHoldFastOnes counts, on simulated workers of unequal speed, how
// much longer the convolutions of VGG19 take than if their work could be cut anywhere:
// the work of a phase over the sum of the speeds, phase by phase as they wait for each
// other. The cost of a chunk is its products, or its tiles' channels; that parts of a
// panel transform its filters anew, about a twentieth of the products of 192 tiles, is
// not counted. Beside it is how much longer with a panel's tiles in one chunk.
func TestSlowCoresDoNotHoldFastOnes(t *testing.T) {
	testutil.Numerics(t)
	var layers []struct{ tiles, c, n int }
	for _, side := range []int{256, 512} {
		for _, l := range [][3]int{{64, 64, 0}, {64, 128, 1}, {128, 128, 1}, {128, 256, 2}, {256, 256, 2}, {256, 256, 2}, {256, 256, 2},
			{256, 512, 3}, {512, 512, 3}, {512, 512, 3}, {512, 512, 3}, {512, 512, 4}} {
			across := chunks(side>>l[2], 4)
			layers = append(layers, struct{ tiles, c, n int }{across * across, l[0], l[1]})
		}
	}
	equal := func(n int, speed float64) []float64 { return slices.Repeat([]float64{speed}, n) }
	for _, c := range []struct {
		name   string
		speeds []float64
		most   float64 // times the ideal, over all layers
	}{
		{"1", equal(1, 1), 1}, {"2", equal(2, 1), 1.02}, {"16", equal(16, 1), 1.15},
		{"2 fast, 4 slow", append(equal(2, 1), equal(4, 0.4)...), 1.13},
		{"4 fast, 4 slow", append(equal(4, 1), equal(4, 0.5)...), 1.17},
		{"8 fast, 8 slow", append(equal(8, 1), equal(8, 0.5)...), 1.28},
	} {
		for _, nr := range []int{16, 32} {
			sum := 0.0
			for _, s := range c.speeds {
				sum += s
			}
			took, ideal, before := 0.0, 0.0, 0.0
			phase := func(costs, old []float64) {
				took += finish(c.speeds, costs)
				before += finish(c.speeds, old)
				for _, v := range costs {
					ideal += v / sum
				}
			}
			times := func(sizes []float64, factor float64, repeat int) []float64 {
				var all []float64
				for range repeat {
					for _, s := range sizes {
						all = append(all, s*factor)
					}
				}
				return all
			}
			for _, l := range layers {
				panels, products := chunks(l.n, nr), 36*float64(l.c)*float64(nr)
				if l.c*l.n <= smallFilters && l.tiles >= 4*blockTiles {
					phase(times(parted(l.tiles, blockLen(l.tiles, len(c.speeds))), products*float64(panels), 1), times(parted(l.tiles, blockTiles), products*float64(panels), 1))
					continue
				}
				rounds := chunks(l.tiles, roundTiles)
				for r := range rounds {
					n := (r+1)*l.tiles/rounds - r*l.tiles/rounds
					cut := cutRound(n, panels, len(c.speeds))
					phase(times(parted(n, cut.gather), 300*float64(l.c), 1), times(parted(n, gatherTiles), 300*float64(l.c), 1))
					phase(times(parted(n, cut.part), products, panels), times([]float64{float64(n)}, products, panels))
				}
			}
			t.Logf("workers %s, panels of %d: %.2f times the ideal, %.2f uncut", c.name, nr, took/ideal, before/ideal)
			if took > c.most*ideal {
				t.Errorf("workers %s, panels of %d: %.2f times the ideal, want %g", c.name, nr, took/ideal, c.most)
			}
		}
	}
}

// TestConvAnyThreads: however its work is cut, a convolution has the same bytes.
func TestConvAnyThreads(t *testing.T) {
	for _, c := range []struct {
		s Shape
		n int
	}{{Shape{44, 61, 192}, 192}, {Shape{50, 37, 48}, 80}, {Shape{11, 15, 256}, 160}} {
		testConvThreads(t, c.s, c.n, "single", func(threads int) *CPU { return NewCPU(CPUOptions{Threads: threads}) })
	}
	for _, k := range simd.AllBF16() { // the direct form has one way to share its rows; plain Go is slow
		testConvThreads(t, Shape{23, 37, 96}, 64, k.Name, func(threads int) *CPU { return newHalfCPU(threads, k) })
	}
}

func testConvThreads(t *testing.T, s Shape, n int, name string, open func(threads int) *CPU) {
	var want []float32
	for _, threads := range []int{1, 2, 3, 8, 24} {
		b := open(threads)
		f := b.NewFilter(random(1, n*s.C*9, 0.1), random(2, n, 1), s.C, n)
		out, pool := withChannels(s, n), Pool{Kind: MaxPool}
		mask, pooled, act, dx := b.NewMask(out, pool), b.NewArray(pool.Out(out)), b.NewArray(out), b.NewArray(s)
		x := upload(b, s, random(3, s.Len(), 1))
		b.Conv(ConvOut{Act: act, Pooled: pooled, Mask: mask, Pool: pool}, x, f, ZeroPad)
		b.ConvGrad(dx, act, f, ConvGradOptions{})
		got := fmt.Sprintf("%s: %v in %d outputs on %d threads", name, s, n, threads)
		all := append(append(download(b, act), download(b, pooled)...), download(b, dx)...)
		if want == nil {
			want = all
		}
		for i, v := range all {
			if math.Float32bits(v) != math.Float32bits(want[i]) {
				t.Errorf("%s: value %d is %g, on one %g", got, i, v, want[i])
				break
			}
		}
		b.Close()
	}
}
