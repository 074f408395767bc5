package vgg

import (
	"archive/zip"
	"bytes"
	"context"
	"math"
	"testing"
)

// fuzzLoad loads data as one format. Whatever it holds, the answer is an error
// or a network that keeps its promises.
func fuzzLoad(t *testing.T, data []byte, open func(*source) (*archive, error)) {
	f := &source{name: "fuzz", ReaderAt: bytes.NewReader(data), size: int64(len(data))}
	a, err := open(f)
	if err != nil {
		return
	}
	list, tensors, err := a.topology()
	if err != nil {
		return
	}
	layers, err := readLayers(context.Background(), a, list, tensors)
	if err != nil {
		return
	}
	if len(layers) == 0 {
		t.Fatal("a network without layers")
	}
	in := 3
	for _, l := range layers {
		if l.In != in || l.Out < 1 || len(l.Weight) != 9*l.In*l.Out || len(l.Bias) != l.Out {
			t.Fatalf("%s: %d -> %d channels, %d weights, %d biases", l.Name, l.In, l.Out, len(l.Weight), len(l.Bias))
		}
		for _, w := range l.Weight {
			if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
				t.Fatalf("%s holds %g", l.Name, w)
			}
		}
		in = l.Out
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(safetensorsOf(tinyLayers(), map[string]string{"impasto.layout": "caffe", "impasto.mean": "1 2 3"}, "F16"))
	f.Add(safetensorsOf(tinyLayers()[:1], nil, "F32"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzLoad(t, data, openSafetensors) })
}

func FuzzTorch(f *testing.F) {
	f.Add(torchZip(tinyLayers()))
	f.Add(torchLegacy(tinyLayers()))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzLoad(t, data, openTorchZip)
		fuzzLoad(t, data, openTorchLegacy)
	})
}

// FuzzPickle reaches what the checksums of a zip keep FuzzTorch from.
func FuzzPickle(f *testing.F) {
	var p pickler
	storages := p.stateDict(tinyLayers(), false)
	f.Add(p.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzLoad(t, torchZipOf(data, storages, zip.Store), openTorchZip)
		if root, _, err := unpickle(data, numpyName); err == nil {
			numpyArray(root)
		}
	})
}

func FuzzCaffe(f *testing.F) {
	f.Add(caffeOf(tinyLayers(), true))
	f.Add(caffeOf(tinyLayers(), false))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzLoad(t, data, openCaffe) })
}

func FuzzONNX(f *testing.F) {
	f.Add(onnxOf(tinyLayers(), true))
	f.Add(onnxOf(tinyLayers()[:1], false))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzLoad(t, data, openONNX) })
}

func FuzzMat(f *testing.F) {
	f.Add(matOf(tinyLayers(), false))
	f.Add(matOf(tinyLayers()[:1], true))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzLoad(t, data, openMat) })
}

// FuzzMatVariable reaches what the compression keeps FuzzMat from.
func FuzzMatVariable(f *testing.F) {
	plain := matOf(tinyLayers(), false)
	f.Add(plain[128:])
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzLoad(t, append(plain[:128:128], matWrap(data, true)...), openMat)
	})
}

func FuzzDoodle(f *testing.F) {
	f.Add([]byte("BZh91AY&SY"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzLoad(t, data, openDoodle) })
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"version":1,"weights":[{"name":"a","file":"a.safetensors","bytes":5,"sha256":"","time":"2020-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseIndex(data)
		if err != nil {
			return
		}
		for _, w := range list {
			if !validName(w.Name) || w.File != w.Name+".safetensors" {
				t.Fatalf("%q in %q", w.Name, w.File)
			}
		}
	})
}
