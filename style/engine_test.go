package style

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
)

// tinyOptions paint something in well under a second with the tiny network.
func tinyOptions(mode Mode) Options {
	o := DefaultOptions(mode, "cpu", "vgg19")
	o.Size = "48"
	o.MinScale = 24
	o.Iterations = []int{12, 8}
	o.StyleLayers = []LayerWeight{{"relu1_1", 1}, {"relu2_1", 1}, {"relu3_1", 1}}
	if mode == ModeArt {
		o.ContentLayers = []LayerWeight{{"relu2_1", 1}}
	}
	return o
}

func tinyEnv(threads int) Env {
	return Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: threads}), Network: tinyNetwork(11)}
}

func tinyInputs() Inputs {
	return Inputs{Content: smoothPicture(96, 80, 1), Styles: []*Picture{noisePicture(70, 90, 2)}}
}

// TestSameBytesAnyThreads: the picture depends on inputs, options and seed, not
// on how many threads computed it nor on being computed again.
func TestSameBytesAnyThreads(t *testing.T) {
	for _, change := range []func(*Options){
		func(*Options) {},
		func(o *Options) { o.Init = InitNoise },
		func(o *Options) { o.StyleLoss = LossGram },
		func(o *Options) { o.StyleLoss, o.ContentLoss = LossMoments, ContentSelfSim },
		func(o *Options) { o.StyleLoss, o.SlicedHold = LossSliced, 4 },
		func(o *Options) { o.Optimizer, o.Average, o.StyleLoss = OptimizerAdam, 0.9, LossW2 },
	} {
		o := tinyOptions(ModeArt)
		change(&o)
		var first *Result
		for _, threads := range []int{1, 2, 3, 1} {
			r, err := Art(context.Background(), tinyInputs(), o, tinyEnv(threads))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = r
				continue
			}
			if !slices.Equal(r.Picture.Pix, first.Picture.Pix) || r.Losses.Total != first.Losses.Total {
				t.Errorf("%d threads paint another picture", threads)
			}
		}
		// what the result says of itself repeats it
		r, err := Art(context.Background(), tinyInputs(), first.Options, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Picture.Pix, first.Picture.Pix) {
			t.Error("the options in the result paint another picture")
		}
	}
}

func TestSeedDecidesNoise(t *testing.T) {
	paint := func(seed uint64) []float32 {
		o := tinyOptions(ModeTexture)
		o.Seed, o.Iterations = seed, []int{2}
		r, err := Texture(context.Background(), Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(1))
		if err != nil {
			t.Fatal(err)
		}
		return r.Picture.Pix
	}
	if !slices.Equal(paint(1), paint(1)) {
		t.Error("one seed gives two pictures")
	}
	if slices.Equal(paint(1), paint(2)) {
		t.Error("two seeds give one picture")
	}
}

// TestNoiseStatistics: the range, mean and deviation that the options name.
func TestNoiseStatistics(t *testing.T) {
	px := pixels{mean: [3]float32{100, 110, 120}, white: 255}
	o := tinyOptions(ModeTexture)
	o.NoiseRange = Range{16, 240}
	lo, hi, sum := math.Inf(1), math.Inf(-1), 0.0
	v := px.noise(o, 20000)
	for i, x := range v {
		p := float64(x + px.mean[i%3])
		lo, hi, sum = min(lo, p), max(hi, p), sum+p
	}
	if lo < 16 || lo > 17 || hi > 240 || hi < 239 || math.Abs(sum/float64(len(v))-128) > 1 {
		t.Errorf("uniform noise spans %g to %g with mean %g", lo, hi, sum/float64(len(v)))
	}
	o.NoiseStd = 2
	squares := 0.0
	for _, x := range px.noise(o, 20000) {
		squares += float64(x) * float64(x)
	}
	if s := math.Sqrt(squares / 60000); math.Abs(s-2) > 0.03 {
		t.Errorf("normal noise has deviation %g, want 2", s)
	}
}

func TestEveryStart(t *testing.T) {
	in := Inputs{Content: smoothPicture(96, 80, 1), Styles: []*Picture{smoothPicture(50, 90, 4)}, Init: smoothPicture(40, 40, 9)}
	mean := func(p *Picture) float64 {
		s := 0.0
		for _, v := range p.Pix {
			s += float64(v)
		}
		return s / float64(len(p.Pix))
	}
	for init, want := range map[Init]float64{
		InitContent: mean(in.Content), InitStyle: mean(in.Styles[0]), InitFile: mean(in.Init), InitGray: 0.5, InitNoise: 0.5,
	} {
		o := tinyOptions(ModeArt)
		o.Init, o.Iterations = init, []int{0}
		r, err := Art(context.Background(), in, o, tinyEnv(1))
		if err != nil {
			t.Fatal(err)
		}
		if got := mean(r.Picture); math.Abs(got-want) > 0.01 {
			t.Errorf("starting from %s the picture's mean is %.3f, want %.3f", init, got, want)
		}
	}
}

// TestTextureOfAnySize also takes sizes that no pooling divides.
func TestTextureOfAnySize(t *testing.T) {
	for size, want := range map[string][2]int{"37x61": {37, 61}, "80": {62, 80}, "50%": {35, 45}} {
		o := tinyOptions(ModeTexture)
		o.Size, o.Iterations = size, []int{3}
		r, err := Texture(context.Background(), Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		if r.Picture.W != want[0] || r.Picture.H != want[1] {
			t.Errorf("size %s gives %dx%d, want %v", size, r.Picture.W, r.Picture.H, want)
		}
	}
}

// TestEachTermAlone: content alone and style alone lower their own loss.
func TestEachTermAlone(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.StyleWeight, o.Init = 0, InitNoise },
		func(o *Options) { o.ContentWeight = 0 },
	} {
		o := tinyOptions(ModeArt)
		change(&o)
		o.TVWeight = 0
		o.Iterations = []int{30}
		in := tinyInputs()
		if o.StyleWeight == 0 {
			in.Styles = nil
		}
		r, err := Art(context.Background(), in, o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		first, last := r.History[0].Losses, r.Losses
		if !(last.Total < 0.5*first.Total) || last.Total != last.Content+last.Style {
			t.Errorf("loss went from %+v to %+v", first, last)
		}
	}
}

// TestAlphaAndBeta: more content weight brings the picture closer to the
// photograph, in content loss and in SSIM; more style weight closer to the
// painting, in style loss, and further from the photograph.
func TestAlphaAndBeta(t *testing.T) {
	in := tinyInputs()
	paint := func(alpha, beta float64) (content, style, ssim float64) {
		o := tinyOptions(ModeArt)
		o.ContentWeight, o.StyleWeight, o.TVWeight, o.Size = alpha, beta, 0, "96"
		o.Iterations = []int{40}
		r, err := Art(context.Background(), in, o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		ssim, err = picture.SSIM((*picture.Picture)(r.Picture), (*picture.Picture)(in.Content.Resize(r.Picture.W, r.Picture.H)))
		if err != nil {
			t.Fatal(err)
		}
		return r.Losses.Content / alpha, r.Losses.Style / beta, ssim
	}
	content, style, ssim := paint(1, 1)
	for _, alpha := range []float64{10, 100} {
		c, s, q := paint(alpha, 1)
		if !(c < content && s > style && q > ssim) {
			t.Errorf("alpha %g: content %g after %g, style %g after %g, SSIM %.3f after %.3f", alpha, c, content, s, style, q, ssim)
		}
		content, style, ssim = c, s, q
	}
	for _, beta := range []float64{10, 100} {
		c, s, q := paint(100, beta)
		if !(c > content && s < style && q < ssim) {
			t.Errorf("beta %g: content %g after %g, style %g after %g, SSIM %.3f after %.3f", beta, c, content, s, style, q, ssim)
		}
		content, style, ssim = c, s, q
	}
}

func TestAlphaIsKept(t *testing.T) {
	in := tinyInputs()
	in.Content.Alpha = make([]float32, in.Content.W*in.Content.H)
	for i := range in.Content.Alpha {
		in.Content.Alpha[i] = float32(i%in.Content.W) / float32(in.Content.W)
	}
	o := tinyOptions(ModeArt)
	o.Iterations = []int{1}
	r, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	a := r.Picture.Alpha
	if len(a) != r.Picture.W*r.Picture.H || !(a[2] < 0.1 && a[r.Picture.W-3] > 0.9) {
		t.Errorf("alpha is lost: %d values", len(a))
	}
}

func TestColors(t *testing.T) {
	in := tinyInputs()
	o := tinyOptions(ModeArt)
	o.Color, o.ColorSpace = ColorContent, ColorYUV
	r, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	// chroma is the content's wherever nothing had to be clamped
	content := in.Content.Resize(r.Picture.W, r.Picture.H)
	for i := 0; i < len(content.Pix); i += 3 {
		p, q := r.Picture.Pix[i:i+3], content.Pix[i:i+3]
		if slices.Min(p) > 0 && slices.Max(p) < 1 && math.Abs(float64((p[0]-p[1])-(q[0]-q[1]))) > 1e-5 {
			t.Fatalf("pixel %d has colours %v for the content's %v", i/3, p, q)
		}
	}
	o.Color = ColorMatch
	m, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	o.Color = ColorStyle
	s, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(m.Picture.Pix, s.Picture.Pix) {
		t.Error("matching colours changed nothing")
	}
}

// TestCancel: the picture so far and the context's error come back at once.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := tinyOptions(ModeArt)
	o.Iterations = []int{1_000_000}
	o.Plateau = 0
	env := tinyEnv(2)
	calls := 0
	env.Progress = func(e Event) {
		if calls++; calls == 2 {
			cancel()
		}
	}
	r, err := Art(ctx, tinyInputs(), o, env)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v", err)
	}
	if r == nil || r.Picture == nil || r.Iterations == 0 || r.Iterations > 900_000 || r.Losses.Total == 0 {
		t.Fatalf("no picture of a cancelled run: %+v", r)
	}
}

func TestEventsAndHistory(t *testing.T) {
	o := tinyOptions(ModeArt)
	env := tinyEnv(1)
	var events []Event
	env.Progress = func(e Event) {
		p := e.Snapshot()
		if p.W != e.W || p.H != e.H {
			t.Errorf("the snapshot is %dx%d at a scale of %dx%d", p.W, p.H, e.W, e.H)
		}
		e.Snapshot = nil
		events = append(events, e)
	}
	r, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.Done != 20 || last.Planned != 20 || last.Scale != 2 || last.Scales != 2 || last.Bytes == 0 || last.PerSecond <= 0 {
		t.Errorf("the last event is %+v", last)
	}
	if len(last.Losses.Layers) != 4 || last.Losses.Layers[0].Term != "content" || last.Losses.Layers[3].Layer != "relu3_1" {
		t.Errorf("losses by layer are %v", last.Losses.Layers)
	}
	var sampled [][2]int
	for _, s := range r.History {
		sampled = append(sampled, [2]int{s.Scale, s.Iteration})
	}
	if want := [][2]int{{1, 1}, {1, 10}, {1, 12}, {2, 1}, {2, 8}}; r.Iterations != 20 || !slices.Equal(sampled, want) || r.History[4].Losses.Total != r.Losses.Total {
		t.Errorf("history of scales and iterations %v, %d iterations", sampled, r.Iterations)
	}
}

// TestDivergence: a loss that is never finite ends the run with the last good
// picture; one bad evaluation would only be gone back on.
func TestDivergence(t *testing.T) {
	env := tinyEnv(1)
	env.Network.Layers[0].Bias[0] = float32(math.NaN())
	o := tinyOptions(ModeArt)
	r, err := Art(context.Background(), tinyInputs(), o, env)
	var diverged *DivergedError
	if !errors.As(err, &diverged) || len(diverged.Try) != 2 {
		t.Fatalf("got %v", err)
	}
	if r == nil || r.Picture == nil || r.Picture.Pix[0] != r.Picture.Pix[0] {
		t.Error("no picture was kept")
	}
}

func TestPlateauEndsAScale(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Plateau = 0.9
	o.Iterations = []int{400}
	o.Scales = 1
	r, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	if r.Iterations < 100 || r.Iterations > 350 {
		t.Errorf("ended after %d iterations", r.Iterations)
	}
}

func TestBadInputs(t *testing.T) {
	good := tinyInputs()
	for want, c := range map[string]struct {
		in     Inputs
		change func(*Options)
	}{
		"needs a content":       {Inputs{Styles: good.Styles}, nil},
		"no style picture":      {Inputs{Content: good.Content}, nil},
		"3 style weights given": {good, func(o *Options) { o.StyleWeights = []float64{1, 2, 3} }},
		"to start from given":   {good, func(o *Options) { o.Init = InitFile }},
		"is too small":          {good, func(o *Options) { o.Size = "64x2" }},
		"9 scales begin at":     {good, func(o *Options) { o.Scales = 9 }},
		"is not a size":         {good, func(o *Options) { o.Size = "big" }},
		"unknown layer":         {good, func(o *Options) { o.StyleLayers = gatysStyleLayers() }},
		"holds 0 values":        {Inputs{Content: &Picture{W: 3, H: 3}, Styles: good.Styles}, nil},
	} {
		o := tinyOptions(ModeArt)
		if c.change != nil {
			c.change(&o)
		}
		r, err := Art(context.Background(), c.in, o, tinyEnv(1))
		if err == nil || !strings.Contains(err.Error(), want) || r != nil {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	env := tinyEnv(1)
	o := tinyOptions(ModeArt)
	o.Size, o.Tile = "1600", "off"
	p, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	env.MaxBytes = p.PeakBytes / 10 * 9
	var memory *MemoryError
	if _, err := NewPlan(96, 80, o, env); !errors.As(err, &memory) {
		t.Fatalf("got %v", err)
	}
	for _, hint := range []string{"size max (", "tile auto ("} {
		if !strings.Contains(fmt.Sprint(memory.Try), hint) {
			t.Errorf("no hint %q in %v", hint, memory.Try)
		}
	}
	o.Size = "max"
	m, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	if m.PeakBytes > env.MaxBytes || m.W() < 1200 || m.W() >= 1600 {
		t.Errorf("max is %dx%d with %d of %d bytes", m.W(), m.H(), m.PeakBytes, env.MaxBytes)
	}
	// in tiles more fits, as much as is promised, and the plan says so
	o.Tile = ""
	tiled, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	if tiled.PeakBytes > env.MaxBytes || tiled.W() <= m.W() || tiled.Tile == (TileSize{}) || tiled.Options.Tile == "" {
		t.Errorf("max in tiles is %dx%d in %v, %d of %d bytes", tiled.W(), tiled.H(), tiled.Tile, tiled.PeakBytes, env.MaxBytes)
	}
	// what no cut can lower is never more than a plan that fits
	tight := env
	tight.MaxBytes = tiled.PeakBytes
	o.Size = fmt.Sprintf("%dx%d", tiled.W(), tiled.H())
	if _, err := NewPlan(96, 80, o, tight); err != nil {
		t.Errorf("what was planned to fit does not: %v", err)
	}
	tight.MaxBytes = 25 * 12 * int64(tiled.W()*tiled.H()) // 26 images are held
	if _, err := NewPlan(96, 80, o, tight); !errors.As(err, &memory) || memory.Tiled <= tight.MaxBytes || memory.Tiled > tiled.PeakBytes {
		t.Errorf("with less than the images need: %v", err)
	}
	o.Size = fmt.Sprint(2 * tiled.W())
	if _, err := NewPlan(96, 80, o, env); !errors.As(err, &memory) || !strings.Contains(err.Error(), "untiled and") {
		t.Errorf("got %v", err)
	}
}

func TestScales(t *testing.T) {
	for _, c := range []struct {
		w, h, scales, min int
		step              float64
		want              []int // long sides
	}{
		{512, 512, 0, 128, math.Sqrt2, []int{128, 181, 256, 362, 512}}, // style-transfer-pytorch
		{384, 240, 0, 96, 2, []int{96, 192, 384}},
		{1000, 50, 0, 96, 2, []int{1000}}, // the short side allows no more
		{300, 200, 2, 96, 2, []int{150, 300}},
	} {
		o := DefaultOptions(ModeArt, "cpu", "vgg19")
		o.Scales, o.ScaleStep, o.MinScale = c.scales, c.step, c.min
		var got []int
		for _, s := range o.scales(c.w, c.h, 32) {
			got = append(got, s.W)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%dx%d: %v, want %v", c.w, c.h, got, c.want)
		}
	}
}
