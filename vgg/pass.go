package vgg

import (
	"slices"

	"github.com/impasto/impasto/gpu"
)

// PassOptions say what a pass computes.
type PassOptions struct {
	// Taps are the layers whose features are visited, in any form that ParseLayer
	// accepts. Only layers up to the deepest are computed.
	Taps []string
	// Pool is the pooling between blocks; "" is the network's own.
	Pool Pool
	// Ceil keeps a last odd row or column, which is pooled alone (Caffe, Torch7).
	// Without it they are dropped (PyTorch, Lasagne).
	Ceil bool
	// PoolScale multiplies the result of each pooling; 0 means 1.
	PoolScale float64
	// Pad is the first layer's; the others pad with zeros.
	Pad gpu.Pad
	// Grad plans for Backward. Without it a pass needs much less memory.
	Grad bool
	// Styled are taps whose only gradient in Backward is one AddStyle. Their features
	// may be overwritten by the gradient after visit.
	Styled []string
	// Stage is the part of the network that is computed; zero: from the image
	// down to the deepest tap.
	Stage Stage
}

// Pass runs a network on images of one size. All buffers are planned when it is made. A
// layer without a tap keeps only sign bits for the backward pass, and buffers that are
// not needed at the same time share memory. Neither Forward nor Backward allocates, and
// both may be recorded.
type Pass struct {
	b      gpu.Backend
	shape  gpu.Shape   // shape of the input: the image, or a stage's input
	start  int         // the network's layer that is the first of layers
	layers []passLayer // up to the deepest tap, or the stage's last
	opts   PassOptions
	x      *gpu.Array  // the image of the last Forward
	arena  *gpu.Array  // of this pass and those made with it
	masks  []*gpu.Mask // by layer of the network; of this pass and those made with it
	bytes  int64
}

// passLayer is one convolution, the pooling that follows it (Kind NoPool: none),
// and its buffers. Those that are nil are not needed.
type passLayer struct {
	name   string // "relu3_1"
	tap    bool
	styled bool
	again  bool // the activation is computed a second time in the backward pass
	over   bool // the gradient is written over that activation
	fused  bool // the pooling is undone inside the next ConvGrad
	out    gpu.Shape
	pool   gpu.Pool
	pad    gpu.Pad
	filter *gpu.Filter
	mask   *gpu.Mask

	act, pooled      buffer
	actAgain         buffer
	grad, pooledGrad buffer // with respect to act (gated) and to pooled

	seed Gradient // of the losses on a tap
}

// buffer is a place in the arena.
type buffer struct {
	shape gpu.Shape
	life  *span // nil: not needed
	*gpu.Array
}

// NewPass plans and allocates a pass over images (h, w, 3) on backend b.
func (n *Network) NewPass(b gpu.Backend, h, w int, o PassOptions) (*Pass, error) {
	passes, err := n.NewPasses(b, []Window{{H: h, W: w, Stage: o.Stage}}, o)
	if err != nil {
		return nil, err
	}
	return passes[0], nil
}

// Features computes the taps of one picture. pixels (h, w, 3) are RGB in 0..1, and
// white is the value of 1 in the network's input, before the mean is subtracted. The
// array passed to visit is valid only during the call.
func (n *Network) Features(b gpu.Backend, h, w int, pixels []float32, white float32, o PassOptions, visit func(tap string, act *gpu.Array)) error {
	pass, err := n.NewPass(b, h, w, o)
	if err != nil {
		return err
	}
	defer pass.Free()
	v := make([]float32, len(pixels))
	for i, p := range pixels {
		v[i] = white*p - n.Mean[i%3]
	}
	x := gpu.ArrayOf(b, gpu.Shape{H: h, W: w, C: 3}, v)
	defer b.Free(x)
	pass.Forward(x, visit)
	return b.Err()
}

// Window is the size of the input of one pass of several, in units of its stage's
// input.
type Window struct {
	H, W  int
	Stage Stage
}

// NewPasses makes passes over windows of several sizes and stages that share their
// memory, for tiles. The results of one pass are lost when another's Forward begins.
// They are freed with the first of them. o.Stage is ignored.
func (n *Network) NewPasses(b gpu.Backend, windows []Window, o PassOptions) ([]*Pass, error) {
	passes, err := n.plans(b, windows, o)
	if err != nil {
		return nil, err
	}
	first := passes[0]
	first.bytes = shared(passes)
	if first.bytes > 0 {
		first.arena = b.NewArray(gpu.Shape{H: 1, W: 1, C: int(first.bytes / 4)})
	}
	masks := make([]*gpu.Mask, len(n.Layers))
	if o.Grad {
		for i, l := range largestMasks(passes, len(n.Layers)) {
			if l.out.Len() > 0 {
				masks[i] = b.NewMask(l.out, l.pool)
				first.masks = append(first.masks, masks[i])
			}
		}
	}
	depth := 0
	for _, p := range passes {
		depth = max(depth, p.start+len(p.layers))
	}
	filters := n.filters(b, depth)
	for _, p := range passes {
		for i := range p.layers {
			l := &p.layers[i]
			l.filter = filters[p.start+i]
			if o.Grad {
				l.mask = b.ViewMask(masks[p.start+i], l.out)
			}
			for _, buf := range l.buffers() {
				if buf.life != nil {
					buf.Array = b.View(first.arena, buf.life.at, buf.shape)
				}
			}
		}
	}
	return passes, b.Err()
}

// plans lays out a pass for each window.
func (n *Network) plans(b gpu.Backend, windows []Window, o PassOptions) ([]*Pass, error) {
	passes := make([]*Pass, len(windows))
	for i, w := range windows {
		o.Stage = w.Stage
		p, err := n.plan(b, w.H, w.W, o)
		if err != nil {
			return nil, err
		}
		passes[i] = p
	}
	return passes, nil
}

// shared returns the size of an arena that is large enough for each of the passes.
func shared(passes []*Pass) int64 {
	bytes := int64(0)
	for _, p := range passes {
		bytes = max(bytes, p.bytes)
	}
	return bytes
}

// largestMasks lists for each layer of the network a shape whose mask can hold the
// masks of all passes, and the pooling after it.
func largestMasks(passes []*Pass, layers int) []passLayer {
	all := make([]passLayer, layers)
	for _, p := range passes {
		for i, l := range p.layers {
			m := &all[p.start+i]
			m.pool = l.pool
			m.out = gpu.Shape{H: max(m.out.H, l.out.H), W: max(m.out.W, l.out.W), C: l.out.C}
		}
	}
	return all
}

// PassBytes returns the memory that a pass would take in addition to the weights. It
// allocates nothing.
func (n *Network) PassBytes(b gpu.Backend, h, w int, o PassOptions) (int64, error) {
	bytes, _, err := n.PassesBytes(b, []Window{{H: h, W: w, Stage: o.Stage}}, o)
	return bytes, err
}

// PassesBytes returns the memory that NewPasses would take in addition to the weights.
// masks is the part of it for masks, which passes of different stages do not share.
func (n *Network) PassesBytes(b gpu.Backend, windows []Window, o PassOptions) (bytes, masks int64, err error) {
	passes, err := n.plans(b, windows, o)
	if err != nil {
		return 0, 0, err
	}
	masks = n.maskBytes(b, passes, o)
	return shared(passes) + masks, masks, nil
}

func (n *Network) maskBytes(b gpu.Backend, passes []*Pass, o PassOptions) int64 {
	total := int64(0)
	if o.Grad {
		for _, l := range largestMasks(passes, len(n.Layers)) {
			if l.out.Len() > 0 {
				total += b.MaskBytes(l.out, l.pool)
			}
		}
	}
	return total
}

// TapShapes returns the shapes of the features of an image (h, w, 3), by tap.
func (n *Network) TapShapes(b gpu.Backend, h, w int, o PassOptions) (map[string]gpu.Shape, error) {
	o.Stage = Stage{}
	p, err := n.plan(b, h, w, o)
	if err != nil {
		return nil, err
	}
	shapes := map[string]gpu.Shape{}
	for _, l := range p.layers {
		if l.tap {
			shapes[l.name] = l.out
		}
	}
	return shapes, nil
}

// Reach returns how far a unit of a layer sees and how far apart units are, in pixels.
// Unit i stands for pixels i*stride to (i+1)*stride-1 and sees reach pixels beyond them
// on either side. A 3x3 convolution adds one stride of its input, and a pooling adds
// nothing beyond its window: relu5_1 has reach 70, stride 16.
func (n *Network) Reach(layer string) (reach, stride int, err error) {
	depth, err := n.Depth(layer)
	if err != nil {
		return 0, 0, err
	}
	for _, l := range n.Layers[:depth] {
		stride = 1 << (l.Block - 1)
		reach += stride
	}
	return reach, stride, nil
}

// Bytes returns the memory of the pass, and of those made with it, without the weights.
func (p *Pass) Bytes() int64 {
	total := p.bytes
	for _, m := range p.masks {
		total += p.b.MaskBytes(m.Shape, m.Pool)
	}
	return total
}

// Taps lists the tapped layers by their canonical names, shallowest first.
func (p *Pass) Taps() []string {
	var names []string
	for _, l := range p.layers {
		if l.tap {
			names = append(names, l.name)
		}
	}
	return names
}

// Shape returns the shape of a tap's features. The name must be one of Taps'.
func (p *Pass) Shape(tap string) gpu.Shape {
	i := slices.IndexFunc(p.layers, func(l passLayer) bool { return l.name == tap })
	if i < 0 || !p.layers[i].tap {
		panic("vgg: " + tap + " is not a tap of this pass")
	}
	return p.layers[i].out
}

// Free frees the buffers. The pass must not be used again.
func (p *Pass) Free() {
	p.b.FreeMasks(p.masks...)
	p.layers, p.masks = nil, nil // the views first: they keep the arena alive
	p.b.Free(p.arena)
}

// Forward computes the features of image x (H, W, 3), RGB, 0..255 minus the network's
// mean, or of the pooled output of the stage before. It calls visit, which may be nil,
// with each tap when it is computed, shallowest first, and with a stage's output under
// the name Stage.Output. act is valid only during the call.
func (p *Pass) Forward(x *gpu.Array, visit func(tap string, act *gpu.Array)) {
	p.x = x
	in := x
	for i := range p.layers {
		l := &p.layers[i]
		p.b.Conv(gpu.ConvOut{Act: l.act.Array, Pooled: l.pooledOut(), Mask: l.mask, Pool: l.pool, From: p.from(i)}, in, l.filter, l.pad)
		if l.pool.Kind == gpu.L2Pool {
			p.b.Pool(l.pooled.Array, l.act.Array, l.pool)
		}
		if l.tap && visit != nil {
			visit(l.name, l.act.Array)
		}
		in = l.act.Array
		if l.pool.Kind != gpu.NoPool {
			in = l.pooled.Array
		}
	}
	if visit != nil && p.pooled() {
		visit(p.opts.Stage.Output(), in)
	}
}

// from returns where the second layer's input comes from; the others' is unknown.
func (p *Pass) from(i int) gpu.ConvFrom {
	if i != 1 || p.start > 0 || p.layers[0].pool.Kind != gpu.NoPool {
		return gpu.ConvFrom{}
	}
	return gpu.ConvFrom{X: p.x, Filter: p.layers[0].filter, Pad: p.layers[0].pad}
}

// pooled reports whether the pass ends with a pooling, which is the output of a stage.
func (p *Pass) pooled() bool { return p.layers[len(p.layers)-1].pool.Kind != gpu.NoPool }

// Backward computes dx (H, W, 3), the gradient with respect to the image of the last
// Forward. It calls visit once per tap, deepest first, with the tap's features and a
// gradient of zeros, to which visit adds. Both are valid only during the call. If the
// pass ends with a pooling, the first call is for that output, without its features. dx
// is overwritten.
func (p *Pass) Backward(dx *gpu.Array, visit func(tap string, act *gpu.Array, grad *Gradient)) {
	deepest := len(p.layers) - 1
	for i := deepest; i >= 0; i-- {
		l := &p.layers[i]
		if l.pool.Kind != gpu.NoPool {
			if i == deepest {
				l.seed = NewGradient(p.b, l.pooledGrad.Array)
				visit(p.opts.Stage.Output(), nil, &l.seed)
				l.seed.settle()
				l.seed.Array()
			} else {
				p.convGrad(l.pooledGrad.Array, i+1, nil, nil)
			}
			if l.fused {
				continue
			}
		}
		l.seed = NewGradient(p.b, l.grad.Array)
		l.seed.styled = l.over
		if l.tap {
			visit(l.name, p.activation(l), &l.seed)
		}
		switch {
		case l.pool.Kind != gpu.NoPool:
			l.seed.settle()
			p.b.PoolGrad(l.grad.Array, l.pooledGrad.Array, gpu.PoolGradOptions{Mask: l.mask, X: l.act.Array, Y: l.pooled.Array, Add: l.seed.begun})
		case i == deepest:
			l.seed.settle()
			p.b.Gate(l.seed.Array(), l.mask)
		default:
			p.convGrad(l.grad.Array, i+1, &l.seed, l.mask)
		}
	}
	p.convGrad(dx, 0, nil, nil)
}

// convGrad propagates the gradient of layer i's output back to its input. seed is the
// gradient of the losses on that input; nil: none.
func (p *Pass) convGrad(dx *gpu.Array, i int, seed *Gradient, gate *gpu.Mask) {
	l := &p.layers[i]
	o := gpu.ConvGradOptions{Pad: l.pad, Gate: gate}
	if seed != nil {
		o.Add, o.Style = seed.begun, seed.style
	}
	dy := l.grad.Array
	if l.fused {
		dy, o.Unpool = l.pooledGrad.Array, l.mask
	}
	p.b.ConvGrad(dx, dy, l.filter, o)
}

// activation returns a tap's features in the backward pass.
func (p *Pass) activation(l *passLayer) *gpu.Array {
	if !l.again {
		return l.act.Array
	}
	act := l.actAgain.Array
	if l.over {
		act = l.grad.Array
	}
	p.b.Conv(gpu.ConvOut{Act: act}, p.x, l.filter, l.pad)
	return act
}

// pooledOut returns the pooled output that Conv stores itself. L2 pooling is computed
// by Pool, since its gradient needs the activation as well.
func (l *passLayer) pooledOut() *gpu.Array {
	if l.pool.Kind == gpu.L2Pool {
		return nil
	}
	return l.pooled.Array
}

func (l *passLayer) buffers() []*buffer {
	return []*buffer{&l.act, &l.pooled, &l.actAgain, &l.grad, &l.pooledGrad}
}
