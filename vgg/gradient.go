package vgg

import "github.com/impasto/impasto/gpu"

// Gradient adds up the gradients of the losses on a tap's features, (H, W, C).
// The one that Backward passes to visit is valid only during that call.
type Gradient struct {
	b     gpu.Backend
	sum   *gpu.Array
	begun bool // sum holds something
	style gpu.StyleTerm

	styled bool // sum holds the features, and there is one style term alone
}

// NewGradient returns a gradient of zeros. It is stored in sum, whose earlier values
// are ignored.
func NewGradient(b gpu.Backend, sum *gpu.Array) Gradient { return Gradient{b: b, sum: sum} }

// Array returns the array that losses add their gradients to. It begins with zeros.
func (g *Gradient) Array() *gpu.Array {
	if g.styled {
		panic("vgg: a tap of PassOptions.Styled has another gradient")
	}
	if !g.begun {
		g.b.Fill(g.sum, 0)
		g.begun = true
	}
	return g.sum
}

// AddStyle adds t.D f + t.Shift at every position, where f is t.F. A backend may do so
// in the convolution that follows, so t's arrays must not change before the next call
// of visit.
func (g *Gradient) AddStyle(t gpu.StyleTerm) {
	if g.style.F == nil {
		g.style = t
		return
	}
	g.b.StyleGrad(g.Array(), t.F, t.D, t.Shift)
}

// settle adds the style term if no convolution does.
func (g *Gradient) settle() {
	if g.style.F != nil {
		g.b.StyleGrad(g.Array(), g.style.F, g.style.D, g.style.Shift)
		g.style = gpu.StyleTerm{}
	}
}
