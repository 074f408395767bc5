package simd

import "unsafe"

const (
	lineBytes = 64
	hugeBytes = 2 << 20
)

// Floats returns n zeros that start on a cache line. Large ones start on a huge
// page, which the system is asked to use: a Winograd transform walks 36 planes
// at once, more than the first level of address translation holds small pages.
func Floats(n int) []float32 {
	align := lineBytes
	if n*4 >= hugeBytes {
		align = hugeBytes
	}
	s := make([]float32, n+align/4)
	skip := 0
	if r := int(uintptr(unsafe.Pointer(&s[0])) % uintptr(align)); r != 0 {
		skip = (align - r) / 4
	}
	s = s[skip : skip+n : skip+n]
	if align == hugeBytes {
		hugePages(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), n*4/hugeBytes*hugeBytes))
	}
	return s
}
