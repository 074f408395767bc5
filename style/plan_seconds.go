package style

import (
	"math"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// flops returns the arithmetic of one iteration at w x h. It counts every convolution
// of the first depth layers, forward and backward to its input, with 2*9*C*K each a
// position; the Gram matrices of the style layers and their gradients, with 2*C*C each;
// and the work of the optimiser on the image.
func (o Options) flops(n *vgg.Network, depth, w, h int) float64 {
	pixels := float64(w * h)
	total := convolutionFlops(n, depth, pixels) + pixels*o.imageFlops()
	for i, l := range n.Layers[:depth] {
		positions := pixels / math.Pow(4, float64(l.Block-1))
		for _, s := range o.StyleLayers {
			if s.Layer == n.Layers[i].Tap() && o.StyleWeight*s.Weight > 0 && o.Method != MethodNNST {
				total += o.styleFlops(l.Out, positions)
			}
		}
		for j, t := range o.PatchLayers {
			if t.Layer == l.Tap() && o.PatchWeight*t.Weight > 0 {
				total += o.matchFlops(l.Out, positions, j)
			}
		}
	}
	return total
}

// styleFlops returns the operations of the style loss at a layer of c channels: Gram
// matrices and their gradient. The sliced loss needs two plain products and a sort, in
// which a value takes as long as some thousand operations of a convolution.
func (o Options) styleFlops(c int, positions float64) float64 {
	const plain, sorted = 2, 4000
	if o.StyleLoss == LossSliced {
		n := float64(slicedCount(int(positions), c))
		return n * float64(c) * (plain*2*2*float64(c) + sorted)
	}
	return 2*2*float64(c*c)*positions + o.rootFlops(c)
}

// convolutionFlops returns the arithmetic of the first depth layers, forward and
// backward.
func convolutionFlops(n *vgg.Network, depth int, pixels float64) float64 {
	total := 0.0
	for _, l := range n.Layers[:depth] {
		total += 2 * 18 * float64(l.In*l.Out) * pixels / math.Pow(4, float64(l.Block-1))
	}
	return total
}

// rootFlops returns the arithmetic of the matrix roots of the w2 loss at a layer of c
// channels: some fifty products of (C, C) matrices, whatever the picture's size. A
// convolution needs only half of its multiplications, a product needs all of them.
func (o Options) rootFlops(c int) float64 {
	const products, plain = 50, 2
	if o.StyleLoss != LossW2 || o.Method == MethodNNST {
		return 0
	}
	return plain * products * 2 * math.Pow(float64(c), 3)
}

// imageFlops returns the operations of an iteration on a pixel of the image. The
// vectors of L-BFGS, two for each pair of its history, come from memory, so each of
// their values takes as long as some thirty operations of a convolution.
func (o Options) imageFlops() float64 {
	const channels, fetched, others = 3, 30, 10
	vectors := others
	if o.Optimizer == OptimizerLBFGS {
		vectors += 2 * o.History
	}
	return channels * fetched * float64(vectors)
}

// estimate returns the seconds of all iterations: their arithmetic times the measured
// speed of this backend.
func (p Plan) estimate(env Env, depth int) (float64, error) {
	perFlop, err := env.Cache.speed(env, p.Options, depth)
	if err != nil {
		return 0, err
	}
	operations, err := p.operations(env, depth)
	return operations * perFlop, err
}

// operations returns the arithmetic of all scales.
func (p Plan) operations(env Env, depth int) (float64, error) {
	total := 0.0
	for _, s := range p.Scales {
		w, h := p.Options.seen(env.Network, s.W, s.H)
		work, err := p.Options.cutWork(env.Backend, env.Network, h, w, s.cut, s.recompute)
		if err != nil {
			return 0, err
		}
		iteration := p.Options.flops(env.Network, depth, w, h) * work
		total += (float64(s.Iterations) + targetIterations) * iteration
		if p.Options.Method == MethodNNST {
			total += p.Options.neighbourFlops(env.Network, s)
		}
	}
	return total, nil
}

// targetIterations is the time for the photograph and the paintings at a scale, in
// iterations.
const targetIterations = 1

// measureSpeed makes at least leastCalls calls, of which the first is slow. While other
// programs keep the machine busy, the fastest of up to mostCalls calls is nearer to the
// true speed.
const (
	leastCalls, mostCalls = 2, 10
	measuring             = 100 * time.Millisecond
)

// measureSpeed returns the seconds of a floating-point operation. It measures a pass
// through the first depth layers of the network, forward and backward, over a small
// picture. The speed of a convolution depends on its channels, so one convolution would
// not do for all networks. A small picture does not keep a GPU busy, so there one
// convolution is measured.
func measureSpeed(env Env, o Options, depth int) (float64, error) {
	b := env.Backend
	if b.Name() != "cpu" {
		return convolutionSpeed(b), nil
	}
	once, free, err := speedPass(env, o)
	if err != nil {
		return 0, err
	}
	defer free()
	fastest := math.Inf(1)
	begun := time.Now()
	for i := 0; i < leastCalls || i < mostCalls && time.Since(begun) < measuring; i++ {
		start := time.Now()
		once()
		fastest = min(fastest, time.Since(start).Seconds())
	}
	return fastest / convolutionFlops(env.Network, depth, speedSide*speedSide), nil
}

// speedSide is the side of the picture that measureSpeed passes through the network.
const speedSide = 64

// speedPass prepares the pass that measureSpeed measures.
func speedPass(env Env, o Options) (once, free func(), err error) {
	b := env.Backend
	pass, err := env.Network.NewPass(b, speedSide, speedSide, o.passOptions(true))
	if err != nil {
		return nil, nil, err
	}
	image := gpu.Shape{H: speedSide, W: speedSide, C: 3}
	x, dx := b.NewArray(image), b.NewArray(image)
	b.Fill(x, 1)
	once = func() {
		pass.Forward(x, nil)
		pass.Backward(dx, func(string, *gpu.Array, *vgg.Gradient) {})
	}
	return once, func() { pass.Free(); b.Free(x, dx) }, nil
}

// convolutionSpeed returns the seconds of a floating-point operation in a small
// convolution.
func convolutionSpeed(b gpu.Backend) float64 {
	const channels, side, calls = 64, 48, 2
	f := b.NewFilter(make([]float32, channels*channels*9), make([]float32, channels), channels, channels)
	x, y := b.NewArray(gpu.Shape{H: side, W: side, C: channels}), b.NewArray(gpu.Shape{H: side, W: side, C: channels})
	defer func() { b.Free(x, y); b.FreeFilters(f) }()
	b.Fill(x, 1)
	fastest := math.Inf(1)
	for range calls {
		start := time.Now()
		b.Conv(gpu.ConvOut{Act: y}, x, f, gpu.ZeroPad)
		b.Sync()
		fastest = min(fastest, time.Since(start).Seconds())
	}
	return fastest / (2 * 9 * channels * channels * side * side)
}
