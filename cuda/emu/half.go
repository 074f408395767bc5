package emu

import (
	"math"
	"sync"

	"github.com/impasto/impasto/internal/binary16"
)

// This file converts f16 and bf16, which are held as 16-bit patterns.

// halfToFloat converts a binary16. Every NaN becomes the canonical one.
func halfToFloat(h uint16) float32 {
	if f := binary16.Widen(h); f == f {
		return f
	}
	return math.Float32frombits(canonicalNaN)
}

// halves holds the value of each binary16.
var halves = sync.OnceValue(func() *[1 << 16]float64 {
	table := new([1 << 16]float64)
	for h := range table {
		table[h] = float64(halfToFloat(uint16(h)))
	}
	return table
})

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
