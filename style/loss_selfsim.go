package style

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// selfSimPositions is the number of positions of a layer that are compared with each
// other, as in STROTSS (Kolkin et al. 2019).
const selfSimPositions = 1024

// selfSimBalance is the factor of the loss with which content weight 1 looks balanced;
// see docs/looks.md.
const selfSimBalance = 3

// selfSimTerm compares two sets of similarities: of the canvas's features at a layer
// with each other, and of the photograph's. The positions are drawn once for each
// scale, so that the optimiser minimises one and the same loss.
type selfSimTerm struct {
	layer  string
	target *gpu.SelfSimilarity
	coef   float64
	weight float64
	slot   int
	alone  *gpu.Array // this term's own gradient, where gradients are normalised
	whole  *whole     // of an image that is cut
}

// whole holds the features of a layer for the whole image and the gradient of a loss
// with respect to them, (h, w, C). It is for losses that need all features at once, if
// the image is cut.
type whole struct {
	layer string
	f, g  *gpu.Array
}

// newWhole allocates the whole of a layer. It returns nil if the image is not cut.
func (ob *objective) newWhole(layer string) *whole {
	if !ob.t.cut() {
		return nil
	}
	f := ob.t.whole[layer]
	w := &whole{layer, ob.b.NewArray(f), ob.b.NewArray(f)}
	ob.wholes = append(ob.wholes, w)
	return w
}

func (w *whole) free(b gpu.Backend) { b.Free(w.f, w.g) }

// drawPositions draws at most n different positions of a layer, in order. They depend
// only on the seed and the layer.
func drawPositions(seed uint64, layer string, positions, n int) []int32 {
	all := make([]int32, positions)
	for i := range all {
		all[i] = int32(i)
	}
	hash := fnv.New64a()
	hash.Write([]byte(layer))
	rng := rand.New(rand.NewPCG(seed, hash.Sum64()))
	n = min(n, positions)
	for i := range n {
		j := i + rng.IntN(positions-i)
		all[i], all[j] = all[j], all[i]
	}
	slices.Sort(all[:n])
	return all[:n:n]
}

// addSelfSims adds the terms of all content layers. Image x holds the photograph:
//
//	relative  3 / n * sum |P - T|
//	others    1 / n * sum |P - T|           STROTSS
//
// gpu.CPU.SelfSimLoss defines P and T. Neither has a unit.
func (ob *objective) addSelfSims(layers []LayerWeight) {
	for _, l := range layers {
		if l.Weight == 0 {
			continue
		}
		f := ob.t.whole[l.Layer]
		weight := ob.o.ContentWeight * ob.share(l, layers) * ob.unit
		t := selfSimTerm{layer: l.Layer, coef: weight, weight: weight, slot: ob.newSlot("content", l.Layer), whole: ob.newWhole(l.Layer)}
		if ob.o.LossScale == ScaleRelative {
			t.coef *= selfSimBalance
		}
		if ob.o.Normalize != NormalizeOff {
			t.alone = ob.b.NewArray(f)
		}
		ob.selfSims = append(ob.selfSims, t)
	}
	target := func(t *selfSimTerm, f *gpu.Array) {
		positions := drawPositions(ob.o.Seed, t.layer, f.Shape.Pixels(), selfSimPositions)
		t.target = ob.b.NewSelfSimilarity(f, positions)
	}
	ob.t.sweep(ob.x, func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
		for j := range ob.selfSims {
			switch t := &ob.selfSims[j]; {
			case t.layer != tap:
			case t.whole == nil:
				target(t, f)
			case own.H > 0 && own.W > 0:
				ob.t.put(t.whole.f, s, i, tap, f, own)
			}
		}
	})
	for j := range ob.selfSims {
		if t := &ob.selfSims[j]; t.whole != nil {
			target(t, t.whole.f)
		}
	}
}

// selfSimsAt adds to grad the gradient of these losses on features f of a layer.
func (ob *objective) selfSimsAt(layer string, f *gpu.Array, grad *vgg.Gradient) {
	for i := range ob.selfSims {
		if t := &ob.selfSims[i]; t.layer == layer {
			dx := ob.begin(grad, t.alone)
			ob.b.SelfSimLoss(dx, f, t.target, t.coef, t.slot)
			ob.end(grad, t.alone, t.weight)
		}
	}
}

// selfSimGradients computes the gradients with respect to all features of an image that
// is cut.
func (ob *objective) selfSimGradients() {
	for i := range ob.selfSims {
		t := &ob.selfSims[i]
		ob.b.Fill(t.whole.g, 0)
		ob.b.SelfSimLoss(t.whole.g, t.whole.f, t.target, t.coef, t.slot)
	}
}

// wholesAt adds to grad the part of these gradients that lies in a tile's window.
func (ob *objective) wholesAt(s *stage, window gpu.Rect, tap string, f *gpu.Array, grad *vgg.Gradient) {
	for _, w := range ob.wholes {
		if w.layer != tap {
			continue
		}
		n, c := s.unit[tap], f.Shape.C
		ob.t.eachStrip(f.Shape.Whole(), c, func(r gpu.Rect) {
			dx := ob.t.part(1, r, c)
			ob.b.CopyWindow(dx, w.g, window.Y/n+r.Y, window.X/n+r.X)
			ob.b.AddWindow(grad.Array(), dx, r.Y, r.X)
		})
	}
}

// contentBytes returns the memory of the content loss at a layer with features f.
func (o Options) contentBytes(b gpu.Backend, f gpu.Shape, cut bool) int64 {
	total := b.Bytes(f)
	if o.ContentLoss == ContentSelfSim {
		total = gpu.SelfSimilarityBytes(b, f.C, min(f.Pixels(), selfSimPositions))
		if cut {
			total += 2 * b.Bytes(f)
		}
	}
	return total
}

// selfSimFlops returns the arithmetic of the loss at a layer of c channels: similarities
// of all positions with each other, and their gradient.
func selfSimFlops(c int, positions float64) float64 {
	n := min(positions, selfSimPositions)
	const plain, compared = 4, 100 // of the products, and of a pair beside its product
	return n * n * (2*2*plain*float64(c) + compared)
}
