package style

import (
	"math"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// styleFlops returns the work of the style loss at a layer of c channels, as operations of
// a convolution: Gram matrices and their gradient, which are plain products, and the
// comparison of matrices. The sliced loss needs two products and a sort.
func (o Options) styleFlops(c int, positions float64) float64 {
	const plain, compared, sorted = 4, 1000, 4000
	if o.StyleLoss == LossSliced {
		n := float64(slicedCount(int(positions), c))
		return n * float64(c) * (plain*2*2*float64(c) + sorted)
	}
	return float64(c*c)*(plain*2*2*positions+compared) + o.rootFlops(float64(c), positions)
}

// rootFlops returns the arithmetic of the matrix roots of the w2 loss at a layer of c
// channels. RootFull takes some fifty products of (C, C) matrices, whatever the picture's
// size; RootFast twelve of the rank r of the painting's covariance, and a few of both
// sizes. The painting is taken to have as many positions as the canvas. An operation of
// such a product takes plain times as long as one of a convolution, as measured.
func (o Options) rootFlops(c, positions float64) float64 {
	const products, plain = 50, 2
	if o.StyleLoss != LossW2 || o.Method == MethodNNST {
		return 0
	}
	if o.W2Root != RootFast {
		return plain * products * 2 * c * c * c
	}
	r := min(c, positions)
	return plain * 2 * (12*r*r*r + 1.5*c*r*(c+r))
}

// imageFlops returns the operations of an iteration on a pixel of the image. The
// vectors of L-BFGS, two for each pair of its history, come from memory, so each of
// their values takes as long as some hundred operations of a convolution.
func (o Options) imageFlops() float64 {
	const channels, fetched, others = 3, 100, 30
	vectors := others
	if o.Optimizer == OptimizerLBFGS {
		vectors += 2 * o.History
	}
	return channels * fetched * float64(vectors)
}

// estimate returns the seconds of the run: its arithmetic times the measured speed of
// this backend, and the work of the host.
func (p Plan) estimate(env Env, depth int) (float64, error) {
	perFlop, err := env.Cache.speed(env, p.Options, depth)
	if err != nil {
		return 0, err
	}
	all, err := p.work(env, depth)
	return all.sum().seconds(perFlop), err
}

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
	return fastest / speedFlops(env, o, depth), nil
}

// speedFlops returns the arithmetic of the pass that measureSpeed measures.
func speedFlops(env Env, o Options, depth int) float64 {
	return 2 * o.forwardFlops(env.Network, depth, speedSide, speedSide, env.Backend.ConvTile())
}

// speedSide is the side of the picture that measureSpeed passes through the network. At 64
// the deep layers of mini are so small that two threads wait for each other, and runs
// seem to take half as long again.
const speedSide = 96

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
