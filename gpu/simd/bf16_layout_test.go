package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// newBF16s draws n finite values.
func newBF16s(r *rand.Rand, n int) []uint16 {
	v := make([]uint16, n)
	for i := range v {
		v[i] = RoundBF16(float32(r.NormFloat64()))
	}
	return v
}

// canaries are n values that no routine may write, and n more after them.
func canaries(n int) []uint16 {
	v := make([]uint16, 2*n)
	for i := range v {
		v[i] = bf16NaN
	}
	return v
}

func TestBF16Residue(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(41, 42))
		for _, n := range []int{16, 48, 112} {
			src := make([]float32, n)
			for i := range src {
				src[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(40)-20)))
			}
			rounded, dst := make([]uint16, n), canaries(n)
			k.Round(&rounded[0], &src[0], n)
			k.Residue(&dst[0], &src[0], &rounded[0], n)
			for i, x := range src {
				rest := float64(x) - wide64(rounded[i])
				if got := wide64(dst[i]); got != nearestBF16(rest) {
					t.Fatalf("%g rounded to %g leaves %g, want %g", x, wide64(rounded[i]), got, nearestBF16(rest))
				}
				if dst[n+i] != bf16NaN {
					t.Fatal("Residue wrote beyond its values")
				}
			}
			k.Residue(&rounded[0], &src[0], &rounded[0], n)
			for i := range rounded {
				if rounded[i] != dst[i] {
					t.Fatalf("value %d differs where the errors replace the rounded values", i)
				}
			}
		}
	})
}

func TestBF16RoundGated(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(43, 44))
		for _, rows := range []int{1, 2, 7} {
			for _, gateStride := range []int{0, 4, 9} {
				stride := 32 + r.IntN(9)
				src, gate := make([]float32, 32*rows), make([]byte, gateStride*(rows-1)+4)
				for i := range src {
					src[i] = float32(r.NormFloat64())
				}
				for i := range gate {
					gate[i] = byte(r.Uint32())
				}
				dst := canaries(rows * stride)
				k.RoundGated(&dst[0], stride, &src[0], &gate[0], gateStride, rows)
				for i, got := range dst {
					row, j := i/stride, i%stride
					want := uint16(bf16NaN)
					if row < rows && j < 32 {
						want = 0
						if gate[row*gateStride+j/8]>>(j%8)&1 != 0 {
							want = RoundBF16(src[row*32+j])
						}
					}
					if got != want {
						t.Fatalf("%d rows, strides %d and %d: value %d of row %d is %#x, want %#x", rows, stride, gateStride, j, row, got, want)
					}
				}
			}
		}
	})
}

func TestBF16Activate(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(49, 50))
		for _, rows := range []int{1, 2, 7} {
			stride, signStride := 32+r.IntN(9), 4+r.IntN(5)
			sums, bias := make([]float32, 32*(rows+1)), make([]float32, 32)
			for i := range sums {
				sums[i] = float32(r.NormFloat64())
			}
			for i := range bias {
				bias[i] = float32(r.NormFloat64())
			}
			sums[3], sums[40%(32*rows)] = float32(math.NaN()), -bias[8]
			before := append([]float32(nil), sums...)
			dst, signs := canaries(rows*stride), make([]byte, rows*signStride+signStride)
			k.Activate(&sums[0], &bias[0], &dst[0], stride, &signs[0], signStride, rows)
			for i, got := range dst {
				row, j := i/stride, i%stride
				if row >= rows || j >= 32 {
					if got != bf16NaN {
						t.Fatal("Activate wrote beyond its rows")
					}
					continue
				}
				v := before[32*row+j] + bias[j]
				positive := signs[row*signStride+j/8]>>(j%8)&1 != 0
				if v != v {
					if wide64(got) == wide64(got) || sums[32*row+j] == sums[32*row+j] || positive {
						t.Fatalf("%d rows: NaN was lost, or counts as positive", rows)
					}
					continue
				}
				want := max(v, 0)
				if sums[32*row+j] != want || got != RoundBF16(want) || positive != (want > 0) {
					t.Fatalf("%d rows: %g became %g, rounded %#x, positive %v", rows, v, sums[32*row+j], got, positive)
				}
			}
			for i, b := range signs {
				if (i%signStride >= 4 || i/signStride >= rows) && b != 0 {
					t.Fatal("Activate wrote beyond its signs")
				}
			}
			for j := range 32 {
				if sums[32*rows+j] != before[32*rows+j] {
					t.Fatal("Activate changed sums beyond its rows")
				}
			}
		}
	})
}

func TestBF16Keep(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(45, 46))
		for _, n := range []int{32, 96, 544} {
			src, bits, dst := newBF16s(r, n), make([]byte, n/8), canaries(n)
			for i := range bits {
				bits[i] = byte(r.Uint32())
			}
			k.Keep(&dst[0], &src[0], &bits[0], n)
			for i, x := range src {
				if bits[i/8]>>(i%8)&1 == 0 {
					x = 0
				}
				if dst[i] != x || dst[n+i] != bf16NaN {
					t.Fatalf("of %d values, value %d is %#x and that %d further %#x; want %#x and %#x", n, i, dst[i], n, dst[n+i], x, bf16NaN)
				}
			}
		}
	})
}

// TestBF16Gram multiplies rows by themselves: packed rows are Mul's b, transposed ones
// its a, so Mul computes the Gram matrix of their columns.
func TestBF16Gram(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(47, 48))
		for _, steps := range []int{1, 3} {
			stride := 32 + r.IntN(9)
			src, step, turned := newBF16s(r, 32*steps*stride), canaries(steps*BF16Step), canaries(steps*BF16Step)
			offsets := make([]int, steps)
			for s := range steps {
				offsets[s] = s * BF16Step
				k.Pack(&step[s*BF16Step], &src[32*s*stride], stride)
				k.Transpose(&turned[s*BF16Step], &step[s*BF16Step])
			}
			for i := range 32 * 32 * steps {
				s, p, j := i/1024, i/32%32, i%32
				x := src[(32*s+p)*stride+j]
				if at := s*BF16Step + BF16Index(p, j); step[at] != x {
					t.Fatalf("packed input %d of output %d is %#x, want %#x", p, j, step[at], x)
				}
				if at := s*BF16Step + 32*j + p; turned[at] != x {
					t.Fatalf("transposed input %d of output %d is %#x, want %#x", p, j, turned[at], x)
				}
			}
			for i := range steps * BF16Step {
				if step[steps*BF16Step+i] != bf16NaN || turned[steps*BF16Step+i] != bf16NaN {
					t.Fatal("written beyond the step")
				}
			}
			c := make([]float32, 32*32)
			k.Mul(32, &turned[0], 32, &offsets[0], steps, &step[0], &c[0], 32, false)
			for i := range 32 {
				for j := range 32 {
					if err := gramError(src, stride, i, j, c[32*i+j]); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

// gramError compares one product of columns i and j of rows with float64.
func gramError(src []uint16, stride, i, j int, got float32) error {
	want, size := 0.0, 0.0
	for row := 0; row+stride <= len(src); row += stride {
		x := wide64(src[row+i]) * wide64(src[row+j])
		want += x
		size += math.Abs(x)
	}
	if !near(got, want, size) {
		return fmt.Errorf("columns %d and %d: %g, want %g", i, j, got, want)
	}
	return nil
}
