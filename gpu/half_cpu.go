package gpu

import (
	"fmt"
	"math"
	"os"
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// In half precision an array whose number of channels is a multiple of eight, as that
// of features is, is stored as bfloat16: a float32 without its lower half. Its range is
// that of float32, so nothing is scaled. Images, maps of fewer channels, matrices and
// vectors stay float32, and operations compute in float32.
//
// Convolutions read bfloat16 directly; see conv_half_cpu.go. All other operations read
// and change such arrays through read and keep, some rows at a time.

// Precision returns Half or Single.
func (b *CPU) Precision() Precision {
	if b.bf16 != nil {
		return Half
	}
	return Single
}

// CPUHalf returns the name of the instructions that multiply in half precision on this
// processor, such as "amx", and why that is not AMX, nil if it is. The name is "" if
// only plain Go is left, which is slow, unless IMPASTO_SIMD asks for that.
func CPUHalf() (name string, without error) {
	k, err := simd.BestBF16()
	asked := os.Getenv("IMPASTO_SIMD")
	switch {
	case err != nil:
		return "", err
	case k.Name == "amx":
		return k.Name, nil
	case asked != "":
		without = fmt.Errorf("IMPASTO_SIMD=%s chooses other instructions", asked)
	default:
		without = simd.AMX()
	}
	if k.Name == "generic" && asked != "generic" {
		return "", without
	}
	return k.Name, without
}

// halves reports whether arrays of shape s are stored as bfloat16.
func (b *CPU) halves(s Shape) bool { return b.bf16 != nil && s.C%8 == 0 }

// size returns the number of bytes of the elements of an array.
func (b *CPU) size(s Shape) int64 {
	if b.halves(s) {
		return 2 * int64(s.Len())
	}
	return 4 * int64(s.Len())
}

// placed returns an array of shape s in memory that is at least as large.
func (b *CPU) placed(s Shape, memory []float32) *Array {
	a := &Array{Shape: s, memory: memory}
	if b.halves(s) {
		a.half = unsafe.Slice((*uint16)(unsafe.Pointer(&memory[0])), s.Len())
	} else {
		a.data = memory[:s.Len()]
	}
	return a
}

// buffers are memory into which a worker converts rows.
type buffers [4][]float32

// read returns n elements of a, from element at on, as float32. If a is stored as
// bfloat16, they are a copy in buffer k of the worker.
func (b *CPU) read(worker, k int, a *Array, at, n int) []float32 {
	if a.half == nil {
		return a.data[at : at+n]
	}
	v := b.buffer(worker, k, n)
	b.widen(v, a.half[at:at+n])
	return v
}

// write does what read does for elements that are overwritten. Their values are
// arbitrary.
func (b *CPU) write(worker, k int, a *Array, at, n int) []float32 {
	if a.half == nil {
		return a.data[at : at+n]
	}
	return b.buffer(worker, k, n)
}

// keep stores v in a from element at on. v came from read or write and has new values.
func (b *CPU) keep(a *Array, at int, v []float32) {
	if a.half != nil {
		b.round(a.half[at:at+len(v)], v)
	}
}

func (b *CPU) buffer(worker, k, n int) []float32 {
	v := &b.wide[worker][k]
	if len(*v) < n {
		*v = simd.Floats(n)
	}
	return (*v)[:n]
}

// The routines on bfloat16 need lengths that are multiples of halfStep.
const halfStep = 16

// widen converts src to float32 in dst, of the same length.
func (b *CPU) widen(dst []float32, src []uint16) {
	n := len(src) / halfStep * halfStep
	if n > 0 {
		b.bf16.Widen(&dst[0], &src[0], n)
	}
	for i, x := range src[n:] {
		dst[n+i] = math.Float32frombits(uint32(x) << 16)
	}
}

// round rounds src into dst, of the same length.
func (b *CPU) round(dst []uint16, src []float32) {
	n := len(src) / halfStep * halfStep
	if n > 0 {
		b.bf16.Round(&dst[0], &src[0], n)
	}
	for i, x := range src[n:] {
		dst[n+i] = simd.RoundBF16(x)
	}
}

// residue rounds src - rounded, the errors of rounding src, into dst.
func (b *CPU) residue(dst []uint16, src []float32, rounded []uint16) {
	n := len(src) / halfStep * halfStep
	if n > 0 {
		b.bf16.Residue(&dst[0], &src[0], &rounded[0], n)
	}
	for i, x := range src[n:] {
		dst[n+i] = simd.RoundBF16(x - math.Float32frombits(uint32(rounded[n+i])<<16))
	}
}

// bf16s returns n zeros that start on a cache line.
func bf16s(n int) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(&simd.Floats((n + 1) / 2)[0])), n)
}
