package vgg

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// TestAddStyle: a style term handed to the convolution that follows, or added where
// none does, is what StyleGrad adds at once. Taps are the deepest, one that pooling
// follows, and two between, one of which other losses meet as well.
func TestAddStyle(t *testing.T) {
	n := smallNetwork()
	for _, pool := range []Pool{PoolMax, PoolL2} {
		b := gpu.NewCPU(gpu.CPUOptions{Threads: 1})
		pass, err := n.NewPass(b, 21, 17, PassOptions{Taps: []string{"1_1", "1_2", "2_2", "3_1"}, Pool: pool, Grad: true})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(7, 8))
		upload := func(s gpu.Shape, f func(i int) float32) *gpu.Array {
			v := make([]float32, s.Len())
			for i := range v {
				v[i] = f(i)
			}
			a := b.NewArray(s)
			b.Upload(a, v)
			return a
		}
		noise := func(int) float32 { return float32(r.NormFloat64()) }
		x := upload(gpu.Shape{H: 21, W: 17, C: 3}, noise)
		d, shift := map[string]*gpu.Array{}, map[string]*gpu.Array{}
		for _, tap := range pass.Taps() {
			c := pass.Shape(tap).C
			d[tap] = upload(gpu.Matrix(c), func(i int) float32 { return float32((i/c+1)*(i%c+1)) / float32(c*c) })
			shift[tap] = upload(gpu.Vector(c), noise)
		}
		var got [2][]float32
		for i := range got {
			dx := b.NewArray(x.Shape)
			pass.Forward(x, nil)
			pass.Backward(dx, func(tap string, act *gpu.Array, grad *Gradient) {
				for range 2 {
					if i == 0 {
						b.StyleGrad(grad.Array(), act, d[tap], shift[tap])
					} else {
						grad.AddStyle(gpu.StyleTerm{F: act, D: d[tap], Shift: shift[tap]})
					}
				}
				if tap == "relu2_2" {
					b.Axpy(grad.Array(), 0.5, act)
				}
			})
			got[i] = make([]float32, dx.Shape.Len())
			b.Download(got[i], dx)
		}
		want := make([]float64, len(got[0]))
		for i, v := range got[0] {
			want[i] = float64(v)
		}
		testutil.Close(t, string(pool)+" pooling", got[1], want, 1e-5, 1e-4)
		b.Close()
	}
}

// TestStyledFeatures: in half precision the gradient of a first layer with a style loss
// alone is written over its features. It is the same to the last bit, and the pass is
// smaller by an array of that size. Another loss there is a mistake of the caller's.
func TestStyledFeatures(t *testing.T) {
	n := randomNetwork(16, 24, 8)
	b := gpu.NewCPU(gpu.CPUOptions{Threads: 2, Precision: gpu.Half})
	defer b.Close()
	r := rand.New(rand.NewPCG(9, 10))
	const h, w = 40, 37
	pixels, d := make([]float32, h*w*3), make([]float32, 16*16)
	for i := range pixels {
		pixels[i] = float32(r.NormFloat64())
	}
	for i := range d {
		d[i] = float32((i/16+1)*(i%16+1)) / 256
	}
	x := gpu.ArrayOf(b, gpu.Shape{H: h, W: w, C: 3}, pixels)
	matrix := gpu.ArrayOf(b, gpu.Matrix(16), d)
	var got [2][]float32
	var bytes [2]int64
	for i, styled := range [][]string{nil, {"1_1", "2_1"}} {
		pass, err := n.NewPass(b, h, w, PassOptions{Taps: []string{"1_1", "2_1"}, Grad: true, Styled: styled})
		if err != nil {
			t.Fatal(err)
		}
		dx := b.NewArray(x.Shape)
		run := func(also bool) {
			pass.Forward(x, nil)
			pass.Backward(dx, func(tap string, act *gpu.Array, grad *Gradient) {
				if tap == "relu2_1" || also {
					b.Axpy(grad.Array(), 0.5, act)
				} else {
					grad.AddStyle(gpu.StyleTerm{F: act, D: matrix})
				}
			})
		}
		run(false)
		got[i], bytes[i] = gpu.Values(b, dx), pass.Bytes()
		if styled != nil {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("another gradient overwrote the features")
					}
				}()
				run(true)
			}()
		}
		pass.Free()
	}
	if !slices.Equal(got[0], got[1]) {
		t.Error("another gradient where it is written over the features")
	}
	if saved := bytes[0] - bytes[1]; saved < h*w*16*2 {
		t.Errorf("%d bytes saved of %d", saved, bytes[0])
	}
}
