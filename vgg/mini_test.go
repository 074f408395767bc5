package vgg

import (
	"context"
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
	want := topology([]int{2, 2, 2, 2, 1}, []int{16, 48, 64, 128, 128})
	for i, s := range n.shapes() {
		if i >= len(want) || s != want[i] {
			t.Errorf("layer %d is %v", i, s)
		}
	}
	part, err := Load(context.Background(), "mini", LoadOptions{UpTo: "relu2_1"})
	if err != nil || len(part.Layers) != 3 {
		t.Errorf("up to relu2_1: %v", err)
	}
}
