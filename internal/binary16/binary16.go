// Package binary16 converts numbers of half precision, IEEE 754 binary16: 1 sign,
// 5 exponent and 10 fraction bits.
package binary16

import "math"

// Widen returns the value of h; every value is exact.
func Widen(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero, or subnormal
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Round rounds f to the nearest binary16, ties to even. What is too large becomes an
// infinity, and every NaN 0x7fff.
func Round(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, size := uint16(bits>>16&0x8000), math.Abs(float64(f))
	switch {
	case f != f:
		return 0x7fff
	case size >= 65520: // half way from the largest to the next that would follow
		return sign | 0x7c00
	case size < 0x1p-14: // subnormal, in units of 2^-24
		return sign | uint16(math.RoundToEven(size*0x1p24))
	}
	// The exponent's bias goes from 127 to 15; a carry of rounding may reach it.
	bits = bits&0x7fffffff - 112<<23
	return sign | uint16((bits+0xfff+bits>>13&1)>>13)
}
