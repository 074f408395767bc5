//go:build !amd64 && !arm64

package simd

func dotsNative(v, a, b, c []float32) (va, vb, vc float64, n int) { return 0, 0, 0, 0 }
func axpyNative(dst []float32, s float32, x []float32) (n int)    { return 0 }
