package style

import (
	"math"
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// work is what a part of a run has to do. The time of passes and others is proportional
// to that of a convolution, which is measured (see measureSpeed); host is the time of
// what the processor does with whole pictures, whatever the device.
type work struct {
	what    string
	passes  float64 // operations of convolutions
	matches float64 // operations of the products that matches are found by
	others  float64 // of everything else, as operations of a convolution that take as long
	host    float64 // seconds
}

// matchSlower is how much longer an operation of a matching takes than one of a
// convolution, which makes only a quarter of its multiplications.
const matchSlower = 4

// seconds returns the time, given that of an operation of a convolution.
func (w work) seconds(perFlop float64) float64 {
	return (w.passes+matchSlower*w.matches+w.others)*perFlop + w.host
}

// times returns n times the work.
func (w work) times(n float64) work {
	return work{w.what, n * w.passes, n * w.matches, n * w.others, n * w.host}
}

// works lists parts.
type works []work

func (all works) sum() (total work) {
	for _, w := range all {
		total.passes, total.matches, total.others, total.host = total.passes+w.passes, total.matches+w.matches, total.others+w.others, total.host+w.host
	}
	return total
}

// work lists what a run has to do: at each scale what is prepared and the iterations,
// and the picture at the end.
func (p Plan) work(env Env, depth int) (works, error) {
	c := counter{Options: p.Options, n: env.Network, depth: depth, tile: env.Backend.ConvTile(), in: env.inputs}
	if c.in == nil {
		c.in = &Inputs{}
	}
	var all works
	for i, s := range p.Scales {
		w, h := c.seen(env.Network, s.W, s.H)
		cut, err := c.cutWork(env.Backend, env.Network, h, w, s.cut, s.recompute)
		if err != nil {
			return nil, err
		}
		memory, err := p.memory(env, s, w, h)
		if err != nil {
			return nil, err
		}
		all = append(all, memory, c.pictures(s), c.paintings(s).times(cut), c.targets(s).times(cut), c.matches(s),
			c.iteration(s, w, h).times(cut*float64(s.Iterations)))
		if i == len(p.Scales)-1 {
			all = append(all, c.finish(s))
		}
	}
	return all, nil
}

// counter counts the work of a run.
type counter struct {
	Options
	n     *vgg.Network
	depth int
	tile  int     // see convFlops
	in    *Inputs // what is known of them
}

// forward returns the arithmetic of one pass, forward alone, over a picture of w x h.
func (c counter) forward(w, h int) float64 { return c.forwardFlops(c.n, c.depth, w, h, c.tile) }

// forwardFlops returns the arithmetic of the first depth layers for a picture of w x h.
// The backward pass to the picture has as much. tile is the backend's ConvTile.
func (o Options) forwardFlops(n *vgg.Network, depth, w, h, tile int) float64 {
	total := 0.0
	for i, l := range n.Layers[:depth] {
		if i > 0 && l.Block != n.Layers[i-1].Block {
			w, h = o.pooled(w), o.pooled(h)
		}
		total += convFlops(l.In, l.Out, w, h, tile)
	}
	return total
}

// convFlops returns the arithmetic of a 3x3 convolution of w x h positions: 2*9*C*K a
// position. A backend that computes tiles of positions computes whole tiles, and
// transforms the filters in each call. That takes as long as some positions more, and
// most of the time of deep layers of small pictures.
func convFlops(in, out, w, h, tile int) float64 {
	const filters = 96 // positions
	positions := w * h
	if tile > 1 {
		positions = (w+tile-1)/tile*tile*((h+tile-1)/tile*tile) + filters
	}
	return 18 * float64(in*out*positions)
}

// pooled returns the side of a layer after a pooling.
func (o Options) pooled(side int) int {
	if o.PoolRound == RoundCeil {
		return (side + 1) / 2
	}
	return side / 2
}

// features returns the shape of the features of a layer in a picture of w x h.
func (c counter) features(l vgg.Layer, w, h int) gpu.Shape {
	for range l.Block - 1 {
		w, h = c.pooled(w), c.pooled(h)
	}
	return gpu.Shape{H: h, W: w, C: l.Out}
}

// positions returns the positions of a layer in a picture of w x h.
func (c counter) positions(l vgg.Layer, w, h int) float64 {
	return float64(c.features(l, w, h).Pixels())
}

// size is that of a picture, in pixels.
type size struct{ w, h int }

func (s size) pixels() float64 { return float64(s.w * s.h) }

// styleSizes lists the sizes of the paintings at a scale. Of unknown paintings it knows
// their number if they have weights, and takes them to have the canvas's proportions.
func (c counter) styleSizes(s Scale) []size {
	side := c.side(s.W, s.H)
	var list []size
	for _, p := range c.in.Styles {
		w, h := c.styleSize(p, side)
		list = append(list, size{w, h})
	}
	if list == nil {
		one := size{atLeastOne(float64(s.W) * c.StyleScale), atLeastOne(float64(s.H) * c.StyleScale)}
		for range max(1, len(c.StyleWeights)) {
			list = append(list, one)
		}
	}
	return list
}

// viewSize is the size of a view of a painting.
type viewSize struct {
	size
	of int // number of the painting
}

// viewSizes lists the sizes of the views of the paintings at a scale, which patches are
// taken from.
func (c counter) viewSizes(s Scale) []viewSize {
	sizes := c.styleSizes(s)
	var list []viewSize
	for _, v := range c.views(len(sizes)) {
		w, h := float64(sizes[v.style].w), float64(sizes[v.style].h)
		if v.angle != 0 {
			sin, cos := math.Sincos(v.angle * math.Pi / 180)
			w, h = inscribed(w, h, math.Abs(sin), math.Abs(cos))
		}
		list = append(list, viewSize{size{atLeastOne(w * v.scale), atLeastOne(h * v.scale)}, v.style})
	}
	return list
}

// weighted visits the layers in use that have a weight in list, with their number in it.
func (c counter) weighted(list []LayerWeight, visit func(l vgg.Layer, number int)) {
	for i, w := range list {
		for _, l := range c.n.Layers[:c.depth] {
			if l.Tap() == w.Layer && w.Weight > 0 {
				visit(l, i)
			}
		}
	}
}

// paintings counts what is computed of the paintings for a scale.
func (c counter) paintings(s Scale) work {
	total := work{what: "paintings"}
	if c.Method == MethodNNST {
		for _, p := range c.styleSizes(s) {
			total.passes += float64(c.neighbourTurns()) * c.forward(p.w, p.h)
		}
		return total
	}
	if c.StyleWeight > 0 {
		for _, p := range c.styleSizes(s) {
			total.passes += c.forward(p.w, p.h)
			c.weighted(c.StyleLayers, func(l vgg.Layer, _ int) {
				total.others += c.styleFlops(l.Out, c.positions(l, p.w, p.h)) / 2
			})
		}
	}
	if c.PatchWeight > 0 {
		for _, p := range c.viewSizes(s) {
			total.passes += c.forward(p.w, p.h)
		}
	}
	if c.AnalogyWeight > 0 { // A and A'
		p := c.styleSizes(s)[0]
		total.passes += 2 * c.forward(p.w, p.h)
	}
	return total
}

// targets counts what is computed of the photograph for a scale. Method nnst instead
// computes the features of the canvas that it matches.
func (c counter) targets(s Scale) work {
	total := work{what: "photograph"}
	if c.ContentWeight > 0 && c.Method != MethodNNST {
		w, h := c.seen(c.n, s.W, s.H)
		total.passes += c.forward(w, h)
	}
	if c.AnalogyWeight > 0 || c.Method == MethodNNST && !s.refine { // B, or the canvas
		total.passes += c.forward(s.W, s.H)
	}
	return total
}

// matches counts the matches that hold for a scale.
func (c counter) matches(s Scale) work {
	total := work{what: "matches of the scale"}
	if c.Method == MethodNNST && !s.refine {
		total.matches += c.joinedFlops(s)
	}
	if c.AnalogyWeight > 0 {
		p := c.styleSizes(s)[0]
		c.weighted(c.PatchLayers, func(l vgg.Layer, _ int) {
			total.matches += 2 * float64(l.Out) * c.positions(l, s.W, s.H) * c.positions(l, p.w, p.h)
		})
	}
	return total
}

// iteration counts an iteration at a scale, in which the network sees a picture of w x h.
func (c counter) iteration(s Scale, w, h int) work {
	total := work{what: "iterations"}
	total.passes = 2 * c.forward(w, h)
	if first := c.n.Layers[0]; c.depth > 1 && slices.Contains(c.taps(), first.Tap()) {
		total.passes += convFlops(first.In, first.Out, w, h, c.tile) // computed again in the backward pass
	}
	total.others = float64(s.W*s.H) * c.imageFlops()
	if c.Method == MethodNNST {
		matches, others := c.neighbourIteration(s)
		total.matches, total.others = matches, total.others+others
		return total
	}
	if c.StyleWeight > 0 {
		c.weighted(c.StyleLayers, func(l vgg.Layer, _ int) { total.others += c.styleFlops(l.Out, c.positions(l, w, h)) })
	}
	if c.ContentWeight > 0 && c.ContentLoss == ContentSelfSim {
		c.weighted(c.ContentLayers, func(l vgg.Layer, _ int) { total.others += selfSimFlops(l.Out, c.positions(l, w, h)) })
	}
	if c.PatchWeight > 0 {
		views := c.viewSizes(s)
		share := float64((s.Iterations+c.Rematch-1)/max(1, c.Rematch)) / float64(s.Iterations) // of iterations that match
		c.weighted(c.PatchLayers, func(l vgg.Layer, i int) {
			canvas := c.features(l, s.W, s.H)
			for _, v := range views {
				view := c.features(l, v.w, v.h)
				live := share * c.liveShare(v.of, canvas, view)
				total.matches += live * c.matchFlops(l.Out, float64(canvas.Pixels()), float64(view.Pixels()))
			}
			total.others += c.pullFlops(l.Out, float64(canvas.Pixels()), i)
		})
	}
	return total
}

// pictures counts the resizing of pictures for a scale.
func (c counter) pictures(s Scale) work {
	total := work{what: "resizing pictures"}
	for i, to := range c.styleSizes(s) {
		from := to
		if i < len(c.in.Styles) {
			from = size{c.in.Styles[i].W, c.in.Styles[i].H}
		}
		times := float64(c.neighbourTurns())
		if c.PatchWeight > 0 {
			times = float64(len(c.views(1)))
		}
		total.host += times * resizeSeconds(from, to)
		if c.AnalogyWeight > 0 && i == 0 {
			total.host += 2 * resizeSeconds(from, to)
		}
	}
	if p := c.in.Content; p != nil {
		total.host += resizeSeconds(size{p.W, p.H}, size{s.W, s.H})
	}
	if p := c.in.B; p != nil && c.AnalogyWeight > 0 {
		total.host += resizeSeconds(size{p.W, p.H}, size{s.W, s.H})
	}
	return total
}

// memory counts the allocation of a scale's arrays: pages that the system must provide.
func (p Plan) memory(env Env, s Scale, w, h int) (work, error) {
	parts, err := p.account(env, w, h, s.cut, s.recompute)
	fresh := sumBytes(parts) - p.weightBytes(env) - env.Pictures - programBytes - workBytes*int64(p.widest(env))
	return work{what: "memory", host: byteSeconds * float64(fresh)}, err
}

// finish counts the colours of the finished picture, or those of the paintings that were
// matched before.
func (c counter) finish(s Scale) work {
	total := work{what: "colours"}
	pixels := float64(s.W * s.H)
	if c.Color == ColorMatch {
		pixels = 0
	}
	for _, p := range c.in.Styles {
		if c.Color == ColorMatch || c.ColorFinish {
			pixels += float64(p.W * p.H)
		}
	}
	switch {
	case c.ColorFinish, c.Color != ColorStyle && c.ColorSpace == ColorOklab:
		total.host = oklabSeconds * pixels
	case c.Color != ColorStyle:
		total.host = yuvSeconds * pixels
	}
	return total
}

// These are times of one thread of a Zen 3.
const (
	tapSeconds   = 0.8e-9 // a sample of a picture is multiplied by a weight of a resampling filter
	codeSeconds  = 10e-9  // a sample is converted to or from linear light
	byteSeconds  = 0.5e-9 // a byte of memory is got from the system, cleared and given back
	oklabSeconds = 800e-9 // the colours of a pixel are changed in Oklab
	yuvSeconds   = 100e-9 // or in YUV
	flowSeconds  = 6e-6   // the motion of a pixel is found
)

// resizeSeconds returns the time to resize a picture.
func resizeSeconds(from, to size) float64 {
	if from == to {
		return 0
	}
	const channels, reach = 3, 6
	taps := func(n, n2 int) float64 { return reach * math.Max(1, float64(n)/float64(n2)) }
	across := float64(to.w*from.h) * taps(from.w, to.w)
	down := to.pixels() * taps(from.h, to.h)
	return channels * ((across+down)*tapSeconds + (from.pixels()+to.pixels())*codeSeconds)
}
