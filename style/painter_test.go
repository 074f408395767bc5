package style

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/impasto/impasto/gpu"
)

func tinyPainter(t *testing.T, options ...PainterOption) *Painter {
	t.Helper()
	env := tinyEnv(2)
	p, err := NewPainter(context.Background(), append(options, WithNetwork(env.Network), WithBackend(env.Backend))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A Painter's picture is that of the function, however many goroutines ask for
// it and whatever was painted before.
func TestPainterPaintsAsArtDoes(t *testing.T) {
	o := tinyOptions(ModeArt)
	want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	p := tinyPainter(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			got, err := p.Art(context.Background(), tinyInputs(), WithOptions(o))
			if err != nil {
				t.Error(err)
			} else if !slices.Equal(got.Picture.Pix, want.Picture.Pix) {
				t.Error("another picture than Art's")
			}
		})
	}
	all.Wait()
	if p.cache.Bytes() == 0 {
		t.Error("nothing was kept of the painting")
	}
}

func TestPainterOptions(t *testing.T) {
	p, events := tinyPainter(t), 0
	r, err := p.Art(context.Background(), tinyInputs(), WithOptions(tinyOptions(ModeArt)), WithSize("40"),
		With(func(o *Options) { o.Iterations = []int{2} }), WithProgress(func(Event) { events++ }))
	if err != nil {
		t.Fatal(err)
	}
	if r.Picture.W != 40 || r.Iterations != 2*len(r.Plan.Scales) || events == 0 {
		t.Errorf("%d pixels wide, %d iterations, %d events", r.Picture.W, r.Iterations, events)
	}
	plan, err := p.Plan(ModeArt, tinyInputs(), WithOptions(tinyOptions(ModeArt)), WithSize("48"))
	if err != nil || plan.W() != 48 {
		t.Errorf("plan of %d pixels, %v", plan.W(), err)
	}
	if o := p.Defaults(ModeTexture); o.Mode != ModeTexture || o.Init != InitNoise {
		t.Errorf("defaults of a texture: %+v", o)
	}
	if o, mini := p.Defaults(ModeArt), DefaultOptions(ModeArt, "cpu", "mini"); o.TVWeight != mini.TVWeight {
		t.Errorf("a narrow network has --tv-weight %g, not mini's %g", o.TVWeight, mini.TVWeight)
	}
}

// TestPainterPaintsInEveryMode: as the functions of the same names do, with the
// Painter's own limits.
func TestPainterPaintsInEveryMode(t *testing.T) {
	p := tinyPainter(t, WithThreads(1), WithMaxBytes(1<<30))
	photo, painting := noisePicture(32, 24, 1), noisePicture(32, 24, 2)
	for mode, paint := range map[Mode]func(context.Context, Inputs, ...Option) (*Result, error){
		ModeTexture: p.Texture, ModePatch: p.Patch, ModeDoodle: p.Doodle, ModeAnalogy: p.Analogy,
	} {
		in := Inputs{Styles: []*Picture{painting}}
		switch mode {
		case ModePatch:
			in.Content = photo
		case ModeAnalogy:
			in.A, in.B = photo, photo
		}
		short := With(func(o *Options) {
			o.Size, o.Scales, o.Iterations = "24", 1, []int{2}
			one := []LayerWeight{{"relu2_1", 1}}
			o.PatchLayers, o.StyleLayers, o.ContentLayers = one, one, one
		})
		if r, err := paint(t.Context(), in, short); err != nil || r.Options.Mode != mode || r.Picture.W != 24 {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestPainterFaults(t *testing.T) {
	p := tinyPainter(t)
	var option *OptionError
	_, err := p.Art(context.Background(), tinyInputs(), WithPreset("gatis"))
	if !errors.As(err, &option) || option.Option != "preset" || option.Value != "gatis" {
		t.Errorf("unknown preset: %v", err)
	}
	_, err = p.Art(context.Background(), tinyInputs(), WithOptions(tinyOptions(ModeArt)), With(func(o *Options) { o.StyleWeight = -1 }))
	if !errors.As(err, &option) || option.Option != "style-weight" || option.Value != -1.0 {
		t.Errorf("negative weight: %v", err)
	}
	if _, err := p.Plan(ModeArt, Inputs{}); err == nil {
		t.Error("a plan without pictures")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Art(cancelled, tinyInputs()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	p.Close()
	p.Close()
	if _, err := p.Art(context.Background(), tinyInputs()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := NewPainter(context.Background(), WithWeights("no such weights"), WithBackend(gpu.NewCPU(gpu.CPUOptions{}))); err == nil {
		t.Error("weights that do not exist were loaded")
	}
}

func TestEncodeAndDecode(t *testing.T) {
	p := noisePicture(13, 7, 1)
	for _, format := range []string{"png", "tiff", "webp", "jpeg"} {
		var file bytes.Buffer
		if err := Encode(&file, p, format); err != nil {
			t.Fatal(err)
		}
		back, err := Decode(&file)
		if err != nil || back.W != 13 || back.H != 7 {
			t.Fatalf("%s: %v", format, err)
		}
	}
	if err := Encode(&bytes.Buffer{}, p, "gif"); err == nil || !strings.Contains(err.Error(), `"gif" is not a picture format`) {
		t.Errorf("gif: %v", err)
	}
	if _, err := Decode(strings.NewReader("no picture")); err == nil {
		t.Error("text was decoded")
	}
}
