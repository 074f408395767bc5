package style

import (
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// This file computes the losses of an image; see tile_pass.go for one that is cut.

// target holds the photograph's features at a layer. If they are too large to keep, f
// is nil and room holds the features of one window, which are computed again for each
// tile. The result is the same to the last bit.
type target struct {
	f     *gpu.Array // (h, w, C); nil if they are not kept
	power float64    // sum of squares
	room  *gpu.Array
}

func (t *target) free(b gpu.Backend) { b.Free(t.f, t.room) }

// contentTargets computes the features of image x at the layers whose weight is not 0.
func (t *tiling) contentTargets(x *gpu.Array, layers []LayerWeight, keep bool) map[string]*target {
	targets := map[string]*target{}
	for _, l := range layers {
		if l.Weight == 0 {
			continue
		}
		target := &target{}
		if keep {
			target.f = t.b.NewArray(t.whole[l.Layer])
		} else {
			target.room = t.b.NewArray(gpu.Shape{H: 1, W: 1, C: t.largestWindow(l.Layer)})
		}
		targets[l.Layer] = target
	}
	t.sweep(x, func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
		target := targets[tap]
		switch {
		case target == nil || own.H <= 0 || own.W <= 0:
		case keep:
			t.put(target.f, s, i, tap, f, own)
		default:
			t.eachStrip(own, f.Shape.C, func(r gpu.Rect) {
				part := t.part(0, r, f.Shape.C)
				t.b.CopyWindow(part, f, r.Y, r.X)
				target.power += t.b.Dot(part, part)
			})
		}
	})
	for _, target := range targets {
		if keep {
			target.power = t.b.Dot(target.f, target.f)
		}
	}
	return targets
}

// largestWindow returns the length of the features of a tap in the largest window.
func (t *tiling) largestWindow(tap string) int {
	most := 0
	for i := range t.stages {
		s := &t.stages[i]
		if n := s.unit[tap]; n > 0 {
			for _, tile := range s.tiles {
				most = max(most, (tile.window.H+n-1)/n*((tile.window.W+n-1)/n)) // rounded up, because pooling may round up
			}
		}
	}
	return most * t.whole[tap].C
}

// photoFeatures computes the photograph's features in the window of tile i of stage k.
// It is called where they were not kept.
func (ob *objective) photoFeatures(k, i int) {
	ob.t.forward(k, i, ob.photo, false, func(_ *stage, _ int, tap string, f *gpu.Array, _ gpu.Rect) {
		for _, t := range ob.content {
			if t.layer == tap {
				ob.b.Copy(ob.b.View(t.target.room, 0, f.Shape), f)
			}
		}
	})
}

// evaluateTiles does what evaluate does for an image that is cut, except for the
// smoothness term.
func (ob *objective) evaluateTiles() {
	if len(ob.others) > 0 {
		ob.evaluateTeam()
		return
	}
	for i := range ob.style {
		ob.b.ClearSums(ob.style[i].sums)
	}
	for k := range ob.t.stages {
		ob.beginAhead(k)
		for i := range ob.t.stages[k].tiles {
			ob.t.forward(k, i, ob.x, true, ob.gatherTile)
		}
	}
	ob.lossGradients()
	for k := len(ob.t.stages) - 1; k >= 0; k-- {
		ob.beginBack(k)
		for i := range ob.t.stages[k].tiles {
			ob.backTile(k, i)
		}
	}
}

// beginAhead clears the arrays and sums that the tiles of stage k add to in pass 1.
func (ob *objective) beginAhead(k int) {
	ob.t.beginAhead(k)
	if k > 0 {
		return
	}
	ob.notes = map[sumsKey][]float64{}
	for _, w := range ob.wholes {
		ob.b.Fill(w.f, 0)
	}
	for i := range ob.sliced {
		ob.b.Fill(ob.sliced[i].rows, 0)
	}
	for _, terms := range [][]contentTerm{ob.content, ob.analogies} {
		for i := range terms {
			terms[i].begun = false
		}
	}
}

// gatherTile adds a tile's own features to the sums over the image. It also keeps the
// features if a loss needs those of the whole image.
func (ob *objective) gatherTile(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
	ob.keepFeatures(s, i, tap, f, own)
	for j := range ob.style {
		if t := &ob.style[j]; t.layer == tap && ob.tileSums(t, s, i, f, own) {
			ob.b.JoinSums(t.sums, t.part)
		}
	}
}

// tileSums computes the sums of a term over a tile's own features. It reports whether
// the tile has any.
func (ob *objective) tileSums(t *styleTerm, s *stage, i int, f *gpu.Array, own gpu.Rect) bool {
	n, ahead := s.unit[t.layer], s.tiles[i].ahead
	own = ob.insideOf(t.layer, own, ahead.Y/n, ahead.X/n)
	if own.H <= 0 || own.W <= 0 {
		return false
	}
	ob.b.ClearSums(t.part)
	ob.b.AddSums(t.part, f, own, cell(ob.t.pixels[t.layer]))
	return true
}

func (ob *objective) keepFeatures(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
	for _, w := range ob.wholes {
		if w.layer == tap {
			ob.t.put(w.f, s, i, tap, f, own)
		}
	}
	for j := range ob.sliced {
		if t := &ob.sliced[j]; t.layer == tap {
			ob.t.gather(t.rows, t.places, s, i, tap, f, own)
		}
	}
}

// lossGradients computes the losses over the whole image, and their gradients.
func (ob *objective) lossGradients() {
	for i := range ob.style {
		ob.styleGradient(&ob.style[i])
	}
	ob.slicedGradients()
	ob.selfSimGradients()
	ob.patchGradients()
}

// beginBack clears the gradient that the tiles of stage k add to in pass 2.
func (ob *objective) beginBack(k int) {
	g := ob.g
	if k > 0 {
		g = ob.t.stages[k].g
	}
	ob.b.Fill(g, 0)
}

// backTile propagates the gradient back through a tile.
func (ob *objective) backTile(k, i int) {
	photo := ob.photo != nil && k == 0
	if photo {
		ob.photoFeatures(k, i)
	}
	if photo || k+1 < len(ob.t.stages) || ob.t.stages[k].cut() { // otherwise the last forward pass was this one
		ob.t.forward(k, i, ob.x, false, nil)
	}
	ob.t.backward(k, i, ob.g, ob.atTile)
}

// styleGradient computes the losses and their gradient from the sums over the whole
// image. The gradient is left in t.gram, or in t.d and t.shift.
func (ob *objective) styleGradient(t *styleTerm) {
	in := ob.inside(t.layer)
	pixels := in.H * in.W
	ob.b.Moments(t.gram, t.mean, t.sums, t.norm, pixels)
	if len(t.gaussians) == 0 {
		ob.b.GramLoss(t.gram, t.gram, t.grams, t.norm, t.slot)
		return
	}
	ob.b.Fill(t.d, 0)
	ob.b.Fill(t.shift, 0)
	for _, g := range t.gaussians {
		g.loss(t.one, t.oneShift, t.mean, t.gram, pixels)
		ob.b.Axpy(t.d, 1, t.one)
		ob.b.Axpy(t.shift, 1, t.oneShift)
	}
}

// at returns the gradient that styleGradient computed, at features f.
func (t *styleTerm) at(f *gpu.Array) gpu.StyleTerm {
	if len(t.gaussians) == 0 {
		return gpu.StyleTerm{F: f, D: t.gram}
	}
	return gpu.StyleTerm{F: f, D: t.d, Shift: t.shift}
}

// atTile adds to grad the gradient of the losses on the features of a tile's window.
// The values of the losses count only the tile's own part.
func (ob *objective) atTile(s *stage, i int, tap string, f *gpu.Array, grad *vgg.Gradient, own gpu.Rect) {
	for j := range ob.content {
		if t := &ob.content[j]; t.layer == tap {
			ob.contentAt(t, s, &s.tiles[i], f, grad, own)
		}
	}
	for j := range ob.style {
		if t := &ob.style[j]; t.layer == tap {
			n, window := s.unit[tap], s.tiles[i].window
			ob.addStyleGradient(grad, tap, t.at(f), window.Y/n, window.X/n)
		}
	}
	ob.slicedAtTile(s, s.tiles[i].window.Rect, tap, grad)
	ob.wholesAt(s, s.tiles[i].window.Rect, tap, f, grad)
	for j := range ob.analogies {
		if t := &ob.analogies[j]; t.layer == tap {
			ob.contentAt(t, s, &s.tiles[i], f, grad, own)
		}
	}
}

// contentAt adds the content loss of a tile and its gradient, strip by strip.
func (ob *objective) contentAt(t *contentTerm, s *stage, tile *tile, f *gpu.Array, grad *vgg.Gradient, own gpu.Rect) {
	n, c := s.unit[t.layer], f.Shape.C
	y, x := tile.window.Y/n, tile.window.X/n // position of the window in the layer
	look := func(r gpu.Rect) (part, want *gpu.Array) {
		part, want = ob.t.part(0, r, c), ob.t.part(2, r, c)
		ob.b.CopyWindow(part, f, r.Y, r.X)
		if t.target.f == nil {
			ob.b.CopyWindow(want, ob.b.View(t.target.room, 0, f.Shape), r.Y, r.X)
		} else {
			ob.b.CopyWindow(want, t.target.f, y+r.Y, x+r.X)
		}
		return part, want
	}
	ob.t.eachStrip(f.Shape.Whole(), c, func(r gpu.Rect) {
		part, want := look(r)
		dx := ob.t.part(1, r, c)
		ob.b.Fill(dx, 0)
		ob.b.ContentLoss(dx, part, want, t.coef, spareSlot)
		ob.b.AddWindow(grad.Array(), dx, r.Y, r.X)
	})
	ob.t.eachStrip(own, c, func(r gpu.Rect) {
		part, want := look(r)
		if !t.begun {
			t.begun = true
			ob.b.ContentLoss(nil, part, want, t.coef, t.slot)
			return
		}
		ob.b.ContentLoss(nil, part, want, t.coef, spareSlot)
		ob.b.MoveLoss(t.slot, spareSlot)
	})
}

// spareSlot is the slot for a part of a loss. It is the last slot; terms use those
// before it. The optimiser's total includes it, so it must be zero after an evaluation.
const spareSlot = gpu.Slots - 1

// clearSpare sets the spare slot to zero, by the loss of a value against itself.
func (ob *objective) clearSpare() {
	v := ob.b.View(ob.t.strips[0], 0, gpu.Shape{H: 1, W: 1, C: 1})
	ob.b.Fill(v, 0)
	ob.b.ContentLoss(nil, v, v, 0, spareSlot)
}
