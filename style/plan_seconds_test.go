package style

import (
	"math"
	"testing"
)

// workOf is what a run of the tiny network has to do, with the named part of it; nothing
// is timed.
func workOf(t *testing.T, what string, set func(*Options, *Inputs)) (all, part work) {
	t.Helper()
	env, o, in := tinyEnv(1), tinyOptions(ModeArt), tinyInputs()
	o.Scales, o.Iterations = 1, []int{10}
	in.Content = smoothPicture(64, 64, 1)
	in.Styles = []*Picture{noisePicture(64, 64, 2)}
	set(&o, &in)
	plan, err := in.Plan(o, env)
	if err != nil {
		t.Fatal(err)
	}
	depth, _, err := plan.Options.deepest(env.Network)
	if err != nil {
		t.Fatal(err)
	}
	env.inputs = &in
	list, err := plan.work(env, depth)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		if w.what == what {
			part = work{passes: part.passes + w.passes, matches: part.matches + w.matches, others: part.others + w.others, host: part.host + w.host}
		}
	}
	return list.sum(), part
}

// TestWorkGrows: what is counted for the estimate grows as the work does, and what a run
// does once is counted once.
func TestWorkGrows(t *testing.T) {
	size := func(s string) func(*Options, *Inputs) { return func(o *Options, _ *Inputs) { o.Size = s } }
	is := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	one, iterations := workOf(t, "iterations", size("64"))
	twice, more := workOf(t, "iterations", func(o *Options, _ *Inputs) { o.Size, o.Iterations = "64", []int{20} })
	is("twice the iterations", more.seconds(1), 2*iterations.seconds(1))
	is("what is done once, with twice the iterations", twice.seconds(1)-more.seconds(1), one.seconds(1)-iterations.seconds(1))

	wide, _ := workOf(t, "", size("128"))
	if r := wide.passes / one.passes; r < 2 || r > 4 { // filters take the same time
		t.Errorf("four times the pixels are %.3f times the passes", r)
	}

	_, painting := workOf(t, "paintings", size("64"))
	_, paintings := workOf(t, "paintings", func(o *Options, in *Inputs) {
		o.Size, in.Styles = "64", append(in.Styles, noisePicture(64, 32, 3))
	})
	if r := paintings.passes / painting.passes; r < 1.5 || r > 2 {
		t.Errorf("a painting and half of one are %.3f times the passes of one", r)
	}

	sliced, _ := workOf(t, "", func(o *Options, _ *Inputs) { o.Size, o.StyleLoss = "64", LossSliced })
	if sliced.others <= one.others {
		t.Errorf("%g other operations with the sliced loss, which sorts, and %g with Gram matrices", sliced.others, one.others)
	}
	adam, _ := workOf(t, "", func(o *Options, _ *Inputs) { o.Size, o.Optimizer, o.LineSearch = "64", OptimizerAdam, false })
	if adam.others >= one.others {
		t.Errorf("%g other operations with Adam and %g with L-BFGS, which keeps a history", adam.others, one.others)
	}
	kept, _ := workOf(t, "", func(o *Options, _ *Inputs) { o.Size, o.Color = "64", ColorContent })
	if kept.host <= one.host {
		t.Errorf("%g seconds of the host with colours kept, and %g without", kept.host, one.host)
	}
}
