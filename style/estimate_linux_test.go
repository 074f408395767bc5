package style

import (
	"context"
	"image"
	"image/color"
	"math"
	"os"
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

// BenchmarkEstimate reports the estimate of a run over the time that it takes, both as
// processor time of one thread, so that other programs disturb little. The network is
// mini, or the file that IMPASTO_WEIGHTS names.
func BenchmarkEstimate(b *testing.B) {
	network, err := vgg.Mini()
	if file := os.Getenv("IMPASTO_WEIGHTS"); file != "" {
		network, err = vgg.Load(context.Background(), file, vgg.LoadOptions{})
	}
	if err != nil {
		b.Fatal(err)
	}
	draw := func(at func(x, y int) color.NRGBA) *Picture {
		img := image.NewNRGBA(image.Rect(0, 0, 240, 180))
		for y := range 180 {
			for x := range 240 {
				img.SetNRGBA(x, y, at(x, y))
			}
		}
		return FromImage(img)
	}
	content := draw(func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(x), uint8(y), uint8((x - y) * (x - y) / 256), 255}
	})
	painting := draw(func(x, y int) color.NRGBA {
		return color.NRGBA{uint8((x*x + y*y) / 32), uint8(x / 2), uint8(x * y / 64), 255}
	})
	for _, c := range []struct {
		name string
		mode Mode
		size string
		set  func(*Options)
	}{
		{"art", ModeArt, "64", nil}, {"art", ModeArt, "128", nil},
		{"art/plateau off", ModeArt, "128", func(o *Options) { o.Plateau = 0 }},
		{"art/gram", ModeArt, "96", func(o *Options) { o.StyleLoss, o.Plateau = LossGram, 0 }},
		{"art/moments", ModeArt, "96", func(o *Options) { o.UseStyleLoss(LossMoments, network.Name); o.Plateau = 0 }},
		{"art/sliced", ModeArt, "96", func(o *Options) { o.UseStyleLoss(LossSliced, network.Name); o.Plateau = 0; o.Iterations = []int{20} }},
		{"art/sliced/more", ModeArt, "96", func(o *Options) { o.UseStyleLoss(LossSliced, network.Name); o.Plateau = 0; o.Iterations = []int{60} }},
		{"art/sliced", ModeArt, "160", func(o *Options) { o.UseStyleLoss(LossSliced, network.Name); o.Plateau = 0; o.Iterations = []int{20} }},
		{"art/w2", ModeArt, "96", func(o *Options) { o.UseStyleLoss(LossW2, network.Name); o.Plateau = 0; o.Iterations = []int{20} }},
		{"texture", ModeTexture, "96", func(o *Options) { o.Iterations = []int{60} }},
		{"patch", ModePatch, "128", nil},
	} {
		b.Run(c.name+"/"+c.size, func(b *testing.B) {
			o := DefaultOptions(c.mode, "cpu", network.Name)
			o.Size = c.size
			if network.Name != "mini" {
				o.Iterations = []int{max(4, o.Iterations[0]/10)}
			}
			if c.set != nil {
				c.set(&o)
			}
			env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 1}), Network: network, Cache: &Cache{}}
			in := Inputs{Content: content, Styles: []*Picture{painting}}
			if c.mode == ModeTexture {
				in.Content = nil
			}
			w, h := in.Canvas(c.mode)
			plan, err := NewPlan(w, h, o, env)
			if err != nil {
				b.Fatal(err)
			}
			depth, _, _ := plan.Options.deepest(network)
			operations, err := plan.operations(env, depth)
			if err != nil {
				b.Fatal(err)
			}
			once, free, err := speedPass(env, plan.Options)
			if err != nil {
				b.Fatal(err)
			}
			perFlop := math.Inf(1)
			for range 5 {
				begun := processorSeconds(b)
				once()
				perFlop = min(perFlop, (processorSeconds(b)-begun)/convolutionFlops(network, depth, speedSide*speedSide))
			}
			free()
			env.Plan = &plan
			run := Art
			switch c.mode {
			case ModeTexture:
				run = Texture
			case ModePatch:
				run = Patch
			}
			begun := processorSeconds(b)
			r, err := run(context.Background(), in, plan.Options, env)
			if err != nil {
				b.Fatal(err)
			}
			took := processorSeconds(b) - begun
			b.ReportMetric(operations*perFlop, "foretold-s")
			b.ReportMetric(took, "taken-s")
			b.ReportMetric(operations*perFlop/took, "ratio")
			b.ReportMetric(float64(r.Iterations)/float64(plan.Iterations()), "iterations-share")
			b.ReportMetric(0, "ns/op")
		})
	}
}
