package vgg

import (
	"encoding/binary"
	"math"
)

// decodeFloats converts little-endian raw values of the named element type
// ("F16", "BF16", "F32") to float32. len(raw) is a multiple of its size.
func decodeFloats(dst []float32, raw []byte, dtype string) {
	switch dtype {
	case "F32":
		_, _ = binary.Decode(raw, binary.LittleEndian, dst) // it fails for other lengths only
	case "F16":
		for i := range dst {
			dst[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case "BF16": // the upper half of a float32
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	}
}

// fromHalf converts IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits).
func fromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h >> 10 & 0x1f)
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero, or subnormal: frac * 2^-24, exact in float32
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(f))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// toHalf converts to binary16, rounding to nearest, ties to even; what is
// too large becomes an infinity.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, size := uint16(bits>>16&0x8000), math.Abs(float64(f))
	switch {
	case f != f:
		return sign | 0x7e00
	case size >= 65520: // half way from the largest to the next that would follow
		return sign | 0x7c00
	case size < 0x1p-14: // subnormal, in units of 2^-24
		return sign | uint16(math.RoundToEven(size*0x1p24))
	}
	// The exponent's bias goes from 127 to 15; a carry of rounding may reach it.
	bits = bits&0x7fffffff - 112<<23
	return sign | uint16((bits+0xfff+bits>>13&1)>>13)
}
