package simd

// nativeBF16 returns the assembly implementations that this processor can run.
func nativeBF16() []*BF16Kernels { return nil }
