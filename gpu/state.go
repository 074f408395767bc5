package gpu

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// stateIO writes an optimiser's state or reads it. Both directions use the same
// description, so they cannot differ. Numbers are little-endian and vectors in (H, W,
// C) order, so that one backend reads what another wrote. After the first error, which
// is kept, everything does nothing.
type stateIO struct {
	w    io.Writer // one of the two
	r    io.Reader
	text [1 << 15]byte
	err  error
}

// header writes the optimiser's kind and sizes. When reading, it refuses a state of
// another kind or size.
func (s *stateIO) header(kind string, shape Shape, history int) {
	want := fmt.Sprintf("%-8s", kind)
	name := []byte(want)
	s.bytes(name)
	if s.err == nil && string(name) != want {
		s.err = fmt.Errorf("the state is not one of %s", kind)
	}
	for _, v := range []int{shape.H, shape.W, shape.C, history} {
		got := v
		s.count(&got)
		if s.err == nil && got != v {
			s.err = fmt.Errorf("the state of %s has a size of %d where %d is wanted", kind, got, v)
		}
	}
}

func (s *stateIO) bytes(b []byte) {
	if s.err != nil {
		return
	}
	if s.w != nil {
		_, s.err = s.w.Write(b)
	} else {
		_, s.err = io.ReadFull(s.r, b)
	}
}

func (s *stateIO) word(v uint64) uint64 {
	b := s.text[:8]
	binary.LittleEndian.PutUint64(b, v)
	s.bytes(b)
	return binary.LittleEndian.Uint64(b)
}

func (s *stateIO) number(v *float64) { *v = math.Float64frombits(s.word(math.Float64bits(*v))) }
func (s *stateIO) count(v *int)      { *v = int(s.word(uint64(*v))) }

func (s *stateIO) flag(v *bool) {
	n := 0
	if *v {
		n = 1
	}
	s.count(&n)
	*v = n != 0
}

func (s *stateIO) numbers(v []float64) {
	for i := range v {
		s.number(&v[i])
	}
}

// vector writes or reads the values of v, a buffer at a time.
func (s *stateIO) vector(v []float32) {
	for len(v) > 0 && s.err == nil {
		n := min(len(v), len(s.text)/4)
		b := s.text[:4*n]
		if s.w != nil {
			for i, x := range v[:n] {
				binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
			}
		}
		s.bytes(b)
		if s.r != nil && s.err == nil {
			for i := range v[:n] {
				v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
			}
		}
		v = v[n:]
	}
}

// status writes or reads the block that Step writes.
func (s *stateIO) status(v *Status) {
	s.numbers(v.Loss[:])
	s.number(&v.Sum)
	s.number(&v.GradNorm)
	s.number(&v.StepSize)
	s.count(&v.Evaluations)
	s.count(&v.Accepted)
	s.count(&v.Rollbacks)
	s.flag(&v.Diverged)
	s.flag(&v.Stalled)
}

// memory writes or reads the small part of L-BFGS.
func (s *stateIO) memory(m *lbfgsMemory) {
	s.numbers(m.gram)
	s.count(&m.free)
	n := len(m.order)
	s.count(&n)
	if s.err == nil && (n < 0 || n >= m.k || m.free < 0 || m.free >= m.k) {
		s.err = fmt.Errorf("the state names pairs that L-BFGS does not have")
	}
	if s.err != nil {
		return
	}
	m.order = m.order[:n]
	for i := range m.order {
		s.count(&m.order[i])
		if slot := m.order[i]; s.err == nil && (slot < 0 || slot >= m.k) {
			s.err = fmt.Errorf("the state names pair %d of %d", slot, m.k)
			m.order = m.order[:0]
			return
		}
	}
}
