package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// refShares are the shares of distances of features f (., c) at positions, by
// their formula in float64.
func refShares(f []float64, c int, positions []int32) [][]float64 {
	unit := func(p int32) []float64 {
		u, squares := make([]float64, c), 0.0
		for _, v := range f[int(p)*c:][:c] {
			squares += v * v
		}
		for j, v := range f[int(p)*c:][:c] {
			if squares > 0 {
				u[j] = v / math.Sqrt(squares)
			}
		}
		return u
	}
	units, shares := make([][]float64, len(positions)), make([][]float64, len(positions))
	for i, p := range positions {
		units[i] = unit(p)
	}
	for i := range positions {
		shares[i] = make([]float64, len(positions))
		total := 0.0
		for j, other := range units {
			if i == j {
				continue
			}
			cos := 0.0
			for k, v := range units[i] {
				cos += v * other[k]
			}
			if 1-cos >= 1e-5 {
				shares[i][j] = 1 - cos
			}
			total += shares[i][j]
		}
		for j := range positions {
			if total > 0 {
				shares[i][j] /= total
			}
		}
	}
	return shares
}

// refSelfSim is SelfSimLoss with coef 1, by columns as the paper has it.
func refSelfSim(f, photo []float64, c int, positions []int32) float64 {
	return distanceOfShares(refShares(f, c, positions), refShares(photo, c, positions))
}

func distanceOfShares(a, b [][]float64) float64 {
	loss := 0.0
	for column := range a {
		for row := range a {
			loss += math.Abs(a[column][row] - b[column][row])
		}
	}
	return loss / float64(len(a))
}

// every n-th position, first to last.
func everyNth(s Shape, n int) (list []int32) {
	for p := 0; p < s.Pixels(); p += n {
		list = append(list, int32(p))
	}
	return list
}

func TestSelfSimLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []struct {
			s   Shape
			nth int
		}{
			{Shape{1, 1, 8}, 1}, {Shape{1, 2, 4}, 1}, {Shape{3, 5, 8}, 1}, {Shape{5, 7, 20}, 1}, {Shape{6, 7, 68}, 3},
			{Shape{9, 11, 4}, 2}, {Shape{3, 3, 260}, 2}, {Shape{17, 17, 12}, 1},
		} {
			s, positions := c.s, everyNth(c.s, c.nth)
			what := fmt.Sprint(s, " by ", c.nth)
			const coef = 0.7
			feat, y := upload(b, s, relu(random(180, s.Len(), 2))), upload(b, s, relu(random(181, s.Len(), 3)))
			f, photo := download(b, feat), download(b, y) // as they are stored: rounding moves signs
			before := make([]float32, s.Len())
			tolerance := 1e-2
			if !isHalf(b) {
				before, tolerance = random(182, s.Len(), 1), 1e-3
			}
			target := b.NewSelfSimilarity(y, positions)
			dx := upload(b, s, before)
			b.SelfSimLoss(dx, feat, target, coef, 9)
			of := refShares(wide(photo), s.C, positions)
			loss := func(f []float64) float64 { return coef * distanceOfShares(refShares(f, s.C, positions), of) }
			near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{loss(wide(f))}, 1e-6, 1e-5)
			b.SelfSimLoss(nil, feat, target, coef, 10)
			if lossOf(b, 10) != lossOf(b, 9) {
				t.Errorf("%s: the value alone is %g, with the gradient %g", what, lossOf(b, 10), lossOf(b, 9))
			}

			// Along directions in which all features move: an absolute value has a
			// kink where one alone would meet it.
			g := download(b, dx)
			length := 0.0
			for i := range g {
				g[i] -= before[i]
				length += float64(g[i]) * float64(g[i])
			}
			rng := rand.New(rand.NewPCG(6, 6))
			for range 4 {
				direction, got := make([]float64, len(f)), 0.0
				for i := range direction {
					if f[i] > 0 {
						direction[i] = rng.NormFloat64()
					}
					got += direction[i] * float64(g[i])
				}
				at := func(step float64) float64 {
					x := wide(f)
					for i, d := range direction {
						x[i] += step * d
					}
					return loss(x)
				}
				const step = 1e-6
				want := (at(step) - at(-step)) / (2 * step)
				if math.Abs(got-want) > tolerance*math.Sqrt(length)+1e-6 {
					t.Errorf("%s: a slope of %g, want %g (gradient %g)", what, got, want, math.Sqrt(length))
				}
			}
			for p := range s.Pixels() {
				if p%c.nth != 0 && math.Abs(float64(g[p*s.C])) > 1e-6 {
					t.Fatalf("%s: position %d is not looked at and has a gradient", what, p)
				}
			}
			b.FreeSelfSimilarity(target)
			b.Free(feat, dx)
		}
	})
}

// A photograph has no loss and no gradient against itself, nor where brightness
// alone changes; features of zeros and those that are all alike are no numbers
// to divide by.
func TestSelfSimLossOfItself(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{6, 5, 8}
		positions := everyNth(s, 1)
		flat := make([]float32, s.Len())
		for i := range flat {
			flat[i] = float32(1+i%s.C) * 0.25
		}
		gaps := relu(random(183, s.Len(), 3))
		clear(gaps[2*s.C : 4*s.C])
		for name, photo := range map[string][]float32{"noise": relu(random(184, s.Len(), 3)), "one colour": flat, "black": make([]float32, s.Len()), "gaps": gaps} {
			target := b.NewSelfSimilarity(upload(b, s, photo), positions)
			bright := make([]float32, len(photo))
			for i, v := range photo {
				bright[i] = 2 * v
			}
			for _, f := range [][]float32{photo, bright} {
				dx := b.NewArray(s)
				b.SelfSimLoss(dx, upload(b, s, f), target, 1, 3)
				if v := lossOf(b, 3); v != 0 {
					t.Errorf("%s: loss %g", name, v)
				}
				for _, v := range download(b, dx) {
					if v != 0 {
						t.Fatalf("%s: a gradient of %g", name, v)
					}
				}
			}
			dx := b.NewArray(s)
			b.SelfSimLoss(dx, upload(b, s, gaps), target, 1, 3)
			near(t, b, name+" against gaps", []float64{lossOf(b, 3)}, []float64{refSelfSim(wide(gaps), wide(photo), s.C, positions)}, 1e-5, 1e-5)
			for _, v := range download(b, dx) {
				if v-v != 0 {
					t.Fatalf("%s: a gradient of %g", name, v)
				}
			}
		}
	})
}

func TestSelfSimLossChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		f := b.NewArray(Shape{2, 3, 4})
		target := b.NewSelfSimilarity(f, []int32{0, 5})
		for what, call := range map[string]func(){
			"no positions":         func() { b.NewSelfSimilarity(f, nil) },
			"a position outside":   func() { b.NewSelfSimilarity(f, []int32{6}) },
			"a position twice":     func() { b.NewSelfSimilarity(f, []int32{1, 1}) },
			"features of another":  func() { b.SelfSimLoss(nil, b.NewArray(Shape{3, 2, 4}), target, 1, 0) },
			"a slot out of range":  func() { b.SelfSimLoss(nil, f, target, 1, Slots) },
			"a gradient elsewhere": func() { b.SelfSimLoss(b.NewArray(Shape{2, 3, 8}), f, target, 1, 0) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s was taken", what)
					}
				}()
				call()
			}()
		}
	})
}
