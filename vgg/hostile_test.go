package vgg

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyLayers is a network of three narrow layers, for tests that need small files.
func tinyLayers() []testLayer {
	var list []testLayer
	for _, s := range []struct {
		name    string
		in, out int
	}{{"conv1_1", 3, 2}, {"conv1_2", 2, 2}, {"conv2_1", 2, 3}} {
		l := testLayer{name: s.name, in: s.in, out: s.out, w: make([]float32, s.in*s.out*9), b: make([]float32, s.out)}
		for i := range l.w {
			l.w[i] = float32(i%7) - 3
		}
		list = append(list, l)
	}
	return list
}

func with(layers []testLayer, change func([]testLayer)) []testLayer {
	out := append([]testLayer(nil), layers...)
	for i := range out {
		out[i].w, out[i].b = append([]float32(nil), out[i].w...), append([]float32(nil), out[i].b...)
	}
	change(out)
	return out
}

// evilPickle would run a command if a pickle were run as Python does.
func evilPickle(dir string) []byte {
	var p pickler
	p.raw("\x80\x02")
	p.global("os", "system")
	p.str("touch " + filepath.Join(dir, "was-here"))
	p.raw("\x85R.")
	return p.Bytes()
}

// TestHostileFiles wants one clear error for each: the file's name, what is
// wrong, and the tensor or number where there is one.
func TestHostileFiles(t *testing.T) {
	tiny := tinyLayers()
	good := func(layers []testLayer) []byte { return safetensorsOf(layers, nil, "F32") }
	head := func(json string, size int) []byte { return safetensorsRaw(json, make([]byte, size)) }
	tensor := func(name, rest string) string { return fmt.Sprintf(`{"%s.weight":%s}`, name, rest) }
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	long := binary.LittleEndian.AppendUint64(nil, 1<<39)
	dir := t.TempDir()

	cases := []struct {
		name string
		data []byte
		want string // in the message
	}{
		{"empty.pth", nil, "is empty"},
		{"text.pth", []byte("hello, world, this is no file of weights"), "in no format that is read"},
		{"page.pth", []byte("<!DOCTYPE html><html>404</html>"), "is a web page"},
		{"lfs.pth", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00"), "Git LFS pointer"},
		{"old.pth", append(append(make([]byte, 257), "ustar"...), make([]byte, 250)...), "is a tar"},
		{"keras.h5", []byte("\x89HDF\r\n\x1a\n\x00\x00\x00"), "is HDF5"},
		{"new.mat", []byte("MATLAB 7.3 MAT-file, Platform: GLNXA64"), "is HDF5"},
		{"bare.pkl", []byte("\x80\x02}."), "bare Python pickle"},

		{"long.safetensors", append(append(long, '{'), make([]byte, 100)...), "claims a header of 549755813888 bytes"},
		{"cut.safetensors", cut(good(tiny), 100), `tensor "conv2_1.weight" ends at byte 604 of the data, the file at 520`},
		{"more.safetensors", append(good(tiny), 1, 2, 3), "3 bytes after the last tensor"},
		{"json.safetensors", head(`{"a":`, 0), "malformed header"},
		{"unfinished.safetensors", head(`{`, 0), "header is damaged"},
		{"deep.safetensors", head(`{"a":`+strings.Repeat("[", 1<<20), 0), "malformed header"},
		{"overflow.safetensors", head(tensor("conv1_1", `{"dtype":"F32","shape":[4294967296,4294967296,3,3],"data_offsets":[0,0]}`), 0), `"conv1_1.weight" claims a shape`},
		{"negative.safetensors", head(tensor("conv1_1", `{"dtype":"F32","shape":[-1,-3,3,3],"data_offsets":[0,108]}`), 108), "negative dimension"},
		{"fraction.safetensors", head(tensor("conv1_1", `{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}`), 6), "malformed header"},
		{"reversed.safetensors", head(tensor("a", `{"dtype":"F32","shape":[1],"data_offsets":[4,0]}`), 4), "no valid byte range"},
		{"overlap.safetensors", head(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), `"a" and "b" overlap`},
		{"gap.safetensors", head(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `4 bytes before tensor "a"`},
		{"size.safetensors", head(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8), "needs 4 bytes and has 8"},
		{"type.safetensors", head(`{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}}`, 1), `unknown type "Q4"`},
		{"twice.safetensors", head(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `tensor "a" occurs twice`},
		{"other.safetensors", head(`{"lm_head":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `no convolutions of a VGG network among its 1 tensors ("lm_head"`},
		{"future.safetensors", safetensorsOf(tiny, map[string]string{"impasto.format": "2"}, "F32"), `version "2"`},
		{"mean.safetensors", safetensorsOf(tiny, map[string]string{"impasto.mean": "1 2 nan"}, "F32"), "mean"},
		{"double.safetensors", safetensorsFile(nil, []rawTensor{
			{"conv1_1.weight", "F64", []int{1, 3, 3, 3}, make([]byte, 216)}, {"conv1_1.bias", "F32", []int{1}, make([]byte, 4)}}), "conv1_1.weight (\"conv1_1.weight\"): has type F64"},
		{"bn.safetensors", safetensorsFile(nil, []rawTensor{{"features.1.running_mean", "F32", []int{1}, make([]byte, 4)}}), "batch normalisation"},

		{"nan.safetensors", good(with(tiny, func(l []testLayer) { l[1].w[7] = float32(math.NaN()) })), "conv1_2.weight holds NaN (value 7 of 36)"},
		{"inf.safetensors", good(with(tiny, func(l []testLayer) { l[2].b[1] = float32(math.Inf(-1)) })), "conv2_1.bias holds an infinity (value 1 of 3)"},
		{"shape.safetensors", good(with(tiny, func(l []testLayer) { l[1].in, l[1].out = 1, 4; l[1].b = make([]float32, 4) })), `conv1_2 ("conv1_2.weight") has shape [4 1 3 3], a 3x3 convolution of 2 channels was expected`},
		{"bias.safetensors", safetensorsFile(nil, []rawTensor{
			{"conv1_1.weight", "F32", []int{1, 3, 3, 3}, make([]byte, 108)}, {"conv1_1.bias", "F32", []int{2}, make([]byte, 8)}}), "has shape [2], [1] was expected"},
		{"nobias.safetensors", safetensorsFile(nil, []rawTensor{{"conv1_1.weight", "F32", []int{1, 3, 3, 3}, make([]byte, 108)}}), "conv1_1.bias is missing"},
		{"hole.safetensors", good(with(tiny, func(l []testLayer) { l[1].name = "conv1_3" })), "only 2 follow each other from conv1_1"},
		{"gone.safetensors", good([]testLayer{exactLayers(3)[0], exactLayers(3)[2]}), "conv1_2 (64 to 64 channels) was expected, not conv2_1 (64 to 128 channels)"},
		{"start.safetensors", good(tiny[1:]), "only 0 follow each other from conv1_1"},
		{"both.safetensors", safetensorsFile(nil, []rawTensor{
			{"a.conv1_1.weight", "F32", []int{1, 3, 3, 3}, make([]byte, 108)}, {"b.conv1_1.weight", "F32", []int{1, 3, 3, 3}, make([]byte, 108)}}), "two tensors claim to be conv1_1.weight"},

		{"code.pth", torchZipOf(evilPickle(dir), nil, zip.Store), `asks to call "os.system"`},
		{"codelegacy.pth", append([]byte(torchMagic), evilPickle(dir)...), `asks to call "os.system"`},
		{"packed.pth", torchZipOf([]byte("\x80\x02}."), nil, zip.Deflate), "is compressed"},
		{"cut.pth", cut(torchZip(tiny), 60), "damaged zip"},
		{"cutlegacy.pth", cut(torchLegacy(tiny), 20), "it is incomplete"},
		{"nozip.pth", torchZipOf(nil, nil, zip.Store), "ends at byte 0"},
		{"script.pth", bytes.Replace(torchZip(tiny), []byte("archive/version"), []byte("a/constants.pkl"), -1), "TorchScript"},
		{"marks.pth", torchZipOf([]byte("\x80\x02t."), nil, zip.Store), "mark that was never set"},
		{"list.pth", torchZipOf([]byte("\x80\x02]."), nil, zip.Store), "does not hold a state dict"},
		{"text.pth", torchZipOf([]byte("\x80\x02X\xff\xff\xff\x7f."), nil, zip.Store), "claims a text of 2147483647 bytes"},
		{"recursion.pth", torchZipOf([]byte("\x80\x02"+strings.Repeat("]", maxSteps)), nil, zip.Store), "more than 1048576 steps"},
		{"strides.pth", strided([]int{2, 3, 3, 3}, []int{27, 9, 3, 1 << 30}), "reaches past its 54 values"},
		{"dims.pth", strided([]int{1 << 30, 1 << 30, 3, 3}, []int{0, 0, 0, 0}), "claims a shape"},

		{"cut.caffemodel", cut(caffeOf(tiny, true), 30), "it is incomplete"},
		{"junk.caffemodel", []byte("\x0a\x03abc\x07\x07\x07"), "is no protocol buffer"},
		{"varint.caffemodel", append([]byte("\x0a"), bytes.Repeat([]byte{0xff}, 12)...), "more than 64 bits"},
		{"values.caffemodel", pbBytes(100, pbText(1, "conv1_1"), pbBytes(7, pbBytes(5, make([]byte, 8)), pbBytes(7, pbBytes(1, []byte{1, 3, 3, 3}))),
			pbBytes(7, pbBytes(5, make([]byte, 4)), pbBytes(7, pbBytes(1, []byte{1})))), `conv1_1.weight ("conv1_1.weight"): has 2 values`},
		{"twice.caffemodel", append(caffeOf(tiny, true), caffeOf(tiny, true)...), "two tensors claim to be conv1_1.weight"},

		{"cut.onnx", cut(onnxOf(tiny, true), 30), "it is incomplete"},
		{"order.onnx", onnxOf([]testLayer{tiny[1], tiny[0]}, true), "has shape [2 2 3 3], a 3x3 convolution of 3 channels"},
		{"narrow.onnx", onnxOf(tiny, false), "stands where conv1_1 [64 3 3 3]"},
		{"outside.onnx", pbBytes(7, pbBytes(1, pbText(1, "x"), pbText(1, "w"), pbText(1, "b"), pbText(4, "Conv"))), `from "w", which is no stored tensor`},

		{"cut.mat", cut(matOf(tiny, false), 800), "it is incomplete"},
		{"cutz.mat", cut(matOf(tiny, true), 200), "it is incomplete"},
		{"none.mat", append(matOf(tiny, false)[:128], matSingle([]float32{1}, 1, 1)...), `no variable "layers"`},
		{"deep.mat", append(matOf(tiny, false)[:128], nested(20)...), "nests arrays more than 8 deep"},
		{"bomb.mat", append(matOf(tiny, false)[:128], matWrap(matArray("layers", 7, []int{1, 80 << 20}, matElement(1, make([]byte, 80<<20))), true)...), "no convolutions"},
		{"cells.mat", append(matOf(tiny, false)[:128], matArray("layers", 1, []int{1 << 30, 1})...), "it is incomplete"},

		{"broken.pkl.bz2", []byte("BZh91AY&SY\x00\x00"), "damaged compression"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			layout := LayoutCaffe
			if strings.HasSuffix(c.name, ".mat") {
				layout = LayoutRGB
			}
			_, err := loadBytes(c.name, c.data, LoadOptions{Layout: layout})
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("no error, or not ours: %v", err)
			}
			if !strings.Contains(e.Msg, c.want) || !strings.HasPrefix(e.Msg, fmt.Sprintf("weights %q", c.name)) {
				t.Errorf("got  %s\nwant … %s …", e.Msg, c.want)
			}
			if e.ExitCode() != 10 || len(e.Msg) > 400 || strings.Contains(e.Msg, "\n") {
				t.Errorf("exit %d, message of %d bytes", e.ExitCode(), len(e.Msg))
			}
		})
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("a pickle ran a command")
	}
}

// strided is a PyTorch file whose first tensor has 54 values and the given view.
func strided(shape, stride []int) []byte {
	var p pickler
	p.raw("\x80\x02}(")
	p.str("features.0.weight")
	p.tensor("FloatStorage", "0", 54, 0, shape, stride, false)
	p.raw("u.")
	return torchZipOf(p.Bytes(), [][]float32{make([]float32, 54)}, zip.Store)
}

// nested is the variable "layers", a cell in a cell in a cell ...
func nested(depth int) []byte {
	cell := matCell("")
	for range depth {
		cell = matCell("", cell)
	}
	return matCell("layers", cell)
}

// TestEveryTruncation cuts a file of each format at every length: always an
// error, never a panic, and never a network.
func TestEveryTruncation(t *testing.T) {
	tiny := tinyLayers()
	for name, data := range map[string][]byte{
		"a.safetensors": safetensorsOf(tiny, nil, "F16"), "b.pth": torchZip(tiny), "c.pth": torchLegacy(tiny),
		"d.caffemodel": caffeOf(tiny, true), "e.onnx": onnxOf(tiny, true), "f.mat": matOf(tiny, false), "g.mat": matOf(tiny, true),
	} {
		layout := LayoutCaffe
		if strings.HasSuffix(name, ".mat") {
			layout = LayoutRGB
		}
		whole, err := loadBytes(name, data, LoadOptions{Layout: layout})
		if err != nil {
			t.Fatal(err)
		}
		for n := range data {
			got, err := loadBytes(name, data[:n], LoadOptions{Layout: layout})
			// A file may end after its last convolution without our missing
			// anything. A .caffemodel is nothing but a list of layers: cut
			// between two of them it is the file of a shallower network.
			if err == nil && len(got.Layers) != len(whole.Layers) && name != "d.caffemodel" {
				t.Errorf("%s: the first %d of %d bytes give %d layers", name, n, len(data), len(got.Layers))
			}
		}
	}
}
