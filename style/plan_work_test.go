package style

import (
	"context"
	"testing"

	"github.com/impasto/impasto/gpu"
)

// counting is a backend that counts the operations that are called.
type counting struct {
	gpu.Backend
	passes, matches float64
}

func (b *counting) Conv(out gpu.ConvOut, x *gpu.Array, f *gpu.Filter, pad gpu.Pad) {
	b.passes += convFlops(f.In, f.Out, x.Shape.W, x.Shape.H, b.ConvTile())
	b.Backend.Conv(out, x, f, pad)
}

func (b *counting) ConvGrad(dx, dy *gpu.Array, f *gpu.Filter, o gpu.ConvGradOptions) {
	b.passes += convFlops(f.In, f.Out, dx.Shape.W, dx.Shape.H, b.ConvTile())
	b.Backend.ConvGrad(dx, dy, f, o)
}

func (b *counting) Match(m *gpu.Matches, x *gpu.Array, bank *gpu.Bank, o gpu.MatchOptions) {
	b.matches += 2 * float64(x.Shape.Len()*bank.Shape.Pixels())
	b.Backend.Match(m, x, bank, o)
}

// TestWorkIsWhatTheRunDoes: the convolutions and the products of matching that the
// estimate counts are those that the run makes, in each mode and method.
func TestWorkIsWhatTheRunDoes(t *testing.T) {
	doodle := doodleInputs()
	doodle.Guides = nil // maps need matches of their own
	analogy := Inputs{A: noisePicture(70, 90, 3), B: smoothPicture(96, 80, 4), Styles: tinyInputs().Styles}
	for name, c := range map[string]struct {
		mode Mode
		in   Inputs
		set  func(*Options)
	}{
		"art":               {ModeArt, tinyInputs(), nil},
		"style alone":       {ModeArt, tinyInputs(), func(o *Options) { o.ContentWeight = 0; o.Scales = 1 }},
		"several paintings": {ModeArt, Inputs{Content: smoothPicture(96, 80, 1), Styles: []*Picture{noisePicture(30, 90, 2), noisePicture(70, 20, 3)}}, nil},
		"rounded up":        {ModeArt, tinyInputs(), func(o *Options) { o.Size, o.PoolRound, o.StyleScale = "51", RoundCeil, 1.3 }},
		"similarities":      {ModeArt, tinyInputs(), func(o *Options) { o.ContentLoss = ContentSelfSim }},
		"in tiles":          {ModeArt, tinyInputs(), func(o *Options) { o.Size, o.Tile, o.Scales = "160", "64", 1 }},
		"nnst":              {ModeArt, tinyInputs(), func(o *Options) { *o = tinyNeighbours() }},
		"texture":           {ModeTexture, tinyInputs(), nil},
		"patch":             {ModePatch, tinyInputs(), nil},
		"turned patches":    {ModePatch, tinyInputs(), func(o *Options) { o.StyleRotations, o.StyleScales, o.Rematch = 1, 1, 4 }},
		"doodle":            {ModeDoodle, doodle, nil},
		"analogy":           {ModeAnalogy, analogy, func(o *Options) { o.MapWeight = 0 }},
		"image-analogies":   {ModeAnalogy, analogy, func(o *Options) { o.MapWeight, o.AnalogyWeight, o.Match = 0, 1, MatchPatch }},
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(c.mode)
			if matches(c.mode) {
				o = doodleOptions(c.mode)
			}
			o.Plateau, o.LineSearch = 0, false // all iterations are made
			if c.set != nil {
				c.set(&o)
			}
			env := tinyEnv(2)
			b := &counting{Backend: env.Backend}
			env.Backend, env.inputs = b, &c.in
			plan, err := c.in.Plan(o, env)
			if err != nil {
				t.Fatal(err)
			}
			depth, _, _ := plan.Options.deepest(env.Network)
			all, err := plan.work(env, depth)
			if err != nil {
				t.Fatal(err)
			}
			env.Plan, b.passes, b.matches = &plan, 0, 0
			if _, err := Paint(context.Background(), c.in, plan.Options, env); err != nil {
				t.Fatal(err)
			}
			if want := all.sum(); !within(b.passes, want.passes, 0.03) || !within(b.matches, want.matches, 0.03) {
				t.Errorf("counted %.3g operations of convolutions and %.3g of matching, the run made %.3g and %.3g", want.passes, want.matches, b.passes, b.matches)
			}
		})
	}
}

// within reports whether two numbers differ by at most that share.
func within(a, b, share float64) bool { return a-b <= share*max(a, b) && b-a <= share*max(a, b) }
