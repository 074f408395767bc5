package vgg

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MatConvNet keeps a network in a MAT-file. The variable "layers" is a cell
// array of structs with a name and either weights {filters, biases} or the
// fields filters and biases. Filters are column-major (H, W, C, K), for RGB:
// its importer of Caffe models transposes them so that the first index is a
// row, unless it is told not to.

func openMat(f *source) (a *archive, err error) {
	defer caught(&err)
	head := must(f.readRaw(0, 128))
	if string(head[126:128]) != "IM" {
		return nil, fmt.Errorf("was written on a big-endian machine, or is damaged")
	}
	a = &archive{format: "mat", layout: LayoutRGB}
	kept := &matKept{}
	found := false
	for pos := int64(128); pos < f.size; {
		tag := must(f.readRaw(pos, 8))
		kind, size := binary.LittleEndian.Uint32(tag), int64(binary.LittleEndian.Uint32(tag[4:]))
		pos += 8
		if size > f.size-pos {
			return nil, fmt.Errorf("claims %d bytes at byte %d, %d are left; it is incomplete", size, pos, f.size-pos)
		}
		v := readVariable(io.NewSectionReader(f, pos, size), kind, size, kept)
		pos += size
		if kind != miCompressed {
			pos += -size & 7
		}
		switch v.name {
		case "layers":
			if found {
				return nil, fmt.Errorf("holds two variables \"layers\"")
			}
			found = true
			a.addMatLayers(v)
		case "meta", "normalization":
			a.setMatMean(v)
		}
	}
	if !found {
		return nil, fmt.Errorf("has no variable \"layers\"; MatConvNet's networks do")
	}
	return a, nil
}

// addMatLayers adds the convolutions of the variable "layers".
func (a *archive) addMatLayers(layers *matValue) {
	for i := range layers.values {
		l := &layers.values[i]
		name := l.field("name")
		if name == nil {
			continue
		}
		filters, biases := l.field("filters"), l.field("biases")
		if w := l.field("weights"); w != nil && len(w.values) == 2 {
			filters, biases = &w.values[0], &w.values[1]
		}
		if filters == nil || biases == nil {
			continue
		}
		hwck := append([]int(nil), filters.dims...)
		for len(hwck) < 4 { // MATLAB drops last dimensions of 1
			hwck = append(hwck, 1)
		}
		oihw := []int{hwck[3], hwck[2], hwck[0], hwck[1]}
		count, _ := biases.count()
		a.entries = append(a.entries,
			entry{name: name.text + ".weight", shape: oihw, read: func() ([]float32, error) {
				return fromColumns(filters.numbers, hwck[2], hwck[3])
			}},
			entry{name: name.text + ".bias", shape: []int{count}, read: func() ([]float32, error) {
				return biases.numbers, nil
			}})
	}
}

// fromColumns turns filters (3, 3, C, K), first index fastest, into row-major
// (K, C, 3, 3).
func fromColumns(in []float32, channels, filters int) ([]float32, error) {
	if len(in) != 9*channels*filters {
		return nil, fmt.Errorf("has %d values, a 3x3 convolution from %d to %d channels needs %d", len(in), channels, filters, 9*channels*filters)
	}
	out := make([]float32, len(in))
	for kc := 0; kc < len(in); kc += 9 {
		for i := range 3 {
			for j := range 3 {
				out[kc+3*i+j] = in[kc+i+3*j]
			}
		}
	}
	return out, nil
}

// setMatMean sets the mean colour, R G B, from normalization.averageImage. If that is a
// picture (H, W, 3), it uses the picture's mean.
func (a *archive) setMatMean(v *matValue) {
	if v.name == "meta" {
		if v = v.field("normalization"); v == nil {
			return
		}
	}
	image := v.field("averageImage")
	if image == nil || len(image.numbers) < 3 || len(image.numbers)%3 != 0 {
		return
	}
	plane := len(image.numbers) / 3
	var mean [3]float64
	for c := range mean {
		for _, x := range image.numbers[c*plane : (c+1)*plane] {
			mean[c] += float64(x) / float64(plane)
		}
		if !(mean[c] >= 0 && mean[c] <= 255) {
			failf("has a mean colour of %g, which is not in 0..255", mean[c])
		}
	}
	a.mean = &mean
}
