package vgg

import (
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Neural-doodle's vgg19_conv.pkl.bz2 is a pickled list of NumPy arrays, kernel
// and bias in turn from conv1_1 on, for Lasagne: true convolution, so kernels
// are flipped, on BGR pixels minus the mean.

// maxDoodle bounds what the file may unpack to; the real one has 80 MB.
const maxDoodle = 160 << 20

// numpyName lists what a pickled NumPy array may name.
func numpyName(name string) bool {
	switch strings.Replace(name, "numpy._core.", "numpy.core.", 1) {
	case "numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype", "_codecs.encode":
		return true
	}
	return false
}

func openDoodle(f *source) (a *archive, err error) {
	defer caught(&err)
	z := bzip2.NewReader(io.NewSectionReader(f, 0, f.size))
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, io.LimitReader(z, maxDoodle+1)); err != nil {
		return nil, fmt.Errorf("has damaged compression: %v", err)
	}
	if raw.Len() > maxDoodle {
		return nil, fmt.Errorf("unpacks to more than %d MB", maxDoodle>>20)
	}
	root, _, err := unpickle(raw.Bytes(), numpyName)
	if err != nil {
		return nil, err
	}
	list, ok := root.(*pyList)
	if !ok {
		return nil, fmt.Errorf("does not hold a list of arrays")
	}
	a = &archive{format: "pkl.bz2", layout: LayoutCaffe, flipped: true}
	for i, v := range list.items {
		shape, data, err := numpyArray(v)
		if err != nil {
			return nil, fmt.Errorf("array %d: %w", i, err)
		}
		a.entries = append(a.entries, entry{name: fmt.Sprintf("array %d", i), shape: shape, read: func() ([]float32, error) {
			values := make([]float32, len(data)/4)
			decodeFloats(values, data, "F32")
			return values, nil
		}})
	}
	return a, a.matchShapes()
}

// numpyArray reads a pickled array of float32: a call of _reconstruct whose state is
// (version, shape, dtype, Fortran order, bytes).
func numpyArray(v any) (shape []int, data []byte, err error) {
	defer caught(&err)
	call, _ := v.(*pyCall)
	if call == nil || !strings.HasSuffix(string(call.fn), "_reconstruct") {
		failf("is no NumPy array")
	}
	state, _ := call.state.(pyTuple)
	if len(state) != 5 {
		failf("is no NumPy array")
	}
	dims, _ := state[1].(pyTuple)
	for _, d := range dims {
		n, ok := d.(int64)
		if !ok || n < 0 || n > maxDoodle || len(dims) > 8 {
			failf("has no valid shape")
		}
		shape = append(shape, int(n))
	}
	checkFloat32(state[2])
	if state[3] == true {
		failf("is in Fortran order")
	}
	data = pickledBytes(state[4])
	if n := must(elements(shape, 4, int64(len(data)))); 4*n != len(data) {
		failf("has %d bytes, its shape is %v", len(data), shape)
	}
	return shape, data, nil
}

// checkFloat32 accepts a pickled dtype("f4") that is little-endian.
func checkFloat32(v any) {
	call, _ := v.(*pyCall)
	if call == nil || call.fn != "numpy.dtype" || len(call.args) == 0 || call.args[0] != "f4" {
		failf("is not of type float32")
	}
	if state, _ := call.state.(pyTuple); len(state) > 1 && state[1] == ">" {
		failf("is big-endian")
	}
}

// pickledBytes returns an array's bytes: as they are, or, as Python 3 writes
// them under protocol 2, as a text of the same code points.
func pickledBytes(v any) []byte {
	if call, ok := v.(*pyCall); ok && call.fn == "_codecs.encode" && len(call.args) > 0 {
		text, _ := call.args[0].(string)
		out := make([]byte, 0, utf8.RuneCountInString(text))
		for _, r := range text {
			if r > 0xff {
				failf("has no valid bytes")
			}
			out = append(out, byte(r))
		}
		return out
	}
	text, ok := v.(string)
	if !ok {
		failf("has no bytes")
	}
	return []byte(text)
}
