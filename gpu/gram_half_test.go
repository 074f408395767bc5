package gpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/testutil"
)

// onBF16 runs f for each implementation of products, and with one thread and three,
// whose results must have the same bytes.
func onBF16(t *testing.T, f func(t *testing.T, b *CPU) []float32) {
	for _, k := range simd.AllBF16() {
		t.Run(k.Name, func(t *testing.T) {
			var first []float32
			for _, threads := range []int{1, 3} {
				b := newHalfCPU(threads, k)
				got := f(t, b)
				b.Close()
				if first != nil && !equal32(got, first) {
					t.Errorf("other bytes with %d threads", threads)
				}
				first = got
			}
		})
	}
}

// TestHalfGramIsExact: Gram matrices of stored features are as near to float64 as those
// of single precision. Images are of whole cells, of parts of cells, and of rows that do
// not end where 32 positions do.
func TestHalfGramIsExact(t *testing.T) {
	onBF16(t, func(t *testing.T, b *CPU) (all []float32) {
		for _, s := range []Shape{{64, 128, 32}, {70, 93, 40}, {5, 7, 8}, {33, 65, 160}, {3, 200, 72}} {
			x := upload(b, s, relu(random(90, s.Len(), 1)))
			g := b.NewArray(Matrix(s.C))
			b.Gram(g, x, 1)
			got := download(b, g)
			want := refGram(wide(download(b, x)), s.C, 1)
			for i := range s.C {
				for j := range s.C {
					size := math.Sqrt(want[i*s.C+i] * want[j*s.C+j])
					if e := math.Abs(float64(got[i*s.C+j]) - want[i*s.C+j]); !(e <= 1e-5*size) {
						t.Fatalf("%v: product of channels %d and %d is %g, want %g", s, i, j, got[i*s.C+j], want[i*s.C+j])
					}
				}
			}
			all = append(all, got...)
		}
		return all
	})
}

// TestHalfStyleGradRoundsOnce: the gradient of a style loss is that of the stored
// features and the whole matrix, rounded.
func TestHalfStyleGradRoundsOnce(t *testing.T) {
	onBF16(t, func(t *testing.T, b *CPU) (all []float32) {
		for _, s := range []Shape{{9, 33, 64}, {1, 1, 8}, {20, 17, 104}, {3, 5, 512}} {
			x, shift := upload(b, s, relu(random(91, s.Len(), 1))), random(92, s.C, 1)
			d := symmetric(93, s.C, 0.1)
			before := upload(b, s, random(94, s.Len(), 1))
			want := refStyleGrad(wide(download(b, x)), wide(d), wide(shift), s.C)
			off := 0
			for i, v := range download(b, before) {
				want[i] += float64(v)
			}
			b.StyleGrad(before, x, upload(b, Matrix(s.C), d), upload(b, Vector(s.C), shift))
			got := download(b, before)
			for i, v := range want {
				if got[i] != math.Float32frombits(uint32(simd.RoundBF16(float32(v)))<<16) {
					off++
				}
			}
			what := fmt.Sprintf("%v: %d of %d values are not the exact ones rounded", s, off, len(want))
			if e := testutil.RelL2(got, want); off > 1+len(want)/50 || !(e < 2.5e-3) {
				t.Errorf("%s; relative error %.2g", what, e)
			}
			t.Log(what)
			all = append(all, got...)
		}
		return all
	})
}
