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

// contentTargets computes the features of image x at the layers that weigh
// anything, each tile's own part.
func (t *tiling) contentTargets(x *gpu.Array, layers []LayerWeight) map[string][]*gpu.Array {
	targets := map[string][]*gpu.Array{}
	for i := range t.tiles {
		t.forward(i, x, func(tap string, f *gpu.Array, own rect) {
			for _, l := range layers {
				if l.Layer != tap || l.Weight == 0 {
					continue
				}
				var target *gpu.Array // none where pooling dropped the last few rows
				if own.h > 0 && own.w > 0 {
					target = t.b.NewArray(gpu.Shape{H: own.h, W: own.w, C: f.Shape.C})
					t.b.CopyWindow(target, f, own.y, own.x)
				}
				targets[tap] = append(targets[tap], target)
			}
		})
	}
	return targets
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
		if i < last {
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
				ob.b.CopyWindow(target, t.target[i], r.y-own.y, r.x-own.x)
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
