// Package simd holds the micro-kernels of the CPU backend: the routines that take most
// of its time. Each is written in Go and in assembly for AVX2+FMA, AVX-512 or NEON.
// They work on float32 in memory and have no notion of layers or arrays. The package
// imports nothing of Impasto.
//
// A Kernels value is one implementation of all of them. The routines are
// single-threaded and keep no state. A call takes well under 100 us on usual sizes,
// because Go cannot preempt assembly. Pointers are raw, because they are passed to
// assembly. Callers guarantee the extents that each routine states.
package simd

import (
	"os"
	"unsafe"
)

// Kernels is one implementation of every routine.
type Kernels struct {
	Name string // "generic", "avx2", "avx512" or "neon"

	// NR is the number of columns of a panel, the B operand of Gemm: a k x NR
	// matrix with contiguous rows.
	NR int

	// Gemm computes C = A*B, or C += A*B if acc, for one panel B (k x NR), A
	// (m x k) with element (i, p) at a[i*ars + p*acs], and C (m x NR) with rows
	// crs apart. m and k are at least 1. next are n floats that the
	// next call will read and that this one may fetch into the cache meanwhile.
	Gemm func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, next *float32, n int)

	// WinoIn transforms a 6x6 patch: px points at channel 0 of its pixels, row by
	// row; channels off to off+n-1 go to dst[plane*i + channel-off], i < 36. n
	// and off are multiples of 16.
	WinoIn func(px *[36]*float32, off int, dst *float32, plane, n int)

	// WinoFilter transforms n inputs' 3x3 taps for NR outputs, src (n, 9, NR), at
	// one of the six row points, to dst[plane*j + NR*input + output], j < 6.
	WinoFilter func(src, dst *float32, plane, n, row int)

	// WinoOut finishes a tile forward: from src[plane*i + channel], i < 36, for
	// n channels (a multiple of 16) it stores max(0, y+bias) off channels after
	// the tile's pixels, and the signs bits channels (a multiple of 16) after
	// the tile's sign bits. bias points at the first of the n.
	WinoOut func(src *float32, plane int, tile *Tile, off, bits, n int, bias *float32)

	// WinoBack finishes a tile backward: it adds what the pixels hold if add,
	// and zeroes where the sign bit is clear if gate. Without gate the bits
	// need only be readable.
	WinoBack func(src *float32, plane int, tile *Tile, off, bits, n int, add, gate bool)

	// PoolMax pools n channels (a multiple of 16) of a tile's four windows, off
	// channels after its pixels. It stores the largest times scale pool channels after
	// the pooled values, and which pixel was the largest bits channels after the winner
	// bits. Of equals the first wins; NaN wins. PoolAvg stores the mean times scale.
	PoolMax func(t *Tile, off, pool, bits, n int, scale float32)
	PoolAvg func(t *Tile, off, pool, n int, scale float32)

	// Unpool gathers 16 channels of a gradient's 6x6 patch into dst (36, 16):
	// scale times the window's gradient where the sign is set and the pixel won
	// its window (avg: all do), else zero. dy, sign and arg are offsets in
	// channels; sign and arg are multiples of 16.
	Unpool func(dst *float32, u *Unpool, dy, sign, arg int, avg bool)

	// ReLU replaces n values (a multiple of 16) by max(0, v); NaN stays NaN. Unless
	// sign is nil, it stores in the bits of sign which are positive.
	ReLU func(x *float32, sign *byte, n int)

	// Diag3 scores count patches against a row of n (a multiple of 16):
	//
	//	out[i] = max over u < n of bias[u] + inv[u] * sum over r, d < 3 of s[r][i*step + u + d*(ld+1)]
	//
	// NaN never wins; where all are NaN the result is minus infinity.
	Diag3 func(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)

	// FMA runs about n flop of independent multiply-adds in registers, for
	// measuring the peak, and returns how many it ran.
	FMA func(n int) int
}

// All returns the implementations that this machine can run, plainest first.
func All() []*Kernels { return append([]*Kernels{generic}, native()...) }

// Best returns the fastest implementation that this machine can run, or the
// one that the environment variable IMPASTO_SIMD names. If it names one of the
// BF16Kernels, that is the fastest. With a name that this machine cannot run it
// returns an error and the plainest.
func Best() (*Kernels, error) {
	all := All()
	name := os.Getenv("IMPASTO_SIMD")
	if name == "" {
		return all[len(all)-1], nil
	}
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
	}
	for _, k := range nativeBF16() {
		if k.Name == name {
			return all[len(all)-1], nil
		}
	}
	return generic, unknown(name)
}

// at returns &p[i].
func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), i*4)) }

// flag returns b as a parameter of assembly.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
