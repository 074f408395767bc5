package vgg

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// TestSharedWeights loads the real VGG19 weights kept beside the repository:
// their checksum, their convention (BGR in the file, RGB here) and their layers.
func TestSharedWeights(t *testing.T) {
	path := filepath.Join(testutil.SharedDir(t), "models", "vgg19_conv5_1_f16.safetensors")
	n, err := LoadFile(context.Background(), path, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Meta.SHA256 != "63a15398230a42e36eee169d340124e1652a5e071a6ff5e080f777a649c1ec15" {
		t.Errorf("SHA-256 %s", n.Meta.SHA256)
	}
	if n.Name != "vgg19" || n.Pool != PoolMax || n.Meta.Layout != LayoutCaffe || n.Mean != [3]float32{123.68, 116.779, 103.939} {
		t.Errorf("%s, %s, %s, mean %v", n.Name, n.Pool, n.Meta.Layout, n.Mean)
	}
	if len(n.Layers) != 13 || n.Layers[12].Name != "conv5_1" {
		t.Errorf("%d layers", len(n.Layers))
	}
	part, err := LoadFile(context.Background(), path, LoadOptions{UpTo: "conv2_1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Layers) != 3 {
		t.Errorf("up to conv2_1: %d layers", len(part.Layers))
	}
	testutil.Close(t, "conv2_1", part.Layers[2].Weight, n.Layers[2].Weight, 0, 0)
}

// TestOriginalIsRecognised puts the original's conv1_1 into files that say
// nothing, in both orders, and contradicts them.
func TestOriginalIsRecognised(t *testing.T) {
	path := filepath.Join(testutil.SharedDir(t), "models", "vgg19_conv5_1_f16.safetensors")
	n, err := LoadFile(context.Background(), path, LoadOptions{UpTo: "conv1_1"})
	if err != nil {
		t.Fatal(err)
	}
	l := n.Layers[0]
	rgb := []testLayer{{name: l.Name, in: 3, out: 64, w: l.Weight, b: l.Bias}}
	for want, layers := range map[Layout][]testLayer{LayoutRGB: rgb, LayoutCaffe: swapRB(rgb)} {
		got, err := loadBytes("mine.pth", torchZip(layers), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Meta.Layout != want || got.Meta.Licence != oxfordLicence {
			t.Errorf("layout %s, want %s; licence %q", got.Meta.Layout, want, got.Meta.Licence)
		}
		sameLayers(t, got, rgb)
		_, err = loadBytes("mine.pth", torchZip(layers), LoadOptions{Layout: LayoutTorchvision})
		if err == nil || err.(*Error).ExitCode() != 2 || !strings.Contains(err.Error(), "conv1_1, which is the original VGG-19's") {
			t.Errorf("contradicted: %v", err)
		}
	}
}
