package gpu

import (
	"bytes"
	"slices"
	"testing"
)

// TestStateGoesOn: a run that is saved after each number of steps and taken up
// by a new optimiser on a new backend ends in the same bytes, also where steps
// were rejected and where the box holds pixels.
func TestStateGoesOn(t *testing.T) {
	const steps = 9
	s := Shape{23, 17, 3}
	for name, opt := range artistOptimizers {
		whole := newArtist(NewCPU(CPUOptions{Threads: 2}), s, opt)
		for range steps {
			whole.iterate()
		}
		want, wantStatus := download(whole.b, whole.x), whole.b.Status()
		for cut := range steps {
			first := newArtist(NewCPU(CPUOptions{Threads: 2}), s, opt)
			for range cut {
				first.iterate()
			}
			var state bytes.Buffer
			if err := first.opt.Save(&state); err != nil {
				t.Fatal(err)
			}
			second := newArtist(NewCPU(CPUOptions{Threads: 3}), s, opt)
			second.b.Upload(second.x, download(first.b, first.x))
			if err := second.opt.Load(&state); err != nil {
				t.Fatal(err)
			}
			if state.Len() != 0 {
				t.Errorf("%s: %d bytes of the state were not read", name, state.Len())
			}
			for range steps - cut {
				second.iterate()
			}
			if !slices.Equal(download(second.b, second.x), want) || second.b.Status() != wantStatus {
				t.Errorf("%s, saved after %d of %d steps, ends elsewhere", name, cut, steps)
			}
		}
	}
}

// TestRejectedStepAfterLoad: the first step after Load may be one that the line
// search shortens, before any step of the new optimiser's own.
func TestRejectedStepAfterLoad(t *testing.T) { onOneDevice(t, rejectedStepAfterLoad) }

func rejectedStepAfterLoad(t *testing.T, b Backend) {
	s := Shape{37, 41, 3} // several chunks
	target, dx := upload(b, s, random(71, s.Len(), 30)), b.NewArray(s)
	descend := func(x *Array, opt Optimizer) {
		b.Fill(dx, 0)
		b.ContentLoss(dx, x, target, 1, 0)
		opt.Step(x, dx)
	}
	// The step of 90 a pixel goes far past the target: its loss is above the first.
	o := LBFGSOptions{StepOptions: StepOptions{Bounds: &Bounds{[]float32{-99, -99, -99}, []float32{99, 99, 99}}}, LearningRate: 3, FirstStep: 30, LineSearch: true}
	x, first := upload(b, s, random(72, s.Len(), 30)), b.NewLBFGS(s, o)
	b.ResetStatus()
	descend(x, first)
	var state bytes.Buffer
	if err := first.Save(&state); err != nil {
		t.Fatal(err)
	}
	far := download(b, x)
	descend(x, first)
	want := download(b, x)
	if slices.Equal(want, far) || b.Status().Accepted != 1 {
		t.Fatalf("the second step was not shortened: %+v", b.Status())
	}
	again, second := upload(b, s, far), b.NewLBFGS(s, o)
	if err := second.Load(&state); err != nil {
		t.Fatal(err)
	}
	descend(again, second)
	if !slices.Equal(download(b, again), want) {
		t.Error("the step was shortened to elsewhere")
	}
}

// TestStateIsChecked: states of another kind or size, and cut ones, are refused.
func TestStateIsChecked(t *testing.T) { onOneDevice(t, stateIsChecked) }

func stateIsChecked(t *testing.T, b Backend) {
	s := Shape{5, 7, 3}
	var adam, lbfgs bytes.Buffer
	if err := b.NewAdam(s, AdamOptions{}).Save(&adam); err != nil {
		t.Fatal(err)
	}
	if err := b.NewLBFGS(s, LBFGSOptions{}).Save(&lbfgs); err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string]error{
		"adam's":         b.NewLBFGS(s, LBFGSOptions{}).Load(bytes.NewReader(adam.Bytes())),
		"L-BFGS's":       b.NewAdam(s, AdamOptions{}).Load(bytes.NewReader(lbfgs.Bytes())),
		"another size's": b.NewAdam(Shape{7, 5, 3}, AdamOptions{}).Load(bytes.NewReader(adam.Bytes())),
		"a shorter past": b.NewLBFGS(s, LBFGSOptions{History: 5}).Load(bytes.NewReader(lbfgs.Bytes())),
		"a cut":          b.NewAdam(s, AdamOptions{}).Load(bytes.NewReader(adam.Bytes()[:adam.Len()-1])),
		"an empty":       b.NewAdam(s, AdamOptions{}).Load(bytes.NewReader(nil)),
	} {
		if try == nil {
			t.Errorf("%s state was taken", what)
		}
	}
	// Whatever the bytes say, no panic.
	every := 1
	if _, device := b.(*Device); device {
		every = 61 // a software device takes its time
	}
	for i := 0; i < min(4096, lbfgs.Len()); i += every {
		spoiled := bytes.Clone(lbfgs.Bytes())
		spoiled[i] ^= 0xff
		_ = b.NewLBFGS(s, LBFGSOptions{}).Load(bytes.NewReader(spoiled))
	}
}
