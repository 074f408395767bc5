package style

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strconv"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// patchBalance is the factor of the patch loss with which patch weight 1 and content
// weight 1 look balanced. With a factor of 1, a face is lost among the stars of the
// painting; with 0.1, the face takes nothing from the painting.
const patchBalance = 0.3

// patchTerm pulls the canvas at one layer towards the most similar patches of
// the paintings (Li & Wand 2016).
type patchTerm struct {
	layer   string
	stride  int // on the canvas
	o       gpu.PatchOptions
	unit    bool    // features of a pixel are scaled to unit length
	scale   float64 // factor of features that are joined with maps
	maps    *gpu.Array
	joined  *gpu.Array // the canvas's array that is matched; nil: its features are matched
	sources []patchSource
	from    []gpu.PatchSource
	matches *gpu.Matches
	coef    float64
	slot    int
	own     *gpu.Bank // of the canvas, for variety

	whole *whole // of an image that is cut
}

// patchSource is one view of a painting at a layer.
type patchSource struct {
	view
	w, h     int        // of the view, in pixels
	features *gpu.Array // (h', w', C)
	maps     *gpu.Array // (h', w', K); nil: none
	joined   *gpu.Array // the array that is matched, kept for variety
	bank     *gpu.Bank
	prune    *gpu.Pruning
	wanted   *gpu.Matches // which canvas patch wants each of its patches most
	bias     *gpu.Array
}

// look computes the features of all views of the paintings, for a canvas of that long
// side. It returns them by layer.
func (r *run) look(canvas int, cut Cut) (map[string][]patchSource, error) {
	layers := map[string][]patchSource{}
	if r.o.PatchWeight == 0 {
		return layers, nil
	}
	for _, v := range r.o.views(len(r.styles)) {
		painting := v.turn(r.styles[v.style])
		upright, _ := r.o.styleSize(r.styles[v.style], canvas)
		shrink := v.scale * float64(upright) / float64(r.styles[v.style].W)
		w, h := atLeastOne(float64(painting.W)*shrink), atLeastOne(float64(painting.H)*shrink)
		guides := make([]Guide, len(r.guides))
		for i, g := range r.guides {
			guides[i] = Guide{Weight: g.Weight, Styles: []*Map{g.Styles[v.style].turned(v, painting.W, painting.H)}}
		}
		features, err := r.features(painting.Resize(w, h), cut)
		if err != nil {
			return nil, err
		}
		for tap, f := range features {
			if min(f.Shape.H, f.Shape.W) < r.o.PatchSize {
				r.env.Backend.Free(f)
				continue
			}
			pick := func(g Guide) *Map { return g.Styles[0] }
			maps := r.o.guideChannels(r.env.Backend, guides, pick, tap, r.o.block(r.env.Network, tap), w, h, r.o.PatchSize, false)
			layers[tap] = append(layers[tap], patchSource{view: v, w: w, h: h, features: f, maps: maps})
		}
	}
	return layers, nil
}

// features returns the features of a picture at all patch layers, from the cache or
// computed.
func (r *run) features(p *Picture, cut Cut) (map[string]*gpu.Array, error) {
	kept, err := r.cached(func() [sha256.Size]byte { return r.patchKey(p, cut) }, func(all map[string][]*gpu.Array) error {
		return r.withFeatures(p, cut, func(t *tiling, x *gpu.Array) {
			for _, l := range r.o.PatchLayers {
				if l.Weight > 0 {
					all[l.Layer] = []*gpu.Array{t.b.NewArray(t.whole[l.Layer])}
				}
			}
			t.sweep(x, func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
				if whole := all[tap]; whole != nil {
					t.put(whole[0], s, i, tap, f, own)
				}
			})
		})
	})
	all := map[string]*gpu.Array{}
	for layer, arrays := range kept {
		all[layer] = arrays[0]
	}
	return all, err
}

// addPatches adds the patch term of a layer.
func (ob *objective) addPatches(l LayerWeight, number int, sources []patchSource, f gpu.Shape, maps *gpu.Array) {
	o, b := ob.o, ob.b
	t := &patchTerm{layer: l.Layer, stride: nth(o.PatchStride, number), unit: o.Match == MatchPixel, scale: 1, maps: maps, slot: ob.newSlot("patch", l.Layer)}
	own := nth(o.StyleStride, number)
	t.o = gpu.PatchOptions{Size: o.PatchSize, Stride: t.stride, Least: o.Confidence, Average: o.PatchAverage}
	norm := gpu.PatchNorm
	power, positions := 0.0, 0.0
	for _, s := range sources {
		power += b.Dot(s.features, s.features)
		positions += float64(s.features.Shape.Pixels())
	}
	power = positive(power / positions) // mean |S|^2 of a position
	switch {
	case t.unit:
		norm, t.scale = gpu.NoNorm, 1/float64(o.PatchSize)
	case maps != nil:
		t.scale = 1 / math.Sqrt(power) / float64(o.PatchSize) // so long as a map of weight 1
	}
	if t.unit || maps != nil {
		t.joined = b.NewArray(joinedShape(f, maps))
	}
	bank := gpu.BankOptions{Size: o.PatchSize, Stride: own, Norm: norm}
	first := 0
	for _, s := range sources {
		s.joined = s.features
		if t.joined != nil {
			s.joined = b.NewArray(joinedShape(s.features.Shape, s.maps))
			b.Join(s.joined, s.features, s.maps, t.scale, t.unit)
		}
		s.bank = b.NewBank(s.joined, bank)
		t.from = append(t.from, gpu.PatchSource{F: s.features, Stride: own, First: first})
		first += s.bank.Grid().Len()
		if o.Variety > 0 {
			s.wanted, s.bias = b.NewMatches(s.bank.Grid()), b.NewArray(s.bank.Grid())
		} else if t.joined != nil {
			b.Free(s.joined)
		}
		t.sources = append(t.sources, s)
	}
	t.prune(b, bank)
	t.matches = b.NewMatches(t.sources[0].bank.MatchGrid(f, t.stride))
	if o.Variety > 0 {
		t.own = b.NewBank(t.joined, gpu.BankOptions{Size: o.PatchSize, Stride: t.stride, Norm: norm})
	}
	t.whole = ob.newWhole(l.Layer)
	t.coef = o.PatchWeight * ob.share(l, o.PatchLayers) * ob.unit
	patches, k := float64(t.matches.Shape.Len()), float64(o.PatchSize*o.PatchSize)
	switch o.LossScale {
	case ScaleMean:
		if o.PatchAverage {
			t.coef /= 2
		} else {
			t.coef /= patches * k * float64(f.C)
		}
	case ScaleRelative:
		if o.PatchAverage {
			t.coef *= patchBalance / (power * float64(f.Pixels()))
		} else {
			t.coef *= patchBalance / (power * patches * k)
		}
	default:
		t.coef /= k
	}
	ob.patches = append(ob.patches, t)
}

func joinedShape(f gpu.Shape, maps *gpu.Array) gpu.Shape {
	if maps != nil {
		f.C += maps.Shape.C
	}
	return f
}

// nth returns the value for layer i. The last value of the list applies to all later
// layers.
func nth(list []int, i int) int {
	if len(list) == 0 {
		return 1
	}
	return list[min(i, len(list)-1)]
}

// prune finds the matches that the maps alone rule out. It relies on mean cosines of
// features, which are not negative and lie in 0..1. With variety scores change by more,
// so nothing is ruled out.
func (t *patchTerm) prune(b gpu.Backend, o gpu.BankOptions) {
	if t.maps == nil || !t.unit || t.sources[0].bias != nil {
		return
	}
	var banks []*gpu.Bank
	for _, s := range t.sources {
		banks = append(banks, b.NewBank(s.maps, o))
	}
	for i, p := range b.NewPruning(t.maps, banks, t.stride, 1) {
		t.sources[i].prune = p
	}
	b.FreeBanks(banks...)
}

// match finds the most similar patches of features f. It makes no call to the host, so
// that it can be recorded.
func (t *patchTerm) match(b gpu.Backend, f *gpu.Array, o Options) {
	x := f
	if t.joined != nil {
		x = t.joined
		b.Join(x, f, t.maps, t.scale, t.unit)
	}
	if t.own != nil {
		b.FillBank(t.own, x)
	}
	for i, s := range t.sources {
		options := gpu.MatchOptions{Stride: t.stride, First: t.from[i].First, Add: i > 0, Prune: s.prune}
		if t.own != nil {
			// The score of a painting's patch is lowered by how well a patch of the
			// canvas matches it, so that others are chosen too.
			b.Match(s.wanted, s.joined, t.own, gpu.MatchOptions{Stride: t.from[i].Stride})
			b.MatchBias(s.bias, s.wanted, -o.Variety)
			options.Bias = s.bias
		}
		b.Match(t.matches, x, s.bank, options)
	}
	if !t.unit {
		b.Cosines(t.matches, x, o.PatchSize, t.stride)
	}
}

// patchesAt adds to grad the gradient of the patch losses on features f of a layer. It
// first matches again if that is due.
func (ob *objective) patchesAt(layer string, f *gpu.Array, grad *vgg.Gradient) {
	for _, t := range ob.patches {
		if t.layer != layer {
			continue
		}
		if ob.rematch {
			t.match(ob.b, f, ob.o)
		}
		ob.b.PatchLoss(grad.Array(), f, t.matches, t.from, t.o, t.coef, t.slot)
	}
	for _, t := range ob.analogies {
		if t.layer == layer {
			ob.b.ContentLoss(grad.Array(), f, t.target.f, t.coef, t.slot)
		}
	}
}

// patchGradients computes the gradient of the patch losses on all features of an image
// that is cut. It first matches again if that is due.
func (ob *objective) patchGradients() {
	for _, t := range ob.patches {
		if ob.rematch {
			t.match(ob.b, t.whole.f, ob.o)
		}
		ob.b.Fill(t.whole.g, 0)
		ob.b.PatchLoss(t.whole.g, t.whole.f, t.matches, t.from, t.o, t.coef, t.slot)
	}
}

func (t *patchTerm) free(b gpu.Backend) {
	for _, s := range t.sources {
		b.Free(s.features, s.maps, s.bias)
		if s.bias != nil && s.joined != s.features {
			b.Free(s.joined)
		}
		b.FreeBanks(s.bank)
		b.FreeMatches(s.wanted)
	}
	b.Free(t.maps, t.joined)
	b.FreeBanks(t.own)
	b.FreeMatches(t.matches)
}

// matched reports whether the objective depends on matches.
func (ob *objective) matched() bool { return len(ob.patches) > 0 }

// setPatches adds the patch terms of a scale, given the paintings' features, and sets
// the map of the pixels that may change.
func (r *run) setPatches(ob *objective, sources map[string][]patchSource, cut Cut) error {
	s := ob.x.Shape
	if r.o.PatchWeight > 0 {
		for i, l := range r.o.PatchLayers {
			if l.Weight == 0 {
				continue
			}
			if len(sources[l.Layer]) == 0 {
				return r.tooSmall(l.Layer, s)
			}
			block := r.block(l.Layer)
			canvas := func(g Guide) *Map { return g.Canvas }
			maps := r.o.guideChannels(r.env.Backend, r.guides, canvas, l.Layer, block, s.W, s.H, r.o.PatchSize, true)
			ob.addPatches(l, i, sources[l.Layer], ob.t.whole[l.Layer], maps)
		}
	}
	if err := r.setAnalogies(ob, r.o.side(s.W, s.H), cut); err != nil {
		return err
	}
	if r.protect != nil {
		ob.protect(r.protect)
	}
	return r.env.Backend.Err()
}

// block returns the block of the network that a layer is in, from 1.
func (r *run) block(layer string) int { return r.o.block(r.env.Network, layer) }

func (o Options) block(n *vgg.Network, layer string) int {
	depth, err := n.Depth(layer)
	if err != nil {
		return 1
	}
	return n.Layers[depth-1].Block
}

// leastForPatches returns the short side of the smallest canvas that has a patch at
// every layer.
func (o Options) leastForPatches(n *vgg.Network) int {
	least := 0
	for _, l := range o.PatchLayers {
		if (o.PatchWeight+o.AnalogyWeight)*l.Weight > 0 {
			least = max(least, o.PatchSize<<(o.block(n, l.Layer)-1))
		}
	}
	return least
}

// tooSmall returns an error that names the painting that is largest at this scale. It
// suggests the style-scale with which a patch of the layer fits into that painting.
func (r *run) tooSmall(layer string, canvas gpu.Shape) error {
	least := r.o.PatchSize << (r.block(layer) - 1)
	nth, side, w, h := 0, 0, 0, 0
	for i, p := range r.styles {
		if a, b := r.o.styleSize(p, r.o.side(canvas.W, canvas.H)); min(a, b) > side {
			nth, side, w, h = i, min(a, b), a, b
		}
	}
	deepest := max(least, r.o.leastForPatches(r.env.Network)) // over all layers, so that one suggestion is enough
	p := r.styles[nth]
	exact := float64(min(p.W, p.H)) * float64(r.o.side(canvas.W, canvas.H)) / float64(r.o.side(p.W, p.H)) // its side at style-scale 1, not rounded
	e := &OptionError{Option: "style", Reason: fmt.Sprintf("painting %d, %dx%d, is %dx%d beside a canvas of %dx%d: its side of %d pixels is too short for a patch of %d positions of layer %q, which takes %d",
		nth+1, p.W, p.H, w, h, canvas.W, canvas.H, side, r.o.PatchSize, layer, least)}
	switch factor := math.Ceil(10*1.05*float64(deepest)/exact) / 10; {
	case min(p.W, p.H) >= deepest && factor <= 64:
		e.Try = []Suggestion{{"style-scale", strconv.FormatFloat(factor, 'g', -1, 64), ""}}
	case r.o.PatchSize > 1 && min(p.W, p.H)>>(r.block(layer)-1) > 0:
		e.Try = []Suggestion{{"patch-size", "1", ""}}
	}
	return Problems{e}
}

// protect keeps the image from changing where the map is high. The gradient is
// multiplied by 1 minus the map.
func (ob *objective) protect(m *Map) {
	a := ob.b.NewArray(gpu.Shape{H: m.H, W: m.W, C: 1})
	free := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		free[i] = 1 - min(max(v, 0), 1)
	}
	ob.b.Upload(a, free)
	ob.movable = ob.b.NewArray(gpu.Shape{H: ob.x.Shape.H, W: ob.x.Shape.W, C: 1})
	ob.b.Resample(ob.movable, a, gpu.Bilinear)
	ob.b.Free(a)
}

// keepProtected copies the content into the image where it is protected.
func (ob *objective) keepProtected(px pixels, content *Picture) {
	if ob.movable == nil {
		return
	}
	photo := gpu.ArrayOf(ob.b, ob.x.Shape, px.fromPicture(content))
	ob.b.Axpy(ob.x, -1, photo)
	ob.b.Weigh(ob.x, ob.movable)
	ob.b.Axpy(ob.x, 1, photo)
	ob.b.Free(photo)
}

// patchViews returns how many views of paintings are matched. It counts as many
// paintings as the options tell, and at least one.
func (o Options) patchViews() int { return len(o.views(max(1, len(o.StyleWeights)))) }

// matchFlops returns the arithmetic of matching at a patch layer of c channels: the
// product of every position of the canvas with every position of a view of a painting.
// With variety the canvas is also searched for the painting's patches.
func (o Options) matchFlops(c int, canvas, view float64) float64 {
	flops := 2 * float64(c) * canvas * view
	if o.Variety > 0 {
		flops *= 2
	}
	return flops
}

// pullFlops returns the work of the patch loss at patch layer number i, of c channels, as
// operations of a convolution: each position is compared with its place in every patch
// that covers it.
func (o Options) pullFlops(c int, positions float64, i int) float64 {
	const gathered = 30
	stride := float64(nth(o.PatchStride, i))
	return gathered * float64(c*o.PatchSize*o.PatchSize) * positions / (stride * stride)
}

// patchBytes returns the memory of patches at a layer with features f. It counts the
// features of each view, both packed and plain, and the same of the canvas with the
// maps.
func (o Options) patchBytes(b gpu.Backend, f gpu.Shape, cut bool) int64 {
	const mapChannels = 8 // an estimate: a layer has many more
	joined := gpu.Shape{H: f.H, W: f.W, C: f.C + mapChannels}
	view := float64(b.Bytes(f)+b.Bytes(joined)) * o.StyleScale * o.StyleScale
	total := int64(view * float64(o.patchViews()))
	if o.Match == MatchPixel {
		total += b.Bytes(joined)
	}
	if o.Variety > 0 {
		total += b.Bytes(joined) + int64(view*float64(o.patchViews()))/2
	}
	if o.AnalogyWeight > 0 {
		total += b.Bytes(f)
	}
	if cut && o.PatchWeight > 0 {
		total += 2 * b.Bytes(f)
	}
	return total
}
