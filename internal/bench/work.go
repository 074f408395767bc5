package bench

import (
	"math/rand/v2"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// Work is something whose speed is measured. Run does it once.
type Work struct {
	Name   string
	Group  string  // "iteration", "operation" or "matching"
	Side   int     // of the picture, in pixels
	Format string  // of features: "f32" or "bf16"
	Flop   float64 // of the direct form; a fast algorithm may do with fewer
	Bytes  float64 // it cannot avoid moving: inputs read and outputs written once; 0: not counted
	Run    func()
	Close  func() // gives back what Run holds; nil: nothing
}

// styleLayers and contentLayer are the layers of Gatys et al. 2016.
var styleLayers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}

const contentLayer = "relu4_2"

// Art returns one iteration of the art recipe on a square picture: the network
// forward to relu5_1, content and five Gram losses, TV, the backward pass to the
// picture and a step of Adam. Weights and pictures are random, because the time
// does not depend on them.
func Art(b gpu.Backend, n *vgg.Network, side int) (*Work, error) {
	layers := append([]string{contentLayer}, styleLayers...)
	name := "art"
	if n.Name != "" && n.Narrow() {
		name, layers = "draft", n.Taps()
	}
	pass, err := n.NewPass(b, side, side, vgg.PassOptions{Taps: layers, Pool: vgg.PoolMax, Grad: true, Styled: []string{"relu1_1"}})
	if err != nil {
		return nil, err
	}
	shape := gpu.Shape{H: side, W: side, C: 3}
	x, dx := noise(b, shape, 1), b.NewArray(shape)

	type term struct {
		target, gram *gpu.Array
		targets      []gpu.GramTarget
		norm         float64
		slot         int
	}
	terms := map[string]*term{}
	pass.Forward(noise(b, shape, 2), func(tap string, act *gpu.Array) {
		t := &term{norm: 1 / float64(act.Shape.Len()), slot: len(terms)}
		if tap == contentLayer || tap == "relu4_1" && name == "draft" {
			t.target = b.NewArray(act.Shape)
			b.Copy(t.target, act)
		} else {
			m := gpu.Matrix(act.Shape.C)
			t.gram = b.NewArray(m)
			t.targets = []gpu.GramTarget{{A: b.NewArray(m), Coef: 1e3}}
			b.Gram(t.targets[0].A, act, t.norm)
		}
		terms[tap] = t
	})
	visit := func(tap string, act *gpu.Array, grad *vgg.Gradient) {
		t := terms[tap]
		if t.target != nil {
			b.ContentLoss(grad.Array(), act, t.target, 1e-3, t.slot)
			return
		}
		b.Gram(t.gram, act, t.norm)
		b.GramLoss(t.gram, t.gram, t.targets, t.norm, t.slot)
		grad.AddStyle(gpu.StyleTerm{F: act, D: t.gram})
	}
	adam := b.NewAdam(shape, gpu.AdamOptions{LearningRate: 0.01})
	program := b.Record(func() {
		pass.Forward(x, nil)
		pass.Backward(dx, visit)
		b.TV(dx, x, nil, gpu.TVL2, 1e-4, len(terms))
		adam.Step(x, dx)
	})
	flop := 0.0
	for i, l := range n.Layers {
		if i > 0 && l.Block > n.Layers[i-1].Block {
			side = (side + 1) / 2
		}
		conv := 18 * float64(l.In*l.Out) * float64(side*side)
		flop += 2 * conv
		if t := terms[l.Tap()]; t != nil && t.gram != nil {
			flop += 4 * float64(l.Out*l.Out) * float64(side*side)
		}
	}
	return &Work{Name: name, Group: "iteration", Side: shape.H, Flop: flop, Run: func() { program.Run(); b.Sync() }}, b.Err()
}

// featureShape returns the shape of a layer at which patches are matched.
func featureShape(layer string, side int) (n, c int) {
	if layer == "relu4_1" {
		return side / 8, 512
	}
	return side / 4, 256 // relu3_1
}

// slice is how many filters a convolution has at a time. The name is that of
// neural-doodle.
const slice = 512

// Convolution is the same search as Matching in the form that other programs use.
// Every patch of the painting is a filter, and the canvas's features are convolved
// with all filters, some at a time. It uses the same convolution as the network.
// All slices have the same filters, and the largest score is not searched for. Both
// make this form look faster than it is.
func Convolution(b gpu.Backend, layer string, side int) *Work {
	n, c := featureShape(layer, side)
	s := gpu.Shape{H: n, W: n, C: c}
	weights := make([]float32, slice*c*9)
	r := rand.New(rand.NewPCG(3, 1))
	for i := range weights {
		weights[i] = r.Float32()
	}
	x, f := noise(b, s, 4), b.NewFilter(weights, make([]float32, slice), c, slice)
	scores := b.NewArray(gpu.Shape{H: n, W: n, C: slice})
	patches := (n - 2) * (n - 2)
	run := func() {
		for i := 0; i < patches; i += slice {
			b.Conv(gpu.ConvOut{Act: scores}, x, f, gpu.ZeroPad)
		}
		b.Sync()
	}
	return &Work{Name: "convolution " + layer, Group: "matching", Side: side, Flop: 18 * float64(c) * float64(patches) * float64(patches),
		Bytes: float64(b.Bytes(gpu.Shape{H: patches, W: patches, C: slice})) / slice, Run: run}
}

// Matching is the search for normalised 3x3 patches of a relu layer. It matches the
// features of a canvas of side pixels with those of a painting of the same size.
func Matching(b gpu.Backend, layer string, side int) *Work {
	n, c := featureShape(layer, side)
	s := gpu.Shape{H: n, W: n, C: c}
	bank := b.NewBank(noise(b, s, 3), gpu.BankOptions{})
	x, m := noise(b, s, 4), b.NewMatches(bank.MatchGrid(s, 1))
	patches := float64((n - 2) * (n - 2))
	return &Work{Name: "matching " + layer, Group: "matching", Side: side, Flop: 18 * float64(c) * patches * patches,
		Bytes: 2 * float64(b.Bytes(s)), Run: func() { b.Match(m, x, bank, gpu.MatchOptions{}); b.Sync() }}
}

// Operations returns the operations of an iteration one by one, each at its sizes
// in VGG19.
func Operations(b gpu.Backend, n *vgg.Network, side int) []*Work {
	var all []*Work
	add := func(name string, flop float64, bytes int64, run func()) {
		all = append(all, &Work{Name: name, Group: "operation", Side: side, Flop: flop, Bytes: float64(bytes),
			Run: func() { run(); b.Sync() }})
	}
	for i, l := range n.Layers {
		if i > 0 && l.In == l.Out && n.Layers[i-1].In == l.In && l.Block == n.Layers[i-1].Block {
			continue // the same shape as the one before
		}
		s := gpu.Shape{H: max(1, side>>(l.Block-1)), W: max(1, side>>(l.Block-1)), C: l.In}
		out := gpu.Shape{H: s.H, W: s.W, C: l.Out}
		x, y, f := noise(b, s, 5), noise(b, out, 6), b.NewFilter(l.Weight, l.Bias, l.In, l.Out)
		mx, my := b.NewMask(s, gpu.Pool{}), b.NewMask(out, gpu.Pool{})
		flop := 18 * float64(l.In*l.Out) * float64(s.Pixels())
		bytes := b.Bytes(s) + b.Bytes(out) + 4*int64(len(l.Weight))
		if format(b) != f32 {
			bytes -= 2 * int64(len(l.Weight))
		}
		add(l.Name+" forward", flop, bytes, func() { b.Conv(gpu.ConvOut{Act: y, Mask: my}, x, f, gpu.ZeroPad) })
		add(l.Name+" backward", flop, bytes, func() { b.ConvGrad(x, y, f, gpu.ConvGradOptions{Gate: mx}) })
		if l.Index > 1 {
			continue
		}
		g := b.NewArray(gpu.Matrix(l.Out))
		square := float64(l.Out*l.Out) * float64(s.Pixels())
		add(l.Tap()+" Gram", 2*square, b.Bytes(out), func() { b.Gram(g, y, 1e-6) })
		add(l.Tap()+" Gram backward", 2*square, 3*b.Bytes(out), func() { b.StyleGrad(y, y, g, nil) })
	}
	s := gpu.Shape{H: side, W: side, C: 3}
	x, dx := noise(b, s, 7), noise(b, s, 8)
	adam := b.NewAdam(s, gpu.AdamOptions{LearningRate: 1e-6})
	add("total variation", 0, 3*b.Bytes(s), func() { b.TV(dx, x, nil, gpu.TVL2, 1e-9, 0) })
	add("Adam step", 0, 9*b.Bytes(s), func() { adam.Step(x, dx) })
	return all
}

// noise returns an array of values like a picture's: 0..255 minus their mean.
func noise(b gpu.Backend, s gpu.Shape, seed uint64) *gpu.Array {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, s.Len())
	for i := range v {
		v[i] = r.Float32()*255 - 110
	}
	return gpu.ArrayOf(b, s, v)
}
