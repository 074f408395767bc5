// Package gpu holds arrays and the operations of style transfer on them, behind
// one seam, Backend. One operation is one stem: gram.go says what it computes
// (formula, shapes, source) and checks its arguments, gram_cpu.go computes it
// in Go, gram_test.go holds the float64 reference every backend must meet.
//
// The package may import gpu/simd (micro-kernels), cuda and kernels, never
// cuda/cu: a device backend is handed its driver.
package gpu
