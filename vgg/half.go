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
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
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
	sign := uint16(bits >> 16 & 0x8000)
	exp := int(bits >> 23 & 0xff)
	frac := bits & 0x7fffff
	switch {
	case exp == 0xff:
		if frac != 0 {
			return sign | 0x7e00
		}
		return sign | 0x7c00
	case exp >= 127-14: // normal; the carry of rounding may reach the exponent
		h := uint32(exp-(127-15))<<10 | frac>>13
		h += roundUp(frac, 13, h)
		return sign | uint16(min(h, 0x7c00))
	case exp >= 127-25: // subnormal, in units of 2^-24
		frac |= 1 << 23
		shift := uint(126 - exp) // 14..24
		h := frac >> shift
		return sign | uint16(h+roundUp(frac, shift, h))
	}
	return sign
}

// roundUp returns 1 if dropping the low n bits of v must carry into kept.
func roundUp(v uint32, n uint, kept uint32) uint32 {
	rest, tie := v&(1<<n-1), uint32(1)<<(n-1)
	if rest > tie || rest == tie && kept&1 == 1 {
		return 1
	}
	return 0
}
