package simd

import "golang.org/x/sys/cpu"

//go:noescape
func gemmAVX2(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int)

//go:noescape
func gemmAVX512(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int)

func peakAVX2(n int)
func peakAVX512(n int)

// native returns the assembly implementations that this processor can run.
func native() []*Kernels {
	var ks []*Kernels
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	ks = append(ks, &avx2)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		ks = append(ks, &avx512)
	}
	return ks
}

var avx2 = Kernels{
	Name: "avx2",
	NR:   16,
	Gemm: func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool) {
		gemmAVX2(m, k, a, ars*4, acs*4, b, c, crs*4, flag(acc))
	},
	FMA: func(n int) int { peakAVX2(n/192 + 1); return (n/192 + 1) * 192 },
}

var avx512 = Kernels{
	Name: "avx512",
	NR:   32,
	Gemm: func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool) {
		gemmAVX512(m, k, a, ars*4, acs*4, b, c, crs*4, flag(acc))
	},
	FMA: func(n int) int { peakAVX512(n/384 + 1); return (n/384 + 1) * 384 },
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
