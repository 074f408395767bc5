package style

import (
	"context"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// deviceEnv is a run on the software device, in single precision.
func deviceEnv(t *testing.T) (Env, cuda.Meter) { return deviceEnvOf(t, gpu.Single) }

func deviceEnvOf(t *testing.T, p gpu.Precision) (Env, cuda.Meter) {
	testutil.NeedDevices(t)
	d := emu.Open(emu.Options{})
	b := gpu.NewDevice(d, gpu.DeviceOptions{Name: "emu", Precision: p})
	t.Cleanup(func() {
		if err := b.Err(); err != nil {
			t.Error(err)
		}
		b.Close()
	})
	return Env{Backend: b, Network: tinyNetwork(11)}, d
}

// TestIterationIsOneGraphLaunch compares two runs on a device that differ in the
// number of iterations alone, and look at the status equally often: what the
// longer one asks of the driver beyond the shorter is what iterations cost.
func TestIterationIsOneGraphLaunch(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l-bfgs":        func(*Options) {},
		"adam, average": func(o *Options) { o.Optimizer, o.Average, o.TV = OptimizerAdam, 0.9, TVStencil },
		"normalized":    func(o *Options) { o.Normalize = NormalizeMean },
		"tiles":         func(o *Options) { o.Size, o.Tile, o.StyleLayers = "72", "64", o.StyleLayers[:1] },
	} {
		t.Run(name, func(t *testing.T) { iterationIsOneGraphLaunch(t, gpu.Single, 1, "32", change) })
	}
}

// TestHalfIterationIsOneGraphLaunch: half precision has a second graph, of the
// evaluation alone. It runs before the first iteration, to fit the scale of
// gradients, and never again: from then on an iteration is what it is in single
// precision, one graph launch, and nothing waits for the host.
func TestHalfIterationIsOneGraphLaunch(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l-bfgs":           func(*Options) {},
		"adam, normalized": func(o *Options) { o.Optimizer, o.Normalize = OptimizerAdam, NormalizeMean },
	} {
		t.Run(name, func(t *testing.T) { iterationIsOneGraphLaunch(t, gpu.Half, 2, "16", change) })
	}
}

func iterationIsOneGraphLaunch(t *testing.T, p gpu.Precision, graphs int64, size string, change func(*Options)) {
	const short, long = 2, 5 // both look after the first and the last
	var calls [2]cuda.Calls
	for i, n := range []int{short, long} {
		o := tinyOptions(ModeArt)
		o.Iterations, o.Scales, o.MinScale, o.Size = []int{n}, 1, 16, size
		change(&o)
		env, meter := deviceEnvOf(t, p)
		r, err := Art(context.Background(), tinyInputs(), o, env)
		if err != nil {
			t.Fatal(err)
		}
		if r.Iterations != n {
			t.Fatalf("%d iterations, want %d", r.Iterations, n)
		}
		calls[i] = meter.Calls()
	}
	d := calls[1].Sub(calls[0])
	t.Logf("an iteration is %d kernels, %d fills and %d copies", d.Launches/(long-short), d.Fills/(long-short), d.Copies/(long-short))
	if d.GraphLaunches != long-short {
		t.Errorf("%d more iterations made %d more graph launches", long-short, d.GraphLaunches)
	}
	d.GraphLaunches, d.Launches, d.Fills, d.Copies = 0, 0, 0, 0 // the last three within the graph
	d.Live, d.Peak = 0, 0
	if d != (cuda.Calls{}) {
		t.Errorf("%d more iterations also made %+v", long-short, d)
	}
	if calls[1].Records != graphs || calls[1].Peak != calls[0].Peak {
		t.Errorf("%d graphs were recorded, %d bytes held, and %d in the shorter run", calls[1].Records, calls[1].Peak, calls[0].Peak)
	}
}

// TestSlicedTurnsOnADevice: L-BFGS starts again when directions change, also with recorded
// iterations, and its loss falls as on the CPU.
func TestSlicedTurnsOnADevice(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.StyleLoss, o.SlicedHold, o.Scales, o.Iterations, o.Plateau = LossSliced, 4, 1, []int{10}, 0
	want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	env, _ := deviceEnv(t)
	got, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	first, last, cpu := got.History[0].Losses.Total, got.Losses.Total, want.Losses.Total
	if got.Iterations != want.Iterations || !(last < 0.9*first) || math.Abs(last-cpu) > 0.05*cpu {
		t.Errorf("loss %g, after %d iterations %g; the CPU's after %d is %g", first, got.Iterations, last, want.Iterations, cpu)
	}
}

// TestDevicePaintsTheCPUsPicture through two scales.
func TestDevicePaintsTheCPUsPicture(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l-bfgs": func(*Options) {},
		"gram":   func(o *Options) { o.StyleLoss = LossGram },
		// By Adam: differences of order one change sign with the last bit, and the
		// line search makes much of that.
		"selfsim":  func(o *Options) { o.StyleLoss, o.ContentLoss, o.Optimizer = LossMoments, ContentSelfSim, OptimizerAdam },
		"sliced":   func(o *Options) { o.StyleLoss, o.SlicedHold, o.Optimizer = LossSliced, 3, OptimizerAdam },
		"adam, w2": func(o *Options) { o.Optimizer, o.Average, o.StyleLoss = OptimizerAdam, 0.9, LossW2 },
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(ModeArt)
			o.Iterations = []int{8, 4}
			change(&o)
			want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
			if err != nil {
				t.Fatal(err)
			}
			env, _ := deviceEnv(t)
			got, err := Art(context.Background(), tinyInputs(), o, env)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want.History {
				g := got.History[i]
				off := math.Abs(g.Losses.Total-w.Losses.Total) / w.Losses.Total
				t.Logf("scale %d, iteration %d: loss %.9g, the CPU's %.9g", w.Scale, w.Iteration, g.Losses.Total, w.Losses.Total)
				if w.Iteration == 1 && !(off < 1e-4) {
					t.Errorf("scale %d: the first loss is off by %.2g", w.Scale, off)
				}
			}
			if p := psnr(got.Picture.Pix, want.Picture.Pix); !(p >= 45) {
				t.Errorf("the pictures differ by %.1f dB", p)
			} else {
				t.Logf("the pictures differ by %.1f dB", p)
			}
		})
	}
}

// psnr of values 0..1, in decibels.
func psnr(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(a)))
}

// TestJobsLeaveNothingOnTheDevice: a worker paints many pictures on one device.
// Each job's graphs are closed when it ends, and from the second job on, which
// finds the kernels loaded, the device holds as much after a job as before it.
func TestJobsLeaveNothingOnTheDevice(t *testing.T) {
	env, meter := deviceEnv(t)
	const jobs = 12
	live := int64(0)
	for i := range jobs {
		o := tinyOptions(ModeArt)
		o.Iterations, o.Scales, o.Size, o.Optimizer = []int{1}, 1, []string{"8", "12"}[i%2], OptimizerAdam
		o.StyleLayers = o.StyleLayers[:1]
		if _, err := Art(context.Background(), tinyInputs(), o, env); err != nil {
			t.Fatal(err)
		}
		if now := meter.Calls().Live; i > 1 && now > live {
			t.Errorf("job %d left %d bytes", i+1, now-live)
		}
		live = meter.Calls().Live
	}
	if c := meter.Calls(); c.Records != jobs || c.GraphCloses != jobs {
		t.Errorf("%d jobs made %d graphs and closed %d", jobs, c.Records, c.GraphCloses)
	}
}
