package vgg

import "github.com/impasto/impasto/gpu"

// Gradient takes what losses on a tap's features add to its gradient, (H, W, C).
// That of Backward's visit is valid during the call only.
type Gradient struct {
	b     gpu.Backend
	sum   *gpu.Array
	begun bool // sum holds something
	style gpu.StyleTerm
}

// NewGradient is one of zeros, whatever sum holds, where it will be added up.
func NewGradient(b gpu.Backend, sum *gpu.Array) Gradient { return Gradient{b: b, sum: sum} }

// Array is what to add to: zeros at first.
func (g *Gradient) Array() *gpu.Array {
	if !g.begun {
		g.b.Fill(g.sum, 0)
		g.begun = true
	}
	return g.sum
}

// AddStyle adds t.D f + t.Shift at every position, f being t.F. A backend may do so
// in the convolution that follows: t's arrays must stay as they are until then, to
// the next call of visit.
func (g *Gradient) AddStyle(t gpu.StyleTerm) {
	if g.style.F == nil {
		g.style = t
		return
	}
	g.b.StyleGrad(g.Array(), t.F, t.D, t.Shift)
}

// settle adds the style term where no convolution does.
func (g *Gradient) settle() {
	if g.style.F != nil {
		g.b.StyleGrad(g.Array(), g.style.F, g.style.D, g.style.Shift)
		g.style = gpu.StyleTerm{}
	}
}
