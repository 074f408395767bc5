package simd

//go:noescape
func dotsAVX2(v, a, b, c *float32, n8 int, out *[3]float64)

//go:noescape
func axpyAVX2(dst *float32, s float32, x *float32, n8 int)

// dotsNative handles the first n elements, a multiple of eight.
func dotsNative(v, a, b, c []float32) (va, vb, vc float64, n int) {
	if n = len(v) &^ 7; n > 0 {
		var out [3]float64
		dotsAVX2(&v[0], &a[0], &b[0], &c[0], n/8, &out)
		va, vb, vc = out[0], out[1], out[2]
	}
	return va, vb, vc, n
}

// axpyNative handles the first n elements, a multiple of eight.
func axpyNative(dst []float32, s float32, x []float32) (n int) {
	if n = len(dst) &^ 7; n > 0 {
		axpyAVX2(&dst[0], s, &x[0], n/8)
	}
	return n
}
