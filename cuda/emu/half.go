package emu

import (
	"math"
	"sync"
)

// f16 and bf16 as 16-bit patterns.

// halfToFloat widens an IEEE binary16; every value is exact.
func halfToFloat(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10&31), uint32(h&0x3ff)
	switch {
	case exp == 31 && frac != 0:
		return math.Float32frombits(canonicalNaN)
	case exp == 31:
		return math.Float32frombits(sign | 0x7f800000)
	case exp == 0:
		return float32(math.Copysign(float64(frac)*0x1p-24, float64(int32(sign|1))))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// halves has the value of each binary16.
var halves = sync.OnceValue(func() *[1 << 16]float64 {
	table := new([1 << 16]float64)
	for h := range table {
		table[h] = float64(halfToFloat(uint16(h)))
	}
	return table
})

// floatToHalf rounds to the nearest binary16, ties to even.
func floatToHalf(f float32) uint16 {
	u := math.Float32bits(f)
	sign := uint16(u >> 16 & 0x8000)
	if f != f {
		return 0x7fff
	}
	a := math.Abs(float64(f))
	switch {
	case a >= 65520:
		return sign | 0x7c00
	case a < 0x1p-14:
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	// Rounding may carry into the exponent, as it should.
	bits := u & 0x7fffffff
	return sign | uint16((bits+0xfff+(bits>>13&1)-112<<23)>>13)
}

func bfloatToFloat(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// floatToBfloat rounds to the nearest bfloat16, ties to even.
func floatToBfloat(f float32) uint16 {
	u := math.Float32bits(f)
	if f != f {
		return 0x7fff
	}
	return uint16((u + 0x7fff + (u >> 16 & 1)) >> 16)
}

// toTF32 rounds to the 10-bit fraction of tf32, ties away from zero.
func toTF32(u uint32) uint32 {
	if u&0x7f800000 == 0x7f800000 {
		return u
	}
	return (u + 0x1000) &^ 0x1fff
}
