package picture

import (
	"math"
	"sync"
)

// The sRGB transfer curve (IEC 61966-2-1). v is encoded, l is linear light,
// both 0..1:
//
//	l = v/12.92                      v <= 0.04045
//	l = ((v + 0.055)/1.055)^2.4      otherwise

func srgbDecode(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func srgbEncode(l float64) float64 {
	if l <= 0.0031308 {
		return l * 12.92
	}
	return 1.055*math.Pow(l, 1/2.4) - 0.055
}

// Both directions are read from tables with linear interpolation: a power per
// sample would cost more than the resampling around it. The error of a table
// of n steps is at most max|f”|/(8 n^2): 3e-8 for decoding (f” <= 3.0, 4096
// steps) and 8e-8 for encoding (f” <= 2400, at the foot of the curve, 65536
// steps; 5e-7 in the one step that holds the kink): a hundredth of a 16-bit code.
const (
	decodeSteps = 4096
	encodeSteps = 65536
)

var (
	decodeTable = sync.OnceValue(func() []float32 { return tabulate(srgbDecode, decodeSteps) })
	encodeTable = sync.OnceValue(func() []float32 { return tabulate(srgbEncode, encodeSteps) })
)

func tabulate(f func(float64) float64, steps int) []float32 {
	t := make([]float32, steps+2) // one beyond 1.0, so that 1.0 interpolates too
	for i := range t {
		t[i] = float32(f(float64(i) / float64(steps)))
	}
	return t
}

func lookup(t []float32, x float32) float32 {
	x = clamp01(x) * float32(len(t)-2)
	i := int(x)
	return t[i] + (x-float32(i))*(t[i+1]-t[i])
}

// lookupAll looks up a row; dst and src may be the same.
func lookupAll(t, dst, src []float32) {
	for i := range dst {
		dst[i] = lookup(t, src[i])
	}
}

// decode returns the linear light of the sRGB-encoded v, clamped to 0..1.
func decode(v float32) float32 { return lookup(decodeTable(), v) }

// encode returns the sRGB code of linear light l, clamped to 0..1.
func encode(l float32) float32 { return lookup(encodeTable(), l) }
