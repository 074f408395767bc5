package vgg

import (
	"math"

	"github.com/impasto/impasto/gpu"
)

// plan lays out a pass: which layers, what each stores, and where in the arena.
// h and w are those of the image, or of the stage's input.
// Time runs in steps: layer i of d+1 is computed at step i, its gradient at
// step back(i) = 2d+1-i, and the image's gradient at 2d+2.
func (n *Network) plan(b gpu.Backend, h, w int, o PassOptions) (*Pass, error) {
	if h < 1 || w < 1 || h > math.MaxInt32 || w > math.MaxInt32 {
		return nil, usageErrorf(nil, "a picture of %d x %d pixels cannot be looked at", w, h)
	}
	start, depth, taps, err := n.extent(o)
	if err != nil {
		return nil, err
	}
	pool, err := o.pool(n)
	if err != nil {
		return nil, err
	}
	p := &Pass{b: b, start: start, opts: o, layers: make([]passLayer, depth-start)}
	p.shape = gpu.Shape{H: h, W: w, C: n.Layers[start].In}
	size := p.shape
	for i := range p.layers {
		l, at := &p.layers[i], start+i
		l.name = n.Layers[at].Tap()
		l.tap = taps[l.name]
		l.out = gpu.Shape{H: size.H, W: size.W, C: n.Layers[at].Out}
		if at == 0 {
			l.pad = o.Pad
		}
		if at+1 < depth && n.Layers[at+1].Block != n.Layers[at].Block || at+1 == depth && o.Stage.Last > 0 {
			l.pool = pool
		}
		size = l.pool.Out(l.out)
	}
	for _, name := range o.Styled {
		d, err := n.Depth(name)
		if err != nil {
			return nil, err
		}
		if i := d - 1 - start; i >= 0 && i < len(p.layers) {
			p.layers[i].styled = true
		}
	}
	var lives []*span
	for i := range p.layers {
		p.live(i)
		for _, buf := range p.layers[i].buffers() {
			if buf.life != nil {
				buf.life.bytes = b.Bytes(buf.shape)
				lives = append(lives, buf.life)
			}
		}
	}
	p.bytes = pack(lives)
	return p, nil
}

// live sets the steps in which layer i's buffers are needed.
func (p *Pass) live(i int) {
	l := &p.layers[i]
	deepest := len(p.layers) - 1
	back := 2*deepest + 1 - i
	pools := l.pool.Kind != gpu.NoPool
	l2 := l.pool.Kind == gpu.L2Pool
	// The first layer has three channels to read, so computing it again costs
	// a hundredth of a pass and saves a fifth of its memory.
	l.again = p.start+i == 0 && l.tap && p.opts.Grad && deepest > 0 && !l2
	l.over = l.again && l.styled && !pools && p.b.StyleInPlace(l.out, p.layers[i+1].out)
	l.fused = pools && !l2 && !l.tap

	if l.tap || !pools || l2 {
		l.act = buffer{shape: l.out, life: &span{from: i, to: i}}
		if i < deepest && !pools && !(p.start+i == 0 && p.b.Recomputes(p.shape, l.out, p.layers[1].out)) {
			l.act.life.to = i + 1
		}
		if p.opts.Grad && (l2 || l.tap && !l.again) {
			l.act.life.to = back
		}
	}
	if pools {
		l.pooled = buffer{shape: l.pool.Out(l.out), life: &span{from: i, to: i + 1}}
		if p.start+i > 0 && i < deepest && !l.tap && !l2 {
			l.pooled.shape = p.b.Split(l.pooled.shape, p.layers[i+1].out) // which only the next layer reads
		}
		if p.opts.Grad && l2 {
			l.pooled.life.to = back
		}
	}
	if !p.opts.Grad {
		return
	}
	if l.again && !l.over {
		l.actAgain = buffer{shape: l.out, life: &span{from: back, to: back}}
	}
	if !l.fused {
		l.grad = buffer{shape: l.out, life: &span{from: back, to: back + 1}}
	}
	if pools {
		l.pooledGrad = buffer{shape: l.pool.Out(l.out), life: &span{from: back, to: back}}
		if l.fused {
			l.pooledGrad.life.to = back + 1
		}
	}
}

// pool returns the pooling between blocks.
func (o PassOptions) pool(n *Network) (gpu.Pool, error) {
	kind := o.Pool
	if kind == "" {
		kind = n.Pool
	}
	kind, err := ParsePool(string(kind))
	if err != nil {
		return gpu.Pool{}, err
	}
	p := gpu.Pool{Ceil: o.Ceil, Scale: float32(o.PoolScale)}
	switch kind {
	case PoolMax:
		p.Kind = gpu.MaxPool
	case PoolAvg:
		p.Kind = gpu.AvgPool
	case PoolL2:
		p.Kind = gpu.L2Pool
	}
	return p, nil
}
