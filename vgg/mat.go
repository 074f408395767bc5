package vgg

import (
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
	// matRatio bounds what a compressed variable may unpack to, beyond 64 MB:
	// a bomb would keep us busy for hours, even if nothing is kept. Trained
	// weights hardly shrink at all.
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
func readVariable(r io.Reader, kind uint32, size int64, kept *matKept) (*matValue, error) {
	m := &matReader{r: r, kept: kept}
	switch kind {
	case miCompressed:
		z, err := zlib.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("has a damaged compressed variable: %v", err)
		}
		m.r = &cappedReader{z, size*matRatio + 64<<20}
		var tag matTag
		if tag, err = m.tag(); err != nil {
			return nil, err
		}
		if tag.kind != miMatrix {
			return nil, fmt.Errorf("has a compressed variable that is no array")
		}
		m.r = io.LimitReader(m.r, int64(tag.size))
	case miMatrix:
	default:
		return &matValue{}, nil
	}
	v, err := m.header()
	if err != nil || v.name != "layers" && v.name != "meta" && v.name != "normalization" {
		return v, err
	}
	return v, m.content(v, 0)
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

func (m *matReader) tag() (t matTag, err error) {
	var raw [8]byte
	if _, err := io.ReadFull(m.r, raw[:]); err != nil {
		return t, matCut(err)
	}
	word := binary.LittleEndian.Uint32(raw[:])
	if n := int(word >> 16); n != 0 {
		if n > 4 {
			return t, fmt.Errorf("has a damaged element tag (%#x)", word)
		}
		return matTag{int(word & 0xffff), n, raw[4 : 4+n]}, nil
	}
	return matTag{kind: int(word), size: int(binary.LittleEndian.Uint32(raw[4:]))}, nil
}

func matCut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("ends in the middle of a variable; it is incomplete")
	}
	return err
}

// short reads a short element whole.
func (m *matReader) short(limit int) ([]byte, error) {
	t, err := m.tag()
	if err != nil || t.small != nil {
		return t.small, err
	}
	if t.size > limit {
		return nil, fmt.Errorf("has an element of %d bytes where at most %d were expected", t.size, limit)
	}
	raw := make([]byte, t.size+-t.size&7)
	if _, err := io.ReadFull(m.r, raw); err != nil {
		return nil, matCut(err)
	}
	return raw[:t.size], nil
}

// header reads the first three elements of an array: class, dimensions, name.
func (m *matReader) header() (*matValue, error) {
	v := &matValue{}
	flags, err := m.short(8)
	if err != nil {
		return nil, err
	}
	if len(flags) != 8 {
		return nil, fmt.Errorf("has an array without its class")
	}
	v.class = int(flags[0])
	dims, err := m.short(8 * 4)
	if err != nil {
		return nil, err
	}
	for i := 0; i+4 <= len(dims); i += 4 {
		v.dims = append(v.dims, int(int32(binary.LittleEndian.Uint32(dims[i:]))))
	}
	name, err := m.short(256)
	v.name = string(name)
	return v, err
}

// count returns the number of the array's elements.
func (v *matValue) count() (int, error) {
	return elements(v.dims, 1, 1<<32)
}

// content reads what follows the header.
func (m *matReader) content(v *matValue, depth int) error {
	n, err := v.count()
	if err != nil {
		return fmt.Errorf("array %w", err)
	}
	if depth > matDepth {
		return fmt.Errorf("nests arrays more than %d deep", matDepth)
	}
	switch {
	case v.class == mxCell:
		return m.arrays(v, n, depth)
	case v.class == mxStruct:
		if err := m.fieldNames(v); err != nil {
			return err
		}
		return m.arrays(v, n*len(v.fields), depth)
	case v.class == mxChar, v.class >= mxDouble && v.class <= mxUint64:
		return m.values(v, n)
	}
	return nil // objects, sparse arrays, functions: of no use here
}

// fieldNames reads a struct's field names: their common length and the names,
// each filled up with zeros.
func (m *matReader) fieldNames(v *matValue) error {
	raw, err := m.short(4)
	if err != nil {
		return err
	}
	if len(raw) != 4 {
		return fmt.Errorf("has a struct without field names")
	}
	width := int(int32(binary.LittleEndian.Uint32(raw)))
	if raw, err = m.short(1 << 16); err != nil {
		return err
	}
	if width < 1 || width > 256 {
		return fmt.Errorf("has a struct with field names of %d bytes", width)
	}
	for ; len(raw) >= width; raw = raw[width:] {
		end := 0
		for end < width && raw[end] != 0 {
			end++
		}
		v.fields = append(v.fields, string(raw[:end]))
	}
	return nil
}

// arrays reads the n arrays inside a cell array or a struct.
func (m *matReader) arrays(v *matValue, n, depth int) error {
	for range n {
		t, err := m.tag()
		if err != nil {
			return err
		}
		if t.kind != miMatrix || t.small != nil {
			return fmt.Errorf("has an element of type %d where an array was expected", t.kind)
		}
		if m.kept.arrays++; m.kept.arrays > matArrays {
			return fmt.Errorf("holds more than %d arrays", matArrays)
		}
		item := &matValue{}
		if t.size > 0 {
			inner := &matReader{io.LimitReader(m.r, int64(t.size)), m.kept}
			if item, err = inner.header(); err == nil {
				err = inner.content(item, depth+1)
			}
			if err == nil {
				_, err = io.Copy(io.Discard, inner.r)
			}
			if err != nil {
				return err
			}
		}
		v.values = append(v.values, *item)
	}
	return nil
}

// matWidth is the size of one number, by the type of its element.
var matWidth = map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2}

// values reads n numbers or characters. They come in chunks, so that memory
// follows what is really there and not what the tag claims.
func (m *matReader) values(v *matValue, n int) error {
	t, err := m.tag()
	if err != nil {
		return err
	}
	width := matWidth[t.kind]
	if width == 0 || t.size != n*width {
		return fmt.Errorf("has an array of shape %v in %d bytes of type %d", v.dims, t.size, t.kind)
	}
	if n > matKeep {
		return nil // the caller skips the rest
	}
	if m.kept.numbers += n; m.kept.numbers > matNumbers {
		return fmt.Errorf("holds more numbers than a VGG network has, %d", matNumbers)
	}
	chunk := make([]byte, min(t.size, 1<<16))
	for left := t.size; left > 0; {
		part := chunk[:min(left, len(chunk))]
		if t.small != nil {
			copy(part, t.small)
		} else if _, err := io.ReadFull(m.r, part); err != nil {
			return matCut(err)
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
			return fmt.Errorf("has a text of more than 4096 bytes")
		}
	}
	return nil
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
