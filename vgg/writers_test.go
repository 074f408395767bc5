package vgg

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strings"
)

// The writers here know the formats from their specifications and share no
// code with the readers. All take layers in the file's own convention.

// testLayer is a convolution to be written: kernels OIHW and biases.
type testLayer struct {
	name    string
	out, in int
	w, b    []float32
}

// torchNames are the names torchvision gives to the layers of three blocks.
var torchNames = map[string]string{
	"conv1_1": "features.0", "conv1_2": "features.2", "conv2_1": "features.5", "conv2_2": "features.7", "conv3_1": "features.10",
}

// exactLayers makes layers of VGG19's shapes whose values are exact in every
// format, half precision included, and tell all their indices apart.
func exactLayers(count int) []testLayer {
	shapes := [][2]int{{64, 3}, {64, 64}, {128, 64}}
	names := []string{"conv1_1", "conv1_2", "conv2_1"}
	var list []testLayer
	for n := range count {
		l := testLayer{name: names[n], out: shapes[n][0], in: shapes[n][1]}
		for k := range l.out {
			for c := range l.in {
				for i := range 9 {
					l.w = append(l.w, float32((k*131+c*37+i*i*11+i*5+n*3)%251-125)/128)
				}
			}
			l.b = append(l.b, float32((k*29+n)%61-30)/64)
		}
		list = append(list, l)
	}
	return list
}

// swapRB returns the layers with the planes of the first one in BGR order.
func swapRB(layers []testLayer) []testLayer {
	out := append([]testLayer(nil), layers...)
	l := layers[0]
	l.w = make([]float32, len(l.w))
	for k := range l.out {
		for c := range 3 {
			for i := range 9 {
				l.w[(k*3+c)*9+i] = layers[0].w[(k*3+2-c)*9+i]
			}
		}
	}
	out[0] = l
	return out
}

// rotate returns the layers with every kernel turned by half a turn.
func rotate(layers []testLayer) []testLayer {
	out := append([]testLayer(nil), layers...)
	for n := range out {
		w := make([]float32, len(layers[n].w))
		for i := range w {
			w[i] = layers[n].w[i/9*9+8-i%9]
		}
		out[n].w = w
	}
	return out
}

func le32(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// le16 writes values as bfloat16 or binary16; they must be exact in it.
func le16(values []float32, bf bool) []byte {
	var b []byte
	for _, v := range values {
		var h uint16
		if bits := math.Float32bits(v); bf {
			h = uint16(bits >> 16)
		} else if v != 0 {
			h = uint16(bits>>16&0x8000 | (bits>>23&0xff-112)<<10 | bits>>13&0x3ff)
		}
		b = binary.LittleEndian.AppendUint16(b, h)
	}
	return b
}

// --- safetensors

type rawTensor struct {
	name, dtype string
	shape       []int
	data        []byte
}

func safetensorsFile(meta map[string]string, tensors []rawTensor) []byte {
	var head []string
	if meta != nil {
		var pairs []string
		for k, v := range meta {
			pairs = append(pairs, fmt.Sprintf("%q:%q", k, v))
		}
		sort.Strings(pairs)
		head = append(head, `"__metadata__":{`+strings.Join(pairs, ",")+"}")
	}
	var data []byte
	for _, t := range tensors {
		shape := strings.ReplaceAll(fmt.Sprint(t.shape), " ", ",")
		head = append(head, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, t.name, t.dtype, shape, len(data), len(data)+len(t.data)))
		data = append(data, t.data...)
	}
	return safetensorsRaw("{"+strings.Join(head, ",")+"}", data)
}

func safetensorsRaw(head string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(out, head...), data...)
}

func safetensorsOf(layers []testLayer, meta map[string]string, dtype string) []byte {
	encode := func(v []float32) []byte {
		switch dtype {
		case "F16":
			return le16(v, false)
		case "BF16":
			return le16(v, true)
		}
		return le32(v)
	}
	var list []rawTensor
	for _, l := range layers {
		list = append(list,
			rawTensor{l.name + ".bias", dtype, []int{l.out}, encode(l.b)},
			rawTensor{l.name + ".weight", dtype, []int{l.out, l.in, 3, 3}, encode(l.w)})
	}
	list = append(list, rawTensor{"classifier.0.weight", "F64", []int{2, 1}, make([]byte, 16)})
	return safetensorsFile(meta, list)
}

// --- pickles and PyTorch

// pickler writes protocol 2.
type pickler struct{ bytes.Buffer }

func (p *pickler) raw(s string)          { p.WriteString(s) }
func (p *pickler) global(m, name string) { p.raw("c" + m + "\n" + name + "\n") }
func (p *pickler) str(s string) {
	p.raw("X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s)
}
func (p *pickler) num(v int) { p.raw("J" + string(binary.LittleEndian.AppendUint32(nil, uint32(v)))) }
func (p *pickler) tuple(v ...int) {
	p.raw("(")
	for _, x := range v {
		p.num(x)
	}
	p.raw("t")
}

// tensor writes a call of _rebuild_tensor_v2 over a storage of count values.
func (p *pickler) tensor(class, key string, count, offset int, shape, stride []int, legacy bool) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.raw("((")
	p.str("storage")
	p.global("torch", class)
	p.str(key)
	p.str("cpu")
	p.num(count)
	if legacy {
		p.raw("N")
	}
	p.raw("tQ")
	p.num(offset)
	p.tuple(shape...)
	p.tuple(stride...)
	p.raw("\x89") // False
	p.global("collections", "OrderedDict")
	p.raw(")RtR")
}

func contiguous(shape []int) []int {
	stride := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = n
		n *= shape[i]
	}
	return stride
}

// stateDict pickles layers under torchvision's names, and returns the values
// of storage "0", "1", ... in that order.
func (p *pickler) stateDict(layers []testLayer, legacy bool) (storages [][]float32) {
	p.raw("\x80\x02")
	p.global("collections", "OrderedDict")
	p.raw(")R(")
	add := func(name string, shape []int, v []float32) {
		p.str(name)
		p.tensor("FloatStorage", fmt.Sprint(len(storages)), len(v), 0, shape, contiguous(shape), legacy)
		storages = append(storages, v)
	}
	for _, l := range layers {
		add(torchNames[l.name]+".weight", []int{l.out, l.in, 3, 3}, l.w)
		add(torchNames[l.name]+".bias", []int{l.out}, l.b)
	}
	add("classifier.0.weight", []int{2, 3}, make([]float32, 6))
	p.raw("u.")
	return storages
}

func torchZip(layers []testLayer) []byte {
	var p pickler
	storages := p.stateDict(layers, false)
	return torchZipOf(p.Bytes(), storages, zip.Store)
}

func torchZipOf(pickle []byte, storages [][]float32, method uint16) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic(err)
		}
	}
	put("data.pkl", pickle)
	put("byteorder", []byte("little"))
	for i, s := range storages {
		put(fmt.Sprintf("data/%d", i), le32(s))
	}
	put("version", []byte("3\n"))
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func torchLegacy(layers []testLayer) []byte {
	var p pickler
	p.raw("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")
	p.raw("\x80\x02M\xe9\x03.")
	p.raw("\x80\x02}(")
	p.str("little_endian")
	p.raw("\x88")
	p.str("protocol_version")
	p.raw("M\xe9\x03u.")
	storages := p.stateDict(layers, true)
	p.raw("\x80\x02](")
	for i := range storages {
		p.str(fmt.Sprint(len(storages) - 1 - i)) // any order will do
	}
	p.raw("e.")
	for i := range storages {
		s := storages[len(storages)-1-i]
		p.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		p.Write(le32(s))
	}
	return p.Bytes()
}

// --- protocol buffers

func pbVarint(num int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(num<<3)), v)
}

func pbBytes(num int, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(num<<3|2)), uint64(len(body))), body...)
}

func pbText(num int, s string) []byte { return pbBytes(num, []byte(s)) }

// caffeOf writes a NetParameter in the V1 form of the original VGG files or in
// the newer one.
func caffeOf(layers []testLayer, v1 bool) []byte {
	blob := func(v []float32, dims ...int) []byte {
		var shape []byte
		if v1 {
			for len(dims) < 4 {
				dims = append([]int{1}, dims...)
			}
			for i, d := range dims {
				shape = append(shape, pbVarint(i+1, uint64(d))...)
			}
		} else {
			var packed []byte
			for _, d := range dims {
				packed = binary.AppendUvarint(packed, uint64(d))
			}
			shape = pbBytes(7, pbBytes(1, packed))
		}
		return append(pbBytes(5, le32(v)), shape...)
	}
	out := pbText(1, "VGG_ILSVRC_19_layers")
	layer := func(name string, blobs ...[]byte) {
		if v1 {
			body := append(pbText(2, "data"), pbText(4, name)...) // bottom, name
			for _, b := range blobs {
				body = append(body, pbBytes(6, b)...)
			}
			out = append(out, pbBytes(2, append(body, pbVarint(5, 4)...))...) // type CONVOLUTION
			return
		}
		body := append(pbText(1, name), pbText(2, "Convolution")...)
		for _, b := range blobs {
			body = append(body, pbBytes(7, b)...)
		}
		out = append(out, pbBytes(100, body)...)
	}
	for _, l := range layers {
		layer(l.name, blob(l.w, l.out, l.in, 3, 3), blob(l.b, l.out))
		layer(strings.Replace(l.name, "conv", "relu", 1))
	}
	layer("fc6", blob(make([]float32, 12), 3, 4), blob(make([]float32, 3), 3))
	return out
}

// onnxOf writes a ModelProto: with nodes (and raw_data under meaningless
// names), or initializers alone (and float_data).
func onnxOf(layers []testLayer, nodes bool) []byte {
	var graph []byte
	var inits [][]byte
	tensor := func(name string, v []float32, dims ...int) {
		var body []byte
		for _, d := range dims {
			body = append(body, pbVarint(1, uint64(d))...)
		}
		body = append(body, pbVarint(2, 1)...)
		if nodes {
			body = append(body, pbBytes(9, le32(v))...)
		} else {
			body = append(body, pbBytes(4, le32(v))...)
		}
		inits = append(inits, pbBytes(5, body, pbText(8, name)))
	}
	node := func(op string, inputs ...string) {
		var body []byte
		for _, in := range inputs {
			body = append(body, pbText(1, in)...)
		}
		graph = append(graph, pbBytes(1, body, pbText(2, "y"), pbText(4, op))...)
	}
	for i, l := range layers {
		w, b := fmt.Sprint(100-2*i), fmt.Sprint(101-2*i)
		tensor(w, l.w, l.out, l.in, 3, 3)
		tensor(b, l.b, l.out)
		if nodes {
			if strings.HasSuffix(l.name, "_1") && i > 0 {
				node("MaxPool", "x")
			}
			node("Conv", "x", w, b)
			node("Relu", "x")
		}
	}
	if nodes {
		for i, j := 0, len(inits)-1; i < j; i, j = i+1, j-1 { // sorted by name, as some exporters do
			inits[i], inits[j] = inits[j], inits[i]
		}
	}
	for _, t := range inits {
		graph = append(graph, t...)
	}
	return append(pbVarint(1, 8), pbBytes(7, graph)...)
}

// --- MAT-files

func matElement(kind int, data []byte) []byte {
	if len(data) <= 4 && len(data) > 0 {
		out := binary.LittleEndian.AppendUint32(nil, uint32(len(data)<<16|kind))
		return append(append(out, data...), make([]byte, 4-len(data))...)
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(kind))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	return append(append(out, data...), make([]byte, -len(data)&7)...)
}

func matArray(name string, class int, dims []int, content ...[]byte) []byte {
	flags := make([]byte, 8)
	flags[0] = byte(class)
	var d []byte
	for _, v := range dims {
		d = binary.LittleEndian.AppendUint32(d, uint32(v))
	}
	body := append(matElement(6, flags), matElement(5, d)...)
	body = append(body, matElement(1, []byte(name))...)
	return matElement(14, append(body, bytes.Join(content, nil)...))
}

func matText(s string) []byte {
	var b []byte
	for _, r := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return matArray("", 4, []int{1, len(s)}, matElement(4, b))
}

func matSingle(v []float32, dims ...int) []byte {
	return matArray("", 7, dims, matElement(7, le32(v)))
}

func matStruct(name string, fields []string, values ...[]byte) []byte {
	const width = 16
	names := make([]byte, width*len(fields))
	for i, f := range fields {
		copy(names[i*width:], f)
	}
	length := matElement(5, binary.LittleEndian.AppendUint32(nil, width))
	return matArray(name, 2, []int{1, 1}, append([][]byte{length, matElement(1, names)}, values...)...)
}

func matCell(name string, items ...[]byte) []byte {
	return matArray(name, 1, []int{1, len(items)}, items...)
}

// columns reorders OIHW to MATLAB's column-major (H, W, C, K).
func columns(l testLayer) []float32 {
	out := make([]float32, len(l.w))
	for k := range l.out {
		for c := range l.in {
			for i := range 3 {
				for j := range 3 {
					out[i+3*(j+3*(c+l.in*k))] = l.w[((k*l.in+c)*3+i)*3+j]
				}
			}
		}
	}
	return out
}

// matOf writes MatConvNet's network: compressed with the cell "weights", or
// plain with "filters" and "biases" and a mean picture.
func matOf(layers []testLayer, compressed bool) []byte {
	var items [][]byte
	for _, l := range layers {
		w, b := matSingle(columns(l), 3, 3, l.in, l.out), matSingle(l.b, 1, l.out)
		if compressed {
			items = append(items, matStruct("", []string{"weights", "pad", "type", "name"},
				matCell("", w, b), matArray("", 6, []int{1, 4}, matElement(2, []byte{1, 1, 1, 1})), matText("conv"), matText(l.name)))
		} else {
			items = append(items, matStruct("", []string{"name", "type", "filters", "biases"}, matText(l.name), matText("conv"), w, b))
		}
		items = append(items, matStruct("", []string{"name", "type"}, matText(strings.Replace(l.name, "conv", "relu", 1)), matText("relu")))
	}
	net := matCell("layers", items...)
	var norm []byte
	if compressed {
		mean := matSingle([]float32{120.5, 110.25, 100.125}, 1, 1, 3)
		norm = matStruct("meta", []string{"normalization"}, matStruct("", []string{"averageImage"}, mean))
	} else {
		picture := make([]float32, 2*2*3)
		for i := range picture {
			picture[i] = []float32{120.5, 110.25, 100.125}[i/4] + []float32{-2, 1, 3, -2}[i%4]
		}
		norm = matStruct("normalization", []string{"averageImage"}, matSingle(picture, 2, 2, 3))
	}
	head := make([]byte, 128)
	copy(head, "MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Thu Oct 15 20:24:00 2015")
	copy(head[124:], "\x00\x01IM")
	return append(head, append(matWrap(net, compressed), matWrap(norm, compressed)...)...)
}

func matWrap(element []byte, compressed bool) []byte {
	if !compressed {
		return element
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(element)
	z.Close()
	out := binary.LittleEndian.AppendUint32(nil, 15)
	return append(binary.LittleEndian.AppendUint32(out, uint32(b.Len())), b.Bytes()...)
}
