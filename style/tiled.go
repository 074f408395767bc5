package style

import "github.com/impasto/impasto/gpu"

// The losses of an image that is cut into tiles; see tiles.go.

// styleParts is what a style term needs to add up over tiles.
type styleParts struct {
	second, mean *gpu.Array // moments of one strip, then a gradient of one painting's
	shift        *gpu.Array
	d            *gpu.Array // the sum of the paintings' gradients, W2 only; else the Gram matrix's own
}

func newStyleParts(b gpu.Backend, c int, w2 bool) *styleParts {
	p := &styleParts{second: b.NewArray(gpu.Matrix(c))}
	if w2 {
		p.mean, p.shift, p.d = b.NewArray(gpu.Vector(c)), b.NewArray(gpu.Vector(c)), b.NewArray(gpu.Matrix(c))
	}
	return p
}

func (p *styleParts) free(b gpu.Backend) {
	if p != nil {
		b.Free(p.second, p.mean, p.shift, p.d)
	}
}

// gather adds the moments of a tile's own features to m: norm times the
// products, and the mean over all the image's units at this layer.
func (t *tiling) gather(m moments, p *styleParts, f *gpu.Array, own rect, norm float64, units int) {
	c := f.Shape.C
	t.eachStrip(own, c, func(r rect) {
		part := t.part(0, r, c)
		t.b.CopyWindow(part, f, r.y, r.x)
		t.b.Gram(p.second, part, norm)
		t.b.Axpy(m.second, 1, p.second)
		if m.mean != nil {
			t.b.Mean(p.mean, part)
			t.b.Axpy(m.mean, float64(r.h*r.w)/float64(units), p.mean)
		}
	})
}

// target is the photograph's features at a layer, each tile's own part. Where
// all are too much to keep, the parts share one memory and each is computed
// anew when its tile's turn comes, to the same bytes.
type target struct {
	parts []*gpu.Array // nil where pooling dropped a tile's last few rows
	power float64      // sum of squares over all parts
	room  *gpu.Array   // what the parts share; nil: each has its own memory
}

func (t *target) free(b gpu.Backend) {
	if t.room == nil {
		b.Free(t.parts...)
	}
	b.Free(t.room)
}

// contentTargets computes the features of image x at the layers that weigh
// anything.
func (t *tiling) contentTargets(x *gpu.Array, layers []LayerWeight, keep bool) map[string]*target {
	targets := map[string]*target{}
	for _, l := range layers {
		if l.Weight > 0 {
			targets[l.Layer] = &target{}
			if !keep {
				targets[l.Layer].room = t.b.NewArray(gpu.Shape{H: 1, W: 1, C: t.largestPart(l.Layer)})
			}
		}
	}
	for i := range t.tiles {
		t.forward(i, x, func(tap string, f *gpu.Array, own rect) {
			target := targets[tap]
			if target == nil {
				return
			}
			var part *gpu.Array
			if s := (gpu.Shape{H: own.h, W: own.w, C: f.Shape.C}); own.h > 0 && own.w > 0 {
				if keep {
					part = t.b.NewArray(s)
				} else {
					part = t.b.View(target.room, 0, s)
				}
				t.b.CopyWindow(part, f, own.y, own.x)
				target.power += t.b.Dot(part, part)
			}
			target.parts = append(target.parts, part)
		})
	}
	return targets
}

// largestPart is the length of the largest own part of a tap's features.
func (t *tiling) largestPart(tap string) int {
	s, most := t.stride[tap], 0
	for _, tile := range t.tiles {
		most = max(most, (tile.own.h+s-1)/s*((tile.own.w+s-1)/s)) // rounded up, as pooling may
	}
	return most * t.whole[tap].C
}

// lookAgain computes the photograph's features of tile i anew.
func (ob *objective) lookAgain(i int) {
	ob.t.forward(i, ob.photo, func(tap string, f *gpu.Array, own rect) {
		for _, t := range ob.content {
			if t.layer == tap && t.target.parts[i] != nil {
				ob.b.CopyWindow(t.target.parts[i], f, own.y, own.x)
			}
		}
	})
}

// evaluateTiles is evaluate, without the smoothness term, for an image that is
// cut.
func (ob *objective) evaluateTiles() {
	for i := range ob.style {
		t := &ob.style[i]
		ob.b.Fill(t.gram, 0)
		if t.mean != nil {
			ob.b.Fill(t.mean, 0)
		}
	}
	for i := range ob.t.tiles {
		ob.t.forward(i, ob.x, func(tap string, f *gpu.Array, own rect) {
			for j := range ob.style {
				if t := &ob.style[j]; t.layer == tap {
					ob.t.gather(moments{t.gram, t.mean}, t.parts, f, own, t.norm, ob.t.whole[tap].Pixels())
				}
			}
		})
	}
	for i := range ob.style {
		ob.styleGradient(&ob.style[i])
	}
	ob.b.Fill(ob.g, 0)
	last := len(ob.t.tiles) - 1
	for i := last; i >= 0; i-- {
		if ob.photo != nil {
			ob.lookAgain(i)
		}
		if i < last || ob.photo != nil {
			ob.t.forward(i, ob.x, nil)
		}
		ob.t.backward(i, ob.g, func(tap string, f, grad *gpu.Array, own rect) { ob.atTile(i, i == last, tap, f, grad, own) })
	}
}

// styleGradient turns the moments of the whole image into the losses and their
// gradient, in t.gram or t.parts.d and t.parts.shift.
func (ob *objective) styleGradient(t *styleTerm) {
	if len(t.w2) == 0 {
		ob.b.GramLoss(t.gram, t.gram, t.grams, t.norm, t.slot)
		return
	}
	ob.b.Fill(t.parts.d, 0)
	ob.b.Fill(t.parts.shift, 0)
	for _, w := range t.w2 {
		ob.b.W2Loss(w.d, t.shift, t.mean, t.gram, w.target, ob.t.whole[t.layer].Pixels(), w.coef, w.slot)
		ob.b.Axpy(t.parts.d, 1, w.d)
		ob.b.Axpy(t.parts.shift, 1, t.shift)
	}
}

// atTile adds to grad the gradient of the losses on a tile's own features. The
// content loss of the first tile goes to its slot, those of the others are
// added to it.
func (ob *objective) atTile(i int, first bool, tap string, f, grad *gpu.Array, own rect) {
	c := f.Shape.C
	ob.t.eachStrip(own, c, func(r rect) {
		part, dx := ob.t.part(0, r, c), ob.t.part(1, r, c)
		ob.b.CopyWindow(part, f, r.y, r.x)
		ob.b.Fill(dx, 0)
		for j := range ob.content {
			if t := &ob.content[j]; t.layer == tap {
				target := ob.t.part(2, r, c)
				ob.b.CopyWindow(target, t.target.parts[i], r.y-own.y, r.x-own.x)
				if first && r.y == own.y {
					ob.b.ContentLoss(dx, part, target, t.coef, t.slot)
					continue
				}
				ob.b.ContentLoss(dx, part, target, t.coef, ob.spare())
				ob.b.MoveLoss(t.slot, ob.spare())
			}
		}
		for j := range ob.style {
			t := &ob.style[j]
			switch {
			case t.layer != tap:
			case len(t.w2) == 0:
				ob.b.StyleGrad(dx, part, t.gram, nil)
			default:
				ob.b.StyleGrad(dx, part, t.parts.d, t.parts.shift)
			}
		}
		ob.b.AddWindow(grad, dx, r.y, r.x)
	})
}

// spare is the slot for a part of a loss.
func (ob *objective) spare() int { return gpu.Slots - 1 }
