package selftest

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/impasto/impasto/gpu"
)

// deviceCheck is a group of operations; run adds what they compute to out.
type deviceCheck struct {
	name string
	run  func(o *outputs)
	half bool // only half precision has kernels of their own for it
}

// outputs collects what one backend computes from pictures of random numbers.
type outputs struct {
	gpu.Backend
	rng  *rand.Rand
	sms  int // multiprocessors of the device, for both
	list [][]float32
}

func (o *outputs) random(s gpu.Shape) *gpu.Array {
	return gpu.ArrayOf(o.Backend, s, randoms(o.rng, s.Len()))
}

func (o *outputs) keep(arrays ...*gpu.Array) {
	for _, a := range arrays {
		o.list = append(o.list, gpu.Values(o.Backend, a))
	}
}

// loss keeps the value in slot 0.
func (o *outputs) loss() {
	o.Sync()
	o.list = append(o.list, []float32{float32(o.Status().Loss[0])})
}

// worst is the largest error over the largest value, of all outputs; the share few
// of an output's values may be off by more.
func (c deviceCheck) worst(b, reference gpu.Backend, sms int, few float64) float64 {
	got := &outputs{Backend: b, rng: rand.New(rand.NewPCG(3, 4)), sms: sms}
	want := &outputs{Backend: reference, rng: rand.New(rand.NewPCG(3, 4)), sms: sms}
	c.run(got)
	c.run(want)
	worst := 0.0
	for i, w := range want.list {
		scale := 1e-30
		off := make([]float64, len(w))
		for j, v := range w {
			scale = max(scale, math.Abs(float64(v)))
			if off[j] = math.Abs(float64(got.list[i][j]) - float64(v)); off[j] != off[j] {
				off[j] = math.Inf(1)
			}
		}
		slices.Sort(off)
		if e := off[len(off)-1-int(few*float64(len(off)))] / scale; !(e <= worst) {
			worst = e
		}
	}
	return worst
}

// The checks' sizes are odd, so that no tile of a kernel is full.
var (
	testPicture  = gpu.Shape{H: 11, W: 19, C: 3}
	testFeatures = gpu.Shape{H: 11, W: 19, C: 32}
)

var deviceChecks = []deviceCheck{
	{name: "convolution of the image", run: func(o *outputs) {
		f := o.NewFilter(randoms(o.rng, 27*32), randoms(o.rng, 32), 3, 32)
		convolve(o, testPicture, f, gpu.Pool{Kind: gpu.MaxPool}, gpu.ReplicatePad)
	}},
	{name: "convolution, max pooling", run: func(o *outputs) { convolveFeatures(o, gpu.Pool{Kind: gpu.MaxPool, Ceil: true}) }},
	{name: "convolution, average pooling", run: func(o *outputs) { convolveFeatures(o, gpu.Pool{Kind: gpu.AvgPool, Scale: 2}) }},
	{name: "pooling", run: poolings},
	{name: "Gram matrix", run: func(o *outputs) {
		f, c := o.random(testFeatures), testFeatures.C
		g, m := o.NewArray(gpu.Matrix(c)), o.NewArray(gpu.Vector(c))
		o.Gram(g, f, 0.01)
		o.Mean(m, f)
		o.keep(g, m)
		var targets []gpu.GramTarget // symmetric, as StyleGrad needs them
		for _, coef := range []float64{0.3, 0.6} {
			a := o.NewArray(gpu.Matrix(c))
			o.Gram(a, o.random(testFeatures), 0.01)
			targets = append(targets, gpu.GramTarget{A: a, Coef: coef})
		}
		o.GramLoss(g, g, targets, 0.01, 0)
		o.loss()
		dx := o.random(testFeatures)
		o.StyleGrad(dx, f, g, m)
		o.keep(g, dx)
	}},
	{name: "mean and covariance", run: func(o *outputs) {
		s := gpu.Shape{H: 11, W: 19, C: 12}
		moments := func() (m, g *gpu.Array) {
			f := o.random(s)
			m, g = o.NewArray(gpu.Vector(s.C)), o.NewArray(gpu.Matrix(s.C))
			o.Mean(m, f)
			o.Gram(g, f, 1/float64(s.Pixels()))
			return m, g
		}
		painting, products := moments()
		m, g := moments()
		d, shift := o.NewArray(gpu.Matrix(s.C)), o.NewArray(gpu.Vector(s.C))
		for _, form := range []gpu.W2Form{gpu.W2Full, gpu.W2Fast} {
			o.W2Loss(d, shift, m, g, o.NewW2Target(painting, products, 1e-4, form), s.Pixels(), 0.5, 0)
			o.loss()
			o.keep(d, shift)
		}
		o.CovarianceLoss(d, shift, m, g, o.NewCovarianceTarget(painting, products), s.Pixels(), 0.5, 0)
		o.loss()
		o.keep(d, shift)
		o.MomentsLoss(d, shift, m, g, o.NewMomentsTarget(painting, products), gpu.MomentsWeights{Gram: 0.1, Mean: 0.2, Deviation: 0.3}, s.Pixels(), 0)
		o.loss()
		o.keep(d, shift)
	}},
	{name: "self-similarity", run: func(o *outputs) {
		f, dx := o.random(testFeatures), o.random(testFeatures)
		var positions []int32
		for p := 0; p < testFeatures.Pixels(); p += 3 {
			positions = append(positions, int32(p))
		}
		o.SelfSimLoss(dx, f, o.NewSelfSimilarity(o.random(testFeatures), positions), 0.5, 0)
		o.loss()
		o.keep(dx)
	}},
	{name: "sliced Wasserstein distance", run: func(o *outputs) {
		const directions = 8
		f, dx := o.random(testFeatures), o.random(testFeatures)
		var at []int32
		for p := 0; p < testFeatures.Pixels(); p += 2 {
			at = append(at, int32(p))
		}
		n, c := len(at), testFeatures.C
		places, rows := o.NewPlaces(testFeatures, at), o.random(gpu.Shape{H: n, W: c, C: 1})
		target := o.NewSlicedTarget(n, c, directions, []int32{int32(n)})
		axes := make([]float32, directions*c)
		for d := range directions {
			axes[d*c+d%c] = 1
		}
		o.Aim(target, axes, []gpu.SlicedPainting{{Rows: rows, Ends: []int32{int32(n)}, Weight: 1}})
		painted := o.random(rows.Shape)
		o.Gather(painted, f, places, testFeatures.Whole(), 0, 0)
		o.SlicedLoss(painted, target, 0.5, 0)
		o.Scatter(dx, painted, places, 0, 0)
		o.loss()
		o.keep(dx)
	}},
	{name: "content and smoothness", run: func(o *outputs) {
		f, dx := o.random(testFeatures), o.random(testFeatures)
		o.ContentLoss(dx, f, o.random(testFeatures), 0.5, 0)
		o.loss()
		o.keep(dx)
		x, weight := o.random(testPicture), o.random(gpu.Shape{H: testPicture.H, W: testPicture.W, C: 1})
		for _, kind := range []gpu.TVKind{gpu.TVL1, gpu.TVL2, gpu.TVPower, gpu.TVInner, gpu.TVStencil} {
			dx := o.random(testPicture)
			o.TV(dx, x, nil, kind, 0.5, 0)
			o.loss()
			if kind != gpu.TVStencil {
				o.TV(dx, x, weight, kind, 0.5, 0)
				o.loss()
			}
			o.keep(dx)
		}
	}},
	{name: "matching", run: func(o *outputs) { matching(o, 3) }},
	{name: "convolution, 128 channels", half: true, run: func(o *outputs) {
		in := gpu.Shape{H: (3*o.sms+4)/5*8 - 3, W: 67, C: 128} // tiles of 8x16 enough for a block to take 128 channels
		convolve(o, in, o.NewFilter(randoms(o.rng, 9*in.C*128), randoms(o.rng, 128), in.C, 128), gpu.Pool{Kind: gpu.MaxPool}, gpu.ZeroPad)
	}},
	{name: "matching, all channels in half", half: true, run: func(o *outputs) { matching(o, 8) }},
	{name: "positions and directions", run: positions},
	{name: "vectors", run: func(o *outputs) { vectors(o, testPicture) }},
	{name: "vectors of features", run: func(o *outputs) { vectors(o, testFeatures) }},
	{name: "Adam", run: func(o *outputs) {
		optimise(o, o.NewAdam(testPicture, gpu.AdamOptions{StepOptions: gpu.StepOptions{Average: 0.9}, LearningRate: 0.1}))
	}},
	{name: "L-BFGS", run: func(o *outputs) {
		optimise(o, o.NewLBFGS(testPicture, gpu.LBFGSOptions{LineSearch: true, FirstStep: 0.1, History: 3}))
	}},
	// The last: from here on gradients have another scale.
	{name: "gradients and their scale", half: true, run: func(o *outputs) {
		f := o.NewFilter(randoms(o.rng, 27*32), randoms(o.rng, 32), 3, 32)
		dy, x, target, dx := o.random(testFeatures), o.random(testFeatures), o.random(testFeatures), o.NewArray(testPicture)
		step := o.Record(func() {
			o.Fill(dy, 0)
			o.ContentLoss(dy, x, target, 1e-6, 0)
			o.ConvGrad(dx, dy, f, gpu.ConvGradOptions{})
		})
		step.Run()
		o.keep(dx)
	}},
}

// positions runs what nearest neighbours need beside matching.
func positions(o *outputs) {
	f, small := o.random(testFeatures), o.NewArray(gpu.Shape{H: 5, W: 9, C: testFeatures.C})
	r := o.NewResizer(small.Shape, testFeatures, gpu.Bilinear)
	o.Resize(small, f, r, gpu.ResizeOptions{})
	o.keep(small)
	dx := o.random(testFeatures)
	o.Resize(dx, small, r.Back(), gpu.ResizeOptions{Add: true})
	o.FreeResizers(r)
	grid := gpu.Grid{Y: 1, X: 2, Step: 2}
	o.Sample(small, f, grid)
	o.AddChannels(small, -0.5, o.random(gpu.Vector(testFeatures.C)))
	o.AddSample(dx, small, grid)
	o.keep(small, dx)
	o.CosineLoss(dx, dx, f, 0.5, 0)
	o.loss()
	o.keep(dx)
}

func vectors(o *outputs, s gpu.Shape) {
	x, y := o.random(s), o.random(s)
	o.Axpy(y, 0.3, x)
	o.AddNormalized(y, 2, x)
	o.Weigh(y, o.random(gpu.Shape{H: s.H, W: s.W, C: 1}))
	o.list = append(o.list, []float32{float32(o.Dot(x, y))})
	small := o.NewArray(gpu.Shape{H: 7, W: 8, C: s.C})
	o.CopyWindow(small, y, 2, 5)
	o.AddWindow(y, small, 3, 9)
	for _, filter := range []gpu.ResampleFilter{gpu.Bilinear, gpu.Bicubic, gpu.Lanczos} {
		o.Resample(small, y, filter)
		o.keep(small)
	}
	o.keep(y)
	o.ContentLoss(nil, x, y, 0.5, 1)
	o.MoveLoss(0, 1)
	o.loss()
}

func convolveFeatures(o *outputs, p gpu.Pool) {
	c := testFeatures.C
	f := o.NewFilter(randoms(o.rng, 9*c*64), randoms(o.rng, 64), c, 64)
	convolve(o, testFeatures, f, p, gpu.ZeroPad)
}

// convolve runs a layer forward, with and without its pooling, and back.
func convolve(o *outputs, in gpu.Shape, f *gpu.Filter, p gpu.Pool, pad gpu.Pad) {
	full := gpu.Shape{H: in.H, W: in.W, C: f.Out}
	x, act, pooled := o.random(in), o.NewArray(full), o.NewArray(p.Out(full))
	mask, below := o.NewMask(full, p), o.NewMask(full, gpu.Pool{})
	o.Conv(gpu.ConvOut{Act: act, Mask: below}, x, f, pad)
	o.keep(act)
	o.Conv(gpu.ConvOut{Pooled: pooled, Mask: mask, Pool: p}, x, f, pad)
	o.keep(pooled)
	dy, dx := o.random(full), o.random(in)
	o.Gate(dy, below)
	o.ConvGrad(dx, dy, f, gpu.ConvGradOptions{Pad: pad, Add: true})
	o.keep(dy, dx)
	dp := o.random(p.Out(full))
	o.ConvGrad(dx, dp, f, gpu.ConvGradOptions{Pad: pad, Unpool: mask})
	o.keep(dx)
	if in.C > 3 {
		d := o.NewArray(gpu.Matrix(in.C))
		o.Gram(d, o.random(in), 0.05) // large beside what differs where a sign does
		style := gpu.StyleTerm{F: x, D: d, Shift: o.random(gpu.Vector(in.C))}
		o.ConvGrad(dx, o.random(full), f, gpu.ConvGradOptions{Pad: pad, Style: style})
		o.keep(dx)
		o.ConvGrad(dx, dp, f, gpu.ConvGradOptions{Pad: pad, Unpool: mask, Add: true, Style: style})
		o.keep(dx)
	}
	o.PoolGrad(dy, o.random(p.Out(full)), gpu.PoolGradOptions{Mask: mask, Add: true})
	o.keep(dy)
}

// poolings runs those that stand alone.
func poolings(o *outputs) {
	for _, p := range []gpu.Pool{{Kind: gpu.MaxPool}, {Kind: gpu.AvgPool, Ceil: true}, {Kind: gpu.L2Pool, Scale: 0.78}, {Kind: gpu.AvgPool, Size: 4}, {Kind: gpu.MaxPool, Size: 4}} {
		x, dx := o.random(testFeatures), o.random(testFeatures)
		y := o.NewArray(p.Out(testFeatures))
		o.Pool(y, x, p)
		o.PoolGrad(dx, o.random(y.Shape), gpu.PoolGradOptions{X: x, Y: y, Pool: p})
		o.keep(y, dx)
	}
}

// optimise takes four recorded steps towards a picture.
func optimise(o *outputs, opt gpu.Optimizer) {
	x, g, target := o.random(testPicture), o.NewArray(testPicture), o.random(testPicture)
	o.ResetStatus()
	step := o.Record(func() {
		o.Fill(g, 0)
		o.ContentLoss(g, x, target, 0.5, 0)
		opt.Step(x, g)
	})
	for range 4 {
		step.Run()
	}
	o.loss()
	o.keep(x)
	opt.Result(g)
	o.keep(g)
}

// matching runs each way to compare patches, and what follows from the matches.
// The features are joined to a map of so many channels.
func matching(o *outputs, channels int) {
	guide := o.random(gpu.Shape{H: testFeatures.H, W: testFeatures.W, C: channels})
	joined := o.NewArray(gpu.Shape{H: testFeatures.H, W: testFeatures.W, C: testFeatures.C + channels})
	o.Join(joined, o.random(testFeatures), guide, 0.5, true)
	o.keep(joined)
	painting := gpu.Shape{H: 7, W: 13, C: joined.Shape.C}
	for _, p := range []gpu.BankOptions{{Size: 1, Norm: gpu.NoNorm}, {Size: 3}, {Size: 4, Stride: 2}} {
		source := o.random(painting)
		bank := o.NewBank(source, p)
		m := o.NewMatches(bank.MatchGrid(joined.Shape, 1))
		o.Match(m, joined, bank, gpu.MatchOptions{Bias: o.random(bank.Grid())})
		o.keepMatches(m)
		o.Cosines(m, joined, p.Size, 1)
		o.keepMatches(m)
		bias := o.NewArray(m.Shape)
		o.MatchBias(bias, m, -0.5)
		from := []gpu.PatchSource{{F: source, Stride: p.Stride}}
		dx, vote := o.random(joined.Shape), o.NewArray(joined.Shape)
		o.PatchLoss(dx, joined, m, from, gpu.PatchOptions{Size: p.Size}, 0.5, 0)
		o.loss()
		o.Vote(vote, m, from, gpu.PatchOptions{Size: p.Size})
		o.keep(bias, dx, vote)
		o.FreeMatches(m)
		o.FreeBanks(bank)
	}
}

func (o *outputs) keepMatches(m *gpu.Matches) {
	index, score := make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
	o.DownloadMatches(index, score, m)
	indices := make([]float32, len(index))
	for i, v := range index {
		indices[i] = float32(v)
	}
	o.list = append(o.list, indices, score)
}
