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
