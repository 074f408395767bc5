package gpu

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/binary16"
)

// deviceAlign is the alignment of Driver.Alloc, which views keep too.
const deviceAlign = 256

func (b *Device) NewArray(s Shape) *Array {
	b.outside("NewArray")
	if !s.valid() {
		fail("NewArray", "shape %v", s)
	}
	b.countable(s)
	// The size is exact and not rounded up, so that a kernel that reads past the end
	// fails.
	a := &Array{Shape: s, at: b.alloc(b.room(s))}
	b.do(func() error { return b.d.Fill(a.at, 0, b.room(s)/4) })
	return a
}

func (b *Device) View(a *Array, at int64, s Shape) *Array {
	if !s.valid() || at < 0 || at%64 != 0 || at+b.width(s)*int64(s.Len()) > b.room(a.Shape) {
		fail("View", "shape %v at byte %d does not fit in %v", s, at, a.Shape)
	}
	b.countable(s)
	return &Array{Shape: s, at: a.at + cuda.Ptr(at), view: true}
}

func (b *Device) Bytes(s Shape) int64 {
	return (b.room(s) + deviceAlign - 1) / deviceAlign * deviceAlign
}

// Free waits for the operations that may still use the arrays. Views own no memory.
func (b *Device) Free(arrays ...*Array) {
	b.outside("Free")
	for _, a := range arrays {
		if a != nil {
			if !a.view {
				b.free(a.at)
			}
			a.at = 0
		}
	}
}

func (b *Device) Upload(dst *Array, src []float32) {
	b.outside("Upload")
	if len(src) != dst.Shape.Len() {
		fail("Upload", "%d values for %v", len(src), dst.Shape)
	}
	b.upload(dst.at, b.stored(dst.Shape, src))
}

func (b *Device) Download(dst []float32, src *Array) {
	b.outside("Download")
	if len(dst) != src.Shape.Len() {
		fail("Download", "%d values for %v", len(dst), src.Shape)
	}
	raw := make([]byte, b.width(src.Shape)*int64(len(dst)))
	b.download(raw, src.at)
	if b.halves(src.Shape) {
		for i := range dst {
			dst[i] = halfUnit * binary16.Widen(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		return
	}
	_, _ = binary.Decode(raw, binary.LittleEndian, dst) // raw has its length
}

// deviceMask is a mask's bits: a byte for four channels of a position in signs
// (H, W, C/4), and in winners (PH, PW, C/4), two bits a channel, which element
// of the window won. winners is 0 where no max pooling follows.
type deviceMask struct{ signs, winners cuda.Ptr }

func (b *Device) NewMask(s Shape, p Pool) *Mask {
	b.outside("NewMask")
	if p.Kind != NoPool && p.size() != 2 {
		fail("NewMask", "masks are for 2x2 pooling, not %d", p.size())
	}
	b.fours(s.C)
	b.countable(s)
	m := &Mask{Shape: s, Pool: p}
	m.device.signs = b.alloc(int64(s.Len() / 4))
	if p.Kind == MaxPool {
		m.device.winners = b.alloc(int64(p.Out(s).Len() / 4))
	}
	return m
}

// ViewMask returns a mask that is never freed itself.
func (b *Device) ViewMask(m *Mask, s Shape) *Mask {
	if large := b.MaskBytes(m.Shape, m.Pool); !s.valid() || s.C != m.Shape.C || s.H > m.Shape.H || s.W > m.Shape.W || b.MaskBytes(s, m.Pool) > large {
		fail("ViewMask", "shape %v does not fit in %v", s, m.Shape)
	}
	return &Mask{Shape: s, Pool: m.Pool, device: m.device}
}

func (b *Device) MaskBytes(s Shape, p Pool) int64 {
	n := s.Len() / 4
	if p.Kind == MaxPool {
		n += p.Out(s).Len() / 4
	}
	return int64(n)
}

func (b *Device) FreeMasks(masks ...*Mask) {
	b.outside("FreeMasks")
	for _, m := range masks {
		if m != nil {
			b.free(m.device.signs, m.device.winners)
			m.device = deviceMask{}
		}
	}
}

// fours refuses features whose number of channels is not a multiple of four. A network
// of odd widths is no fault of the program, so it does not panic.
func (b *Device) fours(channels int) {
	if channels%4 != 0 {
		b.note(fmt.Errorf("a layer of %d channels runs on the CPU alone: a device moves channels four at a time", channels))
	}
}

// MaxLen returns the largest number that kernels can count to.
func (b *Device) MaxLen() int { return math.MaxInt32 }

// countable refuses arrays whose elements kernels cannot count in 32 bits. A vector may
// be longer, since it is memory for views.
func (b *Device) countable(s Shape) {
	if s.Pixels() > 1 && s.Len() > b.MaxLen() {
		b.note(fmt.Errorf("an array %v has %d elements, kernels count to %d: paint in tiles", s, s.Len(), b.MaxLen()))
	}
}
