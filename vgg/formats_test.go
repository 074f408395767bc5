package vgg

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// loadBytes loads a file held in memory.
func loadBytes(name string, data []byte, opts LoadOptions) (*Network, error) {
	n, err := load(context.Background(), &source{name: name, ReaderAt: bytes.NewReader(data), size: int64(len(data))}, opts)
	if err != nil {
		return nil, wrap(name, err)
	}
	return n, nil
}

// TestFormatsAgree writes the same network in every format, each in its own
// convention, and wants the same folded weights from all.
func TestFormatsAgree(t *testing.T) {
	rgb := exactLayers(3)
	bgr := swapRB(rgb)
	caffe := [3]float32{123.68, 116.779, 103.939}
	own := [3]float32{120.5, 110.25, 100.125}
	ours := map[string]string{"impasto.format": "1", "impasto.layout": "rgb255", "impasto.mean": "120.5 110.25 100.125", "impasto.pooling": "avg"}
	shared := map[string]string{"input": "BGR planes, 0..255 minus mean B=103.939 G=116.779 R=123.68"}
	for _, c := range []struct {
		name string
		data []byte
		opts LoadOptions
		mean [3]float32
		pool Pool
	}{
		{"ours.safetensors", safetensorsOf(rgb, ours, "F32"), LoadOptions{}, own, PoolAvg},
		{"half.safetensors", safetensorsOf(rgb, ours, "F16"), LoadOptions{}, own, PoolAvg},
		{"brain.safetensors", safetensorsOf(bgr, shared, "BF16"), LoadOptions{}, caffe, PoolMax},
		{"bare.safetensors", safetensorsOf(bgr, nil, "F32"), LoadOptions{Layout: LayoutCaffe}, caffe, PoolMax},
		{"zip.pth", torchZip(bgr), LoadOptions{Layout: LayoutCaffe}, caffe, PoolMax},
		{"zip-rgb.pth", torchZip(rgb), LoadOptions{Layout: LayoutRGB}, caffe, PoolMax},
		{"legacy.pth", torchLegacy(bgr), LoadOptions{Layout: LayoutCaffe}, caffe, PoolMax},
		{"v1.caffemodel", caffeOf(bgr, true), LoadOptions{}, caffe, PoolMax},
		{"v2.caffemodel", caffeOf(bgr, false), LoadOptions{}, caffe, PoolMax},
		{"no-extension", caffeOf(bgr, false), LoadOptions{}, caffe, PoolMax},
		{"nodes.onnx", onnxOf(bgr, true), LoadOptions{Layout: LayoutCaffe}, caffe, PoolMax},
		{"tensors.onnx", onnxOf(bgr, false), LoadOptions{Layout: LayoutCaffe}, caffe, PoolMax},
		{"compressed.mat", matOf(rgb, true), LoadOptions{}, own, PoolMax},
		{"plain.mat", matOf(rgb, false), LoadOptions{}, own, PoolMax},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := loadBytes(c.name, c.data, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			sameLayers(t, n, rgb)
			if n.Mean != c.mean || n.Pool != c.pool {
				t.Errorf("mean %v, pooling %s; want %v, %s", n.Mean, n.Pool, c.mean, c.pool)
			}
			c.opts.UpTo = "conv1_2"
			if n, err = loadBytes(c.name, c.data, c.opts); err != nil {
				t.Fatal(err)
			}
			sameLayers(t, n, rgb[:2])
		})
	}
}

func sameLayers(t *testing.T, n *Network, want []testLayer) {
	t.Helper()
	if len(n.Layers) != len(want) {
		t.Fatalf("%d layers, want %d", len(n.Layers), len(want))
	}
	for i, l := range n.Layers {
		if l.Name != want[i].name || l.In != want[i].in || l.Out != want[i].out {
			t.Errorf("layer %d is %s, %d -> %d", i, l.Name, l.In, l.Out)
		}
		testutil.Close(t, l.Name+" weight", l.Weight, want[i].w, 0, 0)
		testutil.Close(t, l.Name+" bias", l.Bias, want[i].b, 0, 0)
	}
}

// TestTorchvisionFold compares the folded first layer with torchvision's own
// preprocessing, computed in float64 on one 3x3 patch of pixels.
func TestTorchvisionFold(t *testing.T) {
	layers := exactLayers(1)
	n, err := loadBytes("v.pth", torchZip(layers), LoadOptions{Layout: LayoutTorchvision})
	if err != nil {
		t.Fatal(err)
	}
	mean, std := []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}
	pixel := func(c, i int) float64 { return float64((c*97 + i*53) % 256) }
	for k := range 64 {
		var got, want float64
		for c := range 3 {
			for i := range 9 {
				at := (k*3+c)*9 + i
				want += float64(layers[0].w[at]) * (pixel(c, i)/255 - mean[c]) / std[c]
				got += float64(n.Layers[0].Weight[at]) * (pixel(c, i) - float64(n.Mean[c]))
			}
		}
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("filter %d: %g, want %g", k, got, want)
		}
	}
}

// TestFlippedKernels is neural-doodle's convention, apart from its container.
func TestFlippedKernels(t *testing.T) {
	rgb := exactLayers(2)

	a := &archive{layout: LayoutCaffe, flipped: true}
	for _, l := range rotate(swapRB(rgb)) {
		a.entries = append(a.entries,
			entry{name: l.name + ".weight", shape: []int{l.out, l.in, 3, 3}, read: func() ([]float32, error) { return l.w, nil }},
			entry{name: l.name + ".bias", shape: []int{l.out}, read: func() ([]float32, error) { return l.b, nil }})
	}
	list, tensors, err := a.topology()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := readLayers(context.Background(), a, list, tensors)
	if err != nil {
		t.Fatal(err)
	}
	LayoutCaffe.convention().foldInput(layers[0].Weight)
	sameLayers(t, &Network{Layers: layers}, rgb)
}

// TestChannelsLast reads a tensor whose strides are not those of its shape.
func TestChannelsLast(t *testing.T) {
	l := exactLayers(1)[0]
	last := make([]float32, len(l.w)) // (K, 3, 3, C) in memory
	for k := range 64 {
		for c := range 3 {
			for i := range 9 {
				last[(k*9+i)*3+c] = l.w[(k*3+c)*9+i]
			}
		}
	}
	var p pickler
	p.raw("\x80\x02}(")
	p.str("features.0.weight")
	p.tensor("FloatStorage", "0", len(last)+5, 5, []int{64, 3, 3, 3}, []int{27, 1, 9, 3}, false)
	p.str("features.0.bias")
	p.tensor("FloatStorage", "1", 64, 0, []int{64}, []int{1}, false)
	p.raw("u.")
	data := torchZipOf(p.Bytes(), [][]float32{append(make([]float32, 5), last...), l.b}, 0)
	n, err := loadBytes("last.pth", data, LoadOptions{Layout: LayoutRGB})
	if err != nil {
		t.Fatal(err)
	}
	sameLayers(t, n, []testLayer{l})
}

// TestPython2StateDict reads an OrderedDict as Python 2 pickled it: a call
// with a list of [key, value] lists.
func TestPython2StateDict(t *testing.T) {
	l := exactLayers(1)[0]
	var p pickler
	p.raw("\x80\x02")
	p.global("collections", "OrderedDict")
	p.raw("](]")
	p.raw("(U\x11features.0.weight")
	p.tensor("FloatStorage", "0", len(l.w), 0, []int{64, 3, 3, 3}, []int{27, 9, 3, 1}, false)
	p.raw("e](")
	p.str("features.0.bias")
	p.tensor("FloatStorage", "1", 64, 0, []int{64}, []int{1}, false)
	p.raw("ee\x85R.")
	n, err := loadBytes("py2.pth", torchZipOf(p.Bytes(), [][]float32{l.w, l.b}, 0), LoadOptions{Layout: LayoutRGB})
	if err != nil {
		t.Fatal(err)
	}
	sameLayers(t, n, []testLayer{l})
}

// TestLayoutIsNeverGuessed covers the three refusals.
func TestLayoutIsNeverGuessed(t *testing.T) {
	layers := exactLayers(1)
	for _, c := range []struct {
		data  []byte
		asked Layout
		kind  Kind
		exit  int
	}{
		{torchZip(layers), "", KindAmbiguous, 10},
		{onnxOf(layers, true), "", KindAmbiguous, 10},
		{caffeOf(layers, true), LayoutTorchvision, KindUsage, 2},
	} {
		_, err := loadBytes("x", c.data, LoadOptions{Layout: c.asked})
		e, ok := err.(*Error)
		if !ok || e.Kind != c.kind || e.ExitCode() != c.exit || len(e.Try()) == 0 {
			t.Errorf("layout %q: %v", c.asked, err)
		}
	}
	if _, err := ParseLayout("rbg"); err == nil {
		t.Error("layout rbg is accepted")
	}
}

func TestRandom(t *testing.T) {
	a, err := Random(7, "conv2_1")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Random(7, "")
	other, _ := Random(8, "conv1_1")
	if len(a.Layers) != 3 || len(b.Layers) != 16 || a.Name != "random:7" {
		t.Errorf("%d and %d layers, %q", len(a.Layers), len(b.Layers), a.Name)
	}
	testutil.Close(t, "shallow and deep", a.Layers[2].Weight, b.Layers[2].Weight, 0, 0)
	if other.Layers[0].Weight[0] == a.Layers[0].Weight[0] && other.Layers[0].Weight[1] == a.Layers[0].Weight[1] {
		t.Error("seeds 7 and 8 give the same weights")
	}
	for _, l := range a.Layers {
		var sum, sq float64
		for _, w := range l.Weight {
			sum += float64(w)
			sq += float64(w) * float64(w)
		}
		n := float64(len(l.Weight))
		want := 2 / (9 * float64(l.In))
		if v := sq / n; math.Abs(v/want-1) > 6/math.Sqrt(n) || math.Abs(sum/n) > 5*math.Sqrt(want/n) {
			t.Errorf("%s: mean %g, variance %g; He's is %g", l.Name, sum/n, v, want)
		}
	}
}
