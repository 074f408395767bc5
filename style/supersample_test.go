package style

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSupersample: the result is the picture of a larger canvas, reduced.
func TestSupersample(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Size, o.Supersample, o.StyleUpscale = "33x27", 1.5, true
	env := tinyEnv(2)
	var last Event
	env.Progress = func(e Event) {
		last = e
		if p := e.Snapshot(); p.W > 33 || p.H > 27 {
			t.Errorf("the snapshot has %dx%d pixels", p.W, p.H)
		}
	}
	r, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.W() != 33 || r.Plan.H() != 27 || r.Options.Size != "33x27" {
		t.Errorf("the plan says %dx%d and %q", r.Plan.W(), r.Plan.H(), r.Options.Size)
	}
	o.Size, o.Supersample = "50x41", 0
	large, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	if want := large.Picture.Resize(33, 27); !slices.Equal(r.Picture.Pix, want.Pix) {
		t.Error("the picture is not that of 50x41 pixels, reduced")
	}
	if last.W != 50 || last.H != 41 || r.Plan.PeakBytes != large.Plan.PeakBytes {
		t.Errorf("the last scale has %dx%d pixels, its plan %d bytes, without supersample %d", last.W, last.H, r.Plan.PeakBytes, large.Plan.PeakBytes)
	}
}

// TestSupersampleFinish: colours, a mask and transparency are of the result's size.
func TestSupersampleFinish(t *testing.T) {
	in := tinyInputs()
	in.Content.Alpha = slices.Repeat([]float32{0.5}, in.Content.W*in.Content.H)
	in.Protect = &Map{W: 2, H: 1, C: 1, Pix: []float32{1, 0}}
	o := tinyOptions(ModeArt)
	o.Size, o.Supersample, o.Color, o.Iterations = "33x27", 2, ColorContent, []int{2}
	r, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Picture; p.W != 33 || p.H != 27 || len(p.Pix) != 33*27*3 || len(p.Alpha) != 33*27 {
		t.Errorf("%dx%d pixels, %d values, %d of alpha", p.W, p.H, len(p.Pix), len(p.Alpha))
	}
	photo := in.Content.Flatten().Resize(33, 27)
	for i, v := range r.Picture.Pix[:3] {
		if d := v - photo.Pix[i]; d > 0.01 || d < -0.01 {
			t.Errorf("a protected pixel is %v, the photograph's %v", r.Picture.Pix[:3], photo.Pix[:3])
		}
	}
}

// TestSupersampledSize: the size of the result follows from that of the canvas.
func TestSupersampledSize(t *testing.T) {
	for _, factor := range []float64{0, 1, 1.1, 1.25, 1.41, 1.5, 1.999, 2, 3, 4} {
		o := Options{ScaleOptions: ScaleOptions{Supersample: factor}}
		for side := 1; side < 700; side++ {
			if w, h := o.reduced(o.canvas(side, side+1)); w != side || h != side+1 {
				t.Fatalf("factor %g: %dx%d becomes %dx%d", factor, side, side+1, w, h)
			}
		}
	}
}

// TestSupersampledPainting: a painting may be enlarged for the canvas, but not beside the
// result.
func TestSupersampledPainting(t *testing.T) {
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Supersample = 2
	for _, c := range []struct{ painting, canvas, want int }{{100, 150, 150}, {100, 300, 200}, {400, 300, 300}} {
		if w, _ := o.styleSize(&Picture{W: c.painting, H: 50}, c.canvas); w != c.want {
			t.Errorf("a painting of %d pixels for a canvas of %d gets %d, want %d", c.painting, c.canvas, w, c.want)
		}
	}
}

func TestSupersampleIsChecked(t *testing.T) {
	for _, c := range []struct {
		mode   Mode
		change func(*Options)
		want   string
	}{
		{ModeArt, func(o *Options) { o.Supersample = 0.5 }, "supersample is 0.5; it must lie from 1 to 4"},
		{ModeArt, func(o *Options) { o.Supersample = 5 }, "supersample is 5; it must lie from 1 to 4"},
		{ModeTexture, func(o *Options) { o.Supersample = 2 }, "only mode art paints larger than the result, not texture"},
		{ModeArt, func(o *Options) { o.Supersample, o.TemporalWeight = 2, 1 }, "frames of a film are painted at their own size"},
	} {
		o := DefaultOptions(c.mode, "cpu", "vgg19")
		c.change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
	o := DefaultOptions(ModeTexture, "cpu", "vgg19")
	o.Supersample = 1
	if err := o.Validate(); err != nil {
		t.Errorf("a factor of 1 is refused: %v", err)
	}
}

// TestSupersampleMemory: the error names the size of the result, and what would fit.
func TestSupersampleMemory(t *testing.T) {
	env := tinyEnv(1)
	o := tinyOptions(ModeArt)
	o.Size, o.Tile = "400", "off"
	small, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	env.MaxBytes = small.PeakBytes
	o.Supersample = 2
	var memory *MemoryError
	if _, err := NewPlan(96, 80, o, env); !errors.As(err, &memory) || memory.W != 400 {
		t.Fatalf("got %v", err)
	}
	if !slices.ContainsFunc(memory.Try, func(s Suggestion) bool { return s.Option == "supersample" && s.Value == "1" }) {
		t.Errorf("no hint of supersample 1 in %v", memory.Try)
	}
}

// TestBest: the preset paints larger where the method can.
func TestBest(t *testing.T) {
	for _, mode := range []Mode{ModeArt, ModeTexture, ModePatch, ModeDoodle, ModeAnalogy} {
		o := DefaultOptions(mode, "cpu", "vgg19")
		best := Best(o)
		if larger := best.Supersample > 1; larger != (mode == ModeArt) {
			t.Errorf("%s: supersample is %g", mode, best.Supersample)
		}
		if larger := best.MinScale > o.MinScale; larger != (mode == ModeArt) {
			t.Errorf("%s: the least scale is %d", mode, best.MinScale)
		}
		if more := best.Iterations[0] > o.Iterations[0]; more != (mode != ModeArt) {
			t.Errorf("%s: %v iterations", mode, best.Iterations)
		}
	}
	frame := DefaultOptions(ModeArt, "cpu", "vgg19")
	frame.TemporalWeight = 1
	if best := Best(frame); best.Supersample > 1 || best.Validate() != nil {
		t.Errorf("a film's frame gets supersample %g: %v", best.Supersample, best.Validate())
	}
}

// TestMemoryAdviceWorks: each suggestion of a memory error is enough alone, and "max" is
// the size that was promised.
func TestMemoryAdviceWorks(t *testing.T) {
	env := tinyEnv(1)
	followed := map[string]int{}
	for _, tile := range []string{"off", ""} {
		for megabytes := int64(60); megabytes <= 150; megabytes += 10 {
			o := tinyOptions(ModeArt)
			o.Size, o.Tile, o.Supersample = "400", tile, 2
			env.MaxBytes = megabytes << 20
			var memory *MemoryError
			if _, err := NewPlan(96, 61, o, env); !errors.As(err, &memory) {
				continue
			}
			for _, s := range memory.Try {
				o := o
				switch s.Option {
				case "size":
					o.Size = s.Value
				case "supersample":
					o.Supersample = 1
				case "tile":
					o.Tile = ""
				case "history":
					o.History = 5
				case "optimizer":
					o.Optimizer = OptimizerAdam
				default:
					t.Fatalf("unknown suggestion %v", s)
				}
				followed[s.Option]++
				p, err := NewPlan(96, 61, o, env)
				if err != nil {
					t.Errorf("%d MiB, tile %q: %s %s does not help: %v", megabytes, tile, s.Option, s.Value, err)
				} else if got := fmt.Sprintf("%dx%d", p.W(), p.H()); s.Option == "size" && got != memory.Fits {
					t.Errorf("%d MiB, tile %q: max is %s, promised was %s", megabytes, tile, got, memory.Fits)
				}
			}
		}
	}
	for _, option := range []string{"size", "supersample", "optimizer"} {
		if followed[option] == 0 {
			t.Errorf("%s was never suggested: %v", option, followed)
		}
	}
}

// TestSupersampledTooSmall: the error names the size that was asked for, and the size
// that it suggests works.
func TestSupersampledTooSmall(t *testing.T) {
	for _, factor := range []float64{1, 1.3, 1.5, 2.7} {
		for _, size := range []string{"1", "2", "2x1", "3x1"} {
			o := tinyOptions(ModeArt)
			o.Size, o.Supersample = size, factor
			_, err := NewPlan(96, 61, o, tinyEnv(1))
			var problems Problems
			if !errors.As(err, &problems) {
				continue // the larger canvas is large enough
			}
			o.Size = problems[0].Try[0].Value
			if _, err := NewPlan(96, 61, o, tinyEnv(1)); err != nil {
				t.Errorf("%s with factor %g: the size %s does not help: %v", size, factor, o.Size, err)
			}
		}
	}
	o := tinyOptions(ModeArt)
	o.Size, o.Supersample = "3x2", 1.4
	if _, err := NewPlan(96, 61, o, tinyEnv(1)); err == nil || !strings.Contains(err.Error(), "3x2, painted at 4x3, is too small") {
		t.Errorf("got %v", err)
	}
}
