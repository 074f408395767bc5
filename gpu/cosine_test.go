package gpu

import (
	"fmt"
	"math"
	"testing"
)

// refCosineLoss is the sum of 1 - cos over positions of x, t (n, c).
func refCosineLoss(x, t []float64, c int) float64 {
	loss := 0.0
	for p := 0; p < len(x); p += c {
		var xx, tt, xt float64
		for i := p; i < p+c; i++ {
			xx, tt, xt = xx+x[i]*x[i], tt+t[i]*t[i], xt+x[i]*t[i]
		}
		cos := 0.0
		if xx > 0 && tt > 0 {
			cos = xt / math.Sqrt(xx*tt)
		}
		loss += 1 - cos
	}
	return loss
}

func TestCosineLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		cases := []Shape{{1, 1, 8}, {3, 5, 8}, {7, 5, 72}, {2, 2, 264}, {9, 1, 40}, {5, 3, 16}}
		for _, i := range share(b, len(cases)) {
			s := cases[i]
			const coef = 0.7
			x, target := relu(random(310, s.Len(), 2)), relu(random(311, s.Len(), 1))
			if s.Pixels() > 4 { // a position without a direction on either side
				clear(x[:s.C])
				clear(target[s.C : 2*s.C])
			}
			f, of, dx := upload(b, s, x), upload(b, s, target), b.NewArray(s)
			b.Fill(dx, 9)
			b.CosineLoss(dx, f, of, coef, 5)
			loss := func(x []float64) float64 { return coef * refCosineLoss(x, wide(target), s.C) }
			near(t, b, fmt.Sprint(s, " loss"), []float64{lossOf(b, 5)}, []float64{loss(wide(x))}, 1e-6, 2e-6)
			want := slopes(loss, wide(x), 1e-4)
			if s.Pixels() > 4 {
				clear(want[:2*s.C])
			}
			near(t, b, fmt.Sprint(s, " gradient"), download(b, dx), want, 1e-5*largest(want), 1e-4)
			b.CosineLoss(nil, f, of, coef, 6)
			if lossOf(b, 6) != lossOf(b, 5) {
				t.Errorf("%v: the value alone is %g, with the gradient %g", s, lossOf(b, 6), lossOf(b, 5))
			}
			b.CosineLoss(f, f, of, coef, 6) // in place
			near(t, b, fmt.Sprint(s, " in place"), download(b, f), wide(download(b, dx)), 0, 0)
		}
	})
}
