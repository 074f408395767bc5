package vgg

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// TestHalfLayersOfVGG19: with real weights, a layer in half precision on the processor
// is within 3e-3 of float64, forward and back, for inputs as they are stored.
func TestHalfLayersOfVGG19(t *testing.T) {
	shared := testutil.SharedDir(t)
	n, err := LoadFile(context.Background(), filepath.Join(shared, "models", "vgg19_conv5_1_f16.safetensors"), LoadOptions{})
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	b := gpu.NewCPU(gpu.CPUOptions{Precision: gpu.Half})
	defer b.Close()
	const h, w = 7, 9
	for _, l := range n.Layers[1:] {
		r := rand.New(rand.NewPCG(1, uint64(l.Block)))
		x, dy := make([]float32, h*w*l.In), make([]float32, h*w*l.Out)
		for i := range x {
			x[i] = stored(r.NormFloat64())
		}
		for i := range dy {
			dy[i] = stored(r.NormFloat64())
		}
		in, out := gpu.Shape{H: h, W: w, C: l.In}, gpu.Shape{H: h, W: w, C: l.Out}
		f := b.NewFilter(l.Weight, make([]float32, l.Out), l.In, l.Out)
		ax, ay, adx, ady := b.NewArray(in), b.NewArray(out), b.NewArray(in), b.NewArray(out)
		b.Upload(ax, x)
		b.Upload(ady, dy)
		b.Conv(gpu.ConvOut{Act: ay}, ax, f, gpu.ZeroPad)
		b.ConvGrad(adx, ady, f, gpu.ConvGradOptions{})
		y, dx := make([]float32, len(dy)), make([]float32, len(x))
		b.Download(y, ay)
		b.Download(dx, adx)
		b.Free(ax, ay, adx, ady)
		b.FreeFilters(f)

		var forward, back relative
		for _, at := range [][2]int{{0, 0}, {1, 7}, {2, 2}, {3, 4}, {4, 6}, {5, 1}, {6, 3}, {6, 8}} {
			for k := range l.Out {
				want := 0.0
				around(h, w, at, func(q, tap int) {
					for c := range l.In {
						want += float64(x[q*l.In+c]) * float64(l.Weight[(k*l.In+c)*9+tap])
					}
				})
				forward.add(float64(y[(at[0]*w+at[1])*l.Out+k]), max(want, 0))
			}
			for c := range l.In {
				want := 0.0
				around(h, w, at, func(q, tap int) {
					for k := range l.Out {
						want += float64(dy[q*l.Out+k]) * float64(l.Weight[(k*l.In+c)*9+8-tap])
					}
				})
				back.add(float64(dx[(at[0]*w+at[1])*l.In+c]), want)
			}
		}
		t.Logf("%s: relative error %.2g forward, %.2g back", l.Name, forward.error(), back.error())
		if !(forward.error() <= 3e-3) || !(back.error() <= 3e-3) {
			t.Errorf("%s: relative error %.2g forward, %.2g back", l.Name, forward.error(), back.error())
		}
	}
}

// around calls f with each position that the window of a place covers, and its tap.
func around(h, w int, at [2]int, f func(q, tap int)) {
	for tap := range 9 {
		if y, x := at[0]+tap/3-1, at[1]+tap%3-1; y >= 0 && y < h && x >= 0 && x < w {
			f(y*w+x, tap)
		}
	}
}

// stored is v with the 8 bits of a bfloat16.
func stored(v float64) float32 {
	fraction, exponent := math.Frexp(v)
	return float32(math.Ldexp(math.Round(fraction*(1<<8)), exponent-8))
}

// relative is the relative root mean square error of some values.
type relative struct{ off, norm float64 }

func (r *relative) add(got, want float64) {
	r.off += (got - want) * (got - want)
	r.norm += want * want
}

func (r *relative) error() float64 { return math.Sqrt(r.off / r.norm) }
