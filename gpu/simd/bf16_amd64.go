package simd

import "golang.org/x/sys/cpu"

//go:noescape
func mulBF16AVX512(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int)

//go:noescape
func roundBF16AVX512(dst *uint16, src *float32, n16 int)

//go:noescape
func widenBF16AVX512(dst *float32, src *uint16, n16 int)

//go:noescape
func residueBF16AVX512(dst *uint16, src *float32, rounded *uint16, n16 int)

//go:noescape
func roundGatedBF16AVX512(dst *uint16, stride int, src *float32, gate *byte, gateStride, rows int)

//go:noescape
func activateBF16AVX512(sums, bias *float32, dst *uint16, stride int, sign *byte, signStride, rows int)

//go:noescape
func keepBF16AVX512(dst, src *uint16, bits *byte, n32 int)

//go:noescape
func packBF16AVX512(step, src *uint16, stride int)

//go:noescape
func transposeBF16AVX512(dst, step *uint16)

func peakBF16AVX512(n int)

// nativeBF16 returns the assembly implementations that this processor can run.
func nativeBF16() []*BF16Kernels {
	var ks []*BF16Kernels
	other := genericBF16
	if hasAVX512() && cpu.X86.HasAVX512BF16 {
		other = &avx512BF16
		ks = append(ks, other)
	}
	if AMX() == nil {
		ks = append(ks, newAMX(other))
	}
	return ks
}

var avx512BF16 = BF16Kernels{
	Name: "avx512bf16",
	Mul: func(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs int, acc bool) {
		mulBF16AVX512(m, a, stride*2, offsets, steps, b, c, crs*4, flag(acc))
	},
	Round:   func(dst *uint16, src *float32, n int) { roundBF16AVX512(dst, src, n/16) },
	Widen:   func(dst *float32, src *uint16, n int) { widenBF16AVX512(dst, src, n/16) },
	Residue: func(dst *uint16, src *float32, rounded *uint16, n int) { residueBF16AVX512(dst, src, rounded, n/16) },
	RoundGated: func(dst *uint16, stride int, src *float32, gate *byte, gateStride, rows int) {
		roundGatedBF16AVX512(dst, stride*2, src, gate, gateStride, rows)
	},
	Activate: func(sums, bias *float32, dst *uint16, stride int, sign *byte, signStride, rows int) {
		activateBF16AVX512(sums, bias, dst, stride*2, sign, signStride, rows)
	},
	Keep:      func(dst, src *uint16, bits *byte, n int) { keepBF16AVX512(dst, src, bits, n/32) },
	Pack:      func(step, src *uint16, stride int) { packBF16AVX512(step, src, stride*2) },
	Transpose: transposeBF16AVX512,
	FMA:       func(n int) int { peakBF16AVX512(n/768 + 1); return (n/768 + 1) * 768 },
}
