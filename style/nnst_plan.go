package style

import (
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// neighbourBytes returns the most memory that nearest neighbours take in addition to
// the image and its pass. The most is in use when neighbours are found, before the
// iterations of the last scale.
func (o Options) neighbourBytes(b gpu.Backend, taps map[string]gpu.Shape, image gpu.Shape) []MemoryPart {
	canvas := b.Bytes(o.joinedShapeOf(taps, image.H, image.W))
	painting := float64(canvas) * o.StyleScale * o.StyleScale
	views := float64(max(1, o.neighbourTurns()))
	bands := int64(0)
	for i, s := range bandShapes(image) {
		bands += 2 * b.Bytes(s)
		if i > 0 {
			bands += 4 * b.Bytes(s) // the composed images, and three arrays of the optimiser
		}
	}
	return []MemoryPart{
		{"joined features of the canvas, and what they are to become", 2 * canvas},
		{"joined features of the paintings", int64(painting * (views + 1))}, // and the one that is searched
		{"the image in bands, and what was matched", bands + b.Bytes(image)},
	}
}

// neighbourFlops returns the arithmetic of matching at a scale. The speed is measured
// with a convolution that needs only a quarter of its multiplications. Matching needs
// all of them, hence the factor plain.
func (o Options) neighbourFlops(n *vgg.Network, s Scale) float64 {
	const plain = 4
	views := o.StyleScale * o.StyleScale * float64(o.neighbourTurns())
	total, channels := 0.0, 0.0
	for _, l := range n.Layers {
		if weightOf(o.StyleLayers, l.Tap()) == 0 {
			continue
		}
		channels += float64(l.Out)
		if s.refine {
			f := gpu.Shape{H: s.H >> (l.Block - 1), W: s.W >> (l.Block - 1)}
			_, h, w := gridStep(f, refinedCanvas)
			_, sh, sw := gridStep(f, refinedPainting)
			total += float64(s.Iterations) * plain * 2 * float64(l.Out*h*w*sh*sw) * views
		}
	}
	if !s.refine {
		positions := float64(quarter(s.H) * quarter(s.W))
		total += plain * 2 * channels * positions * positions * views
	}
	return total
}

func weightOf(layers []LayerWeight, name string) float64 {
	for _, l := range layers {
		if l.Layer == name {
			return l.Weight
		}
	}
	return 0
}
