package vgg

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A MAT-file of version 5 ("MAT-File Format", MathWorks) is, after a header of
// 128 bytes, a list of elements: a tag (type, size) and its data, padded to 8
// bytes. A variable is an element that holds elements (class, dimensions, name,
// values), and may be compressed by zlib. Numbers are little-endian here.

// Types of elements and classes of arrays that the reader distinguishes.
const (
	miMatrix     = 14
	miCompressed = 15
	mxCell       = 1
	mxStruct     = 2
	mxChar       = 4
	mxDouble     = 6
	mxUint64     = 15
)

const (
	// matDepth bounds how deep cells and structs may nest; networks use four.
	matDepth = 8
	// matKeep is the size of VGG19's largest convolution: larger arrays,
	// which are fully connected layers, are passed over.
	matKeep = 512 * 512 * 9
	// matRatio bounds the unpacked size of a compressed variable, beyond 64 MB. A
	// decompression bomb would take hours, even if nothing is kept. Trained weights
	// hardly shrink at all.
	matRatio = 16
	// matArrays and matNumbers bound what is kept in memory: VGG19 has some
	// 700 arrays and 20 million numbers.
	matArrays  = 1 << 16
	matNumbers = 3 << 23
)

// matValue is one array: numbers, text, a cell array, or a struct whose values
// follow its fields, element after element.
type matValue struct {
	name    string
	class   int
	dims    []int
	numbers []float32
	text    string
	fields  []string
	values  []matValue
}

// field returns a field of a struct, or nil.
func (v *matValue) field(name string) *matValue {
	for i, f := range v.fields {
		if f == name && i < len(v.values) {
			return &v.values[i]
		}
	}
	return nil
}

// readVariable reads a variable, if it is one of those that are used.
func readVariable(r io.Reader, kind uint32, size int64, kept *matKept) *matValue {
	m := &matReader{r: r, kept: kept}
	switch kind {
	case miCompressed:
		z, err := zlib.NewReader(r)
		if err != nil {
			failf("has a damaged compressed variable: %v", err)
		}
		m.r = &cappedReader{z, size*matRatio + 64<<20}
		tag := m.tag()
		if tag.kind != miMatrix {
			failf("has a compressed variable that is no array")
		}
		m.r = io.LimitReader(m.r, int64(tag.size))
	case miMatrix:
	default:
		return &matValue{}
	}
	v := m.header()
	if v.name == "layers" || v.name == "meta" || v.name == "normalization" {
		m.content(v, 0)
	}
	return v
}

// cappedReader fails when more is unpacked than weights could ever need.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("unpacks to far more than weights would, over %d times its size", matRatio)
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// matReader reads elements one after the other.
type matReader struct {
	r    io.Reader
	kept *matKept
}

// matKept counts what is held in memory.
type matKept struct{ arrays, numbers int }

// matTag is an element's tag; small elements hold up to 4 bytes in it.
type matTag struct {
	kind  int
	size  int
	small []byte // nil for ordinary elements
}

func (m *matReader) tag() matTag {
	var raw [8]byte
	m.fill(raw[:])
	word := binary.LittleEndian.Uint32(raw[:])
	if n := int(word >> 16); n != 0 {
		if n > 4 {
			failf("has a damaged element tag (%#x)", word)
		}
		return matTag{int(word & 0xffff), n, raw[4 : 4+n]}
	}
	return matTag{kind: int(word), size: int(binary.LittleEndian.Uint32(raw[4:]))}
}

// fill reads the next bytes.
func (m *matReader) fill(raw []byte) {
	if _, err := io.ReadFull(m.r, raw); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("ends in the middle of a variable; it is incomplete")
		}
		fail(err)
	}
}

// short reads all of a short element.
func (m *matReader) short(limit int) []byte {
	t := m.tag()
	if t.small != nil {
		return t.small
	}
	if t.size > limit {
		failf("has an element of %d bytes where at most %d were expected", t.size, limit)
	}
	raw := make([]byte, t.size+-t.size&7)
	m.fill(raw)
	return raw[:t.size]
}

// header reads the first three elements of an array: class, dimensions, name.
func (m *matReader) header() *matValue {
	v := &matValue{}
	flags := m.short(8)
	if len(flags) != 8 {
		failf("has an array without its class")
	}
	v.class = int(flags[0])
	dims := m.short(8 * 4)
	for i := 0; i+4 <= len(dims); i += 4 {
		v.dims = append(v.dims, int(int32(binary.LittleEndian.Uint32(dims[i:]))))
	}
	v.name = string(m.short(256))
	return v
}

// count returns the number of the array's elements.
func (v *matValue) count() (int, error) {
	return elements(v.dims, 1, 1<<32)
}

// content reads what follows the header.
func (m *matReader) content(v *matValue, depth int) {
	n, err := v.count()
	if err != nil {
		failf("array %w", err)
	}
	if depth > matDepth {
		failf("nests arrays more than %d deep", matDepth)
	}
	switch {
	case v.class == mxCell:
		m.arrays(v, n, depth)
	case v.class == mxStruct:
		m.fieldNames(v)
		m.arrays(v, n*len(v.fields), depth)
	case v.class == mxChar, v.class >= mxDouble && v.class <= mxUint64:
		m.values(v, n)
	} // objects, sparse arrays, functions are of no use here
}

// fieldNames reads a struct's field names: their common length and the names,
// each filled up with zeros.
func (m *matReader) fieldNames(v *matValue) {
	raw := m.short(4)
	if len(raw) != 4 {
		failf("has a struct without field names")
	}
	width := int(int32(binary.LittleEndian.Uint32(raw)))
	raw = m.short(1 << 16)
	if width < 1 || width > 256 {
		failf("has a struct with field names of %d bytes", width)
	}
	for ; len(raw) >= width; raw = raw[width:] {
		name, _, _ := bytes.Cut(raw[:width], []byte{0})
		v.fields = append(v.fields, string(name))
	}
}

// arrays reads the n arrays inside a cell array or a struct.
func (m *matReader) arrays(v *matValue, n, depth int) {
	for range n {
		t := m.tag()
		if t.kind != miMatrix || t.small != nil {
			failf("has an element of type %d where an array was expected", t.kind)
		}
		if m.kept.arrays++; m.kept.arrays > matArrays {
			failf("holds more than %d arrays", matArrays)
		}
		item := &matValue{}
		if t.size > 0 {
			inner := &matReader{io.LimitReader(m.r, int64(t.size)), m.kept}
			item = inner.header()
			inner.content(item, depth+1)
			must(io.Copy(io.Discard, inner.r))
		}
		v.values = append(v.values, *item)
	}
}

// matWidth is the size of one number, by the type of its element.
var matWidth = map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2}

// values reads n numbers or characters. It reads them in chunks, so that the memory
// depends on what the file holds and not on what the tag claims.
func (m *matReader) values(v *matValue, n int) {
	t := m.tag()
	width := matWidth[t.kind]
	if width == 0 || t.size != n*width {
		failf("has an array of shape %v in %d bytes of type %d", v.dims, t.size, t.kind)
	}
	if n > matKeep {
		return // the caller skips the rest
	}
	if m.kept.numbers += n; m.kept.numbers > matNumbers {
		failf("holds more numbers than a VGG network has, %d", matNumbers)
	}
	chunk := make([]byte, min(t.size, 1<<16))
	for left := t.size; left > 0; {
		part := chunk[:min(left, len(chunk))]
		if t.small != nil {
			copy(part, t.small)
		} else {
			m.fill(part)
		}
		left -= len(part)
		for i := 0; i < len(part); i += width {
			x := matNumber(part[i:i+width], t.kind)
			if v.class == mxChar {
				v.text += string(rune(x))
			} else {
				v.numbers = append(v.numbers, float32(x))
			}
		}
		if len(v.text) > 4096 {
			failf("has a text of more than 4096 bytes")
		}
	}
}

// matNumber decodes one number. MATLAB stores any class in the smallest type
// that holds its values.
func matNumber(raw []byte, kind int) float64 {
	bits := little(raw)
	switch kind {
	case 1:
		return float64(int8(bits))
	case 3:
		return float64(int16(bits))
	case 5:
		return float64(int32(bits))
	case 7:
		return float64(math.Float32frombits(uint32(bits)))
	case 9:
		return math.Float64frombits(bits)
	case 12:
		return float64(int64(bits))
	}
	return float64(bits)
}
