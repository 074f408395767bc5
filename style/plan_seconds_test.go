package style

import (
	"math"
	"testing"
)

// operationsOf are those of a plan; nothing is timed.
func operationsOf(t *testing.T, set func(*Options)) float64 {
	t.Helper()
	env := tinyEnv(1)
	o := tinyOptions(ModeArt)
	set(&o)
	plan, err := NewPlan(64, 64, o, env)
	if err != nil {
		t.Fatal(err)
	}
	depth, _, err := plan.Options.deepest(env.Network)
	if err != nil {
		t.Fatal(err)
	}
	n, err := plan.operations(env, depth)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOperations: what is counted for the estimate grows as the work does.
func TestOperations(t *testing.T) {
	one := operationsOf(t, func(o *Options) { o.Size, o.Scales, o.Iterations = "64", 1, []int{10} })
	two := operationsOf(t, func(o *Options) { o.Size, o.Scales, o.Iterations = "64", 1, []int{10 + 10 + targetIterations} })
	if math.Abs(two/one-2) > 1e-9 { // (21 + 1) / (10 + 1)
		t.Errorf("twice the iterations, measuring included, are %.3f times the operations", two/one)
	}
	wide := operationsOf(t, func(o *Options) { o.Size, o.Scales, o.Iterations = "128", 1, []int{10} })
	if math.Abs(wide/one-4) > 1e-9 {
		t.Errorf("four times the pixels are %.3f times the operations", wide/one)
	}
	sliced := operationsOf(t, func(o *Options) {
		o.Size, o.Scales, o.Iterations, o.StyleLoss = "64", 1, []int{10}, LossSliced
	})
	if sliced <= one {
		t.Errorf("%.3g operations with the sliced loss, which sorts, and %.3g with Gram matrices", sliced, one)
	}
}
