package vgg

import (
	"fmt"

	"github.com/impasto/impasto/gpu"
)

// Stage is a part of the network: some successive blocks. Its input is the image, or
// the pooled features of the block before its first. Its output is the pooled features
// of its last block. If an image is too large for all layers to be kept, the network is
// computed stage by stage, and only what lies between stages is kept.
type Stage struct {
	First int // block, from 1; 0 is 1
	Last  int // block; 0: the deepest tap's, and no pooling after it
}

// Output returns the name of a stage's output, such as "pool3".
func (s Stage) Output() string { return fmt.Sprintf("pool%d", s.Last) }

// Extent says how a stage sees its input, in units of that input.
type Extent struct {
	Deepest   int // distance of the units of the last convolution
	OutStride int // distance of the units of the output: twice Deepest if it is pooled
	Stride    int // pixels of the image that are one unit of the input
	Ahead     int // how far from a window's inner border features are wrong
	Margin    int // how far from there the gradient of the input is wrong
}

// Extent returns the Extent of a stage. A window lacks what lies beyond its inner
// border, so features near that border are wrong. Each 3x3 convolution carries the
// error one unit further in. A backend that convolves by tiles of grain x grain units
// carries it to the end of the tile that reads a wrong unit, because the other units
// of that tile are rounded in another way. Wrong features make wrong gradients, so
// the margin of gradients is wider.
func (n *Network) Extent(s Stage, o PassOptions, grain int) (Extent, error) {
	layers, err := n.stageLayers(s, o)
	if err != nil {
		return Extent{}, err
	}
	first := layers[0].Block
	e := Extent{Stride: 1 << (first - 1), Deepest: 1 << (layers[len(layers)-1].Block - first)}
	e.OutStride = e.Deepest
	if s.Last > 0 {
		e.OutStride *= 2
	}
	step := func(l Layer, wrong int) int {
		tile := grain
		if l.In == n.Layers[0].In { // the image's convolution has none
			tile = 1
		}
		return (wrong + tile) / tile * tile // one unit more, rounded up
	}
	margins := make([]int, len(layers)) // of the activations, in their own units
	wrong := 0
	for i, l := range layers {
		if i > 0 && l.Block != layers[i-1].Block {
			wrong = (wrong + 1) / 2
		}
		wrong = step(l, wrong)
		margins[i] = wrong
		e.Ahead = max(e.Ahead, wrong<<(l.Block-first))
	}
	e.Ahead = max(e.Ahead, (wrong+1)/2*e.OutStride)
	wrong = 0
	for i := len(layers) - 1; i >= 0; i-- {
		if i+1 < len(layers) && layers[i+1].Block != layers[i].Block {
			wrong *= 2
		}
		wrong = step(layers[i], max(wrong, margins[i]))
	}
	e.Margin = wrong
	return e, nil
}

// Input returns the shape of a stage's input for an image (h, w, 3).
func (n *Network) Input(s Stage, h, w int, o PassOptions) (gpu.Shape, error) {
	pool, err := o.pool(n)
	if err != nil {
		return gpu.Shape{}, err
	}
	size := gpu.Shape{H: h, W: w, C: n.Layers[0].In}
	for i, l := range n.Layers {
		if i > 0 && l.Block != n.Layers[i-1].Block {
			size = pool.Out(size)
		}
		if l.Block >= s.First {
			return gpu.Shape{H: size.H, W: size.W, C: l.In}, nil
		}
	}
	return gpu.Shape{}, usageErrorf(nil, "%s has no block %d", n.Name, s.First)
}

// Work returns the multiplications of a stage's convolutions in the forward pass, for
// each unit of its input.
func (n *Network) Work(s Stage, o PassOptions) (float64, error) {
	layers, err := n.stageLayers(s, o)
	total := 0.0
	for _, l := range layers {
		total += 9 * float64(l.In*l.Out) / float64(int(1)<<(2*(l.Block-layers[0].Block)))
	}
	return total, err
}

// Widest returns the most values that an activation of a stage has for each unit of its
// input.
func (n *Network) Widest(s Stage, o PassOptions) (float64, error) {
	layers, err := n.stageLayers(s, o)
	widest := 0.0
	for _, l := range layers {
		widest = max(widest, float64(l.Out)/float64(int(1)<<(2*(l.Block-layers[0].Block))))
	}
	return widest, err
}

// stageLayers returns the layers of a stage.
func (n *Network) stageLayers(s Stage, o PassOptions) ([]Layer, error) {
	o.Stage = s
	start, depth, _, err := n.extent(o)
	return n.Layers[start:depth], err
}

// extent returns the layers that a pass computes, start to depth-1, and which
// of them are taps.
func (n *Network) extent(o PassOptions) (start, depth int, taps map[string]bool, err error) {
	if len(o.Taps) == 0 {
		return 0, 0, nil, usageErrorf([]string{"name a layer, such as relu4_2"}, "no layer named")
	}
	taps = map[string]bool{}
	for _, name := range o.Taps {
		d, err := n.Depth(name)
		if err != nil {
			return 0, 0, nil, err
		}
		taps[n.Layers[d-1].Tap()] = true
		depth = max(depth, d)
	}
	for start < depth && n.Layers[start].Block < o.Stage.First {
		start++
	}
	above := o.Stage.Last == 0 || n.Layers[depth-1].Block > o.Stage.Last
	for o.Stage.Last > 0 && depth > 0 && n.Layers[depth-1].Block > o.Stage.Last {
		depth--
	}
	if start >= depth || !above {
		return 0, 0, nil, usageErrorf(nil, "%s has no blocks %d to %d above its deepest tap", n.Name, o.Stage.First, o.Stage.Last)
	}
	return start, depth, taps, nil
}
