package style

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/vgg"
)

// Scale is one step of the pyramid.
type Scale struct {
	W          int `json:"w"`
	H          int `json:"h"`
	Iterations int `json:"iterations"`

	cut       Cut
	recompute bool // compute the photograph's features again for each tile in each iteration
	refine    bool // nearest neighbours are found again in each iteration
}

// Plan says what a run will do.
type Plan struct {
	Options   Options // with every automatic value made concrete
	Scales    []Scale
	Tile      TileSize
	Cut       Cut   // of the last scale; Tile is its first stage's tile
	Recompute bool  // compute the photograph's features again for each tile in each iteration, and do not keep them
	PeakBytes int64 // most bytes held at a time; see memory.go
	Memory    []MemoryPart
	Seconds   float64 // estimate, from the arithmetic and a short measurement; 0 if not measured
}

// NewPlan returns the plan of painting a canvas of the proportions w x h, which are
// those of the content for Art and of the first style for Texture. It checks the
// options against the network and the backend, and allocates nothing that stays. The
// error is a Problems if options are at fault, or a *MemoryError.
func NewPlan(w, h int, o Options, env Env) (Plan, error) {
	if o.Mode == ModeTexture { // there is no content to weigh
		o.ContentWeight, o.ContentLayers = 0, nil
	}
	if err := o.Validate(env.Network.Taps()...); err != nil {
		return Plan{}, err
	}
	size, err := picture.ParseSize(o.Size)
	if err != nil {
		return Plan{}, err
	}
	if size.IsMax() {
		return largest(w, h, o, env)
	}
	askedW, askedH, err := size.Resolve(w, h)
	if err != nil {
		return Plan{}, err
	}
	p, err := planFor(askedW, askedH, o, env)
	var memory *MemoryError
	if errors.As(err, &memory) {
		memory.advise(w, h, o, env)
	}
	return p, err
}

// Plan returns the plan of a run with these inputs. It does what NewPlan does, but the
// estimate of the time counts the pictures as they are.
func (in Inputs) Plan(o Options, env Env) (Plan, error) {
	w, h := in.Canvas(o.Mode)
	env.inputs = &in
	return NewPlan(w, h, o, env)
}

// planFor plans a result of exactly w x h.
func planFor(w, h int, o Options, env Env) (Plan, error) {
	depth, block, err := o.deepest(env.Network)
	if err != nil {
		return Plan{}, err
	}
	canvasW, canvasH := o.canvas(w, h)
	least := max(1<<(block-1), o.leastForPatches(env.Network)) // pixels that become one position there
	if min(canvasW, canvasH) < least {
		small := fmt.Sprintf("%dx%d", w, h)
		if canvasW > w || canvasH > h {
			small += fmt.Sprintf(", painted at %dx%d,", canvasW, canvasH)
		}
		return Plan{}, Problems{{
			Option: "size", Value: o.Size,
			Reason: fmt.Sprintf("%s is too small: layer %q needs at least %d pixels on each side", small, env.Network.Layers[depth-1].Tap(), least),
			Try:    []Suggestion{{"size", o.sizeFor(w, h, int(math.Ceil(float64(least)/o.enlarged()))), ""}},
		}}
	}
	scales := o.scales(canvasW, canvasH, 2*least)
	if c := scales[0]; min(c.W, c.H) < least {
		return Plan{}, Problems{{
			Option: "scales", Value: o.Scales,
			Reason: fmt.Sprintf("%d scales begin at %dx%d, too small for layer %q, which needs %d pixels on each side", len(scales), c.W, c.H, env.Network.Layers[depth-1].Tap(), least),
			Try:    []Suggestion{{"scales", "0", "as many as fit"}},
		}}
	}
	p := Plan{Options: o.concrete(w, h, scales), Scales: o.refined(scales)}
	if err := p.chooseCuts(env); err != nil {
		return p, err
	}
	p.Seconds, err = p.estimate(env, depth)
	return p, err
}

// sizeFor returns the size at which the short side of a canvas of these proportions has
// at least that many pixels.
func (o Options) sizeFor(w, h, least int) string {
	long := func(side int) int { return (side*least + min(w, h) - 1) / min(w, h) }
	if fixed := fmt.Sprintf("%dx%d", w, h); o.Size == fixed {
		return fmt.Sprintf("%dx%d", long(w), long(h))
	}
	// w and h were rounded, so the picture may be half a pixel longer and thinner.
	return strconv.Itoa(((2*max(w, h)+1)*least + 2*min(w, h) - 2) / (2*min(w, h) - 1))
}

// concrete replaces automatic values by the values used. The options then repeat the
// run on any machine.
func (o Options) concrete(w, h int, scales []Scale) Options {
	o.Size = fmt.Sprintf("%dx%d", w, h)
	o.Scales = len(scales)
	o.Iterations = make([]int, len(scales))
	for i, s := range scales {
		o.Iterations[i] = s.Iterations
	}
	if o.LR == 0 {
		o.LR = 1
		if o.Optimizer == OptimizerAdam {
			o.LR = 5
		}
	}
	return o
}

// canvas returns the size of the canvas for a result of w x h.
func (o Options) canvas(w, h int) (int, int) {
	return atLeastOne(float64(w) * o.enlarged()), atLeastOne(float64(h) * o.enlarged())
}

// reduced returns the size of the result for a canvas of w x h. It undoes canvas: as the
// canvas is the larger, rounding it loses nothing.
func (o Options) reduced(w, h int) (int, int) {
	return atLeastOne(float64(w) / o.enlarged()), atLeastOne(float64(h) / o.enlarged())
}

// enlarged returns the side of the canvas over that of the result.
func (o Options) enlarged() float64 { return max(1, o.Supersample) }

// W returns the width of the finished picture.
func (p Plan) W() int {
	w, _ := p.Options.reduced(p.Canvas())
	return w
}

// H returns the height of the finished picture.
func (p Plan) H() int {
	_, h := p.Options.reduced(p.Canvas())
	return h
}

// Canvas returns the width and height of the last scale. The finished picture is smaller
// if Options.Supersample is above 1.
func (p Plan) Canvas() (w, h int) {
	last := p.Scales[len(p.Scales)-1]
	return last.W, last.H
}

// Iterations returns the number of iterations over all scales.
func (p Plan) Iterations() int {
	n := 0
	for _, s := range p.Scales {
		n += s.Iterations
	}
	return n
}

// scales lists the sizes from coarse to fine; the last is w x h. Each coarser one is
// smaller than the last by a power of step. It is not computed from its neighbour, so
// that rounding does not add up. If o.Scales is 0, all sizes are used whose scale-side
// is at least o.MinScale and whose short side is at least least.
func (o Options) scales(w, h, least int) []Scale {
	side, short := float64(o.side(w, h)), float64(min(w, h))
	var list []Scale
	for i := 0; o.Scales == 0 || i < o.Scales; i++ {
		shrink := math.Pow(o.ScaleStep, float64(i))
		if o.ScaleFrom > 0 && o.Scales > 1 {
			shrink = 1 / (1 - float64(i)*(1-o.ScaleFrom)/float64(o.Scales-1))
		}
		s := Scale{W: atLeastOne(float64(w) / shrink), H: atLeastOne(float64(h) / shrink)}
		if i > 0 && o.Scales == 0 && (math.Round(side/shrink) < float64(o.MinScale) || math.Round(short/shrink) < float64(least)) {
			break
		}
		list = append(list, s)
	}
	slices.Reverse(list)
	for i := range list {
		list[i].Iterations = o.Iterations[min(i, len(o.Iterations)-1)]
	}
	return list
}

func atLeastOne(v float64) int { return max(1, int(math.Round(v))) }

// deepest returns the number of convolutions that must be computed for the layers in
// use, and the block of the last of them.
func (o Options) deepest(n *vgg.Network) (depth, block int, err error) {
	for _, l := range o.taps() {
		d, err := n.Depth(l)
		if err != nil {
			return 0, 0, err
		}
		depth = max(depth, d)
	}
	if depth == 0 {
		return 0, 0, fmt.Errorf("no layer has a weight")
	}
	return depth, n.Layers[depth-1].Block, nil
}

// taps lists the layers that have a loss, each once.
func (o Options) taps() []string {
	var names []string
	add := func(weight float64, layers []LayerWeight) {
		for _, l := range layers {
			if weight > 0 && l.Weight > 0 && !slices.Contains(names, l.Layer) {
				names = append(names, l.Layer)
			}
		}
	}
	add(o.ContentWeight, o.ContentLayers)
	add(o.StyleWeight, o.StyleLayers)
	add(o.PatchWeight+o.AnalogyWeight, o.PatchLayers)
	return names
}

// styled lists the taps whose only gradient is that of one style loss on moments.
func (o Options) styled() (names []string) {
	if o.StyleLoss == LossSliced || o.Method == MethodNNST || o.Normalize != NormalizeOff || o.Tileable {
		return nil
	}
	uses := map[string]int{}
	for _, layers := range [][]LayerWeight{o.ContentLayers, o.StyleLayers, o.PatchLayers} {
		for _, l := range layers {
			uses[l.Layer]++
		}
	}
	for _, l := range o.StyleLayers {
		if o.StyleWeight > 0 && l.Weight > 0 && uses[l.Layer] == 1 {
			names = append(names, l.Layer)
		}
	}
	return names
}

// side returns the side of a picture (h, w) that the option scale-side selects.
func (o Options) side(w, h int) int {
	if o.ScaleSide == SideShort {
		return min(w, h)
	}
	return max(w, h)
}

// styleSize returns a painting's size for a canvas with that scale-side. The painting's
// scale-side is style-scale times the canvas's. Beside the result it is not enlarged
// unless the options ask for that.
func (o Options) styleSize(s *Picture, canvas int) (w, h int) {
	ratio := o.StyleScale * float64(canvas) / float64(o.side(s.W, s.H))
	if !o.StyleUpscale {
		ratio = min(ratio, o.enlarged())
	}
	return atLeastOne(float64(s.W) * ratio), atLeastOne(float64(s.H) * ratio)
}

// passOptions returns the options of the network's passes.
func (o Options) passOptions(grad bool) vgg.PassOptions {
	p := vgg.PassOptions{
		Taps: o.taps(), Pool: vgg.Pool(o.Pooling), Ceil: o.PoolRound == RoundCeil,
		PoolScale: o.PoolScale, Grad: grad, Styled: o.styled(),
	}
	if o.Padding == PadReplicate {
		p.Pad = gpu.ReplicatePad
	}
	return p
}

// newOptimizer returns the optimiser of one scale.
func (o Options) newOptimizer(b gpu.Backend, s gpu.Shape, px pixels) gpu.Optimizer {
	common := gpu.StepOptions{Average: o.Average}
	if o.Box {
		common.Bounds = &gpu.Bounds{Lo: make([]float32, s.C), Hi: make([]float32, s.C)}
		for c := range s.C {
			common.Bounds.Lo[c] = -px.mean[c]
			common.Bounds.Hi[c] = px.white - px.mean[c]
		}
	}
	if o.Optimizer == OptimizerAdam {
		return b.NewAdam(s, gpu.AdamOptions{StepOptions: common, LearningRate: o.LR, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Epsilon})
	}
	l := gpu.LBFGSOptions{StepOptions: common, History: o.History, LearningRate: o.LR, LineSearch: o.LineSearch}
	if o.LossScale == ScaleRelative {
		l.FirstStep = 1 // one level of 255, since gradients of relative losses are no distances
	}
	return b.NewLBFGS(s, l)
}
