package bench

import (
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// fewCanvas and fewPainting are how many positions of a layer, and of the
// painting's, an iteration of the last pass uses (see style's refining).
const fewCanvas, fewPainting = 32, 64

// Neighbours returns the parts of nearest-neighbour style transfer on a square
// picture and a painting of its size: an iteration with kept neighbours, one that
// finds them anew, and the search at the beginning of a scale.
func Neighbours(b gpu.Backend, n *vgg.Network, side int) (held, anew, search *Work, err error) {
	pass, err := n.NewPass(b, side, side, vgg.PassOptions{Taps: style.NeighbourLayers, Pool: vgg.PoolAvg, Grad: true})
	if err != nil {
		return nil, nil, nil, err
	}
	shape := gpu.Shape{H: side, W: side, C: 3}
	x, dx := noise(b, shape, 1), b.NewArray(shape)
	joined := gpu.Shape{H: (side + 2) / 4, W: (side + 2) / 4}
	at, resizers, few := map[string]int{}, map[string]*gpu.Resizer{}, map[string]*refinedLayer{}
	for i, tap := range pass.Taps() {
		s := pass.Shape(tap)
		at[tap], resizers[tap] = joined.C, b.NewResizer(joined, s, gpu.Bilinear)
		joined.C += s.C
		few[tap] = newRefinedLayer(b, s, i)
	}
	h, target := b.NewArray(joined), b.NewArray(joined)
	b.Fill(h, 1)
	b.Fill(target, 1)
	adam := b.NewAdam(shape, gpu.AdamOptions{LearningRate: 0.01})
	held = &Work{Name: "nnst", Group: "iteration", Side: side, Run: func() {
		pass.Forward(x, func(tap string, f *gpu.Array) {
			b.Resize(h, f, resizers[tap], gpu.ResizeOptions{To: at[tap]})
		})
		b.CosineLoss(h, h, target, 1, 0)
		pass.Backward(dx, func(tap string, _ *gpu.Array, gradient *vgg.Gradient) {
			grad := gradient.Array()
			b.Resize(grad, h, resizers[tap].Back(), gpu.ResizeOptions{From: at[tap], Channels: grad.Shape.C, Add: true})
		})
		adam.Step(x, dx)
		b.Sync()
	}}
	anew = &Work{Name: "nnst refine", Group: "iteration", Side: side, Run: func() {
		pass.Forward(x, nil)
		pass.Backward(dx, func(tap string, f *gpu.Array, grad *vgg.Gradient) { few[tap].evaluate(b, f, grad.Array()) })
		adam.Step(x, dx)
		b.Sync()
	}}
	bank := b.NewBank(target, gpu.BankOptions{Size: 1})
	m := b.NewMatches(bank.MatchGrid(joined, 1))
	positions := float64(joined.Pixels())
	search = &Work{Name: "nnst search", Group: "matching", Side: side, Flop: 2 * float64(joined.C) * positions * positions, Run: func() {
		b.Match(m, h, bank, gpu.MatchOptions{})
		b.Sync()
	}}
	return held, anew, search, b.Err()
}

// refinedLayer is the work of an iteration of the last pass at one layer.
type refinedLayer struct {
	few, centred, found, painting *gpu.Array
	mean                          *gpu.Array
	bank                          *gpu.Bank
	matches                       *gpu.Matches
	step, slot                    int
}

func newRefinedLayer(b gpu.Backend, f gpu.Shape, slot int) *refinedLayer {
	step := max(1, f.H/fewCanvas)
	s, p := gpu.Shape{H: f.H / step, W: f.W / step, C: f.C}, gpu.Shape{H: min(f.H, fewPainting), W: min(f.W, fewPainting), C: f.C}
	l := &refinedLayer{few: b.NewArray(s), centred: b.NewArray(s), found: b.NewArray(s), painting: noise(b, p, 3),
		mean: b.NewArray(gpu.Vector(f.C)), step: step, slot: slot}
	l.bank = b.NewBank(l.painting, gpu.BankOptions{Size: 1})
	l.matches = b.NewMatches(l.bank.MatchGrid(s, 1))
	return l
}

func (l *refinedLayer) evaluate(b gpu.Backend, f, grad *gpu.Array) {
	g := gpu.Grid{Step: l.step}
	b.Sample(l.few, f, g)
	b.Mean(l.mean, l.few)
	b.Copy(l.centred, l.few)
	b.AddChannels(l.centred, -1, l.mean)
	b.Match(l.matches, l.centred, l.bank, gpu.MatchOptions{})
	b.Vote(l.found, l.matches, []gpu.PatchSource{{F: l.painting}}, gpu.PatchOptions{Size: 1})
	b.AddChannels(l.found, 1, l.mean)
	b.CosineLoss(l.few, l.few, l.found, 1, l.slot)
	b.AddSample(grad, l.few, g)
}
