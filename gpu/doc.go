// Package gpu holds arrays and the operations of style transfer on them, behind
// one interface, Backend. An operation has four files: gram.go says what it computes
// (formula, shapes, source) and checks its arguments, gram_cpu.go computes it on the
// processor, gram_device.go launches its CUDA kernels, and gram_test.go compares every
// backend with float64.
//
// The package may import gpu/simd (micro-kernels), cuda and kernels, but never cuda/cu:
// the caller passes a driver to a device backend.
package gpu
