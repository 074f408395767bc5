package gpu

import "io"

// Optimizer moves an image against its gradient. Its state is on the backend, where it
// reads the losses from the status block.
type Optimizer interface {
	// Step takes the last evaluation, with losses in the slots and their gradient g
	// at image x, and moves x to the next point to evaluate. An evaluation that is
	// not finite, or whose loss exploded, is rejected: x goes back to the last good
	// image and the step is halved.
	Step(x, g *Array)
	// Result writes the present picture to dst: the average of the accepted images if
	// Options.Average is set, else the last accepted image. Before the first accepted
	// evaluation it leaves dst as it is.
	Result(dst *Array)
	// Restart prepares to minimise another function from here on. L-BFGS
	// forgets its history and the step under way: x goes back to the last accepted
	// image, and the next step is along its gradient. Adam keeps its state. Restart
	// waits for the device.
	Restart(x *Array)
	// Carry takes over the state of an optimiser of the same kind from the scale before,
	// resampled to this shape. gradient is the factor by which the gradient of a pixel
	// changes between the scales: 1 for a loss that grows with the number of pixels,
	// else the old number of pixels over the new.
	Carry(from Optimizer, gradient float64)
	// Save writes the whole state, with the status block. Load reads it into a new
	// optimiser of the same kind, shape and options, on this or another machine. The
	// steps that follow have the same bytes as without the interruption.
	Save(w io.Writer) error
	Load(r io.Reader) error
	// Bytes is the memory of the state; Free frees it.
	Bytes() int64
	Free()
}

// Bounds keeps channel c of the image inside Lo[c]..Hi[c].
type Bounds struct{ Lo, Hi []float32 }

// StepOptions are common to the optimisers.
type StepOptions struct {
	Bounds *Bounds // nil: none
	// Average is the decay of the exponential average of iterates, corrected
	// for its start (style-transfer-pytorch: 0.99); 0: none.
	Average float64
	// Patience is how many rejected evaluations in a row mean divergence; 0: 5.
	Patience int
}

func (o StepOptions) patience() int {
	if o.Patience <= 0 {
		return 5
	}
	return o.Patience
}

// explosion is the ratio to the worst accepted loss above which an evaluation is
// rejected, like one that is not finite.
const explosion = 100

// AdamOptions configure Adam (Kingma & Ba 2015):
//
//	m <- b1 m + (1-b1) g      v <- b2 v + (1-b2) g^2
//	x <- x - lr_t * (m/(1-b1^t)) / (sqrt(v/(1-b2^t)) + eps)
type AdamOptions struct {
	StepOptions
	LearningRate float64
	Beta1, Beta2 float64 // 0: 0.9 and 0.999
	Eps          float64 // 0: 1e-8
	// Schedule multiplies the learning rate of step 0, 1, ...; its last value
	// stays. Empty: constant.
	Schedule []float64
}

func (o AdamOptions) withDefaults() AdamOptions {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.LearningRate, 1)
	set(&o.Beta1, 0.9)
	set(&o.Beta2, 0.999)
	set(&o.Eps, 1e-8)
	return o
}

// factor returns the schedule's value at a step.
func (o AdamOptions) factor(step int) float64 {
	if len(o.Schedule) == 0 {
		return 1
	}
	return o.Schedule[min(step, len(o.Schedule)-1)]
}

// LBFGSOptions configure L-BFGS (Liu & Nocedal 1989) in its vector-free form
// (Chen et al. 2014): the two-loop recursion runs on the coefficients of the
// direction in the basis of history and gradient, whose Gram matrix is kept.
//
// Without LineSearch every evaluation is accepted and the step length is
// LearningRate, at the first evaluation times min(1, 1/|g|_1): Torch7's and
// PyTorch's rule. With it, one Step is one evaluation of a backtracking search:
// a point that does not fulfil Armijo's condition (1e-4) is left for one nearer
// to the last accepted one.
type LBFGSOptions struct {
	StepOptions
	History      int     // pairs kept; 0: 10
	LearningRate float64 // 0: 1
	// FirstStep is the mean |change| of a step along the gradient alone, as in
	// style_transfer; 0: Torch7's rule. On large images that rule's step is smaller
	// than their rounding, so that the first measured curvature is noise.
	FirstStep  float64
	LineSearch bool
}

func (o LBFGSOptions) withDefaults() LBFGSOptions {
	if o.History <= 0 {
		o.History = 10
	}
	if o.LearningRate == 0 {
		o.LearningRate = 1
	}
	return o
}

func checkStep(op string, s Shape, x, g *Array) {
	if x.Shape != s || g.Shape != s {
		fail(op, "x is %v and g %v, the optimiser's shape is %v", x.Shape, g.Shape, s)
	}
}

func checkBounds(op string, s Shape, b *Bounds) {
	if !(b == nil || (len(b.Lo) == s.C && len(b.Hi) == s.C)) {
		fail(op, "bounds do not name %d channels", s.C)
	}
}
