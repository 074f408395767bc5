package style

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/impasto/impasto/gpu"
)

// This file counts the memory that a run will hold. Most is held in the iterations of
// the last scale:
//
//	the network's weights, as read and in the backend's layout
//	the pass of one tile through the network, and the buffers that combine the tiles
//	checkpoints, and their gradients
//	the photograph's features, the paintings' statistics
//	the image, its gradient, and the optimiser's copies of both
//	the pictures that the caller holds, and the program itself
//
// If that is more than the limit, the image is computed in tiles; see tile_cut.go.

// The memory of the program itself: code, the runtime and threads, and for each channel
// of the widest layer the operations' work space.
const (
	programBytes = 36 << 20
	workBytes    = 48 << 10
)

// MemoryPart is one line of the account.
type MemoryPart struct {
	What  string `json:"what"`
	Bytes int64  `json:"bytes"`
}

// bytes returns the most memory that a run of a canvas (h, w) with this cut holds.
func (p Plan) bytes(env Env, w, h int, c Cut, recompute bool) (int64, error) {
	parts, err := p.account(env, w, h, c, recompute)
	return sumBytes(parts), err
}

func sumBytes(parts []MemoryPart) int64 {
	total := int64(0)
	for _, part := range parts {
		total += part.Bytes
	}
	return total
}

// account lists the memory that such a run holds.
func (p Plan) account(env Env, w, h int, c Cut, recompute bool) ([]MemoryPart, error) {
	stages, err := p.Options.layout(env.Backend, env.Network, h, w, c, true)
	if err != nil {
		return nil, err
	}
	pass, _, err := env.Network.PassesBytes(env.Backend, allWindows(stages), p.Options.passOptions(true))
	if err != nil {
		return nil, err
	}
	return p.accountOf(env, w, h, c, stages, pass, recompute)
}

// accountOf does what account does, given the stages and the bytes of their passes.
func (p Plan) accountOf(env Env, w, h int, c Cut, stages []stage, pass int64, recompute bool) ([]MemoryPart, error) {
	o, b := p.Options, env.Backend
	taps, err := env.Network.TapShapes(b, h, w, o.passOptions(true))
	if err != nil {
		return nil, err
	}
	cut := len(stages) > 1 || stages[0].cut()
	what := "the network's activations"
	if cut || o.Tileable {
		pass += b.Bytes(gpu.Shape{H: 1, W: 1, C: 2*windowLen(stages) + 1}) + stripBuffers*b.Bytes(gpu.Shape{H: 1, W: 1, C: stripLen(taps, stages)})
	}
	if n := len(stages[0].tiles); n > 1 {
		what += fmt.Sprintf(" for one of %d tiles", n)
	}
	var checkpoints, content, style, patches, sorted int64
	for _, s := range stages[1:] {
		checkpoints += 2 * b.Bytes(s.shape)
	}
	for _, l := range o.ContentLayers {
		if o.ContentWeight*l.Weight > 0 {
			content += o.contentBytes(b, taps[l.Layer], cut)
		}
	}
	for _, l := range o.StyleLayers {
		if o.StyleWeight*l.Weight > 0 && o.Method != MethodNNST {
			style += o.styleBytes(b, taps[l.Layer], cut)
			if o.StyleLoss == LossSliced {
				_, work := o.slicedBytes(b, taps[l.Layer])
				sorted = max(sorted, work)
			}
		}
	}
	for _, l := range o.PatchLayers {
		if (o.PatchWeight+o.AnalogyWeight)*l.Weight > 0 {
			patches += o.patchBytes(b, taps[l.Layer], cut)
		}
	}
	image := b.Bytes(gpu.Shape{H: h, W: w, C: 3})
	images := int64(2)
	if o.Tileable {
		images = 8 // with the network's input, the edges, and a part that is moved
	}
	features := "the photograph's features"
	if recompute {
		features = "the photograph, its features computed anew for each tile"
		largest := 0
		for _, t := range stages[0].tiles {
			largest = max(largest, t.window.H*t.window.W)
		}
		content = image + content/int64(w*h)*int64(largest)
	}
	parts := []MemoryPart{
		{what, pass},
		{features, content},
		{"statistics of style", style},
		{"values that are sorted", sorted},
		{"the paintings' patches", patches},
		{"the image and its gradient", images * image},
		{"what is spared smoothing", o.spareBytes(b, h, w)},
		{"the frame before", o.temporalBytes(b, gpu.Shape{H: h, W: w, C: 3})},
		{fmt.Sprintf("the optimiser's %d images", o.optimizerImages()), int64(o.optimizerImages()) * image},
		{"the network's weights", p.weightBytes(env)},
		{"input pictures", env.Pictures},
		{"the program", programBytes + workBytes*int64(p.widest(env))},
	}
	if o.Method == MethodNNST {
		parts = append(parts, o.neighbourBytes(b, taps, gpu.Shape{H: h, W: w, C: 3})...)
	}
	if len(c.Ends) > 0 {
		parts = slices.Insert(parts, 1, MemoryPart{Cut{Ends: c.Ends}.String() + ", with their gradients", checkpoints})
	}
	return parts, nil
}

// checkUncut refuses a canvas if the memory that does not shrink with tiles is over the
// limit already. The search among cuts is not needed then.
func (p Plan) checkUncut(env Env, tiles bool) error {
	w, h := p.Canvas()
	image := env.Backend.Bytes(gpu.Shape{H: h, W: w, C: 3})
	least := int64(2+p.Options.optimizerImages())*image + p.weightBytes(env) + env.Pictures + programBytes
	if env.MaxBytes <= 0 || least <= env.MaxBytes {
		return nil
	}
	whole, err := p.bytes(env, w, h, Cut{}, false)
	if err != nil {
		return err
	}
	e := &MemoryError{W: p.W(), H: p.H(), Need: whole, Have: env.MaxBytes}
	if tiles {
		e.Tiled = least
	}
	return e
}

// optimizerImages returns how many copies of the image the optimiser holds.
func (o Options) optimizerImages() int {
	n := 3 // Adam: the last good image and two moments
	if o.Optimizer == OptimizerLBFGS {
		n = 2 + 2*(o.History+1) // the last good image, its gradient, and pairs
	}
	if o.Average > 0 {
		n++
	}
	return n
}

// styleBytes returns the memory of the style loss at a layer with features f.
func (o Options) styleBytes(b gpu.Backend, f gpu.Shape, cut bool) int64 {
	if o.StyleLoss == LossSliced {
		term, _ := o.slicedBytes(b, f)
		if o.Normalize != NormalizeOff {
			term += b.Bytes(f)
		}
		return term
	}
	matrices, styles := int64(2), int64(1) // the canvas's moments and a painting's
	if o.StyleBlend == BlendLosses {
		styles = int64(max(1, len(o.StyleWeights)))
	}
	matrices += styles
	switch o.StyleLoss {
	case LossW2:
		matrices += 2 + 7*styles // gradients; factors and work space of each painting
	case LossCovariance, LossMoments:
		matrices += 2 + styles // gradients; a matrix of each painting
	}
	total := matrices*b.Bytes(gpu.Matrix(f.C)) + b.SumsBytes(f.C)
	if cut {
		total += b.SumsBytes(f.C)
	}
	if o.Normalize != NormalizeOff {
		total += b.Bytes(f)
	}
	return total
}

// weightBytes returns the bytes of the network's weights as they were read, and of
// those in use as the backend stores them for the forward and the backward pass.
func (p Plan) weightBytes(env Env) int64 {
	depth, _, err := p.Options.deepest(env.Network)
	if err != nil {
		return 0
	}
	laidOut := int64(4) // bytes of a weight, forward and back
	if precisionOf(env.Backend) == gpu.Half {
		laidOut = 2
	}
	bytes := int64(0)
	for i, l := range env.Network.Layers {
		bytes += 4 * int64(len(l.Weight))
		if i < depth {
			bytes += 2 * laidOut * int64(len(l.Weight))
		}
	}
	return bytes
}

// widest returns the number of channels of the widest layer in use.
func (p Plan) widest(env Env) int {
	depth, _, _ := p.Options.deepest(env.Network)
	widest := 0
	for _, l := range env.Network.Layers[:depth] {
		widest = max(widest, l.Out)
	}
	return widest
}

// largest returns the plan of the largest canvas with the proportions w x h that
// MaxBytes allows.
func largest(w, h int, o Options, env Env) (Plan, error) {
	if env.MaxBytes <= 0 {
		return Plan{}, Problems{{Option: "size", Value: o.Size, Reason: "size \"max\" needs a memory limit"}}
	}
	const step, longest = 32, 1 << 15
	try := func(long int) (Plan, error) {
		ratio := float64(long) / float64(max(w, h))
		return planFor(atLeastOne(float64(w)*ratio), atLeastOne(float64(h)*ratio), o, env)
	}
	n := sort.Search(longest/step, func(i int) bool {
		_, err := try((i + 1) * step)
		var memory *MemoryError
		var fault *OptionError
		return errors.As(err, &memory) || errors.As(err, &fault) && fault.Option == "tile" // too large untiled
	})
	return try(max(n, 1) * step)
}

// advise adds to the error sizes and settings that would fit. The size has the
// proportions w x h, and the settings keep the size that was asked for.
func (e *MemoryError) advise(w, h int, o Options, env Env) {
	if p, err := largest(w, h, o, env); err == nil {
		e.Fits = fmt.Sprintf("%dx%d", p.W(), p.H())
		e.Try = append(e.Try, Suggestion{"size", "max", e.Fits + " here"})
	}
	other := func(option, value string, change func(*Options)) {
		changed := o // each suggestion is tried alone
		change(&changed)
		if p, err := planFor(e.W, e.H, changed, env); err == nil {
			e.Try = append(e.Try, Suggestion{option, value, gigabytes(p.PeakBytes)})
		}
	}
	if o.Supersample > 1 {
		other("supersample", "1", func(o *Options) { o.Supersample = 1 })
	}
	if o.Tile == tileOff {
		other("tile", "auto", func(o *Options) { o.Tile = "" })
	}
	if o.Optimizer == OptimizerLBFGS {
		if o.History > 5 {
			other("history", "5", func(o *Options) { o.History = 5 })
		}
		other("optimizer", string(OptimizerAdam), func(o *Options) { o.Optimizer = OptimizerAdam })
	}
}

func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
