package style

import (
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// contentBalance is the factor of the content loss with which content weight 1 and
// style weight 1 look balanced: faces remain faces, and the painting is recognised at
// once. With 0.05 portraits dissolve into the painting, with 0.5 the photograph shows
// through. The factor is needed because relative content errors are larger than
// relative style errors.
const contentBalance = 0.2

// objective is what is minimised at one scale, on a backend: the losses of image x and
// their gradient g.
type objective struct {
	b    gpu.Backend
	o    Options
	t    *tiling
	x, g *gpu.Array // (H, W, 3)

	torus       *torus        // the tileable image, of which x is what the network sees; nil: the image is not tileable
	styleLayers []LayerWeight // with their weights at this scale

	photo *gpu.Array // (H, W, 3); set if its features are computed again and not kept

	content  []contentTerm
	selfSims []selfSimTerm
	wholes   []*whole // for terms that need all features of an image that is cut

	style   []styleTerm
	sliced  []slicedTerm
	turned  int      // how often the directions of sliced losses have changed
	regions *regions // the regions that sliced losses compare; nil without maps

	patches   []*patchTerm
	analogies []contentTerm // with the targets of an analogy
	rematch   bool          // the evaluation matches patches again
	movable   *gpu.Array    // (H, W, 1), what is not protected; nil: everything

	temporal *temporalTerm // nil without a frame before

	neighbours *neighbours // of MethodNNST, instead of the terms above

	tv       gpu.TVKind
	tvCoef   float64
	tvWeight *gpu.Array // (H, W, 1), weight of each pixel's term; nil: 1
	tvSlot   int

	others []*objective          // of a team, see tile_team.go
	notes  map[sumsKey][]float64 // sums of this member's tiles

	terms []term // by slot
	unit  float64
}

// term names the loss and the layer of a slot of the status block.
type term struct{ kind, layer string }

type contentTerm struct {
	layer  string
	target *target // (h, w, C)
	coef   float64
	weight float64
	slot   int
	begun  bool       // the slot holds the loss of a tile
	alone  *gpu.Array // this term's own gradient, where gradients are normalised
}

type styleTerm struct {
	layer  string
	norm   float64    // of the Gram matrix
	sums   *gpu.Sums  // over the image
	part   *gpu.Sums  // over a tile, where the image is cut
	gram   *gpu.Array // (C, C, 1), then its gradient
	grams  []gpu.GramTarget
	weight float64
	slot   int
	alone  *gpu.Array

	// These are set if the loss compares means: the mean, the gradients of one
	// painting's loss, and those of all.
	mean          *gpu.Array // (1, C, 1)
	gaussians     []gaussianTerm
	one, oneShift *gpu.Array
	d, shift      *gpu.Array
}

// gaussianTerm compares the mean and the second moment with a painting's. loss writes
// the term's value to its slot and its gradient to d and shift.
type gaussianTerm struct {
	arrays []*gpu.Array // of its target
	loss   func(d, shift, mean, second *gpu.Array, pixels int)
}

// newObjective allocates one scale. Relative losses are multiplied by a unit, and
// report divides by it again. For Adam the unit is the number of pixels. Each pixel's
// gradient then has the same size at every scale, so that the carried moments and
// epsilon keep their meaning. L-BFGS does not need that: its carried history expects
// gradients that shrink as the number of pixels grows. Its unit is a constant that
// keeps gradients far from the smallest floats.
func newObjective(b gpu.Backend, o Options, t *tiling, x *gpu.Array) *objective {
	ob := &objective{b: b, o: o, t: t, x: x, g: b.NewArray(x.Shape), unit: 1}
	if o.LossScale == ScaleRelative {
		ob.unit = 1e5
		if o.Optimizer == OptimizerAdam {
			ob.unit = float64(x.Shape.Pixels())
		}
	}
	ob.styleLayers = o.StyleLayers
	if o.Tileable {
		ob.newTorus()
	}
	return ob
}

func (ob *objective) newSlot(kind, layer string) int {
	ob.terms = append(ob.terms, term{kind, layer})
	return len(ob.terms) - 1
}

// share returns a layer's weight. For relative losses it is divided by the sum of all
// weights, so that more layers do not change the balance with the other terms.
func (ob *objective) share(l LayerWeight, all []LayerWeight) float64 {
	if ob.o.LossScale == ScaleRelative {
		return l.Weight / weightSum(all)
	}
	return l.Weight
}

// addContent adds the content loss of a layer. Its target is the photograph's features:
//
//	relative  0.2 * sum (F-P)^2 / sum P^2
//	paper     1/2 * sum (F-P)^2                 Gatys et al. 2016, eq. 1
//	mean      sum (F-P)^2 / (C H W)             neural-style, CNNMRF, neural-doodle
//	sum       sum (F-P)^2                       image-analogies
func (ob *objective) addContent(l LayerWeight, target *target) {
	shape := ob.t.whole[l.Layer]
	weight := ob.o.ContentWeight * ob.share(l, ob.o.ContentLayers) * ob.unit
	t := contentTerm{layer: l.Layer, target: target, weight: weight, slot: ob.newSlot("content", l.Layer)}
	switch ob.o.LossScale {
	case ScalePaper:
		t.coef = weight / 2
	case ScaleMean:
		t.coef = weight / float64(shape.Len())
	case ScaleSum:
		t.coef = weight
	default:
		t.coef = weight * contentBalance / positive(target.power)
	}
	if ob.o.Normalize != NormalizeOff {
		t.alone = ob.b.NewArray(shape)
	}
	ob.content = append(ob.content, t)
}

// addTV adds the smoothness term. Under relative losses it is a mean over pixel values
// 0..1, under all others a sum over values 0..255. The stencil is always a mean over
// 0..1.
func (ob *objective) addTV() {
	if ob.o.TVWeight == 0 {
		return
	}
	n := float64(ob.canvas().Shape.Len())
	ob.tvCoef, ob.tvSlot = ob.o.TVWeight*ob.unit, ob.newSlot("tv", "")
	relative := func(perValue float64) float64 {
		if ob.o.LossScale == ScaleRelative {
			return 1 / (n * perValue)
		}
		return 1
	}
	switch ob.o.TV {
	case TVL1:
		ob.tv = gpu.TVL1
		ob.tvCoef *= relative(255)
	case TVSquares:
		ob.tv = gpu.TVL2
		ob.tvCoef *= relative(255*255) / 2
	case TVPower:
		ob.tv = gpu.TVPower
		ob.tvCoef *= relative(tvPowerUnit)
	case TVInner:
		ob.tv = gpu.TVInner
		if s := ob.x.Shape; ob.o.LossScale == ScaleMean {
			ob.tvCoef /= float64(max(1, (s.H-1)*(s.W-1)*s.C)) // a mean over the summed values
		} else {
			ob.tvCoef *= relative(tvPowerUnit)
		}
	case TVStencil:
		ob.tv = gpu.TVStencil
		ob.tvCoef /= n * 255 * 255
	}
}

// tvPowerUnit is 255^2.5, the factor between (dx^2+dy^2)^1.25 of values 0..1 and of
// values 0..255.
const tvPowerUnit = 1038366.8

// evaluate writes all losses to their slots and their gradient to g. It makes no call
// to the host, so it can be recorded.
func (ob *objective) evaluate() {
	if ob.neighbours != nil {
		ob.neighbours.evaluate()
		return
	}
	if t := ob.torus; t != nil {
		t.unroll(ob.b, ob.x, t.margin)
	}
	if ob.t.cut() {
		ob.evaluateTiles()
		ob.clearSpare()
	} else {
		ob.t.forward(0, 0, ob.x, false, nil)
		ob.t.backward(0, 0, ob.g, func(_ *stage, _ int, layer string, f *gpu.Array, grad *vgg.Gradient, _ gpu.Rect) {
			ob.atLayer(layer, f, grad)
		})
	}
	if t := ob.torus; t != nil {
		ob.b.Fill(t.g, 0)
		t.fold(ob.b, ob.g, t.margin)
	}
	if ob.temporal != nil {
		ob.temporalLoss(ob.temporal)
	}
	ob.smoothAndHold()
}

// smoothAndHold adds the smoothness term. It also multiplies the gradient by the map of
// what may change.
func (ob *objective) smoothAndHold() {
	switch {
	case ob.tvCoef > 0 && ob.torus != nil:
		ob.smoothness(ob.torus)
	case ob.tvCoef > 0:
		ob.b.TV(ob.g, ob.x, ob.tvWeight, ob.tv, ob.tvCoef, ob.tvSlot)
	}
	if ob.movable != nil {
		ob.b.Weigh(ob.g, ob.movable)
	}
}

// atLayer adds to grad the gradient of the losses on features f of a layer.
func (ob *objective) atLayer(layer string, f *gpu.Array, grad *vgg.Gradient) {
	for i := range ob.content {
		if t := &ob.content[i]; t.layer == layer {
			dx := ob.begin(grad, t.alone)
			ob.b.ContentLoss(dx, f, t.target.f, t.coef, t.slot)
			ob.end(grad, t.alone, t.weight)
		}
	}
	for i := range ob.style {
		if t := &ob.style[i]; t.layer == layer {
			g := ob.styleLoss(t, f)
			if t.alone == nil {
				ob.addStyleGradient(grad, layer, g, 0, 0)
				continue
			}
			ob.styleGradInside(ob.begin(grad, t.alone), layer, g, 0, 0)
			ob.end(grad, t.alone, t.weight)
		}
	}
	ob.slicedAt(layer, f, grad)
	ob.selfSimsAt(layer, f, grad)
	ob.patchesAt(layer, f, grad)
}

// begin returns the array for a term's gradient: that of the layer, or the term's own
// if gradients are normalised.
func (ob *objective) begin(grad *vgg.Gradient, alone *gpu.Array) *gpu.Array {
	if alone == nil {
		return grad.Array()
	}
	ob.b.Fill(alone, 0)
	return alone
}

// end adds a term's own gradient to the layer's. It is scaled to an L1 norm of weight
// (neural-style) or to a mean magnitude of weight (crowsonkb/style_transfer).
func (ob *objective) end(grad *vgg.Gradient, alone *gpu.Array, weight float64) {
	if alone == nil {
		return
	}
	if ob.o.Normalize == NormalizeMean {
		weight *= float64(alone.Shape.Len())
	}
	ob.b.AddNormalized(grad.Array(), weight, alone)
}

// styleLoss computes a style term's loss on features f, and its gradient.
func (ob *objective) styleLoss(t *styleTerm, f *gpu.Array) gpu.StyleTerm {
	ob.b.ClearSums(t.sums)
	ob.b.AddSums(t.sums, f, ob.inside(t.layer), cell(ob.t.pixels[t.layer]))
	ob.styleGradient(t)
	return t.at(f)
}

// report converts the slots into losses.
func (ob *objective) report(s gpu.Status) Losses {
	var l Losses
	for slot, t := range ob.terms {
		v := s.Loss[slot] / ob.unit
		switch t.kind {
		case "content":
			l.Content += v
		case "style":
			l.Style += v
		case "patch", "analogy":
			l.Patch += v
		case "temporal":
			l.Temporal += v
			continue
		case "tv":
			l.TV += v
			continue
		}
		if n := len(l.Layers); n > 0 && l.Layers[n-1].Term == t.kind && l.Layers[n-1].Layer == t.layer {
			l.Layers[n-1].Loss += v // several styles at one layer
			continue
		}
		l.Layers = append(l.Layers, LayerLoss{t.kind, t.layer, v})
	}
	l.Total = l.Content + l.Style + l.Patch + l.Temporal
	if ob.o.TVInLoss {
		l.Total += l.TV
	}
	return l
}

// positive returns a divisor that is not zero, as the power of a black picture's
// features may be.
func positive(v float64) float64 { return max(v, 1e-30) }

// free frees what the terms hold.
func (ob *objective) free() {
	ob.freeOthers()
	ob.b.Free(ob.g, ob.movable, ob.photo, ob.tvWeight)
	if ob.torus != nil {
		ob.b.Free(ob.x)
		ob.torus.free(ob.b)
	}
	ob.temporal.free(ob.b)
	for _, t := range ob.patches {
		t.free(ob.b)
	}
	for i := range ob.sliced {
		ob.sliced[i].free(ob.b)
	}
	for _, t := range ob.selfSims {
		ob.b.FreeSelfSimilarity(t.target)
		ob.b.Free(t.alone)
	}
	for _, w := range ob.wholes {
		w.free(ob.b)
	}
	for _, t := range ob.analogies {
		t.target.free(ob.b)
	}
	for _, t := range ob.content {
		t.target.free(ob.b)
		ob.b.Free(t.alone)
	}
	for _, t := range ob.style {
		ob.b.Free(t.gram, t.mean, t.alone, t.one, t.oneShift, t.d, t.shift)
		ob.b.FreeSums(t.sums, t.part)
		for _, g := range t.grams {
			ob.b.Free(g.A)
		}
		for _, g := range t.gaussians {
			ob.b.Free(g.arrays...)
		}
	}
}
