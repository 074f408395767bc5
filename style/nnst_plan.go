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

// joinedFlops returns the arithmetic of matching the joined features once.
func (c counter) joinedFlops(s Scale) float64 {
	pairs, channels := 0.0, 0.0
	for _, p := range c.styleSizes(s) {
		pairs += float64(quarter(s.H)*quarter(s.W)) * float64(quarter(p.h)*quarter(p.w)) * float64(c.neighbourTurns())
	}
	c.weighted(c.StyleLayers, func(l vgg.Layer, _ int) { channels += float64(l.Out) })
	return 2 * channels * pairs
}

// neighbourIteration returns the work of an iteration in addition to the network's and
// the optimiser's. Features are joined and their gradient is divided among the layers, or
// new neighbours are found at some positions of each layer.
func (c counter) neighbourIteration(s Scale) (matches, others float64) {
	const resized = 100
	c.weighted(c.StyleLayers, func(l vgg.Layer, _ int) {
		if !s.refine {
			others += 2 * resized * float64(l.Out) * (c.positions(l, s.W, s.H) + float64(quarter(s.H)*quarter(s.W)))
			return
		}
		_, h, w := gridStep(c.features(l, s.W, s.H), refinedCanvas)
		for _, p := range c.styleSizes(s) {
			_, sh, sw := gridStep(c.features(l, p.w, p.h), refinedPainting)
			matches += 2 * float64(l.Out*h*w*sh*sw) * float64(c.neighbourTurns())
		}
	})
	return matches, others
}
