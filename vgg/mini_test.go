package vgg

import (
	"context"
	"slices"
	"testing"
)

// TestMini: the network inside the program has VGG19's taps that the presets
// use, at the widths it was trained with, and says what it is.
func TestMini(t *testing.T) {
	n, err := Mini()
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "mini" || n.Pool != PoolAvg || n.Meta.Layout != LayoutRGB || n.Meta.Licence == "" || len(n.Meta.SHA256) != 64 {
		t.Errorf("%q, %s pooling, %s, licence %q", n.Name, n.Pool, n.Meta.Layout, n.Meta.Licence)
	}
	if len(miniFile) > 3<<20 {
		t.Errorf("%d bytes, at most 3 MB are meant", len(miniFile))
	}
	for _, tap := range []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"} {
		if _, err := n.Depth(tap); err != nil {
			t.Error(err)
		}
	}
	if want := topology([]int{2, 2, 2, 3, 1}, []int{32, 64, 128, 160, 256}); !slices.Equal(n.shapes(), want) {
		t.Errorf("layers %v, want %v", n.shapes(), want)
	}
	part, err := Load(context.Background(), "mini", LoadOptions{UpTo: "relu2_1"})
	if err != nil || len(part.Layers) != 3 {
		t.Errorf("up to relu2_1: %v", err)
	}
}

// TestFirstMini: older recipes and checkpoints find the first edition by its checksum,
// and the first edition has not changed.
func TestFirstMini(t *testing.T) {
	const sum = "9b06fea182603cf57284ab770d2d8c9748dd7b98bc3d27036d747aacab2edc04"
	if name := BuiltinOf(sum); name != "mini:1" {
		t.Errorf("the first edition's checksum names %q", name)
	}
	n, err := Load(context.Background(), "mini:1", LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "mini" || n.Meta.SHA256 != sum {
		t.Errorf("mini:1 is %s, %s", n.Name, n.Meta.SHA256)
	}
	if want := topology([]int{2, 2, 2, 2, 1}, []int{16, 48, 64, 128, 128}); !slices.Equal(n.shapes(), want) {
		t.Errorf("layers %v, want %v", n.shapes(), want)
	}
	now, err := Mini()
	if err != nil {
		t.Fatal(err)
	}
	if name := BuiltinOf(now.Meta.SHA256); name != "mini" {
		t.Errorf("the checksum of mini names %q", name)
	}
	if name := BuiltinOf(""); name != "" {
		t.Errorf("no checksum names %q", name)
	}
}
