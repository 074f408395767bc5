package style

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/testutil"
	"github.com/impasto/impasto/vgg"
)

// halfEnv is a run in half precision on the software device.
func halfEnv(t *testing.T) Env {
	env, _ := deviceEnvOf(t, gpu.Half)
	return env
}

// TestHalfPaintsTheSamePicture: half precision changes a picture less than 40 dB
// can show.
func TestHalfPaintsTheSamePicture(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l-bfgs":           func(*Options) {},
		"adam, w2, scaled": func(o *Options) { o.Optimizer, o.StyleLoss, o.Normalize = OptimizerAdam, LossW2, NormalizeMean },
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
			got, err := Art(context.Background(), tinyInputs(), o, halfEnv(t))
			if err != nil {
				t.Fatal(err)
			}
			p := psnr(got.Picture.Pix, want.Picture.Pix)
			t.Logf("the pictures differ by %.1f dB", p)
			if !(p >= 40) {
				t.Errorf("the pictures differ by %.1f dB, want at least 40", p)
			}
		})
	}
}

// TestHalfAtTheLargestWeights paints 300 iterations with the largest weights that
// options accept, whose gradients are 1e12 times the usual: the scale of gradients
// must follow them down again as the picture improves. The loss that is left is
// the processor's, within what rounding leads two paths apart.
func TestHalfAtTheLargestWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: 300 iterations")
	}
	const most = 1e12
	for name, change := range map[string]func(*Options){
		"moments, l-bfgs":    func(o *Options) { o.StyleLoss, o.Optimizer = LossMoments, OptimizerLBFGS },
		"covariance, l-bfgs": func(o *Options) { o.StyleLoss, o.Optimizer = LossCovariance, OptimizerLBFGS },
		"gram of noise": func(o *Options) {
			o.StyleLoss, o.LossScale, o.Init, o.StyleLayers = LossGram, ScaleSum, InitNoise, o.StyleLayers[:1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(ModeArt)
			o.Optimizer, o.Size, o.Scales, o.MinScale, o.Iterations, o.Plateau = OptimizerAdam, "8", 1, 8, []int{300}, 0
			o.StyleLayers = o.StyleLayers[:2]
			o.ContentWeight, o.StyleWeight, o.TVWeight, o.TVSpare = most, most, most, 0.95
			change(&o)
			want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Art(context.Background(), tinyInputs(), o, halfEnv(t))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Picture.Pix {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("value %d of the picture is %g", i, v)
				}
			}
			first, last, least := got.History[0].Losses.Total, got.Losses.Total, want.Losses.Total
			t.Logf("loss %.4g, after %d iterations %.4g; the processor's %.4g; the pictures differ by %.1f dB", first, got.Iterations, last, least, psnr(got.Picture.Pix, want.Picture.Pix))
			if got.Iterations != want.Iterations || !(last < first) || !(last < 1.1*least) {
				t.Errorf("loss %g, after %d iterations %g; the processor's after %d is %g", first, got.Iterations, last, want.Iterations, least)
			}
		})
	}
}

// catAfterStarryNight returns VGG19, a photograph and a painting, and 20 iterations of
// Adam at 96 pixels. It skips the test where the weights or the pictures are missing.
func catAfterStarryNight(t *testing.T) (*vgg.Network, Inputs, Options) {
	shared := testutil.SharedDir(t)
	n, err := vgg.LoadFile(context.Background(), filepath.Join(shared, "models", "vgg19_conv5_1_f16.safetensors"), vgg.LoadOptions{})
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	read := func(name string) *Picture {
		p, _, err := picture.Read(filepath.Join(shared, "images", name), picture.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return (*Picture)(p)
	}
	in := Inputs{Content: read("chelsea.png"), Styles: []*Picture{read("starry_night.jpg")}}
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Size, o.Scales, o.Iterations, o.Optimizer = "96", 1, []int{20}, OptimizerAdam
	return n, in, o
}

// TestHalfOnVGG19 compares 20 iterations on the real network with single
// precision on the processor. It takes minutes on the software device, so it
// runs where $IMPASTO_HALF names a folder, in which it leaves both pictures.
func TestHalfOnVGG19(t *testing.T) {
	folder := os.Getenv("IMPASTO_HALF")
	if folder == "" {
		t.Skip("SKIPPED: IMPASTO_HALF names no folder for the pictures")
	}
	n, in, o := catAfterStarryNight(t)
	half := halfEnv(t)
	half.Network = n
	cpu := gpu.NewCPU(gpu.CPUOptions{})
	defer cpu.Close()
	var pictures []*Picture
	for name, env := range map[string]Env{"half.png": half, "single.png": {Backend: cpu, Network: n}} {
		r, err := Art(context.Background(), in, o, env)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.History {
			t.Logf("%s: iteration %d, loss %.6g", name, s.Iteration, s.Losses.Total)
		}
		var file bytes.Buffer
		if err := png.Encode(&file, r.Picture.Image(8)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, r.Picture)
	}
	p := psnr(pictures[0].Pix, pictures[1].Pix)
	t.Logf("the pictures differ by %.1f dB", p)
	if !(p >= 40) {
		t.Errorf("the pictures differ by %.1f dB, want at least 40", p)
	}
}

// TestLargestOnADevice: in 16 GB half precision plans squares of half as many
// pixels again as single, painted whole.
func TestLargestOnADevice(t *testing.T) {
	testutil.NeedDevices(t)
	n, err := vgg.Load(context.Background(), "random:1", vgg.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var side [2]int
	for i, p := range []gpu.Precision{gpu.Single, gpu.Half} {
		b := gpu.NewDevice(emu.Open(emu.Options{}), gpu.DeviceOptions{Name: "emu", Precision: p})
		defer b.Close()
		o := DefaultOptions(ModeArt, "cpu", "vgg19")
		o.Optimizer, o.Size, o.Tile, o.Scales = OptimizerAdam, "max", "off", 1
		plan, err := NewPlan(4096, 4096, o, Env{Backend: b, Network: n, MaxBytes: 16 * 9e8})
		if err != nil {
			t.Fatal(err)
		}
		side[i] = plan.W()
	}
	t.Logf("single %d px, half %d px", side[0], side[1])
	if 2*side[1]*side[1] < 3*side[0]*side[0] {
		t.Errorf("16 GB hold %d px in half precision, %d in single", side[1], side[0])
	}
}
