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
	if len(miniFile) > 3_000_000 {
		t.Errorf("%d bytes, at most 3 MB are meant", len(miniFile))
	}
	for _, tap := range []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"} {
		if _, err := n.Depth(tap); err != nil {
			t.Error(err)
		}
	}
	if want := topology([]int{2, 2, 2, 4, 1}, []int{32, 64, 128, 144, 256}); !slices.Equal(n.shapes(), want) {
		t.Errorf("layers %v, want %v", n.shapes(), want)
	}
	part, err := Load(context.Background(), "mini", LoadOptions{UpTo: "relu2_1"})
	if err != nil || len(part.Layers) != 3 {
		t.Errorf("up to relu2_1: %v", err)
	}
}

// TestEarlierMinis: older recipes and checkpoints find an earlier edition by its checksum,
// and it has not changed.
func TestEarlierMinis(t *testing.T) {
	for _, c := range []struct {
		name, sum      string
		blocks, widths []int
	}{
		{"mini:1", "9b06fea182603cf57284ab770d2d8c9748dd7b98bc3d27036d747aacab2edc04", []int{2, 2, 2, 2, 1}, []int{16, 48, 64, 128, 128}},
		{"mini:2", "54a33801caf8bbad474c625728c6efe1370763564ac1b145d03b915d7518dc23", []int{2, 2, 2, 3, 1}, []int{32, 64, 128, 160, 256}},
	} {
		if name := BuiltinOf(c.sum); name != c.name {
			t.Errorf("the checksum of %s names %q", c.name, name)
		}
		n, err := Load(context.Background(), c.name, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n.Name != "mini" || n.Meta.SHA256 != c.sum {
			t.Errorf("%s is %s, %s", c.name, n.Name, n.Meta.SHA256)
		}
		if want := topology(c.blocks, c.widths); !slices.Equal(n.shapes(), want) {
			t.Errorf("%s: layers %v, want %v", c.name, n.shapes(), want)
		}
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
