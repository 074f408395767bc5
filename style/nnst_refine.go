package style

import (
	"math/rand/v2"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// refining is the loss of the last iterations. Each iteration finds new neighbours,
// layer by layer. It compares positions of the canvas on a grid, which is shifted in
// each iteration, with positions of the paintings on grids of their own.
type refining struct {
	b         gpu.Backend
	seed      uint64
	iteration int // from 1, of the scale
	layers    []*refinedLayer
}

type refinedLayer struct {
	name      string
	index     int
	weight    float64
	paintings []*gpu.Array // (h, w, C) of each view, centred
	mean      *gpu.Array   // (1, C, 1), of these
	banks     []*gpu.Bank
	from      []gpu.PatchSource

	step           int // between positions of the canvas
	few            *gpu.Array
	centred, found *gpu.Array
	own            *gpu.Array // (1, C, 1), mean of few
	matches        *gpu.Matches
	coef           float64
	slot           int
}

// These are the most positions along the longer side of a layer: of the canvas in each
// iteration, and of a painting.
const (
	refinedCanvas   = 32
	refinedPainting = 64
)

// gridStep returns the step between positions with which at most that many lie along
// the longer side of f, and the number of rows and columns.
func gridStep(f gpu.Shape, most int) (step, h, w int) {
	step = max(1, (max(f.H, f.W)+most-1)/most)
	return step, max(1, f.H/step), max(1, f.W/step)
}

// newRefining computes the features of the paintings for a canvas of that long side.
func (r *run) newRefining(canvas int) (*refining, error) {
	b := r.env.Backend
	n := &refining{b: b, seed: r.o.Seed}
	byName := map[string]*refinedLayer{}
	for _, l := range r.o.StyleLayers {
		if l.Weight > 0 {
			layer := &refinedLayer{name: l.Layer, index: len(n.layers), weight: l.Weight / weightSum(r.o.StyleLayers)}
			n.layers = append(n.layers, layer)
			byName[l.Layer] = layer
		}
	}
	for i, p := range r.neighbourViews(canvas) {
		err := r.withFeatures(p, Cut{}, func(t *tiling, x *gpu.Array) {
			t.sweep(x, func(_ *stage, _ int, tap string, f *gpu.Array, _ gpu.Rect) {
				l := byName[tap]
				if l == nil {
					return
				}
				step, h, w := gridStep(f.Shape, refinedPainting)
				few := b.NewArray(gpu.Shape{H: h, W: w, C: f.Shape.C})
				b.Sample(few, f, n.grid(f.Shape, gpu.Shape{H: h, W: w}, step, 0, l.index+i*len(n.layers)))
				l.paintings = append(l.paintings, few)
			})
		})
		if err != nil {
			return n, err
		}
	}
	for _, l := range n.layers {
		l.mean = centre(b, l.paintings...)
		first := 0
		for _, s := range l.paintings {
			l.banks = append(l.banks, b.NewBank(s, gpu.BankOptions{Size: 1}))
			l.from = append(l.from, gpu.PatchSource{F: s, First: first})
			first += s.Shape.Pixels()
		}
	}
	return n, b.Err()
}

// grid returns the positions of an iteration. They depend only on the seed, the
// iteration and the layer.
func (n *refining) grid(f, few gpu.Shape, step, iteration, layer int) gpu.Grid {
	rng := rand.New(rand.NewPCG(n.seed, uint64(iteration)<<32|uint64(layer)))
	return gpu.Grid{Y: rng.IntN(f.H - (few.H-1)*step), X: rng.IntN(f.W - (few.W-1)*step), Step: step}
}

// meet allocates the arrays for the canvas's positions.
func (n *refining) meet(ob *objective) {
	for _, l := range n.layers {
		f := ob.t.whole[l.name]
		step, h, w := gridStep(f, refinedCanvas)
		s := gpu.Shape{H: h, W: w, C: f.C}
		l.step = step
		l.few, l.centred, l.found = n.b.NewArray(s), n.b.NewArray(s), n.b.NewArray(s)
		l.own, l.matches = n.b.NewArray(gpu.Vector(f.C)), n.b.NewMatches(gpu.Shape{H: h, W: w, C: 1})
		l.slot = ob.newSlot("style", l.name)
		l.coef = ob.o.StyleWeight * l.weight * ob.unit / float64(s.Pixels())
	}
}

// evaluate writes the losses of image ob.x to their slots and their gradient to
// ob.g.
func (n *refining) evaluate(ob *objective) {
	ob.t.forward(0, 0, ob.x, false, nil)
	ob.t.backward(0, 0, ob.g, func(_ *stage, _ int, tap string, f *gpu.Array, grad *vgg.Gradient, _ gpu.Rect) {
		for _, l := range n.layers {
			if l.name == tap {
				n.atLayer(l, f, grad.Array())
			}
		}
	})
}

func (n *refining) atLayer(l *refinedLayer, f, grad *gpu.Array) {
	b := n.b
	g := n.grid(f.Shape, l.few.Shape, l.step, n.iteration, l.index)
	b.Sample(l.few, f, g)
	b.Mean(l.own, l.few)
	b.Copy(l.centred, l.few)
	b.AddChannels(l.centred, -1, l.own)
	for i, bank := range l.banks {
		b.Match(l.matches, l.centred, bank, gpu.MatchOptions{First: l.from[i].First, Add: i > 0})
	}
	b.Vote(l.found, l.matches, l.from, gpu.PatchOptions{Size: 1})
	b.AddChannels(l.found, 1, l.mean)
	b.CosineLoss(l.few, l.few, l.found, l.coef, l.slot)
	b.AddSample(grad, l.few, g)
}

func (n *refining) free() {
	for _, l := range n.layers {
		n.b.Free(l.paintings...)
		n.b.Free(l.mean, l.few, l.centred, l.found, l.own)
		n.b.FreeBanks(l.banks...)
		n.b.FreeMatches(l.matches)
	}
}
