package gpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// features are like a layer's after ReLU: half of them zero, neighbours alike.
func features(seed uint64, s Shape) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, s.Len())
	for i := range v {
		v[i] = float32(r.NormFloat64())
		if i >= s.C {
			v[i] = 0.6*v[i-s.C] + 0.8*v[i]
		}
	}
	for i := range v {
		v[i] = max(0, v[i])
	}
	return v
}

// nearlyTwice makes the right half of a painting the left one, each value off by about
// so much of it: patches whose scores differ by less than binary16 can tell.
func nearlyTwice(f []float32, s Shape, off float64) []float32 {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range f {
		if x := i / s.C % s.W; x >= (s.W+1)/2 {
			f[i] = f[i-(s.W+1)/2*s.C] * float32(1+off*r.NormFloat64())
		}
	}
	return f
}

// TestHalfMatchMargins compares the matches of half precision with those of float64,
// which sees the features before they are rounded. Where they differ, the two best
// scores must be closer than rounding both operands of a product to binary16 can move
// them apart, 2^-10 of the score. With -v it prints how many of each kind there are.
func TestHalfMatchMargins(t *testing.T) {
	const rounding = 0x1p-10
	cases := []struct {
		x, f Shape
		norm MatchNorm
		off  float64
		want [][]float64
	}{
		{x: Shape{7, 11, 512}, f: Shape{9, 7, 512}, norm: PatchNorm}, {x: Shape{5, 35, 512}, f: Shape{5, 33, 512}, norm: PatchNorm, off: 1e-4},
		{x: Shape{17, 19, 72}, f: Shape{11, 15, 72}, norm: NoNorm}, {x: Shape{13, 9, 40}, f: Shape{7, 71, 40}, norm: PatchNorm, off: 1e-3},
	}
	onHalf(t, func(t *testing.T, b *Device) {
		same, close, far := 0, 0, 0
		widest, decided := 0.0, math.Inf(1)
		for n := range cases {
			c := &cases[n]
			x, f := features(uint64(2*n), c.x), features(uint64(2*n+1), c.f)
			if c.off > 0 {
				f = nearlyTwice(f, c.f, c.off)
			}
			o := BankOptions{Size: 3, Stride: 1, Norm: c.norm}
			if c.want == nil { // the same under each order
				c.want = refMatch(x, f, c.x, c.f, o, 1, nil)
			}
			bank := b.NewBank(upload(b, c.f, f), o)
			m := b.NewMatches(bank.MatchGrid(c.x, 1))
			b.Match(m, upload(b, c.x, x), bank, MatchOptions{})
			index, score := make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
			b.DownloadMatches(index, score, m)
			for p, row := range c.want {
				best := 0
				for q, v := range row {
					if v > row[best] {
						best = q
					}
				}
				second := math.Inf(-1)
				for q, v := range row {
					if q != best {
						second = max(second, v)
					}
				}
				lost := (row[best] - row[index[p]]) / row[best]
				switch margin := (row[best] - second) / row[best]; {
				case int(index[p]) == best:
					same++
					decided = min(decided, margin)
				case margin < rounding && lost < rounding:
					close++
					widest = max(widest, margin)
				default:
					far++
					t.Errorf("%v in %v: patch %d matches %d, want %d, which is better by %.2g of its score", c.x, c.f, p, index[p], best, lost)
				}
			}
		}
		t.Logf("%d matches are float64's, the closest by a margin of %.1e; %d are not, where the margin is below %.1e (at most %.1e); %d are not elsewhere",
			same, decided, close, rounding, widest, far)
		if close == 0 || decided > rounding {
			t.Error("no two scores are close enough to tell anything")
		}
	})
}
