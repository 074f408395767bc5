package style

import (
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// A tileable image has no borders: its last column is the left neighbour of its first
// one. The network's input is the image with a margin of its own pixels around it,
// which keeps zero padding away. Statistics include the features of the image alone. So
// no loss depends on where an edge is, and a texture does not learn a painting's frame.

// torus is a tileable image. The objective's own x and g are the network's input, with
// the margin, and its gradient.
type torus struct {
	x, g   *gpu.Array // (H, W, 3)
	margin int        // pixels; whole units of every layer in use

	piece *gpu.Array // memory of a part that is moved

	// These are for the smoothness term, with their gradients: the image with its first
	// row and column repeated at its end, and the last row and column of that.
	edged, row, column    *gpu.Array
	edgedG, rowG, columnG *gpu.Array
}

// margin returns the width of a tileable image's margin in pixels: half the reach of
// its deepest layer in use, in whole units of that layer. The outer half hardly
// matters, since few paths through the network lead to it.
func (o Options) margin(n *vgg.Network) int {
	if !o.Tileable {
		return 0
	}
	margin := 0
	for _, tap := range o.taps() {
		if reach, stride, err := n.Reach(tap); err == nil {
			margin = max(margin, roundUp((reach+1)/2, stride))
		}
	}
	return margin
}

// seen returns the size of the network's input for an image w x h.
func (o Options) seen(n *vgg.Network, w, h int) (int, int) {
	m := o.margin(n)
	return w + 2*m, h + 2*m
}

// newTorus makes x a tileable image. The objective's own arrays become the network's
// input and its gradient.
func (ob *objective) newTorus() {
	b, s := ob.b, ob.x.Shape
	t := &torus{x: ob.x, g: ob.g, margin: (ob.t.shape.H - s.H) / 2}
	t.piece = b.NewArray(gpu.Shape{H: 1, W: 1, C: s.Len()})
	if ob.o.TVWeight > 0 {
		image := func(h, w int) (x, g *gpu.Array) {
			return b.NewArray(gpu.Shape{H: h, W: w, C: 3}), b.NewArray(gpu.Shape{H: h, W: w, C: 3})
		}
		t.edged, t.edgedG = image(s.H+1, s.W+1)
		t.row, t.rowG = image(1, s.W+1)
		t.column, t.columnG = image(s.H+1, 1)
	}
	ob.torus, ob.x, ob.g = t, b.NewArray(ob.t.shape), b.NewArray(ob.t.shape)
}

func (t *torus) free(b gpu.Backend) {
	b.Free(t.g, t.piece, t.edged, t.row, t.column, t.edgedG, t.rowG, t.columnG)
}

// canvas returns the painted image; slope returns its gradient.
func (ob *objective) canvas() *gpu.Array {
	if ob.torus != nil {
		return ob.torus.x
	}
	return ob.x
}

func (ob *objective) slope() *gpu.Array {
	if ob.torus != nil {
		return ob.torus.g
	}
	return ob.g
}

// stretch is a run of n rows or columns: its first place in the image, and in the
// network's input.
type stretch struct{ from, at, n int }

// stretches lists the stretches of an image of n rows whose network input begins at row
// first and has total rows.
func stretches(n, first, total int) []stretch {
	var list []stretch
	for at := 0; at < total; {
		from := ((first+at)%n + n) % n
		s := stretch{from, at, min(n-from, total-at)}
		list = append(list, s)
		at += s.n
	}
	return list
}

// eachPiece visits the parts of the network's input, (h, w), which has this margin on
// its upper and left side.
func (t *torus) eachPiece(b gpu.Backend, margin, h, w int, visit func(part *gpu.Array, y, x stretch)) {
	for _, y := range stretches(t.x.Shape.H, -margin, h) {
		for _, x := range stretches(t.x.Shape.W, -margin, w) {
			visit(b.View(t.piece, 0, gpu.Shape{H: y.n, W: x.n, C: 3}), y, x)
		}
	}
}

// unroll fills dst with the network's input.
func (t *torus) unroll(b gpu.Backend, dst *gpu.Array, margin int) {
	b.Fill(dst, 0)
	t.eachPiece(b, margin, dst.Shape.H, dst.Shape.W, func(part *gpu.Array, y, x stretch) {
		b.CopyWindow(part, t.x, y.from, x.from)
		b.AddWindow(dst, part, y.at, x.at)
	})
}

// fold adds a gradient with respect to the network's input to the image's gradient.
func (t *torus) fold(b gpu.Backend, g *gpu.Array, margin int) {
	t.eachPiece(b, margin, g.Shape.H, g.Shape.W, func(part *gpu.Array, y, x stretch) {
		b.CopyWindow(part, g, y.at, x.at)
		b.AddWindow(t.g, part, y.from, x.from)
	})
}

// smoothness computes the total variation, across the edges too. It is that of the
// image with its first row and column repeated at its end, less that of the repeated
// row and column alone.
func (ob *objective) smoothness(t *torus) {
	b, h, w := ob.b, t.x.Shape.H, t.x.Shape.W
	t.unroll(b, t.edged, 0)
	b.Fill(t.edgedG, 0)
	b.TV(t.edgedG, t.edged, nil, ob.tv, ob.tvCoef, ob.tvSlot)
	if ob.tv != gpu.TVInner { // which leaves the last row and column out itself
		less := func(line, g *gpu.Array, y, x int) {
			b.CopyWindow(line, t.edged, y, x)
			b.Fill(g, 0)
			b.TV(g, line, nil, ob.tv, -ob.tvCoef, spareSlot)
			b.MoveLoss(ob.tvSlot, spareSlot)
			b.AddWindow(t.edgedG, g, y, x)
		}
		less(t.row, t.rowG, h, 0)
		less(t.column, t.columnG, 0, w)
	}
	t.fold(b, t.edgedG, 0)
}

// inside returns the rectangle of the features of a layer that are the image's own.
func (ob *objective) inside(tap string) gpu.Rect {
	if ob.torus == nil {
		return ob.t.whole[tap].Whole()
	}
	n, s := ob.t.pixels[tap], ob.torus.x.Shape
	return gpu.Rect{Y: ob.torus.margin / n, X: ob.torus.margin / n, H: s.H / n, W: s.W / n}
}

// insideOf returns the same within part r of the features of a window that begins at
// row y and column x of the layer.
func (ob *objective) insideOf(tap string, r gpu.Rect, y, x int) gpu.Rect {
	if ob.torus == nil {
		return r
	}
	in := ob.inside(tap)
	y0, x0 := max(r.Y, in.Y-y), max(r.X, in.X-x)
	return gpu.Rect{Y: y0, X: x0, H: min(r.Y+r.H, in.Y+in.H-y) - y0, W: min(r.X+r.W, in.X+in.W-x) - x0}
}

// addStyleGradient adds to grad the gradient of a style term with respect to the
// features of a window that begins at row y and column x of the layer.
func (ob *objective) addStyleGradient(grad *vgg.Gradient, layer string, g gpu.StyleTerm, y, x int) {
	if ob.torus == nil {
		grad.AddStyle(g)
		return
	}
	ob.styleGradInside(grad.Array(), layer, g, y, x)
}

// styleGradInside does what StyleGrad does, for the features that are the image's own.
func (ob *objective) styleGradInside(dx *gpu.Array, layer string, g gpu.StyleTerm, y, x int) {
	if ob.torus == nil {
		ob.b.StyleGrad(dx, g.F, g.D, g.Shift)
		return
	}
	c := g.F.Shape.C
	ob.t.eachStrip(ob.insideOf(layer, g.F.Shape.Whole(), y, x), c, func(r gpu.Rect) {
		f, part := ob.t.part(0, r, c), ob.t.part(1, r, c)
		ob.b.CopyWindow(f, g.F, r.Y, r.X)
		ob.b.Fill(part, 0)
		ob.b.StyleGrad(part, f, g.D, g.Shift)
		ob.b.AddWindow(dx, part, r.Y, r.X)
	})
}

// crowding returns the style layers. Those with few features for their channels have a
// lower weight, since statistics of few features describe the composition of the whole
// picture instead of its texture. w and h are the size of the canvas.
func (r *run) crowding(w, h int) []LayerWeight {
	layers := append([]LayerWeight{}, r.o.StyleLayers...)
	if r.o.LayerPositions == 0 {
		return layers
	}
	for i, l := range layers {
		_, pixels, err := r.env.Network.Reach(l.Layer)
		depth, err2 := r.env.Network.Depth(l.Layer)
		if err != nil || err2 != nil {
			continue // the plan has refused it
		}
		paintings := 0
		for _, s := range r.styles {
			a, b := r.o.styleSize(s, r.o.side(w, h))
			paintings += (a / pixels) * (b / pixels)
		}
		positions := min(paintings, (w/pixels)*(h/pixels))
		layers[i].Weight *= min(1, float64(positions)/(r.o.LayerPositions*float64(r.env.Network.Layers[depth-1].Out)))
	}
	return layers
}
