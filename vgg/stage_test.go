package vgg

import (
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
)

// TestStagesAreTheNetwork: stages, each given what the one before pooled and sent
// back what the one after asks for, have the bits of a pass through all layers.
func TestStagesAreTheNetwork(t *testing.T) {
	n := smallNetwork()
	b := gpu.NewCPU(gpu.CPUOptions{})
	const h, w = 21, 18
	for _, kind := range []Pool{PoolMax, PoolAvg, PoolL2} {
		o := PassOptions{Taps: []string{"1_2", "2_1", "3_1"}, Pool: kind, Ceil: true, Grad: true}
		x := b.NewArray(gpu.Shape{H: h, W: w, C: 3})
		v := make([]float32, x.Shape.Len())
		for i := range v {
			v[i] = float32(i*i%101) - 50
		}
		b.Upload(x, v)
		seed := func(_ string, act *gpu.Array, grad *Gradient) { b.Axpy(grad.Array(), 0.25, act) }
		whole, err := n.NewPass(b, h, w, o)
		if err != nil {
			t.Fatal(err)
		}
		dx := b.NewArray(x.Shape)
		whole.Forward(x, nil)
		whole.Backward(dx, seed)
		want := make([]float32, len(v))
		b.Download(want, dx)

		stages := []Stage{{First: 1, Last: 1}, {First: 2, Last: 2}, {First: 3}}
		inputs, grads := []*gpu.Array{x}, []*gpu.Array{dx}
		var passes []*Pass
		for i, s := range stages {
			shape, err := n.Input(s, h, w, o)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				inputs, grads = append(inputs, b.NewArray(shape)), append(grads, b.NewArray(shape))
			}
			o.Stage = s
			p, err := n.NewPass(b, shape.H, shape.W, o)
			if err != nil {
				t.Fatal(err)
			}
			passes = append(passes, p)
		}
		for i, p := range passes {
			p.Forward(inputs[i], func(tap string, act *gpu.Array) {
				if tap == stages[i].Output() {
					b.Copy(inputs[i+1], act)
				}
			})
		}
		b.Fill(dx, 7)
		for i := len(passes) - 1; i >= 0; i-- {
			passes[i].Backward(grads[i], func(tap string, act *gpu.Array, grad *Gradient) {
				if tap == stages[i].Output() {
					b.Copy(grad.Array(), grads[i+1])
					return
				}
				seed(tap, act, grad)
			})
		}
		got := make([]float32, len(v))
		b.Download(got, dx)
		if !slices.Equal(got, want) {
			t.Errorf("%s pooling: stages give another gradient", kind)
		}
	}
}

// TestExtent works the margins out by hand for VGG19's blocks: each convolution
// carries a fault one unit further in, or to the end of a tile of four.
func TestExtent(t *testing.T) {
	n, err := Random(5, "relu5_1")
	if err != nil {
		t.Fatal(err)
	}
	o := PassOptions{Taps: []string{"relu1_1", "relu5_1"}, Grad: true}
	for _, c := range []struct {
		stage Stage
		grain int
		want  Extent
	}{
		// 1, 2 | 2, 3 | and back 4, 5 units of two pixels | 11, 12
		{Stage{First: 1, Last: 2}, 1, Extent{Deepest: 2, OutStride: 4, Stride: 1, Ahead: 8, Margin: 12}},
		// 1, 4 | 4, 8 | and back 12, 16 units | 36, 37
		{Stage{First: 1, Last: 2}, 4, Extent{Deepest: 2, OutStride: 4, Stride: 1, Ahead: 16, Margin: 37}},
		// 4, 8, 12, 16 and back 20, 24, 28, 32
		{Stage{First: 3, Last: 3}, 4, Extent{Deepest: 1, OutStride: 2, Stride: 4, Ahead: 16, Margin: 32}},
		{Stage{First: 5}, 1, Extent{Deepest: 1, OutStride: 1, Stride: 16, Ahead: 1, Margin: 2}},
	} {
		got, err := n.Extent(c.stage, o, c.grain)
		if err != nil || got != c.want {
			t.Errorf("%+v by tiles of %d: %+v, want %+v (%v)", c.stage, c.grain, got, c.want, err)
		}
	}
	for _, s := range []Stage{{First: 6}, {First: 1, Last: 5}, {First: 4, Last: 3}} {
		if _, err := n.Extent(s, o, 1); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}
