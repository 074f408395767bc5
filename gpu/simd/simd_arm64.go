package simd

//go:noescape
func gemmNEON(k int, a *float32, ars, acs int, b, c *float32, crs, acc int)

// native returns the NEON implementation, which every arm64 processor runs:
// products in assembly, the rest in Go.
func native() []*Kernels {
	neon := *generic
	neon.Name = "neon"
	neon.Gemm = func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, next *float32, n int) {
		const rows = 6
		add := 0
		if acc {
			add = 1
		}
		i := 0
		for ; i+rows <= m; i += rows {
			gemmNEON(k, at(a, i*ars), ars*4, acs*4, b, at(c, i*crs), crs*4, add)
		}
		if i < m {
			gemmGeneric(m-i, k, at(a, i*ars), ars, acs, b, at(c, i*crs), crs, acc, next, n)
		}
	}
	return []*Kernels{&neon}
}
