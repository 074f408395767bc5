package style

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// processorSeconds is the processor time that this process has taken.
func processorSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// drawn is a picture whose colours are a function of the place.
func drawn(w, h int, at func(x, y int) color.NRGBA) *Picture {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, at(x, y))
		}
	}
	return FromImage(img)
}

// estimateInputs are the pictures of BenchmarkEstimate. Doodles have three regions, which
// lie elsewhere in the painting.
func estimateInputs(mode Mode) Inputs {
	content := drawn(240, 180, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(x), uint8(y), uint8((x - y) * (x - y) / 256), 255}
	})
	painting := drawn(300, 300, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8((x*x + y*y) / 32), uint8(x / 2), uint8(x * y / 64), 255}
	})
	in := Inputs{Content: content, Styles: []*Picture{painting}}
	regions := func(w, h int, region func(x, y float64) int) *Map {
		m := &Map{W: w, H: h, C: 3, Pix: make([]float32, 3*w*h)}
		for i := range w * h {
			m.Pix[3*i+region(float64(i%w)/float64(w), float64(i/w)/float64(h))] = 1
		}
		return m
	}
	switch mode {
	case ModeTexture:
		in.Content = nil
	case ModeDoodle:
		in.Content = nil
		in.Guides = []Guide{{
			Canvas: regions(240, 180, func(x, y float64) int { return min(int(3*y+0.3*math.Sin(7*x)), 2) }),
			Styles: []*Map{regions(300, 300, func(x, y float64) int { return min(int(3*x+0.3*math.Sin(7*y)), 2) })},
		}}
	case ModeAnalogy:
		in.Content, in.A, in.B = nil, drawn(300, 300, func(x, y int) color.NRGBA {
			return color.NRGBA{uint8((x*x + y*y) / 64), uint8(y / 2), uint8(x / 3), 255}
		}), content
	}
	return in
}

// estimateCase is a run whose estimate is compared with the time that it takes.
type estimateCase struct {
	name string
	mode Mode
	size string
	set  func(o *Options, network string)
}

// estimateCases lists at least one run of each method, loss and optimiser.
func estimateCases() []estimateCase {
	loss := func(l StyleLoss, iterations int) func(*Options, string) {
		return func(o *Options, network string) {
			o.UseStyleLoss(l, network)
			o.Plateau, o.Iterations = 0, []int{iterations}
		}
	}
	preset := func(name string) func(*Options, string) {
		return func(o *Options, network string) {
			size := o.Size
			*o, _ = Preset(name, o.Mode)
			o.Size = size
		}
	}
	return []estimateCase{
		{"art", ModeArt, "64", nil}, {"art", ModeArt, "96", nil}, {"art", ModeArt, "128", nil}, {"art", ModeArt, "192", nil},
		{"art/few iterations", ModeArt, "192", func(o *Options, _ string) { o.Iterations = []int{5} }},
		{"art/plateau off", ModeArt, "128", func(o *Options, _ string) { o.Plateau = 0 }},
		{"art/adam", ModeArt, "128", func(o *Options, _ string) { o.Optimizer, o.LineSearch = OptimizerAdam, false }},
		{"art/gram", ModeArt, "96", loss(LossGram, 100)},
		{"art/covariance", ModeArt, "96", loss(LossCovariance, 100)},
		{"art/moments", ModeArt, "96", loss(LossMoments, 100)},
		{"art/sliced", ModeArt, "96", loss(LossSliced, 20)},
		{"art/sliced", ModeArt, "160", loss(LossSliced, 20)},
		{"art/w2", ModeArt, "96", loss(LossW2, 20)},
		{"art/selfsim", ModeArt, "96", func(o *Options, _ string) { o.ContentLoss, o.Iterations = ContentSelfSim, []int{30} }},
		{"art/colours kept", ModeArt, "96", func(o *Options, _ string) { o.Color = ColorContent }},
		{"art/best", ModeArt, "96", func(o *Options, _ string) { *o = Best(*o) }},
		{"nnst", ModeArt, "128", func(o *Options, network string) {
			o.UseMethod(MethodNNST, network)
			o.Iterations, o.Refine = []int{50}, 50
		}},
		{"nnst/turned", ModeArt, "96", func(o *Options, network string) {
			o.UseMethod(MethodNNST, network)
			o.Iterations, o.Refine, o.StyleTurns = []int{30}, 30, true
		}},
		{"texture", ModeTexture, "96", nil}, {"texture", ModeTexture, "128", func(o *Options, _ string) { o.Tileable = false }},
		{"patch", ModePatch, "96", nil}, {"patch", ModePatch, "160", nil},
		{"patch/cnnmrf", ModePatch, "128", func(o *Options, network string) { preset("cnnmrf")(o, network); o.Iterations = []int{30} }},
		{"doodle", ModeDoodle, "128", nil}, {"doodle", ModeDoodle, "192", nil},
		{"doodle/nd", ModeDoodle, "128", func(o *Options, network string) { preset("nd")(o, network); o.Iterations = []int{30} }},
		{"analogy", ModeAnalogy, "128", nil},
		{"analogy/ia", ModeAnalogy, "128", func(o *Options, network string) { preset("ia")(o, network); o.Size, o.Iterations = "128", []int{30} }},
		{"frame", ModeArt, "128", nil}, {"frame", ModeArt, "192", nil},
	}
}

// BenchmarkEstimate reports the estimate of a run over the time that it takes, both as
// processor time of one thread, so that other programs disturb little. The network is
// mini, or the file that IMPASTO_WEIGHTS names, with a tenth of the iterations.
func BenchmarkEstimate(b *testing.B) {
	network, err := vgg.Mini()
	if file := os.Getenv("IMPASTO_WEIGHTS"); file != "" {
		network, err = vgg.Load(context.Background(), file, vgg.LoadOptions{})
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range estimateCases() {
		b.Run(c.name+"/"+c.size, func(b *testing.B) {
			o := DefaultOptions(c.mode, "cpu", network.Name)
			o.Size = c.size
			if c.set != nil {
				c.set(&o, network.Name)
			}
			if network.Name != "mini" {
				for i, n := range o.Iterations {
					o.Iterations[i] = max(4, n/10)
				}
				o.Refine /= 10
			}
			env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 1}), Network: network}
			reportEstimate(b, c, o, env)
		})
	}
}

// reportEstimate paints one case.
func reportEstimate(b *testing.B, c estimateCase, o Options, env Env) {
	in := estimateInputs(c.mode)
	plan, err := in.Plan(o, env)
	if err != nil {
		b.Fatal(err)
	}
	meter := newSpeedometer(b, plan, in, env)
	defer meter.free()
	env.Plan, env.Progress = &plan, meter.pass
	run, extra := func() (*Result, error) { return Paint(context.Background(), in, plan.Options, env) }, 0.0
	if strings.HasPrefix(c.name, "frame") {
		plan, run, extra = followingFrame(b, in, o, env)
	}
	meter.pass(Event{})
	meter.spent = 0
	begun := processorSeconds(b)
	r, err := run()
	if err != nil {
		b.Fatal(err)
	}
	took := processorSeconds(b) - begun - meter.spent
	foretold := meter.foretold(plan, in, env) + extra
	b.ReportMetric(foretold, "foretold-s")
	b.ReportMetric(took, "taken-s")
	b.ReportMetric(foretold/took, "ratio")
	b.ReportMetric(float64(r.Iterations)/float64(plan.Iterations()), "iterations-share")
	b.ReportMetric(0, "ns/op")
}

// followingFrame paints the first frame of a film and prepares the second.
func followingFrame(b *testing.B, in Inputs, o Options, env Env) (plan Plan, run func() (*Result, error), extra float64) {
	content := in.Content
	o.TemporalWeight = UsualTemporalWeight(o)
	s, err := NewSequence(content.W, content.H, in, SequenceOptions{Options: o, Flow: FlowDense}, env)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Next(context.Background(), content); err != nil {
		b.Fatal(err)
	}
	moved := drawn(content.W, content.H, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(x + 2), uint8(y), uint8((x + 2 - y) * (x + 2 - y) / 256), 255}
	})
	return s.NextPlan(), func() (*Result, error) {
		f, err := s.Next(context.Background(), moved)
		if err == nil && f.Moved == nil {
			b.Error("nothing of the frame before was found")
		}
		return f.Result, err
	}, s.motionWork().host
}

// speedometer measures the speed of the network now and then while a run paints, since
// other programs change it.
type speedometer struct {
	b      *testing.B
	once   func()
	free   func()
	depth  int
	passes int
	spent  float64 // in these passes
	all    float64 // in all passes
}

func newSpeedometer(b *testing.B, plan Plan, in Inputs, env Env) *speedometer {
	depth, _, err := plan.Options.deepest(env.Network)
	if err != nil {
		b.Fatal(err)
	}
	m := &speedometer{b: b, depth: depth}
	if m.once, m.free, err = speedPass(env, plan.Options); err != nil {
		b.Fatal(err)
	}
	m.once() // the first is slow
	return m
}

// pass measures a pass.
func (m *speedometer) pass(Event) {
	begun := processorSeconds(m.b)
	m.once()
	took := processorSeconds(m.b) - begun
	m.spent, m.all, m.passes = m.spent+took, m.all+took, m.passes+1
}

// foretold is the estimate, with the speed as processor time.
func (m *speedometer) foretold(plan Plan, in Inputs, env Env) float64 {
	env.inputs = &in
	all, err := plan.work(env, m.depth)
	if err != nil {
		m.b.Fatal(err)
	}
	perFlop := m.all / float64(m.passes) / speedFlops(env, plan.Options, m.depth)
	if os.Getenv("IMPASTO_PARTS") != "" {
		for _, part := range all {
			fmt.Printf("    %-22s passes %.3f s, matches %.3f s, others %.3f s, host %.3f s\n", part.what, part.passes*perFlop, matchSlower*part.matches*perFlop, part.others*perFlop, part.host)
		}
	}
	return all.sum().seconds(perFlop)
}
