package vgg

import (
	"encoding/binary"
	"math"

	"github.com/impasto/impasto/internal/binary16"
)

// decodeFloats converts little-endian raw values of the named element type
// ("F16", "BF16", "F32") to float32. len(raw) is a multiple of its size.
func decodeFloats(dst []float32, raw []byte, dtype string) {
	switch dtype {
	case "F32":
		_, _ = binary.Decode(raw, binary.LittleEndian, dst) // it fails for other lengths only
	case "F16":
		for i := range dst {
			dst[i] = binary16.Widen(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case "BF16": // the upper half of a float32
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	}
}
