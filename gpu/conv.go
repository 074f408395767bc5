package gpu

// Pad says what a 3x3 convolution reads one pixel outside the image.
type Pad int

const (
	ZeroPad      Pad = iota // zero, as every VGG was trained
	ReplicatePad            // the nearest pixel, as style-transfer-pytorch does for its first layer
)

// Filter is a 3x3 convolution's weights and bias in the layout of a backend.
type Filter struct {
	In, Out int
	cpu     *cpuFilter
	device  deviceFilter
}

// ConvOut names what a convolution stores; nil means not stored. With X of
// (H, W, C) and a filter of K outputs:
//
//	Act    (H, W, K)    max(0, conv(x) + bias)
//	Pooled (H', W', K)  Act pooled by Pool; H', W' are Pool.Out's. Or of the shape
//	                    Split, for another Conv
//	Mask   (H, W, K)    sign of Act, and the winners of max pooling
//
// From says where X comes from. Without it, X is as exact as it is stored.
//
// A layer whose activation carries no loss stores only Pooled and Mask, or
// only what the next layer reads and Mask.
type ConvOut struct {
	Act    *Array
	Pooled *Array
	Mask   *Mask
	Pool   Pool // Kind None: no pooling
	From   ConvFrom
}

// ConvFrom is the convolution whose Act is the input of another one, which computes it
// once more, to have it before it was rounded, if Recomputes says so. The zero value:
// unknown.
type ConvFrom struct {
	X      *Array
	Filter *Filter
	Pad    Pad
}

// ConvGradOptions are the fusions of ConvGrad:
//
//	Pad    the forward convolution's
//	Unpool dy is the gradient of the pooled output: spread it through this
//	       mask's pooling (max or average) and ReLU first
//	Add    dx already holds a gradient (of the losses on that layer): add to it
//	Style  add the gradient of a style loss on that layer as well; F may be dx, which
//	       is overwritten, if StyleInPlace says so
//	Gate   multiply the sum by the lower layer's ReLU mask
type ConvGradOptions struct {
	Pad    Pad
	Unpool *Mask
	Add    bool
	Style  StyleTerm
	Gate   *Mask
}

// Conv computes one layer of a VGG (Simonyan & Zisserman 2014): the
// cross-correlation of x (H, W, C) with 3x3 weights (K, C, 3, 3) at stride 1
// and padding 1, plus bias, then ReLU, then what out asks for. ReLU lets NaN
// pass, so that the guard of the optimiser sees it.
//
// ConvGrad is its gradient with respect to the input,
//
//	dx(p, c) = sum over k, t of dy(p - t, k) * w(k, c, t)
//
// for dy (H, W, K), the gradient with respect to conv(x) before ReLU, i.e.
// already gated; Gate in the options does that gating for the layer below.
//
// Gate multiplies dx by the mask's ReLU, for the deepest layer of a network.

// withDepth returns s with c channels.
func withDepth(s Shape, c int) Shape { return Shape{s.H, s.W, c} }

func checkConv(b Network, out ConvOut, x *Array, f *Filter) {
	if s := withDepth(x.Shape, f.In); x.Shape != s && x.Shape != b.Split(s, withDepth(s, f.Out)) {
		fail("Conv", "x is %v, the filter takes %d channels", x.Shape, f.In)
	}
	want := Shape{x.Shape.H, x.Shape.W, f.Out}
	if out.Act == nil && out.Pooled == nil && out.Mask == nil {
		fail("Conv", "nothing to store")
	}
	if out.Act != nil {
		if out.Act.Shape != want {
			fail("Conv", "act is %v, want %v", out.Act.Shape, want)
		}
	}
	if out.Pooled != nil {
		if out.Pool.Kind == NoPool {
			fail("Conv", "a pooled output needs a kind of pooling")
		}
		if s := out.Pool.Out(want); out.Pooled.Shape != s && out.Pooled.Shape != b.Split(s, s) {
			fail("Conv", "pooled is %v, want %v", out.Pooled.Shape, out.Pool.Out(want))
		}
		if out.Pool.size() != 2 {
			fail("Conv", "only 2x2 pooling is fused, not %d", out.Pool.size())
		}
	}
	if f := out.From; f.X != nil && (f.X.Shape.C != f.Filter.In || x.Shape != Shape{f.X.Shape.H, f.X.Shape.W, f.Filter.Out}) {
		fail("Conv", "x is %v, not what %d filters make of %v", x.Shape, f.Filter.Out, f.X.Shape)
	}
	if out.Mask != nil {
		if out.Mask.Shape != want {
			fail("Conv", "mask is %v, want %v", out.Mask.Shape, want)
		}
		if out.Mask.Pool != out.Pool {
			fail("Conv", "the mask was made for another pooling")
		}
	}
}

func checkConvGrad(dx, dy *Array, f *Filter, o ConvGradOptions) {
	if dx.Shape.C != f.In {
		fail("ConvGrad", "dx is %v, the filter takes %d channels", dx.Shape, f.In)
	}
	want := Shape{dx.Shape.H, dx.Shape.W, f.Out}
	if o.Unpool != nil {
		if o.Unpool.Shape != want {
			fail("ConvGrad", "the mask to unpool is %v, want %v", o.Unpool.Shape, want)
		}
		if o.Unpool.Pool.Kind != MaxPool && o.Unpool.Pool.Kind != AvgPool {
			fail("ConvGrad", "only max and average pooling can be undone by a mask")
		}
		want = o.Unpool.Pool.Out(want)
	}
	if dy.Shape != want {
		fail("ConvGrad", "dy is %v, want %v", dy.Shape, want)
	}
	if o.Style.F != nil {
		checkStyleGrad(dx, o.Style.F, o.Style.D, o.Style.Shift)
		if o.Style.F == dx && o.Add {
			fail("ConvGrad", "dx cannot be both features and a gradient")
		}
	}
	if o.Gate != nil {
		if o.Gate.Shape != dx.Shape {
			fail("ConvGrad", "the gate is %v, dx is %v", o.Gate.Shape, dx.Shape)
		}
	}
}

func checkFilter(weight, bias []float32, in, out int) {
	if in <= 0 || out <= 0 {
		fail("NewFilter", "%d inputs and %d outputs", in, out)
	}
	if len(weight) != out*in*9 {
		fail("NewFilter", "%d weights, want %d x %d x 3 x 3", len(weight), out, in)
	}
	if len(bias) != out {
		fail("NewFilter", "%d biases, want %d", len(bias), out)
	}
}
