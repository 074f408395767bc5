package style

import (
	"context"
	"image/png"
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

// TestHalfOfVGG19OnTheProcessor compares 20 iterations of Adam on the real network in
// half and in single precision. Where $IMPASTO_HALF names a folder, it leaves both
// pictures there.
func TestHalfOfVGG19OnTheProcessor(t *testing.T) {
	if name, _ := gpu.CPUHalf(); name == "" {
		t.Skip("SKIPPED: this processor has no instructions for bfloat16, and plain Go takes minutes")
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
	if !(p >= otherDevice) {
		t.Errorf("the pictures differ by %.1f dB, want at least %d", p, otherDevice)
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
