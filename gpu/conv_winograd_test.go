package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/gpu/simd"
)

// plainConv runs the layer by its definition, whatever its channels.
func plainConv(b *CPU, out ConvOut, x *Array, f *Filter, pad Pad) {
	b.conv = convTask{b: b, out: out, x: x, f: f, pad: pad, taps: f.forwardTaps()}
	b.workers.run(chunks(x.Shape.H, convRows), &b.conv)
}

func plainConvGrad(b *CPU, dx, dy *Array, f *Filter, o ConvGradOptions) {
	b.convGrad = convGradTask{b, dx, dy, f, o, f.gradTaps()}
	b.workers.run(chunks(dx.Shape.H, convRows), &b.convGrad)
}

// TestConvPaths compares Winograd with the plain form where conv_test.go's
// small pictures do not reach: blocks of tiles, rounds of shared tiles, inputs
// deeper than a product, and every pooling with windows over the edge.
func TestConvPaths(t *testing.T) {
	shapes := []struct {
		s Shape
		k int
	}{{Shape{45, 53, 16}, 32}, {Shape{46, 51, 48}, 16}, {Shape{41, 39, 144}, 16}, {Shape{9, 14, 272}, 48}, {Shape{45, 47, 16}, 2064},
		// No whole steps: with small filters and with large ones.
		{Shape{45, 53, 24}, 40}, {Shape{46, 51, 40}, 13}, {Shape{41, 39, 136}, 24}, {Shape{44, 52, 9}, 56}, {Shape{13, 14, 264}, 152}}
	pools := []Pool{{}, {Kind: MaxPool}, {Kind: MaxPool, Ceil: true, Scale: 0.5}, {Kind: AvgPool}, {Kind: AvgPool, Ceil: true, Scale: 2}}
	for run, ks := range append(simd.All(), simd.All()...) {
		threads := 1 + 2*(run/len(simd.All()))
		b := NewCPU(CPUOptions{Threads: threads})
		b.kernels = ks
		for i, s := range shapes {
			if s.k > 1000 && threads == 1 {
				continue // slow by the plain form
			}
			pool := pools[(i+run)%len(pools)]
			name := fmt.Sprintf("%s, %v to %d, %v pooling, %d threads", ks.Name, s.s, s.k, pool, threads)
			c := s.s.C
			f := b.NewFilter(random(1, s.k*c*9, math.Sqrt(2/(9*float64(c)))), random(2, s.k, 0.3), c, s.k)
			x := upload(b, s.s, relu(random(3, s.s.Len(), 1)))
			full := withChannels(s.s, s.k)
			var outs [2]ConvOut
			for j := range outs {
				outs[j] = ConvOut{Act: b.NewArray(full), Mask: b.NewMask(full, pool), Pool: pool}
				if pool.Kind != NoPool {
					outs[j].Pooled = b.NewArray(pool.Out(full))
				}
			}
			b.Conv(outs[0], x, f, ZeroPad)
			plainConv(b, outs[1], x, f, ZeroPad)
			sameArrays(t, name+": activation", outs[0].Act, outs[1].Act)
			if outs[0].Pooled != nil {
				sameArrays(t, name+": pooled", outs[0].Pooled, outs[1].Pooled)
				// The same without storing the activation, byte for byte.
				again := b.NewArray(outs[0].Pooled.Shape)
				b.Conv(ConvOut{Pooled: again, Mask: outs[1].Mask, Pool: pool}, x, f, ZeroPad)
				for j, v := range again.data {
					if v != outs[0].Pooled.data[j] {
						t.Fatalf("%s: pooled %d is %g without the activation, %g with it", name, j, v, outs[0].Pooled.data[j])
					}
				}
			}
			gate := b.NewMask(s.s, Pool{})
			packSigns(gate.sign, x.data, c)
			o := ConvGradOptions{Add: i%2 == 0, Gate: gate}
			dy := upload(b, pool.Out(full), random(4, pool.Out(full).Len(), 1))
			if pool.Kind != NoPool {
				o.Unpool = outs[0].Mask
			}
			dx := [2]*Array{upload(b, s.s, random(5, s.s.Len(), 1)), upload(b, s.s, random(5, s.s.Len(), 1))}
			b.ConvGrad(dx[0], dy, f, o)
			plainConvGrad(b, dx[1], dy, f, o)
			sameArrays(t, name+": gradient", dx[0], dx[1])
		}
	}
}

func sameArrays(t *testing.T, name string, got, want *Array) {
	t.Helper()
	rms := 0.0
	for _, v := range want.data {
		rms += float64(v) * float64(v) / float64(len(want.data))
	}
	tol := 4e-5 * math.Sqrt(rms)
	for i, v := range got.data {
		if d := math.Abs(float64(v) - float64(want.data[i])); !(d <= tol) {
			t.Fatalf("%s: element %d is %g, want %g", name, i, v, want.data[i])
		}
	}
}

// TestConvPrecision holds both directions of every width of VGG19 to a relative
// error of 3e-6 (root mean square, against float64) with He weights and inputs
// after ReLU; docs/performance.md has the figures.
func TestConvPrecision(t *testing.T) {
	b := NewCPU(CPUOptions{})
	r := rand.New(rand.NewPCG(1, 1))
	for _, l := range [][2]int{{3, 64}, {64, 64}, {64, 128}, {128, 256}, {256, 256}, {256, 512}, {512, 512}} {
		c, k := l[0], l[1]
		s := Shape{14, 18, c}
		weight, bias := random(7, k*c*9, math.Sqrt(2/(9*float64(c)))), make([]float32, k)
		f := b.NewFilter(weight, bias, c, k)
		x, y := upload(b, s, relu(random(8, s.Len(), 1))), b.NewArray(withChannels(s, k))
		b.Conv(ConvOut{Act: y}, x, f, ZeroPad)
		dy, dx := upload(b, y.Shape, random(9, y.Shape.Len(), 1)), b.NewArray(s)
		b.ConvGrad(dx, dy, f, ConvGradOptions{})
		var e, n [2]float64
		for range 4000 {
			py, px := r.IntN(s.H), r.IntN(s.W)
			note := func(way int, got float32, want float64) {
				e[way] += (float64(got) - want) * (float64(got) - want)
				n[way] += want * want
			}
			o, i := r.IntN(k), r.IntN(c)
			forward, backward := 0.0, 0.0
			for tap := range 9 {
				if yy, xx := py+tap/3-1, px+tap%3-1; yy >= 0 && yy < s.H && xx >= 0 && xx < s.W {
					for ch := range c {
						forward += float64(x.data[(yy*s.W+xx)*c+ch]) * float64(weight[(o*c+ch)*9+tap])
					}
					for ch := range k {
						backward += float64(dy.data[(yy*s.W+xx)*k+ch]) * float64(weight[(ch*c+i)*9+8-tap])
					}
				}
			}
			note(0, y.data[(py*s.W+px)*k+o], max(0, forward))
			note(1, dx.data[(py*s.W+px)*c+i], backward)
		}
		rel := [2]float64{math.Sqrt(e[0] / n[0]), math.Sqrt(e[1] / n[1])}
		t.Logf("%d to %d channels: forward %.1e, backward %.1e", c, k, rel[0], rel[1])
		if !(rel[0] < 3e-6 && rel[1] < 3e-6) {
			t.Errorf("%d to %d channels: relative errors %.1e and %.1e", c, k, rel[0], rel[1])
		}
	}
}

// BenchmarkConvWidths times both directions of a layer of 128 by 128 pixels; the widths
// between multiples of 16 should take about what the next multiple takes.
func BenchmarkConvWidths(b *testing.B) {
	for _, c := range []int{8, 12, 16, 20, 24, 32, 40, 48} {
		b.Run(fmt.Sprint(c), func(b *testing.B) {
			cpu := NewCPU(CPUOptions{Threads: 1})
			s := Shape{128, 128, c}
			f := cpu.NewFilter(random(1, c*c*9, 0.1), random(2, c, 0.1), c, c)
			x, y, dx := upload(cpu, s, random(3, s.Len(), 1)), cpu.NewArray(s), cpu.NewArray(s)
			for b.Loop() {
				cpu.Conv(ConvOut{Act: y}, x, f, ZeroPad)
				cpu.ConvGrad(dx, y, f, ConvGradOptions{})
			}
		})
	}
}
