package style

import (
	"context"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// otherDevice is the least PSNR of pictures from two devices, as render has it.
const otherDevice = 35

// TestHalfOnTheProcessor: half precision on the processor changes a picture no more than
// another device may, and its bytes do not depend on the number of threads.
func TestHalfOnTheProcessor(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l-bfgs":           func(*Options) {},
		"adam, w2, scaled": func(o *Options) { o.Optimizer, o.StyleLoss, o.Normalize = OptimizerAdam, LossW2, NormalizeMean },
		"adam, sliced":     func(o *Options) { o.Optimizer, o.StyleLoss = OptimizerAdam, LossSliced },
		"tiles": func(o *Options) {
			o.Optimizer, o.Size, o.Tile, o.StyleLayers = OptimizerAdam, "72", "64", o.StyleLayers[:1]
			o.Iterations, o.Scales = []int{2}, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(ModeArt)
			o.Iterations = []int{6, 3}
			change(&o)
			want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
			if err != nil {
				t.Fatal(err)
			}
			var halves []*Picture
			for _, threads := range []int{1, 3} {
				env := tinyEnv(2)
				env.Backend = gpu.NewCPU(gpu.CPUOptions{Threads: threads, Precision: gpu.Half})
				r, err := Art(context.Background(), tinyInputs(), o, env)
				if err != nil {
					t.Fatal(err)
				}
				halves = append(halves, r.Picture)
			}
			if !slices.Equal(halves[0].Pix, halves[1].Pix) {
				t.Error("three threads paint another picture than one")
			}
			p := psnr(halves[0].Pix, want.Picture.Pix)
			t.Logf("the pictures differ by %.1f dB", p)
			if !(p >= otherDevice) || slices.Equal(halves[0].Pix, want.Picture.Pix) {
				t.Errorf("the pictures differ by %.1f dB, want at least %d, and not none", p, otherDevice)
			}
		})
	}
}

// TestHalfOfEveryMode: every way of painting, and presets unlike the usual losses, compute
// in half precision too. The bytes do not depend on the number of threads, and the first loss is that in
// single precision but for rounding. (Pictures may part: L-BFGS enlarges differences, and
// where two patches match almost equally well, rounding decides.)
func TestHalfOfEveryMode(t *testing.T) {
	painting, styleMap := halves(64, 48, false)
	photo, canvas := halves(70, 50, true)
	type way struct {
		o  Options
		in Inputs
	}
	doodle := func(mode Mode, change func(*Options)) Options {
		o := doodleOptions(mode)
		o.Size, o.Scales, o.Iterations = "32", 1, []int{2}
		change(&o)
		return o
	}
	art := func(change func(*Options)) Options {
		o := tinyOptions(ModeArt)
		o.Size, o.Scales, o.Iterations = "24", 1, []int{2}
		change(&o)
		return o
	}
	neighbours := tinyNeighbours()
	neighbours.Size, neighbours.Scales, neighbours.Iterations, neighbours.Refine = "24", 1, []int{2}, 1
	ways := map[string]way{
		"patch":   {doodle(ModePatch, func(o *Options) { o.StyleRotations = 1 }), Inputs{Content: photo, Styles: []*Picture{painting}}},
		"doodle":  {doodle(ModeDoodle, func(o *Options) { o.Variety = 0.3 }), doodleInputs()},
		"analogy": {doodle(ModeAnalogy, func(o *Options) { o.AnalogyWeight = 0.5 }), Inputs{A: MapPicture(styleMap), Styles: []*Picture{painting}, B: MapPicture(canvas)}},
		"nnst":    {neighbours, tinyInputs()},
		"selfsim": {art(func(o *Options) { o.ContentLoss = ContentSelfSim }), tinyInputs()},
	}
	texture := tinyOptions(ModeTexture)
	texture.Size, texture.Scales, texture.Iterations, texture.Tileable = "24", 1, []int{2}, true
	ways["texture"] = way{texture, Inputs{Styles: tinyInputs().Styles}}
	for _, preset := range []string{"gatys", "spst", "best"} {
		o := tinyPreset(t, preset)
		o.Size, o.Scales, o.Iterations = "20", 1, []int{2}
		ways["preset "+preset] = way{o, tinyInputs()}
	}
	var backends []gpu.Backend
	for _, on := range []gpu.CPUOptions{{Threads: 2}, {Threads: 3, Precision: gpu.Half}, {Threads: 1, Precision: gpu.Half}} {
		b := gpu.NewCPU(on)
		defer b.Close()
		backends = append(backends, b)
	}
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			var all []*Result
			on := backends
			if name != "doodle" && name != "nnst" { // TestHalfOnTheProcessor has the others' operations
				on = on[:2]
			}
			for _, b := range on {
				r, err := Paint(context.Background(), w.in, w.o, Env{Backend: b, Network: tinyNetwork(11)})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, r)
			}
			single, half := all[0], all[1]
			if !slices.Equal(half.Picture.Pix, all[len(all)-1].Picture.Pix) {
				t.Error("three threads paint another picture than one")
			}
			got, want := half.History[0].Losses.Total, single.History[0].Losses.Total
			t.Logf("loss %.5g in half precision, %.5g in single; the pictures differ by %.1f dB", got, want, psnr(half.Picture.Pix, single.Picture.Pix))
			if !(math.Abs(got/want-1) <= 0.01) {
				t.Errorf("the first loss is %g in half precision, %g in single", got, want)
			}
			if last := half.Losses.Total; !(last < got) {
				t.Errorf("the loss becomes %g, from %g", last, got)
			}
			if slices.Equal(half.Picture.Pix, single.Picture.Pix) {
				t.Error("it computed in single precision")
			}
		})
	}
}

// TestHalfFilm: the frames of a film in half precision are near those in single, and do
// not depend on the number of threads.
func TestHalfFilm(t *testing.T) {
	o := sequenceOptions()
	o.Size, o.Scales, o.Iterations, o.NextIterations = "32", 1, []int{2}, 2
	film := func(on gpu.CPUOptions) (pixels []float32) {
		b := gpu.NewCPU(on)
		defer b.Close()
		s, err := NewSequence(64, 48, Inputs{Styles: tinyInputs().Styles}, o, Env{Backend: b, Network: tinyNetwork(11)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			f, err := s.Next(context.Background(), panned(i))
			if err != nil {
				t.Fatal(err)
			}
			pixels = append(pixels, f.Picture.Pix...)
		}
		return pixels
	}
	single, half := film(gpu.CPUOptions{Threads: 2}), film(gpu.CPUOptions{Threads: 1, Precision: gpu.Half})
	if !slices.Equal(half, film(gpu.CPUOptions{Threads: 3, Precision: gpu.Half})) {
		t.Error("three threads paint another film than one")
	}
	if p := psnr(single, half); !(p >= otherDevice) || slices.Equal(single, half) {
		t.Errorf("the films differ by %.1f dB, want at least %d, and not none", p, otherDevice)
	}
}

// TestHalfOfVGG19OnTheProcessor compares 20 iterations of Adam on the real network in
// half and in single precision. Where $IMPASTO_HALF names a folder, it leaves both
// pictures there.
func TestHalfOfVGG19OnTheProcessor(t *testing.T) {
	if name, _ := gpu.CPUHalf(); name == "" || name == "generic" {
		t.Skip("SKIPPED: plain Go takes minutes for bfloat16")
	}
	n, in, o := catAfterStarryNight(t)
	var pictures []*Picture
	for _, p := range []gpu.Precision{gpu.Single, gpu.Half} {
		cpu := gpu.NewCPU(gpu.CPUOptions{Precision: p})
		defer cpu.Close()
		r, err := Art(context.Background(), in, o, Env{Backend: cpu, Network: n})
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, r.Picture)
		if folder := os.Getenv("IMPASTO_HALF"); folder != "" {
			f, err := os.Create(filepath.Join(folder, "processor-"+p.String()+".png"))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, r.Picture.Image(8)); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := psnr(pictures[0].Pix, pictures[1].Pix)
	t.Logf("the pictures differ by %.1f dB", p)
	const least = 39 // docs/performance.md has 40.7; another order of sums changes a few tenths
	if !(p >= least) {
		t.Errorf("the pictures differ by %.1f dB, want at least %d", p, least)
	}
}

// TestHalfPlansLessMemory: the plan of a picture in half precision counts features and
// their gradients, and the weights as they are laid out, in two bytes.
func TestHalfPlansLessMemory(t *testing.T) {
	n, err := vgg.Load(context.Background(), "random:1", vgg.LoadOptions{UpTo: "relu5_1"})
	if err != nil {
		t.Fatal(err)
	}
	parts := map[gpu.Precision]map[string]int64{}
	for _, p := range []gpu.Precision{gpu.Single, gpu.Half} {
		b := gpu.NewCPU(gpu.CPUOptions{Threads: 1, Precision: p})
		defer b.Close()
		o := DefaultOptions(ModeArt, "cpu", "vgg19")
		o.Size, o.Optimizer = "512", OptimizerAdam
		plan := Plan{Options: o, Scales: []Scale{{W: 512, H: 512, Iterations: 1}}}
		all, err := plan.account(Env{Backend: b, Network: n}, 512, 512, Cut{}, false)
		if err != nil {
			t.Fatal(err)
		}
		parts[p] = map[string]int64{}
		for _, part := range all {
			parts[p][part.What] = part.Bytes
		}
	}
	for what, most := range map[string]float64{"the network's activations": 0.33, "the photograph's features": 0.5, "the network's weights": 2.0/3 + 0.001} {
		half, single := parts[gpu.Half][what], parts[gpu.Single][what]
		if single == 0 || float64(half) > most*float64(single) {
			t.Errorf("%s take %d bytes in half precision, %d in single", what, half, single)
		}
	}
}
