package style

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// The sliced Wasserstein distance (Heitz et al., "A Sliced Wasserstein Loss for
// Neural Texture Synthesis", CVPR 2021) compares whole distributions of features.
// Along random directions it compares the sorted values of the canvas with the
// sorted values of the painting. gpu/sliced.go has the formula.
//
// A layer of C channels is compared along C directions, at n positions: at most
// 65,536, and at most so many that n*C is 4 million. The layer is divided into n
// equal parts, and a position is drawn from each, once for each scale. Directions
// come from the seed. They change with each scale and every sliced-hold iterations.
// L-BFGS minimises one function, so it forgets its history when directions change.

// These are the limits of what is sorted at a layer.
const (
	slicedPositions = 1 << 16
	slicedValues    = 1 << 22
)

// slicedBalance is the factor of the loss with which a style weight of 1 looks balanced.
const slicedBalance = 10

// SlicedLayers are the style layers of the sliced loss by default.
var SlicedLayers = VGG19Layers[:12]

// useSlicedLayers sets the default style layers when the loss changes to or from
// LossSliced.
func (o *Options) useSlicedLayers(from, to StyleLoss, network string) {
	switch {
	case to == LossSliced:
		o.StyleLayers = nil
		for _, name := range layersOf(network, SlicedLayers) {
			o.StyleLayers = append(o.StyleLayers, LayerWeight{name, 1})
		}
	case from == LossSliced:
		o.StyleLayers = gatysStyleLayers()
	}
}

// slicedTerm compares features of the canvas at some positions of a layer with the
// paintings' features.
type slicedTerm struct {
	layer  string
	at     []int32 // positions, y*W + x of the layer
	places *gpu.Places
	rows   *gpu.Array // (n, C, 1), the canvas's features at these positions, then their gradient
	coef   float64
	weight float64
	slot   int
	alone  *gpu.Array // this term's own gradient, where gradients are normalised

	// Nil for the other members of a team.
	target    *gpu.SlicedTarget
	paintings []gpu.SlicedPainting // nil once the directions no longer change
}

// slicedCount is how many of a layer's positions are compared.
func slicedCount(positions, channels int) int {
	return min(positions, slicedPositions, max(1, slicedValues/channels))
}

// strata draws a position from each of n equal parts of 0..all-1: the middle of the
// part, or a random position in it if rng is not nil.
func strata(n, all int, rng *rand.Rand) []int32 {
	list := make([]int32, n)
	for i := range list {
		from, to := i*all/n, (i+1)*all/n
		at := (from + to - 1) / 2
		if rng != nil {
			at = from + rng.IntN(to-from)
		}
		list[i] = int32(at)
	}
	return list
}

// randomFor returns random numbers that depend on the seed and a purpose.
func randomFor(seed uint64, purpose string) *rand.Rand {
	hash := fnv.New64a()
	hash.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, hash.Sum64()))
}

// unitVectors returns n random directions of c channels, (n, c), uniform on the sphere.
func unitVectors(rng *rand.Rand, n, c int) []float32 {
	all, one := make([]float32, 0, n*c), make([]float64, c)
	for range n {
		squares := 0.0
		for i := range one {
			one[i] = rng.NormFloat64()
			squares += one[i] * one[i]
		}
		for _, v := range one {
			all = append(all, float32(v/math.Sqrt(squares)))
		}
	}
	return all
}

// measureRows returns, by style layer, the features of painting i at some positions. x is
// the painting; r is nil without maps.
func (t *tiling) measureRows(o Options, x *gpu.Array, r *regions, i int) map[string]moments {
	all, places := map[string]moments{}, map[string]*gpu.Places{}
	repeated := map[string][]int32{}
	for _, l := range o.StyleLayers {
		f := t.whole[l.Layer]
		if _, done := all[l.Layer]; l.Weight == 0 || done {
			continue
		}
		var at, ends []int32
		if r == nil {
			at = strata(slicedCount(f.Pixels(), f.C), f.Pixels(), nil)
			ends = []int32{int32(len(at))}
		} else {
			at, ends = thin(r.stylePositions(i, f, x.Shape.W, x.Shape.H, t.pixels[l.Layer]), f.C, nil)
		}
		m := moments{ends: ends}
		if len(at) > 0 {
			p := t.b.NewPlaces(f, distinct(at))
			places[l.Layer], m.rows = p, t.b.NewArray(p.Rows())
			if p.Len() < len(at) {
				repeated[l.Layer] = at
			}
		}
		all[l.Layer] = m
	}
	t.sweep(x, func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
		if places[tap] != nil {
			t.gather(all[tap].rows, places[tap], s, i, tap, f, own)
		}
	})
	for _, p := range places {
		t.b.FreePlaces(p)
	}
	for layer, at := range repeated {
		m := all[layer]
		m.rows = repeatRows(t.b, m.rows, at)
		all[layer] = m
	}
	return all
}

// distinct returns the different positions of a list in the order of their first.
func distinct(at []int32) []int32 {
	seen, list := map[int32]bool{}, make([]int32, 0, len(at))
	for _, p := range at {
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}

// repeatRows replaces the rows of distinct positions by those of a list in which
// positions repeat. Positions of a painting repeat where several regions of the canvas
// are compared with the same part of it.
func repeatRows(b gpu.Backend, rows *gpu.Array, at []int32) *gpu.Array {
	c, row := rows.Shape.W, map[int32]int{}
	for _, p := range at {
		if _, known := row[p]; !known {
			row[p] = len(row)
		}
	}
	v := gpu.Values(b, rows)
	b.Free(rows)
	all := make([]float32, 0, len(at)*c)
	for _, p := range at {
		all = append(all, v[row[p]*c:][:c]...)
	}
	return gpu.ArrayOf(b, gpu.Shape{H: len(at), W: c, C: 1}, all)
}

// gather copies the tile's own features at places to their rows.
func (t *tiling) gather(rows *gpu.Array, p *gpu.Places, s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
	if own.H > 0 && own.W > 0 {
		n, w := s.unit[tap], s.tiles[i].ahead
		t.b.Gather(rows, f, p, own, w.Y/n, w.X/n)
	}
}

// addSliced makes the term of a layer from the paintings' features:
//
//	relative loss scale   the distance over the mean square of the paintings' features
//	other loss scales     the distance
//
// The term owns the paintings' rows from then on.
func (ob *objective) addSliced(l LayerWeight, all []moments) {
	f, in := ob.t.whole[l.Layer], ob.inside(l.Layer)
	size := ob.canvas().Shape
	rng := randomFor(ob.o.Seed, fmt.Sprintf("places %s %v", l.Layer, size))
	var at, ends []int32
	if ob.regions == nil {
		at = strata(slicedCount(in.H*in.W, f.C), in.H*in.W, rng)
		ends = []int32{int32(len(at))}
	} else {
		at, ends = thin(ob.regions.canvasPositions(gpu.Shape{H: in.H, W: in.W, C: 1}, size.W, size.H, ob.t.pixels[l.Layer]), f.C, rng)
	}
	n := len(at)
	for i, p := range at {
		at[i] = int32((in.Y+int(p)/in.W)*f.W + in.X + int(p)%in.W)
	}
	t := slicedTerm{
		layer: l.Layer, at: at, places: ob.b.NewPlaces(f, at), target: ob.b.NewSlicedTarget(n, f.C, f.C, ends),
		weight: ob.o.StyleWeight * ob.share(l, ob.styleLayers) * ob.unit, slot: ob.newSlot("style", l.Layer),
	}
	t.rows = ob.b.NewArray(t.places.Rows())
	t.coef = t.weight
	power, weights := 0.0, 0.0
	for i, weight := range ob.o.blendWeights(len(all)) {
		rows := all[i].rows
		if rows == nil {
			continue // no region follows this painting
		}
		t.paintings = append(t.paintings, gpu.SlicedPainting{Rows: rows, Ends: all[i].ends, Weight: weight})
		power += weight * ob.b.Dot(rows, rows) / float64(rows.Shape.Len())
		weights += weight
	}
	if len(t.paintings) < len(all) {
		power /= weights
	}
	if ob.o.LossScale == ScaleRelative {
		t.coef *= slicedBalance / positive(power)
	}
	if ob.o.Normalize != NormalizeOff {
		t.alone = ob.b.NewArray(f)
	}
	ob.sliced = append(ob.sliced, t)
	ob.aim(&ob.sliced[len(ob.sliced)-1], 0)
}

// aim sets the directions of a term. turn counts the sets of directions from 0.
func (ob *objective) aim(t *slicedTerm, turn int) {
	c := t.rows.Shape.W
	rng := randomFor(ob.o.Seed, fmt.Sprintf("directions %s %v %d", t.layer, ob.canvas().Shape, turn))
	ob.b.Aim(t.target, unitVectors(rng, c, c), t.paintings)
	if ob.o.SlicedHold == 0 {
		t.freePaintings(ob.b)
	}
}

// turn prepares iteration it, from 1 on. It reports whether the function to minimise
// changes with this iteration.
func (ob *objective) turn(it int) bool {
	if len(ob.sliced) == 0 || ob.o.SlicedHold == 0 {
		return false
	}
	if turn := (it - 1) / ob.o.SlicedHold; turn != ob.turned {
		ob.turned = turn
		for i := range ob.sliced {
			ob.aim(&ob.sliced[i], turn)
		}
	}
	return it > 1 && (it-1)%ob.o.SlicedHold == 0
}

// slicedAt adds to grad the gradient of the sliced losses by features f of a layer.
func (ob *objective) slicedAt(layer string, f *gpu.Array, grad *vgg.Gradient) {
	for i := range ob.sliced {
		if t := &ob.sliced[i]; t.layer == layer {
			ob.b.Gather(t.rows, f, t.places, f.Shape.Whole(), 0, 0)
			ob.b.SlicedLoss(t.rows, t.target, t.coef, t.slot)
			ob.b.Scatter(ob.begin(grad, t.alone), t.rows, t.places, 0, 0)
			ob.end(grad, t.alone, t.weight)
		}
	}
}

// slicedGradients replaces the rows of an image in tiles by their gradients.
func (ob *objective) slicedGradients() {
	for i := range ob.sliced {
		t := &ob.sliced[i]
		ob.b.SlicedLoss(t.rows, t.target, t.coef, t.slot)
	}
}

// slicedAtTile adds to grad the gradient by the features of a tile's window.
func (ob *objective) slicedAtTile(s *stage, window gpu.Rect, tap string, grad *vgg.Gradient) {
	for i := range ob.sliced {
		if t := &ob.sliced[i]; t.layer == tap {
			n := s.unit[tap]
			ob.b.Scatter(grad.Array(), t.rows, t.places, window.Y/n, window.X/n)
		}
	}
}

// joinRows adds the rows that other members of a team have gathered. One member has
// the features of a position; the others have zeros there.
func (ob *objective) joinRows() {
	for i := range ob.sliced {
		rows := ob.sliced[i].rows
		all := gpu.Values(ob.b, rows)
		for _, m := range ob.others {
			for j, x := range gpu.Values(m.b, m.sliced[i].rows) {
				all[j] += x
			}
		}
		ob.b.Upload(rows, all)
	}
}

// memberSliced returns the part of a term that tiles on another backend need.
func memberSliced(to gpu.Backend, t slicedTerm) slicedTerm {
	p := to.NewPlaces(t.places.Features, t.at)
	return slicedTerm{layer: t.layer, places: p, rows: to.NewArray(p.Rows())}
}

func (t *slicedTerm) freePaintings(b gpu.Backend) {
	for _, p := range t.paintings {
		b.Free(p.Rows)
	}
	t.paintings = nil
}

func (t *slicedTerm) free(b gpu.Backend) {
	t.freePaintings(b)
	b.FreePlaces(t.places)
	b.FreeSlicedTargets(t.target)
	b.Free(t.rows, t.alone)
}

// slicedBytes returns the bytes that the sliced loss takes at a layer with features f,
// and those of the work space that all layers share.
func (o Options) slicedBytes(b gpu.Backend, f gpu.Shape) (term, work int64) {
	n := slicedCount(f.Pixels(), f.C)
	painting := slicedCount(max(1, int(float64(f.Pixels())*o.StyleScale*o.StyleScale)), f.C)
	styles := int64(max(1, len(o.StyleWeights)))
	term = b.Bytes(gpu.Shape{H: n, W: f.C, C: 1}) + styles*b.Bytes(gpu.Shape{H: painting, W: f.C, C: 1}) + gpu.SlicedTargetBytes(b, n, f.C, f.C)
	return term, gpu.SlicedWorkBytes(max(n, painting), f.C)
}
