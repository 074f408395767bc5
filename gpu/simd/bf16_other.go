//go:build !amd64

package simd

func nativeBF16() []*BF16Kernels { return nil }
