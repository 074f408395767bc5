package gpu

import (
	"testing"
)

func TestContentLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, s := range []Shape{{1, 1, 1}, {2, 3, 5}, {3, 7, 3}, {13, 17, 33}, {40, 40, 16}} {
			f, target := random(30, s.Len(), 3), random(31, s.Len(), 3)
			before := random(32, s.Len(), 1)
			const coef = 0.37
			loss := func(f []float64) float64 {
				v := 0.0
				for i := range f {
					d := f[i] - float64(target[i])
					v += d * d
				}
				return coef * v
			}
			want := make([]float64, s.Len())
			for i := range want {
				want[i] = float64(before[i]) + 2*coef*(float64(f[i])-float64(target[i]))
			}
			dx := upload(b, s, before)
			b.ContentLoss(dx, upload(b, s, f), upload(b, s, target), coef, 5)
			near(t, b, "gradient", download(b, dx), want, 1e-5, 1e-5)
			near(t, b, "loss", []float64{lossOf(b, 5)}, []float64{loss(wide(f))}, 0, 1e-6)
			b.ContentLoss(nil, upload(b, s, target), upload(b, s, target), coef, 5)
			if v := lossOf(b, 5); v != 0 {
				t.Errorf("loss of equal features is %g", v)
			}
		}
	})
}

// TestContentLossOfParts: on the processor the losses of an image's parts, in
// any order, add up to the whole's to the last bit.
func TestContentLossOfParts(t *testing.T) {
	b := NewCPU(CPUOptions{})
	s := Shape{37, 53, 24}
	f, target := upload(b, s, random(33, s.Len(), 3)), upload(b, s, random(34, s.Len(), 3))
	const coef = 0.37
	b.ContentLoss(nil, f, target, coef, 0)
	for _, size := range []int{1, 5, 16, 40} {
		b.status.Loss[1] = 0
		for y := (s.H - 1) / size * size; y >= 0; y -= size {
			for x := 0; x < s.W; x += size {
				part := Shape{min(size, s.H-y), min(size, s.W-x), s.C}
				g, want := b.NewArray(part), b.NewArray(part)
				b.CopyWindow(g, f, y, x)
				b.CopyWindow(want, target, y, x)
				b.ContentLoss(nil, g, want, coef, 2)
				b.MoveLoss(1, 2)
				b.Free(g, want)
			}
		}
		if got, want := b.Loss(1), b.Loss(0); got != want {
			t.Errorf("parts of %d x %d pixels: %.17g, want %.17g", size, size, got, want)
		}
	}
}
