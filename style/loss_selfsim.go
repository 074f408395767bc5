package style

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// selfSimPositions is how many positions of a layer are compared with each other,
// as in STROTSS (Kolkin et al. 2019).
const selfSimPositions = 1024

// selfSimBalance makes content weight 1 a balance to the eye: see docs/looks.md.
const selfSimBalance = 3

// selfSimTerm compares how similar the canvas's features at a layer are to each
// other with how similar the photograph's are. The positions are drawn once for
// each scale, so that the optimiser goes down one and the same loss.
type selfSimTerm struct {
	layer  string
	target *gpu.SelfSimilarity
	coef   float64
	weight float64
	slot   int
	alone  *gpu.Array // this term's own gradient, where gradients are normalised
	whole  *whole     // of an image that is cut
}

// whole holds, for a loss that needs the features of all of an image that is cut,
// those of a layer and the gradient of the loss by them, (h, w, C).
type whole struct {
	layer string
	f, g  *gpu.Array
}

// newWhole makes the room for a layer's features where the image is cut; nil
// where it is not.
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

// drawPositions are at most n different ones of a layer's, in order, from the
// seed alone.
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

// addSelfSims makes the terms of all content layers from the photograph, which
// image x holds:
//
//	relative  3 / n * sum |P - T|
//	others    1 / n * sum |P - T|           STROTSS
//
// with P and T as gpu.CPU.SelfSimLoss has them: neither has a unit.
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

// selfSimGradients makes the gradient at all features of an image that is cut.
func (ob *objective) selfSimGradients() {
	for i := range ob.selfSims {
		t := &ob.selfSims[i]
		ob.b.Fill(t.whole.g, 0)
		ob.b.SelfSimLoss(t.whole.g, t.whole.f, t.target, t.coef, t.slot)
	}
}

// wholesAt adds to grad the gradients at the features of a tile's window.
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

// contentBytes is what the content loss takes at a layer with features f.
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
