package vgg

import (
	"fmt"
	"io"
	"iter"
)

// Protocol buffers (protobuf.dev/programming-guides/encoding): a message is a list of
// fields, each a tag (number << 3 | type, a varint) and a value. This reader walks the
// fields of a message that lies in a file and skips what is not needed, so that only
// small parts of a 575 MB model are read.

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

// message walks over the fields of one message.
type message struct {
	r   *wireReader
	pos int64
	end int64
}

// byteAt returns the byte at pos, which lies in the file.
func (r *wireReader) byteAt(pos int64) byte {
	if i := pos - r.base; i >= 0 && i < int64(len(r.chunk)) {
		return r.chunk[i]
	}
	if r.chunk == nil {
		r.chunk = make([]byte, 4096)
	}
	r.chunk = r.chunk[:cap(r.chunk)]
	n, err := r.f.ReadAt(r.chunk, pos)
	r.base, r.chunk = pos, r.chunk[:n]
	if n == 0 {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("ends at byte %d, in the middle of a value", pos)
		}
		fail(err)
	}
	return r.chunk[0]
}

func (m *message) varint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if m.pos >= m.end {
			failf("is cut off at byte %d", m.pos)
		}
		b := m.r.byteAt(m.pos)
		m.pos++
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	failf("has a number of more than 64 bits at byte %d", m.pos)
	return 0
}

// fields walks over the fields of the message in a stretch of the file.
func (r *wireReader) fields(s extent) iter.Seq[field] {
	return func(yield func(field) bool) {
		for m := (&message{r, s.from, s.to}); m.pos != m.end && yield(m.next()); {
		}
	}
}

// next returns the message's next field.
func (m *message) next() (f field) {
	at := m.pos
	tag := m.varint()
	f.num, f.wire = int(tag>>3), int(tag&7)
	size := int64(0)
	switch f.wire {
	case wireVarint:
		f.value = m.varint()
	case wireFixed8:
		size = 8
	case wireFixed4:
		size = 4
	case wireBytes:
		n := m.varint()
		if n > uint64(m.end-m.pos) {
			failf("claims %d bytes at byte %d, %d are left; it is incomplete", n, at, m.end-m.pos)
		}
		size = int64(n)
	default:
		failf("is no protocol buffer: field type %d at byte %d", f.wire, at)
	}
	if size > m.end-m.pos {
		failf("is cut off at byte %d", m.end)
	}
	if f.num == 0 || tag>>32 != 0 {
		failf("is no protocol buffer: field number %d at byte %d", tag>>3, at)
	}
	f.extent = extent{m.pos, m.pos + size}
	m.pos += size
	return f
}

// text reads a short text field.
func (r *wireReader) text(s extent) string {
	n := s.to - s.from
	if n > 4096 {
		failf("has a name of %d bytes at byte %d", n, s.from)
	}
	return string(must(r.f.readRaw(s.from, int(n))))
}

// numbers appends the values of a repeated integer field, packed or not.
func (r *wireReader) numbers(list []int, f field) []int {
	if f.wire == wireVarint {
		return appendDim(list, f.value)
	}
	m := message{r, f.from, f.to}
	for f.wire == wireBytes && m.pos < m.end {
		list = appendDim(list, m.varint())
	}
	return list
}

func appendDim(list []int, v uint64) []int {
	if v > 1<<40 || len(list) == 8 {
		failf("has a tensor of more than 8 dimensions, or one of them is %d", v)
	}
	return append(list, int(v))
}
