package vgg

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A safetensors file is the length of its header (uint64, little-endian), the header
// (JSON: name -> type, shape, byte range), and the values, which must cover the rest of
// the file without overlaps (https://github.com/huggingface/safetensors, section
// "Format").
//
// Impasto's own files have more in the header's "__metadata__"; all values are text:
//
//	impasto.format    "1"
//	impasto.name      "vgg19", "mini"
//	impasto.layout    "rgb255", "caffe" or "torchvision"
//	impasto.mean      "123.68 116.779 103.939"  R G B, 0..255; optional
//	impasto.pooling   "max", "avg" or "l2"
//	impasto.source    what the weights were made from
//	impasto.source_sha256
//	licence
//
// Tensors are "convB_N.weight" (K, C, 3, 3) and "convB_N.bias" (K).

// maxHeader bounds the header; VGG19's is 4 KB.
const maxHeader = 16 << 20

// dtypeSize lists the element types of the format and their sizes in bytes.
var dtypeSize = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4,
	"U64": 8, "I64": 8, "F64": 8,
}

// readable reports whether an element type can be decoded.
func readable(dtype string) error {
	switch dtype {
	case "F16", "BF16", "F32":
		return nil
	}
	return refusedf(nil, "has type %s; F16, BF16 and F32 are read", dtype)
}

type tensorHeader struct {
	DType   string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

func openSafetensors(f *source) (*archive, error) {
	raw, err := f.readRaw(0, 8)
	if err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(raw)
	if length > uint64(f.size-8) || length > maxHeader {
		return nil, fmt.Errorf("claims a header of %d bytes in a file of %d", length, f.size)
	}
	if raw, err = f.readRaw(8, int(length)); err != nil {
		return nil, err
	}
	a := &archive{format: "safetensors"}
	tensors, meta, err := parseHeader(raw)
	if err != nil {
		return nil, err
	}
	data := 8 + int64(length)
	if err := checkRanges(tensors, f.size-data); err != nil {
		return nil, err
	}
	for _, t := range tensors {
		a.entries = append(a.entries, entry{name: t.name, shape: t.Shape, read: func() ([]float32, error) {
			if err := readable(t.DType); err != nil {
				return nil, err
			}
			n := int(t.Offsets[1]-t.Offsets[0]) / dtypeSize[t.DType]
			return f.readFloats(data+t.Offsets[0], n, t.DType)
		}})
	}
	return a, a.describe(meta)
}

type namedHeader struct {
	name string
	tensorHeader
}

// parseHeader reads the header's top level token by token. Package encoding/json would
// silently keep the last of two tensors of the same name.
func parseHeader(raw []byte) (tensors []namedHeader, meta map[string]string, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, nil, fmt.Errorf("header is not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("header is damaged at byte %d", 8+dec.InputOffset())
		}
		name := tok.(string) // the decoder guarantees that keys of a JSON object are strings
		if seen[name] {
			return nil, nil, fmt.Errorf("tensor %q occurs twice", clip(name))
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := dec.Decode(&meta); err != nil {
				return nil, nil, fmt.Errorf("metadata is not a map of texts")
			}
			continue
		}
		t := namedHeader{name: name}
		if err := dec.Decode(&t.tensorHeader); err != nil {
			return nil, nil, fmt.Errorf("tensor %q has a malformed header", clip(name))
		}
		tensors = append(tensors, t)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("header is damaged at byte %d", 8+dec.InputOffset())
	}
	return tensors, meta, nil
}

// checkRanges checks every tensor's byte range against its shape, its
// neighbours and the size of the data.
func checkRanges(tensors []namedHeader, size int64) error {
	order := slices.Clone(tensors)
	for _, t := range order {
		width, ok := dtypeSize[t.DType]
		if !ok {
			return fmt.Errorf("tensor %q has the unknown type %q", clip(t.name), clip(t.DType))
		}
		if len(t.Offsets) != 2 || t.Offsets[0] < 0 || t.Offsets[1] < t.Offsets[0] {
			return fmt.Errorf("tensor %q has no valid byte range", clip(t.name))
		}
		if t.Offsets[1] > size {
			return fmt.Errorf("tensor %q ends at byte %d of the data, the file at %d; it is incomplete", clip(t.name), t.Offsets[1], size)
		}
		n, err := elements(t.Shape, width, size)
		if err != nil {
			return fmt.Errorf("tensor %q %w", clip(t.name), err)
		}
		if int64(n*width) != t.Offsets[1]-t.Offsets[0] {
			return fmt.Errorf("tensor %q of shape %v needs %d bytes and has %d", clip(t.name), t.Shape, n*width, t.Offsets[1]-t.Offsets[0])
		}
	}
	slices.SortStableFunc(order, func(a, b namedHeader) int { return slices.Compare(a.Offsets, b.Offsets) })
	end := int64(0)
	for i, t := range order {
		if t.Offsets[0] < end {
			return fmt.Errorf("tensors %q and %q overlap", clip(order[i-1].name), clip(t.name))
		}
		if t.Offsets[0] > end {
			return fmt.Errorf("%d bytes before tensor %q belong to none", t.Offsets[0]-end, clip(t.name))
		}
		end = t.Offsets[1]
	}
	if end != size {
		return fmt.Errorf("%d bytes after the last tensor belong to none", size-end)
	}
	return nil
}

// describe reads the metadata. Files of other programs are recognised by an "input"
// text that begins with the channel order.
func (a *archive) describe(meta map[string]string) error {
	var err error
	if v, ok := meta["impasto.format"]; ok && v != "1" {
		return refusedf([]string{"a newer version of this program"}, "is in version %q of the format; version 1 is read", clip(v))
	}
	if v := meta["impasto.layout"]; v != "" {
		if a.layout, err = ParseLayout(v); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
	} else if input := meta["input"]; strings.HasPrefix(input, "BGR") && strings.Contains(input, "255") {
		a.layout = LayoutCaffe
	}
	if v := meta["impasto.pooling"]; v != "" {
		if a.pool, err = ParsePool(v); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
	}
	if v := meta["impasto.mean"]; v != "" {
		if a.mean, err = parseMean(v); err != nil {
			return err
		}
	}
	a.name, a.licence = meta["impasto.name"], meta["licence"]
	if a.origin = meta["impasto.source"]; a.origin == "" {
		a.origin = meta["model"]
	}
	return nil
}

func parseMean(text string) (*[3]float64, error) {
	fields := strings.Fields(text)
	var mean [3]float64
	for i := range mean {
		if len(fields) != 3 {
			return nil, fmt.Errorf("metadata: mean %q is not three numbers", clip(text))
		}
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || !(v >= 0 && v <= 255) {
			return nil, fmt.Errorf("metadata: mean %q is not three numbers from 0 to 255", clip(text))
		}
		mean[i] = v
	}
	return &mean, nil
}
