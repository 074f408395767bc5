package vgg

import "fmt"

// An .onnx file is a ModelProto (onnx.proto) whose field 7 is the graph: nodes
// (1) in an order in which they can be computed, and initializers (5), the
// tensors. Names differ from exporter to exporter, so the layers are found by
// following the nodes: convolutions in order, a new block after each pooling.
// A file with no nodes is matched with VGG19 by the order of its shapes.
// The file states neither channel order nor scale.

// ONNX element types (TensorProto.DataType) that matter here.
var onnxType = map[uint64]string{1: "F32", 10: "F16", 16: "BF16", 11: "F64"}

type onnxTensor struct {
	name     string
	shape    []int
	dtype    string
	data     extent
	external bool
	odd      bool // values in a field other than raw_data and float_data
}

type onnxNode struct {
	op     string
	inputs []string
}

func openONNX(f *source) (a *archive, err error) {
	defer caught(&err)
	r := &wireReader{f: f}
	var nodes []onnxNode
	var tensors []onnxTensor
	for fd := range r.fields(extent{0, f.size}) {
		if fd.num == 7 && fd.wire == wireBytes {
			nodes, tensors = readGraph(r, fd.extent)
		}
	}
	a = &archive{format: "onnx"}
	byName := map[string]int{}
	for i, t := range tensors {
		if _, twice := byName[t.name]; twice {
			return nil, fmt.Errorf("tensor %q occurs twice", clip(t.name))
		}
		byName[t.name] = i
		a.entries = append(a.entries, entry{name: t.name, shape: t.shape, read: func() ([]float32, error) {
			return t.read(f)
		}})
	}
	if len(nodes) > 0 {
		return a, a.followNodes(nodes, byName)
	}
	return a, a.matchShapes()
}

func readGraph(r *wireReader, s extent) (nodes []onnxNode, tensors []onnxTensor) {
	for fd := range r.fields(s) {
		switch {
		case fd.num == 1 && fd.wire == wireBytes:
			nodes = append(nodes, readNode(r, fd.extent))
		case fd.num == 5 && fd.wire == wireBytes:
			tensors = append(tensors, readTensorProto(r, fd.extent))
		}
		if len(nodes)+len(tensors) > maxTensors {
			fail(errTooMany)
		}
	}
	return nodes, tensors
}

func readNode(r *wireReader, s extent) (n onnxNode) {
	for fd := range r.fields(s) {
		switch {
		case fd.num == 1 && fd.wire == wireBytes:
			if n.inputs = append(n.inputs, r.text(fd.extent)); len(n.inputs) > maxTensors {
				fail(errTooMany)
			}
		case fd.num == 4 && fd.wire == wireBytes:
			n.op = r.text(fd.extent)
		}
	}
	return n
}

func readTensorProto(r *wireReader, s extent) (t onnxTensor) {
	for fd := range r.fields(s) {
		switch fd.num {
		case 1: // dims
			t.shape = r.numbers(t.shape, fd)
		case 2: // data_type
			if t.dtype = onnxType[fd.value]; t.dtype == "" {
				t.dtype = fmt.Sprintf("%d of ONNX", fd.value)
			}
		case 8: // name
			t.name = r.text(fd.extent)
		case 4, 9: // float_data, raw_data
			t.odd = t.odd || fd.wire != wireBytes || t.data.to > 0
			t.data = fd.extent
		case 5, 10: // int32_data (of float16), double_data
			t.odd = true
		case 14: // data_location
			t.external = fd.value == 1
		}
	}
	return t
}

// read decodes a tensor's values.
func (t *onnxTensor) read(f *source) ([]float32, error) {
	switch {
	case t.external:
		return nil, refusedf([]string{"export it into one file"}, "keeps its values in another file")
	case t.odd:
		return nil, refusedf(nil, "keeps its values in a form that is not read")
	}
	if err := readable(t.dtype); err != nil {
		return nil, err
	}
	bytes := t.data.to - t.data.from
	n, err := elements(t.shape, dtypeSize[t.dtype], bytes)
	if err != nil || int64(n*dtypeSize[t.dtype]) != bytes {
		return nil, fmt.Errorf("has %d bytes of type %s, its shape is %v", bytes, t.dtype, t.shape)
	}
	return f.readFloats(t.data.from, n, t.dtype)
}

// followNodes names the tensors of the graph's convolutions.
func (a *archive) followNodes(nodes []onnxNode, byName map[string]int) error {
	block, index := 1, 0
	for _, n := range nodes {
		switch n.op {
		case "BatchNormalization":
			return refusedf(nil, "has batch normalisation; only plain VGG networks are read")
		case "MaxPool", "AveragePool", "LpPool":
			if index > 0 {
				block, index = block+1, 0
			}
		case "Conv":
			if len(n.inputs) < 3 {
				return fmt.Errorf("convolution %d of block %d has no bias", index+1, block)
			}
			index++
			for i, name := range n.inputs[1:3] {
				at, ok := byName[name]
				if !ok {
					return fmt.Errorf("convolution %d of block %d takes its weights from %q, which is no stored tensor", index, block, clip(name))
				}
				if a.entries[at].conv != "" {
					return refusedf(nil, "uses tensor %q twice, which a VGG network does not", clip(name))
				}
				a.entries[at].conv, a.entries[at].bias = fmt.Sprintf("conv%d_%d", block, index), i == 1
			}
		}
	}
	return nil
}

// matchShapes names tensors by the order of their shapes, which must be that
// of VGG19: kernels (K, C, 3, 3), each followed or preceded by its bias (K).
func (a *archive) matchShapes() error {
	var kernels, biases []int
	for i, e := range a.entries {
		switch {
		case len(e.shape) == 4:
			kernels = append(kernels, i)
		case len(e.shape) == 1 && len(biases) < len(vgg19):
			biases = append(biases, i)
		}
	}
	for i, at := range kernels {
		if i == len(vgg19) {
			break
		}
		s, e := vgg19[i], &a.entries[at]
		if w := e.shape; w[0] != s.out || w[1] != s.in || w[2] != 3 || w[3] != 3 || i >= len(biases) {
			return fmt.Errorf("tensor %q of shape %v stands where %s %v and its bias were expected", clip(e.name), w, s.conv(), []int{s.out, s.in, 3, 3})
		}
		e.conv = s.conv()
		b := &a.entries[biases[i]]
		b.conv, b.bias = s.conv(), true
	}
	return nil
}
