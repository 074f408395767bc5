package simd

//go:noescape
func dotsNEON(v, a, b, c *float32, n4 int, out *[3]float64)

//go:noescape
func axpyNEON(dst *float32, s float32, x *float32, n4 int)

// dotsNative handles the first n elements, a multiple of four.
func dotsNative(v, a, b, c []float32) (va, vb, vc float64, n int) {
	if n = len(v) &^ 3; n > 0 {
		var out [3]float64
		dotsNEON(&v[0], &a[0], &b[0], &c[0], n/4, &out)
		va, vb, vc = out[0], out[1], out[2]
	}
	return va, vb, vc, n
}

// axpyNative handles the first n elements, a multiple of four.
func axpyNative(dst []float32, s float32, x []float32) (n int) {
	if n = len(dst) &^ 3; n > 0 {
		axpyNEON(&dst[0], s, &x[0], n/4)
	}
	return n
}
