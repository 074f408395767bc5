package gpu

import "fmt"

// PoolKind is how a window is reduced to one value.
type PoolKind int

const (
	NoPool  PoolKind = iota
	MaxPool          // the largest; of equals the first in row order
	AvgPool          // the mean of the window's elements inside the image
	L2Pool           // sqrt of the sum of squares
)

func (k PoolKind) String() string {
	switch k {
	case NoPool:
		return "none"
	case MaxPool:
		return "max"
	case AvgPool:
		return "average"
	case L2Pool:
		return "l2"
	}
	return fmt.Sprintf("PoolKind(%d)", int(k))
}

// Pool is a pooling with windows of Size x Size at stride Size.
//
//	Size  0 means 2; semantic maps use the powers of two up to 16
//	Ceil  a last window that is not full counts (Caffe, TF "SAME"), else it is dropped (PyTorch, Lasagne)
//	Scale multiplies the result, 0 means 1: style-transfer-pytorch keeps the
//	      size of activations with 2.0 for average and 0.78 for L2 pooling
type Pool struct {
	Kind  PoolKind
	Size  int
	Ceil  bool
	Scale float32
}

func (p Pool) size() int {
	if p.Size == 0 {
		return 2
	}
	return p.Size
}

func (p Pool) scale() float32 {
	if p.Scale == 0 {
		return 1
	}
	return p.Scale
}

// Out returns the shape of the pooled array. A side shorter than the window gives one
// value, whatever the rounding.
func (p Pool) Out(s Shape) Shape {
	if p.Kind == NoPool {
		return s
	}
	n := p.size()
	side := func(v int) int {
		if p.Ceil {
			return (v + n - 1) / n
		}
		return max(1, v/n)
	}
	return Shape{side(s.H), side(s.W), s.C}
}

// PoolGradOptions hold what PoolGrad needs of the forward pass:
//
//	Mask  max and average: the forward convolution's mask, whose ReLU gates the result
//	X, Y  L2: input and output of the forward pooling; max and average without a
//	      mask, for a Pool without a convolution before it (no gate then)
//	Pool  the forward pooling, when there is no Mask
//	Add   dx already holds a gradient: add to it before gating
type PoolGradOptions struct {
	Mask *Mask
	X, Y *Array
	Pool Pool
	Add  bool
}

// Pool reduces x (H, W, C) to y; PoolGrad spreads dy over dx, which gets zero
// where no window reaches:
//
//	max      dx(winner) = scale * dy
//	average  dx(p)      = scale * dy / (elements of the window)
//	L2       dx(p)      = scale^2 * dy * x(p) / y, and zero where y is zero

func checkPool(y, x *Array, p Pool) {
	if p.Kind == NoPool {
		fail("Pool", "no kind given")
	}
	if y.Shape != p.Out(x.Shape) {
		fail("Pool", "y is %v, want %v", y.Shape, p.Out(x.Shape))
	}
}

// gradReads reports whether the gradient of the pooling reads the values that were pooled.
// Otherwise other arrays may lie in their memory by then.
func (p Pool) gradReads(m *Mask) bool { return p.Kind == L2Pool || p.Kind == MaxPool && m == nil }

func checkPoolGrad(dx, dy *Array, o PoolGradOptions) Pool {
	p := o.Pool
	if o.Mask != nil {
		p = o.Mask.Pool
		if o.Mask.Shape != dx.Shape {
			fail("PoolGrad", "the mask is %v, dx is %v", o.Mask.Shape, dx.Shape)
		}
	}
	if p.Kind == NoPool {
		fail("PoolGrad", "no kind given")
	}
	if dy.Shape != p.Out(dx.Shape) {
		fail("PoolGrad", "dy is %v, want %v", dy.Shape, p.Out(dx.Shape))
	}
	if p.gradReads(o.Mask) {
		if o.X == nil || o.Y == nil {
			fail("PoolGrad", "%v pooling needs x and y", p.Kind)
		}
		if o.X.Shape != dx.Shape || o.Y.Shape != dy.Shape {
			fail("PoolGrad", "x is %v and y is %v, want %v and %v", o.X.Shape, o.Y.Shape, dx.Shape, dy.Shape)
		}
	}
	return p
}
