package gpu

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
)

// emulated returns a device backend for each schedule.
func emulated(t testing.TB) []*Device {
	testutil.NeedDevices(t)
	var list []*Device
	for _, s := range []emu.Schedule{emu.Forward, emu.Reverse, emu.Random} {
		b := NewDevice(testutil.Driver(emu.Open(emu.Options{Schedule: s, Seed: 11})), DeviceOptions{Name: "emu-" + s.String()})
		t.Cleanup(func() {
			if err := b.Err(); err != nil {
				t.Errorf("%s: %v", b.Name(), err)
			}
			b.Close()
		})
		list = append(list, b)
	}
	return list
}

// spoiled is a problem whose evaluation k is replaced.
type spoiled map[int]func(v float64, g []float64) (float64, []float64)

var (
	lossNaN  = func(v float64, g []float64) (float64, []float64) { return math.NaN(), g }
	lossHuge = func(v float64, g []float64) (float64, []float64) { return 1e9, g }
	gradInf  = func(v float64, g []float64) (float64, []float64) { g[3] = math.Inf(1); return v, g }
	gradNaN  = func(v float64, g []float64) (float64, []float64) { g[len(g)-1] = math.NaN(); return v, g }
	// High, but no explosion.
	lossHigh = func(v float64, g []float64) (float64, []float64) { return 30 * v, g }
	// The gradient lies, so that no step along it can be right.
	uphill = func(v float64, g []float64) (float64, []float64) {
		for i := range g {
			g[i] = -g[i]
		}
		return v, g
	}
)

func always(n int, f func(float64, []float64) (float64, []float64)) spoiled {
	s := spoiled{}
	for i := range n {
		s[i] = f
	}
	return s
}

// TestDeviceTakesTheCPUsDecisions runs the same evaluations, some of them
// spoiled, through the CPU's and the device's optimisers. Each step must be
// judged alike, and all schedules must give the same bytes.
func TestDeviceTakesTheCPUsDecisions(t *testing.T) {
	box := func(s Shape) *Bounds {
		return &Bounds{Lo: []float32{-0.5, -0.1, -1}[:s.C], Hi: []float32{0.4, 0.2, 0.1}[:s.C]}
	}
	adam := func(o AdamOptions) func(Backend, Shape) Optimizer {
		return func(b Backend, s Shape) Optimizer { return b.NewAdam(s, o) }
	}
	lbfgs := func(o LBFGSOptions, boxed bool) func(Backend, Shape) Optimizer {
		return func(b Backend, s Shape) Optimizer {
			if boxed {
				o.Bounds = box(s)
			}
			return b.NewLBFGS(s, o)
		}
	}
	small, twoChunks := Shape{7, 5, 3}, Shape{41, 37, 3}
	for _, c := range []struct {
		name   string
		make   func(Backend, Shape) Optimizer
		shape  Shape
		p      problem
		spoil  spoiled
		blot   int // the step before which the image gets a NaN; 0: none
		steps  int
		expect func(Status) bool // that the case tests what it says
	}{
		{"adam", adam(AdamOptions{LearningRate: 0.1, Eps: 0.01, Schedule: []float64{1, 0.5, 0.25}, StepOptions: StepOptions{Average: 0.9}}),
			twoChunks, quadratic(30), spoiled{0: lossNaN, 2: lossHigh, 4: gradNaN, 7: lossHuge}, 9, 12,
			func(s Status) bool { return s.Rollbacks == 4 }},
		{"adam gives up", adam(AdamOptions{StepOptions: StepOptions{Patience: 3}}),
			small, quadratic(30), spoiled{1: lossNaN, 3: lossNaN, 4: gradInf, 5: lossHuge}, 0, 7, func(s Status) bool { return s.Diverged }},
		{"l-bfgs", lbfgs(LBFGSOptions{History: 4, StepOptions: StepOptions{Average: 0.8}}, false),
			twoChunks, quadratic(30), spoiled{0: gradInf, 5: lossNaN, 9: lossHuge}, 11, 15,
			func(s Status) bool { return s.Rollbacks == 4 && s.Accepted == 11 }},
		{"first step, box", lbfgs(LBFGSOptions{History: 3, FirstStep: 0.05}, true),
			small, quadratic(10), spoiled{6: gradNaN}, 0, 14, func(s Status) bool { return s.Rollbacks == 1 }},
		{"negative curvature", lbfgs(LBFGSOptions{FirstStep: 0.02}, false),
			small, quadratic(3), always(5, uphill), 0, 8, func(s Status) bool { return s.Rollbacks == 0 }},
		{"search", lbfgs(LBFGSOptions{LineSearch: true, LearningRate: 50}, false),
			small, valley, spoiled{3: lossNaN, 12: lossHuge}, 0, 48,
			func(s Status) bool { return s.Rollbacks >= 2 && s.Accepted < s.Evaluations-s.Rollbacks }},
		{"search, box", lbfgs(LBFGSOptions{LineSearch: true, FirstStep: 0.1, History: 5}, true),
			small, quadratic(30), spoiled{4: gradInf}, 0, 14, func(s Status) bool { return s.Rollbacks == 1 }},
		{"search stalls", lbfgs(LBFGSOptions{LineSearch: true, FirstStep: 0.1}, false),
			small, quadratic(3), always(40, uphill), 0, 17, func(s Status) bool { return s.Stalled }},
		{"search gives up", lbfgs(LBFGSOptions{LineSearch: true, StepOptions: StepOptions{Patience: 2}}, false),
			small, quadratic(3), spoiled{3: lossHuge, 4: lossHuge}, 0, 6, func(s Status) bool { return s.Diverged }},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := []Backend{NewCPU(CPUOptions{Threads: 1})}
			for _, b := range emulated(t) {
				all = append(all, b)
			}
			var rigs []*rig
			var opts []Optimizer
			for _, b := range all {
				rigs = append(rigs, newRig(b, c.shape, c.p.x0(c.shape.Len())))
				opts = append(opts, c.make(b, c.shape))
				unseen := b.NewArray(c.shape)
				b.Fill(unseen, 7)
				opts[len(opts)-1].Result(unseen)
				if v := download(b, unseen); v[0] != 7 || v[len(v)-1] != 7 {
					t.Fatalf("%s: a result before there is one", b.Name())
				}
			}
			for step := range c.steps {
				var want []float32
				var status Status
				for i, b := range all {
					v, g := c.p.f(wide(download(b, rigs[i].x)))
					if f := c.spoil[step]; f != nil {
						v, g = f(v, g)
					}
					// In the first slot and in the last.
					rigs[i].evaluate(0.75*v, g)
					b.ContentLoss(nil, rigs[i].one, rigs[i].zero, 0.25*v, Slots-1)
					if step == c.blot && step > 0 {
						x := download(b, rigs[i].x)
						x[len(x)/2] = float32(math.NaN())
						b.Upload(rigs[i].x, x)
					}
					opts[i].Step(rigs[i].x, rigs[i].g)
					x, s := download(b, rigs[i].x), b.Status()
					switch i {
					case 0, 1: // the CPU, the first device
						if i == 1 {
							sameDecision(t, step, s, status)
							if e := testutil.RelL2(x, want); e > 1e-4 {
								t.Fatalf("step %d: x is off by %.2g", step, e)
							}
						}
						want, status = x, s
					default:
						if fmt.Sprint(x) != fmt.Sprint(want) || fmt.Sprint(s) != fmt.Sprint(status) {
							t.Fatalf("step %d: %s ends elsewhere than %s", step, b.Name(), all[1].Name())
						}
					}
				}
				if step == c.steps-1 && !c.expect(status) {
					t.Errorf("the case does not test what it is for: %+v", status)
				}
			}
			var shown [2][]float32
			for i := range shown {
				dst := all[i].NewArray(c.shape)
				opts[i].Result(dst)
				shown[i] = download(all[i], dst)
			}
			testutil.Close(t, "result", shown[1], shown[0], 1e-4, 1e-4)
		})
	}
}

func sameDecision(t *testing.T, step int, got, want Status) {
	t.Helper()
	decisions := func(s Status) string {
		return fmt.Sprintf("%d evaluations, %d accepted, %d rollbacks, diverged %v, stalled %v", s.Evaluations, s.Accepted, s.Rollbacks, s.Diverged, s.Stalled)
	}
	if g, w := decisions(got), decisions(want); g != w {
		t.Fatalf("step %d: %s; the CPU has %s", step, g, w)
	}
	near := func(what string, g, w float64) {
		t.Helper()
		if !(math.Abs(g-w) <= 1e-4*math.Abs(w) || math.IsNaN(g) && math.IsNaN(w) || g == w) {
			t.Errorf("step %d: %s is %g, the CPU's %g", step, what, g, w)
		}
	}
	near("sum", got.Sum, want.Sum)
	near("gradient norm", got.GradNorm, want.GradNorm)
	near("step size", got.StepSize, want.StepSize)
}

// TestStateCrossesBackends: what one backend saved, another goes on from.
func TestStateCrossesBackends(t *testing.T) {
	s, p := Shape{7, 5, 3}, quadratic(30)
	device := emulated(t)[2]
	cpu := NewCPU(CPUOptions{Threads: 2})
	o := StepOptions{Average: 0.9, Bounds: &Bounds{Lo: []float32{-0.8, -1, -1}, Hi: []float32{1, 0.7, 1}}}
	for name := range optimizers(cpu, s, o) {
		for _, way := range [][2]Backend{{cpu, device}, {device, cpu}, {device, device}} {
			from, to := way[0], way[1]
			first := optimizers(from, s, o)[name]
			r := newRig(from, s, p.x0(s.Len()))
			for range 7 {
				r.step(first, p)
			}
			var state bytes.Buffer
			if err := first.Save(&state); err != nil {
				t.Fatal(err)
			}
			x := download(from, r.x)
			for range 5 {
				r.step(first, p)
			}
			want, status := download(from, r.x), from.Status()
			second := optimizers(to, s, o)[name]
			r2 := newRig(to, s, wide(x))
			if err := second.Load(&state); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				r2.step(second, p)
			}
			got := download(to, r2.x)
			what := fmt.Sprintf("%s from %s to %s", name, from.Name(), to.Name())
			if from == to {
				if fmt.Sprint(got) != fmt.Sprint(want) || to.Status() != status {
					t.Errorf("%s: not the same bytes", what)
				}
				continue
			}
			testutil.Close(t, what, got, want, 1e-5, 1e-4)
			sameDecision(t, 12, to.Status(), status)
		}
	}
}

// TestStepAsksNothingOfTheHost: a recorded step is launches alone, and one
// graph launch replays it.
func TestStepAsksNothingOfTheHost(t *testing.T) {
	s, p := Shape{7, 5, 3}, quadratic(30)
	o := StepOptions{Average: 0.9, Bounds: &Bounds{Lo: []float32{-1, -1, -1}, Hi: []float32{1, 1, 1}}}
	for i, name := range []string{"adam", "l-bfgs", "l-bfgs search"} {
		b := emulated(t)[i]
		opt := optimizers(b, s, o)[name]
		r := newRig(b, s, p.x0(s.Len()))
		r.evaluate(p.f(p.x0(s.Len())))
		program := b.Record(func() { opt.Step(r.x, r.g) })
		b.Sync()
		meter, _ := cuda.As[cuda.Meter](b.d)
		before := meter.Calls()
		for range 3 {
			program.Run()
		}
		made := meter.Calls().Sub(before)
		made.Live, made.Peak = 0, 0
		if want := (cuda.Calls{GraphLaunches: 3, Launches: 9}); made != want { // of the graph's kernels
			t.Errorf("%s: three steps made %+v", name, made)
		}
		if st := b.Status(); st.Evaluations != 3 {
			t.Errorf("%s: %d evaluations", name, st.Evaluations)
		}
	}
}
