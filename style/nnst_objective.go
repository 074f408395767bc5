package style

import (
	"context"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// neighbours is the loss of nearest-neighbour style transfer at one scale.
type neighbours struct {
	ob    *objective
	bands *laplacian

	// Where neighbours are held for the scale
	joining *joining
	h       *gpu.Array // (h, w, C): the canvas's features, then the gradient by them
	target  *gpu.Array // (h, w, C)
	start   *gpu.Array // (H, W, 3): the canvas that was matched
	coef    float64
	slot    int

	refine *refining // where they are found anew in each iteration
}

// scaleOfNeighbours paints scale i by nearest neighbours.
func (r *run) scaleOfNeighbours(ctx context.Context, i int) error {
	s := r.plan.Scales[i]
	content := r.content.Resize(s.W, s.H)
	n, err := r.newNeighbours(s)
	defer n.free()
	if err != nil {
		return err
	}
	ob, b := n.ob, r.env.Backend
	optimizer := r.o.newOptimizer(b, n.bands.z.Shape, r.px)
	l := &loop{run: r, index: i, ob: ob, bytes: ob.t.bytes() + optimizer.Bytes() + n.bands.bytes()}
	b.ResetStatus()
	if c := r.env.Resume; c != nil && c.Scale == i && r.image == nil {
		if err := l.resume(c, optimizer); err != nil {
			return err
		}
	} else {
		r.begin(ob.x, content)
		ob.keepProtected(r.px, content)
		n.begin()
	}
	r.freeOptimizer()
	r.optimizer = optimizer
	b.Free(r.image)
	r.image = ob.x
	if err := n.meet(r, content, r.o.neighbourShare(i)); err != nil {
		return err
	}
	content = nil
	settle(ob.x.Shape)

	err = l.iterate(ctx)
	r.iterating += time.Since(l.begun)

	optimizer.Result(n.bands.z)
	n.bands.compose(ob.x, n.bands.zs)
	return err
}

// newNeighbours makes room for a scale. What it returns is to be freed, with an
// error too.
func (r *run) newNeighbours(s Scale) (n *neighbours, err error) {
	b := r.env.Backend
	n = &neighbours{}
	if s.refine {
		// Before the pass is made: the paintings' memory can be its own.
		if n.refine, err = r.newRefining(max(s.W, s.H)); err != nil {
			return n, err
		}
	}
	t, err := r.o.newTiling(b, r.env.Network, s.H, s.W, Cut{}, true)
	if err != nil {
		return n, err
	}
	x := b.NewArray(gpu.Shape{H: s.H, W: s.W, C: 3})
	n.ob = newObjective(b, r.o, t, x)
	n.ob.neighbours = n
	n.bands = newLaplacian(b, x.Shape)
	if n.refine == nil {
		n.start = b.NewArray(x.Shape)
	}
	if r.protect != nil {
		n.ob.protect(r.protect)
	}
	return n, b.Err()
}

// begin takes the image as what the scale starts from.
func (n *neighbours) begin() {
	n.bands.split(n.ob.x)
	if n.start != nil {
		n.ob.b.Copy(n.start, n.ob.x)
	}
}

// meet prepares what the canvas is compared with.
func (n *neighbours) meet(r *run, content *Picture, share float64) error {
	n.ob.addTV()
	n.ob.addSpare(content)
	if n.refine != nil {
		n.refine.meet(n.ob)
		return n.ob.b.Err()
	}
	return n.match(r, content, share)
}

// match finds the targets of the scale.
func (n *neighbours) match(r *run, content *Picture, share float64) error {
	ob, b := n.ob, n.ob.b
	n.joining = r.o.newJoining(ob.t)
	n.h, n.target = b.NewArray(n.joining.shape), b.NewArray(n.joining.shape)
	var paintings []*gpu.Array
	defer func() { b.Free(paintings...) }()
	for _, p := range r.neighbourViews(max(ob.x.Shape.W, ob.x.Shape.H)) {
		f, err := r.joinedFeatures(p)
		paintings = append(paintings, f)
		if err != nil {
			return err
		}
	}
	// What is matched: share of the photograph, the rest the canvas.
	photo := b.NewArray(ob.x.Shape)
	r.px.upload(b, photo, content)
	b.Copy(ob.g, n.start)
	b.Axpy(ob.g, -share, n.start)
	b.Axpy(ob.g, share, photo)
	b.Free(photo)
	ob.t.forward(0, 0, ob.g, false, func(_ *stage, _ int, tap string, f *gpu.Array, _ gpu.Rect) { n.joining.put(n.h, tap, f) })
	mean := centre(b, paintings...)
	b.Free(centre(b, n.h))
	nearestOf(b, n.target, n.h, paintings, mean)
	b.Free(mean)
	n.slot = ob.newSlot("style", "joined")
	n.coef = ob.o.StyleWeight * ob.unit / float64(n.joining.shape.Pixels())
	return b.Err()
}

// evaluate writes the loss of the image that the bands make, and its gradient by
// the bands.
func (n *neighbours) evaluate() {
	ob := n.ob
	n.bands.compose(ob.x, n.bands.zs)
	if n.refine != nil {
		n.refine.evaluate(ob)
	} else {
		ob.t.forward(0, 0, ob.x, false, func(_ *stage, _ int, tap string, f *gpu.Array, _ gpu.Rect) { n.joining.put(n.h, tap, f) })
		ob.b.CosineLoss(n.h, n.h, n.target, n.coef, n.slot)
		ob.t.backward(0, 0, ob.g, func(_ *stage, _ int, tap string, _ *gpu.Array, grad *vgg.Gradient, _ gpu.Rect) {
			n.joining.back(grad.Array(), tap, n.h)
		})
	}
	ob.smoothAndHold()
	n.bands.gradient(ob.g)
}

// free gives back all but the image, which is the run's.
func (n *neighbours) free() {
	if n.refine != nil {
		n.refine.free()
	}
	if n.ob == nil {
		return
	}
	b := n.ob.b
	n.bands.free()
	b.Free(n.h, n.target, n.start)
	if n.joining != nil {
		n.joining.free()
	}
	n.ob.free()
	n.ob.t.free()
}

// variables are what the optimiser moves, and their gradient.
func (ob *objective) variables() (x, g *gpu.Array) {
	if ob.neighbours != nil {
		return ob.neighbours.bands.z, ob.neighbours.bands.d
	}
	return ob.canvas(), ob.slope()
}

// kept are the arrays that a checkpoint keeps: the variables, and what the
// targets are found from.
func (ob *objective) kept() []*gpu.Array {
	if n := ob.neighbours; n != nil {
		if n.start != nil {
			return []*gpu.Array{n.bands.z, n.start}
		}
		return []*gpu.Array{n.bands.z}
	}
	return []*gpu.Array{ob.canvas()}
}

// number tells which iteration of the scale comes, from 1.
func (ob *objective) number(it int) {
	if ob.differs() {
		ob.neighbours.refine.iteration = it
	}
}

// differs reports whether iterations differ in more than what they find.
func (ob *objective) differs() bool { return ob.neighbours != nil && ob.neighbours.refine != nil }
