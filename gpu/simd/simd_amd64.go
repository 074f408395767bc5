package simd

import "golang.org/x/sys/cpu"

//go:noescape
func gemmAVX2(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int, next *float32, ahead int)

//go:noescape
func gemmAVX512(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int, next *float32, ahead int)

//go:noescape
func winoInAVX2(px *[36]*float32, off int, dst *float32, plane, n16 int)

//go:noescape
func winoFilterAVX2(src, dst *float32, plane, n int, row *[3]float32)

//go:noescape
func winoOutAVX2(src *float32, plane int, tile *Tile, off, bits, n8 int, bias *float32)

//go:noescape
func winoBackAVX2(src *float32, plane int, tile *Tile, off, bits, n8 int, add, gate int)

//go:noescape
func winoInAVX512(px *[36]*float32, off int, dst *float32, plane, n16 int)

//go:noescape
func winoFilterAVX512(src, dst *float32, plane, n int, row *[3]float32)

//go:noescape
func winoOutAVX512(src *float32, plane int, tile *Tile, off, bits, n16 int, bias *float32)

//go:noescape
func winoBackAVX512(src *float32, plane int, tile *Tile, off, bits, n16 int, add, gate int)

//go:noescape
func poolMaxAVX2(t *Tile, off, pool, bits, n8 int, scale float32)

//go:noescape
func poolAvgAVX2(t *Tile, off, pool, n8 int, scale float32)

//go:noescape
func unpoolAVX2(dst *float32, u *Unpool, dy, sign, arg, avg int)

//go:noescape
func poolMaxAVX512(t *Tile, off, pool, bits, n16 int, scale float32)

//go:noescape
func poolAvgAVX512(t *Tile, off, pool, n16 int, scale float32)

//go:noescape
func unpoolAVX512(dst *float32, u *Unpool, dy, sign, arg, avg int)

//go:noescape
func reluAVX2(x *float32, sign *byte, n16 int)

//go:noescape
func reluAVX512(x *float32, sign *byte, n16 int)

//go:noescape
func diag3AVX2(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)

//go:noescape
func diag3AVX512(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)

func peakAVX2(n int)
func peakAVX512(n int)

// native returns the assembly implementations that this processor can run.
func native() []*Kernels {
	var ks []*Kernels
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	ks = append(ks, &avx2)
	if hasAVX512() {
		ks = append(ks, &avx512)
	}
	return ks
}

func hasAVX512() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
}

var avx2 = Kernels{
	Name: "avx2",
	NR:   16,
	Gemm: func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, next *float32, n int) {
		gemmAVX2(m, k, a, ars*4, acs*4, b, c, crs*4, flag(acc), next, stride(n, k*((m+5)/6)))
	},
	WinoIn: func(px *[36]*float32, off int, dst *float32, plane, n int) {
		winoInAVX2(px, off*4, dst, plane*4, n/16)
	},
	WinoFilter: func(src, dst *float32, plane, n, row int) {
		winoFilterAVX2(src, dst, plane*4, n, &winoRow[row])
	},
	WinoOut: func(src *float32, plane int, tile *Tile, off, bits, n int, bias *float32) {
		winoOutAVX2(src, plane*4, tile, off*4, bits/8, n/8, bias)
	},
	WinoBack: func(src *float32, plane int, tile *Tile, off, bits, n int, add, gate bool) {
		winoBackAVX2(src, plane*4, tile, off*4, bits/8, n/8, flag(add), flag(gate))
	},
	PoolMax: func(t *Tile, off, pool, bits, n int, scale float32) {
		poolMaxAVX2(t, off*4, pool*4, bits/8, n/8, scale)
	},
	PoolAvg: func(t *Tile, off, pool, n int, scale float32) {
		poolAvgAVX2(t, off*4, pool*4, n/8, scale/4)
	},
	Unpool: func(dst *float32, u *Unpool, dy, sign, arg int, avg bool) {
		unpoolAVX2(dst, u, dy*4, sign/8, arg/8, flag(avg))
	},
	ReLU:  func(x *float32, sign *byte, n int) { reluAVX2(x, sign, n/16) },
	Diag3: diag3AVX2,
	FMA:   func(n int) int { peakAVX2(n/192 + 1); return (n/192 + 1) * 192 },
}

var avx512 = Kernels{
	Name: "avx512",
	NR:   32,
	Gemm: func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, next *float32, n int) {
		gemmAVX512(m, k, a, ars*4, acs*4, b, c, crs*4, flag(acc), next, stride(n, k*((m+11)/12)))
	},
	WinoIn: func(px *[36]*float32, off int, dst *float32, plane, n int) {
		winoInAVX512(px, off*4, dst, plane*4, n/16)
	},
	WinoFilter: func(src, dst *float32, plane, n, row int) {
		winoFilterAVX512(src, dst, plane*4, n, &winoRow[row])
	},
	WinoOut: func(src *float32, plane int, tile *Tile, off, bits, n int, bias *float32) {
		winoOutAVX512(src, plane*4, tile, off*4, bits/8, n/16, bias)
	},
	WinoBack: func(src *float32, plane int, tile *Tile, off, bits, n int, add, gate bool) {
		winoBackAVX512(src, plane*4, tile, off*4, bits/8, n/16, flag(add), flag(gate))
	},
	PoolMax: func(t *Tile, off, pool, bits, n int, scale float32) {
		poolMaxAVX512(t, off*4, pool*4, bits/8, n/16, scale)
	},
	PoolAvg: func(t *Tile, off, pool, n int, scale float32) {
		poolAvgAVX512(t, off*4, pool*4, n/16, scale/4)
	},
	Unpool: func(dst *float32, u *Unpool, dy, sign, arg int, avg bool) {
		unpoolAVX512(dst, u, dy*4, sign/8, arg/8, flag(avg))
	},
	ReLU:  func(x *float32, sign *byte, n int) { reluAVX512(x, sign, n/16) },
	Diag3: diag3AVX512,
	FMA:   func(n int) int { peakAVX512(n/384 + 1); return (n/384 + 1) * 384 },
}

// stride returns the bytes of each of the steps that cover n floats.
func stride(n, steps int) int { return (n*4 + steps - 1) / steps }
