package simd

import "golang.org/x/sys/cpu"

//go:noescape
func mulBF16AVX512(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int)

//go:noescape
func roundBF16AVX512(dst *uint16, src *float32, n16 int)

//go:noescape
func widenBF16AVX512(dst *float32, src *uint16, n16 int)

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
	Round: func(dst *uint16, src *float32, n int) { roundBF16AVX512(dst, src, n/16) },
	Widen: func(dst *float32, src *uint16, n int) { widenBF16AVX512(dst, src, n/16) },
	FMA:   func(n int) int { peakBF16AVX512(n/768 + 1); return (n/768 + 1) * 768 },
}
