package simd

import (
	"fmt"
	"math"
	"os"
	"unsafe"
)

// BF16Kernels is one implementation of the routines on bfloat16: the upper half of a
// float32, with 8 bits of mantissa. A product of two bfloat16 is exact in float32, so
// implementations differ only in the order of their sums. A number below 2^-126 may
// count as zero wherever it appears.
type BF16Kernels struct {
	Name string // "generic", "avx512bf16" or "amx"

	// Mul multiplies m neighbouring pixels (at least 1) by a panel b of 32 outputs:
	//
	//	c[i*crs + j] = (acc ? c[i*crs + j] : 0) +
	//		sum over s < steps, p < 32 of a[i*stride + offsets[s] + p] * b(s, p, j)
	//
	// with sums in float32. stride, offsets and crs count elements. A step of a 3x3
	// convolution is a tap and 32 of the inputs, so it is an offset; offsets come in
	// any order. b is stored as tile instructions read it: (steps, 2 halves of 16
	// outputs, 16 pairs of inputs, 16 outputs, 2), which BF16Index spells. What follows
	// b in memory may be fetched into the cache meanwhile.
	Mul func(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs int, acc bool)

	// Round rounds n values (a multiple of 16) to bfloat16, to nearest, ties to even.
	// NaN stays NaN; below 2^-126 the result is a zero of the value's sign.
	Round func(dst *uint16, src *float32, n int)

	// Widen is the reverse, which is exact. n is a multiple of 16.
	Widen func(dst *float32, src *uint16, n int)

	// Residue rounds src - rounded, the rounding errors of n values (a multiple of 16),
	// to bfloat16. dst may be rounded.
	Residue func(dst *uint16, src *float32, rounded *uint16, n int)

	// RoundGated rounds rows of 32 values to rows of dst, stride elements apart. Of each
	// four bytes at gate, gateStride bytes apart, a bit that is 0 makes its value 0.
	RoundGated func(dst *uint16, stride int, src *float32, gate *byte, gateStride, rows int)

	// Activate finishes rows of 32 sums. It adds bias (32 values), replaces sums by
	// max(0, v), where NaN stays NaN, and rounds them to rows of dst, stride elements
	// apart. In four bytes at sign, signStride bytes apart, it stores which are positive.
	Activate func(sums, bias *float32, dst *uint16, stride int, sign *byte, signStride, rows int)

	// Keep copies n values (a multiple of 32). A bit of bits that is 0 makes its value 0.
	Keep func(dst, src *uint16, bits *byte, n int)

	// Pack writes one step of Mul's b. Input p is row p of src, which has 32 rows of 32
	// values, stride elements apart.
	Pack func(step, src *uint16, stride int)

	// Transpose makes of such a step pixels for Mul's a: dst has 32 rows of 32 values,
	// and row j holds the factors for output j.
	Transpose func(dst, step *uint16)

	// FMA runs about n flop of independent products in registers, for measuring the
	// peak, and returns how many it ran.
	FMA func(n int) int
}

// BF16Step is the number of elements of one step of BF16Kernels.Mul's b: 32 inputs by
// 32 outputs.
const BF16Step = 32 * 32

// BF16Index returns the index in a step of BF16Kernels.Mul's b of the factor of input p
// < 32 for output j < 32.
func BF16Index(p, j int) int { return j/16*512 + p/2*32 + j%16*2 + p%2 }

// AllBF16 returns the implementations that this machine can run, plainest first.
func AllBF16() []*BF16Kernels { return append([]*BF16Kernels{genericBF16}, nativeBF16()...) }

// BestBF16 returns the fastest implementation that this machine can run, or the one
// that the environment variable IMPASTO_SIMD names. If it names one of the Kernels,
// which have no routines on bfloat16, that is the plainest. With a name that this
// machine cannot run it returns an error and the plainest.
func BestBF16() (*BF16Kernels, error) {
	all := AllBF16()
	name := os.Getenv("IMPASTO_SIMD")
	if name == "" {
		return all[len(all)-1], nil
	}
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
	}
	for _, k := range All() {
		if k.Name == name {
			return genericBF16, nil
		}
	}
	return genericBF16, unknown(name)
}

// unknown returns the error for a name in IMPASTO_SIMD that this machine cannot run.
func unknown(name string) error {
	list := ""
	for _, k := range All() {
		list += k.Name + ", "
	}
	for _, k := range nativeBF16() {
		list += k.Name + ", "
	}
	return fmt.Errorf("IMPASTO_SIMD=%q: this machine can run %s", name, list[:len(list)-2])
}

// genericBF16 is the implementation in plain Go, and the reference of the others.
var genericBF16 = &BF16Kernels{
	Name:       "generic",
	Mul:        mulBF16Generic,
	Round:      roundBF16Generic,
	Widen:      widenBF16Generic,
	Residue:    residueBF16Generic,
	RoundGated: roundGatedBF16Generic,
	Activate:   activateBF16Generic,
	Keep:       keepBF16Generic,
	Pack:       packBF16Generic,
	Transpose:  transposeBF16Generic,
	FMA:        fmaGeneric,
}

func mulBF16Generic(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs int, acc bool) {
	offs, panel := unsafe.Slice(offsets, steps), unsafe.Slice(b, steps*BF16Step)
	for i := range m {
		var sum [32]float32
		out := (*[32]float32)(unsafe.Pointer(at(c, i*crs)))
		if acc {
			sum = *out
		}
		for s, off := range offs {
			px := (*[32]uint16)(unsafe.Add(unsafe.Pointer(a), 2*(i*stride+off)))
			for half := range 2 {
				to := (*[16]float32)(sum[16*half:])
				for pair := range 16 {
					x, y := widen(px[2*pair]), widen(px[2*pair+1])
					row := (*[32]uint16)(panel[s*BF16Step+half*512+pair*32:])
					for j := range to {
						to[j] += x * widen(row[2*j])
						to[j] += y * widen(row[2*j+1])
					}
				}
			}
		}
		*out = sum
	}
}

func roundBF16Generic(dst *uint16, src *float32, n int) {
	to := unsafe.Slice(dst, n)
	for i, x := range unsafe.Slice(src, n) {
		to[i] = RoundBF16(x)
	}
}

func widenBF16Generic(dst *float32, src *uint16, n int) {
	to := unsafe.Slice(dst, n)
	for i, x := range unsafe.Slice(src, n) {
		to[i] = widen(x)
	}
}

func residueBF16Generic(dst *uint16, src *float32, rounded *uint16, n int) {
	to, from := unsafe.Slice(dst, n), unsafe.Slice(rounded, n)
	for i, x := range unsafe.Slice(src, n) {
		to[i] = RoundBF16(x - widen(from[i]))
	}
}

func roundGatedBF16Generic(dst *uint16, stride int, src *float32, gate *byte, gateStride, rows int) {
	for r := range rows {
		to := (*[32]uint16)(unsafe.Add(unsafe.Pointer(dst), 2*r*stride))
		bits := (*[4]byte)(unsafe.Add(unsafe.Pointer(gate), r*gateStride))
		for j, x := range unsafe.Slice(at(src, 32*r), 32) {
			to[j] = gated(RoundBF16(x), bits[j/8]>>(j%8))
		}
	}
}

func activateBF16Generic(sums, bias *float32, dst *uint16, stride int, sign *byte, signStride, rows int) {
	b := (*[32]float32)(unsafe.Pointer(bias))
	for r := range rows {
		row := unsafe.Slice(at(sums, 32*r), 32)
		for j := range row {
			row[j] += b[j]
		}
		reluGeneric(&row[0], (*byte)(unsafe.Add(unsafe.Pointer(sign), r*signStride)), 32)
		roundBF16Generic((*uint16)(unsafe.Add(unsafe.Pointer(dst), 2*r*stride)), &row[0], 32)
	}
}

func keepBF16Generic(dst, src *uint16, bits *byte, n int) {
	to, gates := unsafe.Slice(dst, n), unsafe.Slice(bits, n/8)
	for i, x := range unsafe.Slice(src, n) {
		to[i] = gated(x, gates[i/8]>>(i%8))
	}
}

// gated is x if the lowest bit of gate is set, else 0.
func gated(x uint16, gate byte) uint16 { return x & -uint16(gate&1) }

func packBF16Generic(step, src *uint16, stride int) {
	to := (*[BF16Step]uint16)(unsafe.Pointer(step))
	for p := range 32 {
		for j, x := range unsafe.Slice((*uint16)(unsafe.Add(unsafe.Pointer(src), 2*p*stride)), 32) {
			to[BF16Index(p, j)] = x
		}
	}
}

func transposeBF16Generic(dst, step *uint16) {
	to, from := (*[BF16Step]uint16)(unsafe.Pointer(dst)), (*[BF16Step]uint16)(unsafe.Pointer(step))
	for j := range 32 {
		for p := range 32 {
			to[32*j+p] = from[BF16Index(p, j)]
		}
	}
}

// RoundBF16 computes one value of BF16Kernels.Round.
func RoundBF16(x float32) uint16 {
	u := math.Float32bits(x)
	switch exponent := u >> 23 & 0xff; {
	case exponent == 0: // zero, or below 2^-126
		return uint16(u >> 16 & 0x8000)
	case exponent == 0xff && u<<9 != 0: // NaN: quiet, and never rounded to infinity
		return uint16(u>>16 | 0x40)
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

func widen(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }
