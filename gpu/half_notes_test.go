package gpu

import (
	"math"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// TestHalfLossNotes: every loss that begins a gradient multiplies it by the scale of
// gradients and records its largest value.
func TestHalfLossNotes(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		s := Shape{5, 7, 40}
		f, y, dx := upload(b, s, random(590, s.Len(), 1)), upload(b, s, random(591, s.Len(), 1)), b.NewArray(s)
		m := b.NewMatches(Shape{3, 5, 1})
		b.UploadMatches(m, make([]int32, 15), make([]float32, 15))
		photo := b.NewSelfSimilarity(y, everyNth(s, 2))
		for what, begin := range map[string]func(){
			"content":         func() { b.ContentLoss(dx, f, y, 0.5, 0) },
			"cosine":          func() { b.CosineLoss(dx, f, y, 64, 0) },
			"patches":         func() { b.PatchLoss(dx, f, m, []PatchSource{{F: y, Stride: 1}}, PatchOptions{}, 0.5, 0) },
			"self-similarity": func() { b.SelfSimLoss(dx, f, photo, 1024, 0) },
			"normalised":      func() { b.AddNormalized(dx, 64, f) },
		} {
			b.Fill(dx, 0)
			b.setScale(halfUnit * halfUnit)
			begin()
			want := wide(download(b, dx))
			notes(t, b, what, dx)
			for i := range want {
				want[i] *= 16
			}
			b.Fill(dx, 0)
			b.setScale(16 * halfUnit * halfUnit)
			begin()
			if e := testutil.RelL2(download(b, dx), want); !(e <= 2e-3) {
				t.Errorf("%s: with 16 times the scale the gradient is off by %.2g from 16 times as much", what, e)
			}
			b.setScale(halfUnit * halfUnit)
		}
	})
}

// TestHalfNormFloor: the 1e-8 added to a norm is scaled like the gradients.
func TestHalfNormFloor(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		s := Shape{1, 1, 8}
		b.setScale(1 << 32)
		gain, _, _ := scaleOf(b)
		x := []float32{0.5, -0.25, 0.125, 0, 0, 0.5, 0, 0.25}
		norm, want := 0.0, make([]float64, len(x))
		for _, v := range x {
			norm += math.Abs(float64(v)) / halfUnit
		}
		for i, v := range x {
			want[i] = 1e-5 * halfUnit * float64(gain) * float64(v) / (norm + 1e-8*float64(gain))
		}
		dst := b.NewArray(s)
		b.AddNormalized(dst, 1e-5, upload(b, s, x))
		if most := largest(want); most > 1e5 || 1e-8*float64(gain) < norm/10 {
			t.Fatalf("the case does not test what it is for: %g of %g, largest %g", 1e-8*gain, norm, most)
		}
		near(t, b, "normalised", download(b, dst), want, 0, 0)
	})
}
