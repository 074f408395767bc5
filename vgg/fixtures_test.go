package vgg

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/nlpodyssey/gopickle/pytorch"
	"github.com/nlpodyssey/gopickle/types"

	"github.com/impasto/impasto/internal/testutil"
)

// fixtureLayer is what scripts/weight-fixtures writes for layer n.
func fixtureLayer(n int, name string, in, out int) testLayer {
	l := testLayer{name: name, in: in, out: out}
	for k := range out {
		for c := range in {
			for i := range 3 {
				for j := range 3 {
					l.w = append(l.w, float32((7*k+5*c+3*i+j+n)%17-8)/16)
				}
			}
		}
		l.b = append(l.b, float32((k+n)%5-2)/8)
	}
	return l
}

// TestFilesOfOthers reads what PyTorch and NumPy wrote.
func TestFilesOfOthers(t *testing.T) {
	torch := []testLayer{fixtureLayer(0, "conv1_1", 3, 2), fixtureLayer(1, "conv1_2", 2, 3), fixtureLayer(2, "conv2_1", 3, 2)}
	doodle := []testLayer{fixtureLayer(0, "conv1_1", 3, 64)}
	for _, c := range []struct {
		file   string
		layout Layout
		want   []testLayer
	}{
		{"zip.pth", LayoutRGB, torch},
		{"legacy.pth", LayoutRGB, torch},
		{"checkpoint.pth", LayoutRGB, torch}, // a training script's: float16, channels last, parameters
		{"doodle2.pkl.bz2", "", doodle},
		{"doodle4.pkl.bz2", "", doodle},
	} {
		n, err := LoadFile(context.Background(), filepath.Join("testdata", c.file), LoadOptions{Layout: c.layout})
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(c.file, func(t *testing.T) { sameLayers(t, n, c.want) })
	}
}

// TestPickleOracle compares our reader of PyTorch's files with gopickle's, an
// independent one.
func TestPickleOracle(t *testing.T) {
	for _, file := range []string{"zip.pth", "legacy.pth"} {
		path := filepath.Join("testdata", file)
		root, err := pytorch.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := LoadFile(context.Background(), path, LoadOptions{Layout: LayoutRGB})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range n.Layers {
			v, ok := root.(*types.OrderedDict).Get(torchNames[l.Name] + ".weight")
			if !ok {
				t.Fatalf("%s: gopickle finds no %s", file, l.Name)
			}
			tensor := v.(*pytorch.Tensor)
			data := tensor.Source.(*pytorch.FloatStorage).Data
			testutil.Close(t, file+" "+l.Name, l.Weight, data[tensor.StorageOffset:][:len(l.Weight)], 0, 0)
		}
	}
}
