package gpu

import (
	"fmt"

	"github.com/impasto/impasto/cuda"
)

// Array is an array (H, W, C) of float32 values that lives on a backend. Only its shape
// is public. The backend decides how the elements lie in memory. Upload and Download
// copy them from and to the host.
type Array struct {
	Shape Shape

	// CPU backend: row-major (H, W, C), channels contiguous. An array has data, or half
	// if it is stored as bfloat16.
	data   []float32
	half   []uint16
	memory []float32

	at   cuda.Ptr // Device backend: the same order in device memory
	view bool     // Device backend: the memory is another array's
}

// ArrayOf returns an array of shape s with the elements v, in (H, W, C) order.
func ArrayOf(b Memory, s Shape, v []float32) *Array {
	a := b.NewArray(s)
	b.Upload(a, v)
	return a
}

// Values returns the elements of a in (H, W, C) order. It waits.
func Values(b Memory, a *Array) []float32 {
	v := make([]float32, a.Shape.Len())
	b.Download(v, a)
	return v
}

// Mask is what the backward pass needs of a layer whose activation is not kept: one
// sign bit per element of the activation, and for max pooling which element of each
// window was the largest. It replaces 32 bits by 1 or 1.5 per element.
type Mask struct {
	Shape Shape // of the activation before pooling
	Pool  Pool  // of Kind NoPool if no pooling follows

	// CPU backend. sign holds ceil(C/8) bytes per position; channel c is bit
	// c%8 of byte c/8, set where the activation is positive. arg holds two such
	// bit planes per pooled position, first dx then dy of the winner's place in
	// its window.
	sign, arg []byte

	device deviceMask
}

// fail panics with the operation's name because a caller broke its contract. Wrong
// shapes are faults of the program, never of its input. Callers call it inside an if,
// because its arguments would be allocated even if nothing is wrong.
func fail(op, format string, args ...any) {
	panic("gpu: " + op + ": " + fmt.Sprintf(format, args...))
}

func sameShape(op string, a, b *Array) {
	if a.Shape != b.Shape {
		fail(op, "shapes %v and %v differ", a.Shape, b.Shape)
	}
}
