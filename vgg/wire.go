package vgg

import (
	"fmt"
	"io"
)

// Protocol buffers on the wire (protobuf.dev/programming-guides/encoding): a
// message is a list of fields, each a tag (number << 3 | type, a varint) and a
// value. This reader walks the fields of a message that lies in a file and
// skips what is not asked for, so that a 575 MB model costs a few reads.

// Wire types.
const (
	wireVarint = 0
	wireFixed8 = 1 // 64 bits
	wireBytes  = 2
	wireFixed4 = 5 // 32 bits
)

// extent is a stretch of a file, [from, to).
type extent struct{ from, to int64 }

// field is one field of a message: a number, or the stretch of its bytes.
type field struct {
	num   int
	wire  int
	value uint64 // of a varint
	extent
}

// wireReader buffers a file for reading tags here and there.
type wireReader struct {
	f     *source
	base  int64
	chunk []byte // the file's bytes from base on
}

// message is a walk over the fields of one message.
type message struct {
	r   *wireReader
	pos int64
	end int64
}

func (r *wireReader) message(s extent) *message { return &message{r, s.from, s.to} }

// byteAt returns the byte at pos, which lies in the file.
func (r *wireReader) byteAt(pos int64) (byte, error) {
	if i := pos - r.base; i >= 0 && i < int64(len(r.chunk)) {
		return r.chunk[i], nil
	}
	if r.chunk == nil {
		r.chunk = make([]byte, 4096)
	}
	r.chunk = r.chunk[:cap(r.chunk)]
	n, err := r.f.ReadAt(r.chunk, pos)
	r.base, r.chunk = pos, r.chunk[:n]
	if n > 0 {
		return r.chunk[0], nil
	}
	if err == nil || err == io.EOF {
		err = fmt.Errorf("ends at byte %d, in the middle of a value", pos)
	}
	return 0, err
}

func (m *message) varint() (uint64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if m.pos >= m.end {
			return 0, fmt.Errorf("is cut off at byte %d", m.pos)
		}
		b, err := m.r.byteAt(m.pos)
		if err != nil {
			return 0, err
		}
		m.pos++
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, fmt.Errorf("has a number of more than 64 bits at byte %d", m.pos)
}

// next returns the message's next field; more is false at its end.
func (m *message) next() (f field, more bool, err error) {
	if m.pos == m.end {
		return f, false, nil
	}
	at := m.pos
	tag, err := m.varint()
	if err != nil {
		return f, false, err
	}
	f.num, f.wire = int(tag>>3), int(tag&7)
	size := int64(0)
	switch f.wire {
	case wireVarint:
		f.value, err = m.varint()
	case wireFixed8:
		size = 8
	case wireFixed4:
		size = 4
	case wireBytes:
		var n uint64
		if n, err = m.varint(); err == nil && n > uint64(m.end-m.pos) {
			err = fmt.Errorf("claims %d bytes at byte %d, %d are left; it is incomplete", n, at, m.end-m.pos)
		}
		size = int64(n)
	default:
		err = fmt.Errorf("is no protocol buffer: field type %d at byte %d", f.wire, at)
	}
	if err == nil && size > m.end-m.pos {
		err = fmt.Errorf("is cut off at byte %d", m.end)
	}
	if err != nil || f.num == 0 || tag>>32 != 0 {
		if err == nil {
			err = fmt.Errorf("is no protocol buffer: field number %d at byte %d", tag>>3, at)
		}
		return f, false, err
	}
	f.extent = extent{m.pos, m.pos + size}
	m.pos += size
	return f, true, nil
}

// text reads a short text field.
func (r *wireReader) text(s extent) (string, error) {
	n := s.to - s.from
	if n > 4096 {
		return "", fmt.Errorf("has a name of %d bytes at byte %d", n, s.from)
	}
	raw, err := r.f.readRaw(s.from, int(n))
	return string(raw), err
}

// numbers appends the values of a repeated integer field, packed or not.
func (r *wireReader) numbers(list []int, f field) ([]int, error) {
	if f.wire == wireVarint {
		return appendDim(list, f.value)
	}
	m := r.message(f.extent)
	for f.wire == wireBytes && m.pos < m.end {
		v, err := m.varint()
		if err == nil {
			list, err = appendDim(list, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func appendDim(list []int, v uint64) ([]int, error) {
	if v > 1<<40 || len(list) == 8 {
		return nil, fmt.Errorf("has a tensor of more than 8 dimensions, or one of them is %d", v)
	}
	return append(list, int(v)), nil
}
