package vgg

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// golden is one layer's reference, computed in float64 by another program.
type golden struct {
	Layer string    `json:"layer"`
	Shape []int     `json:"shape"` // C, H, W
	Sum   float64   `json:"sum"`
	L2    float64   `json:"l2"`
	Max   float64   `json:"max"`
	Zeros int       `json:"zeros"`
	Gram  float64   `json:"gram_fro_unnormalised"`
	First []float64 `json:"first_spatial_of_channels_0_7_at_h2_w2"`
}

// goldenImage is the formula-made picture (40, 48, 3) of the reference, RGB
// minus the mean.
func goldenImage(mean [3]float32) []float32 {
	const h, w = 40, 48
	img := make([]float32, h*w*3)
	for i := range h {
		for j := range w {
			for c := range 3 { // the formula counts B, G, R
				v := (3*i*i + 7*j*(c+1) + 5*i*j + 91*c) % 256
				img[(i*w+j)*3+2-c] = float32(v) - mean[2-c]
			}
		}
	}
	return img
}

func TestGoldenActivations(t *testing.T) {
	dir := filepath.Join(testutil.SharedDir(t), "models")
	net, err := LoadFile(context.Background(), filepath.Join(dir, "vgg19_conv5_1_f16.safetensors"), LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "golden_activations.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Layers []golden `json:"vgg19_conv5_1_f16"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]golden{}
	var taps []string
	for _, g := range file.Layers {
		want[g.Layer] = g
		taps = append(taps, g.Layer)
	}
	if len(taps) < 13 {
		t.Fatalf("the reference has %d layers", len(taps))
	}
	b := gpu.NewCPU(gpu.CPUOptions{})
	x := b.NewArray(gpu.Shape{H: 40, W: 48, C: 3})
	b.Upload(x, goldenImage(net.Mean))
	pass, err := net.NewPass(b, 40, 48, PassOptions{Taps: taps})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	pass.Forward(x, func(tap string, act *gpu.Array) {
		seen++
		g := want[tap]
		s := act.Shape
		if s.C != g.Shape[0] || s.H != g.Shape[1] || s.W != g.Shape[2] {
			t.Fatalf("%s is %v, want %v", tap, s, g.Shape)
		}
		v := make([]float32, s.Len())
		b.Download(v, act)
		var sum, sq, top float64
		zeros := 0
		for _, e := range v {
			sum += float64(e)
			sq += float64(e) * float64(e)
			top = max(top, float64(e))
			if e == 0 {
				zeros++
			}
		}
		gram := b.NewArray(gpu.Matrix(s.C))
		b.Gram(gram, act, 1)
		fro := math.Sqrt(b.Dot(gram, gram))
		first := make([]float64, 8)
		y, x := min(2, s.H-1), min(2, s.W-1)
		for c := range first {
			first[c] = float64(v[(y*s.W+x)*s.C+c])
		}
		const tol = 1e-5
		testutil.Close(t, tap+" sum, l2, max, |gram|", []float64{sum, math.Sqrt(sq), top, fro}, []float64{g.Sum, g.L2, g.Max, g.Gram}, 0, tol)
		testutil.Close(t, tap+" first", first, g.First, tol*g.L2/math.Sqrt(float64(len(v))), tol)
		// A pre-activation that is zero to rounding may fall on either side.
		if d := zeros - g.Zeros; d > 3 || d < -3 {
			t.Errorf("%s: %d zeros, want %d", tap, zeros, g.Zeros)
		}
	})
	if seen != len(taps) {
		t.Errorf("%d taps seen, want %d", seen, len(taps))
	}
}
