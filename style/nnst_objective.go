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

	// These are set if neighbours are held for the scale.
	joining *joining
	h       *gpu.Array // (h, w, C): the canvas's features, then their gradient
	target  *gpu.Array // (h, w, C)
	start   *gpu.Array // (H, W, 3): the canvas that was matched
	coef    float64
	slot    int

	refine *refining // set if neighbours are found again in each iteration
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

// newNeighbours allocates a scale. The caller must free the result, also after an
// error.
func (r *run) newNeighbours(s Scale) (n *neighbours, err error) {
	b := r.env.Backend
	n = &neighbours{}
	if s.refine {
		// This comes before the pass is made, so that the pass can use the paintings'
		// memory.
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

// begin sets the image that the scale starts from.
func (n *neighbours) begin() {
	n.bands.split(n.ob.x)
	if n.start != nil {
		n.ob.b.Copy(n.start, n.ob.x)
	}
}

// meet prepares the targets that the canvas is compared with.
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
	// The matched image is share of the photograph plus (1 - share) of the canvas.
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

// evaluate computes the loss of the image that the bands make, and its gradient with
// respect to the bands.
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

// free frees everything except the image, which the run owns.
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

// variables returns the array that the optimiser changes, and its gradient.
func (ob *objective) variables() (x, g *gpu.Array) {
	if ob.neighbours != nil {
		return ob.neighbours.bands.z, ob.neighbours.bands.d
	}
	return ob.canvas(), ob.slope()
}

// kept returns the arrays that a checkpoint keeps: the variables, and the image from
// which the targets are found.
func (ob *objective) kept() []*gpu.Array {
	if n := ob.neighbours; n != nil {
		if n.start != nil {
			return []*gpu.Array{n.bands.z, n.start}
		}
		return []*gpu.Array{n.bands.z}
	}
	return []*gpu.Array{ob.canvas()}
}

// number sets the number of the next iteration of the scale, from 1.
func (ob *objective) number(it int) {
	if ob.differs() {
		ob.neighbours.refine.iteration = it
	}
}

// differs reports whether iterations depend on their number, and not only on the image.
func (ob *objective) differs() bool { return ob.neighbours != nil && ob.neighbours.refine != nil }
