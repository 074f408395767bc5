package simd

// The routines on whole vectors are limited by memory. So one assembly form, for AVX2,
// serves every processor that has it.

// Dots returns the dot products of v with each of a, b and c, all of v's length, in
// float64. It reads v once.
func (k *Kernels) Dots(v, a, b, c []float32) (va, vb, vc float64) {
	a, b, c = a[:len(v)], b[:len(v)], c[:len(v)]
	n := 0
	if k != generic {
		va, vb, vc, n = dotsNative(v, a, b, c)
	}
	for i := n; i < len(v); i++ {
		e := float64(v[i])
		va += e * float64(a[i])
		vb += e * float64(b[i])
		vc += e * float64(c[i])
	}
	return va, vb, vc
}

// Axpy adds s*x to dst, of the same length.
func (k *Kernels) Axpy(dst []float32, s float32, x []float32) {
	x = x[:len(dst)]
	n := 0
	if k != generic {
		n = axpyNative(dst, s, x)
	}
	for i := n; i < len(dst); i++ {
		dst[i] += s * x[i]
	}
}
