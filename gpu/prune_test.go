package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// labelled returns features (not negative) joined to maps of flat regions with
// the given weight, and the maps alone, as style joins them.
func labelled(b Backend, r *rand.Rand, s Shape, labels, k int, weight float64) (joined, alone *Array) {
	f := relu(random(r.Uint64(), s.Len(), 1))
	m := make([]float32, s.Pixels()*labels)
	dx, dy := 1+r.IntN(s.W), 1+r.IntN(s.H)
	for p := range s.Pixels() {
		l := (p%s.W/dx + p/s.W/dy) % labels
		m[p*labels+l] = float32(math.Sqrt(weight) / float64(k))
	}
	am := upload(b, withChannels(s, labels), m)
	joined = b.NewArray(withChannels(s, s.C+labels))
	b.Join(joined, upload(b, s, f), am, 1/float64(k), true)
	return joined, am
}

// TestPruningIsExact: with and without pruning every index and score is the
// same, over several banks, and with few labels much is skipped.
func TestPruningIsExact(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		r := rand.New(rand.NewPCG(51, 52))
		saved := 0.0
		for i := range 40 {
			k := []int{3, 3, 1, 5}[i%4]
			labels, weight, stride := 1+r.IntN(4), []float64{0.2, 2, 10}[r.IntN(3)], 1+r.IntN(2)
			side := func() int { return k + r.IntN(50) }
			xs, c := Shape{side(), side(), 0}, 1+r.IntN(20)
			x, xm := labelled(b, r, withChannels(xs, c), labels, k, weight)
			var banks, alone []*Bank
			for range 1 + r.IntN(2) {
				f, fm := labelled(b, r, Shape{side(), side(), c}, labels, k, weight)
				o := BankOptions{Size: k, Stride: 1 + r.IntN(2), Norm: NoNorm}
				banks, alone = append(banks, b.NewBank(f, o)), append(alone, b.NewBank(fm, o))
			}
			pruned := b.NewPruning(xm, alone, stride, 1)
			g := banks[0].MatchGrid(x.Shape, stride)
			plain, quick := b.NewMatches(g), b.NewMatches(g)
			first := 0
			for j, bank := range banks {
				o := MatchOptions{Stride: stride, First: first, Add: j > 0}
				b.Match(plain, x, bank, o)
				if o.Prune = pruned[j]; o.Prune != nil {
					saved += o.Prune.Skipped
				}
				b.Match(quick, x, bank, o)
				first += bank.Grid().Len()
			}
			wantIndex, wantScore := downloadMatches(b, plain)
			index, score := downloadMatches(b, quick)
			for p := range index {
				if index[p] != wantIndex[p] || score[p] != wantScore[p] {
					t.Fatalf("case %d, patch %d: %d with %g, without pruning %d with %g", i, p, index[p], score[p], wantIndex[p], wantScore[p])
				}
			}
		}
		if saved < 0.5 {
			t.Errorf("only %g of 40 cases' products were skipped", saved)
		}
	})
}

// TestPruningSkips: of two maps with an upper and a lower region, swapped, well
// over a third of the products are left out.
func TestPruningSkips(t *testing.T) {
	b := NewCPU(CPUOptions{Threads: 2})
	s := Shape{96, 96, 2}
	regions := func(swap bool) *Array {
		m := make([]float32, s.Len())
		for p := range s.Pixels() {
			l := p / 96 / 48
			if swap {
				l = 1 - l
			}
			m[p*2+l] = float32(math.Sqrt(10) / 3)
		}
		return upload(b, s, m)
	}
	p := b.NewPruning(regions(false), []*Bank{b.NewBank(regions(true), BankOptions{Norm: NoNorm})}, 1, 1)[0]
	if p == nil {
		t.Fatal("nothing was skipped")
	}
	if p.Skipped < 0.4 {
		t.Errorf("%.0f %% of the products are skipped, want at least 40", 100*p.Skipped)
	}
}

func downloadMatches(b Backend, m *Matches) (index []int32, score []float32) {
	index, score = make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
	b.DownloadMatches(index, score, m)
	return index, score
}

// TestMatchRandomShapes compares with brute force on shapes, strides and
// numbers of banks drawn at random; where features are small integers the
// argmax must be exact and ties go to the lowest index.
func TestMatchRandomShapes(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		r := rand.New(rand.NewPCG(61, 62))
		for _, i := range share(b, 200) {
			k := 1 + r.IntN(5)
			side := func() int { return k + r.IntN(12) }
			c, stride, own := 1+r.IntN(20), 1+r.IntN(3), 1+r.IntN(3)
			xs := Shape{side(), side(), c}
			exact := i%3 == 0
			draw := func(s Shape) []float32 {
				v := random(r.Uint64(), s.Len(), 1)
				switch {
				case i%15 == 0: // all equal
					for j := range v {
						v[j] = 1
					}
				case exact:
					for j := range v {
						v[j] = float32(r.IntN(3))
					}
				}
				return v
			}
			o := BankOptions{Size: k, Stride: own, Norm: MatchNorm(r.IntN(2))}
			if exact {
				o.Norm = NoNorm
			}
			x := draw(xs)
			ax := upload(b, xs, x)
			var m *Matches
			var want [][]float64
			first, list := 0, ""
			for j := range 1 + r.IntN(3) {
				fs := Shape{side(), side(), c}
				f := draw(fs)
				bank := b.NewBank(b.NewArray(fs), o)
				b.FillBank(bank, upload(b, fs, f))
				if j == 0 {
					m = b.NewMatches(bank.MatchGrid(xs, stride))
				}
				b.Match(m, ax, bank, MatchOptions{Stride: stride, First: first, Add: j > 0})
				first += bank.Grid().Len()
				list += fmt.Sprint(fs)
				for p, row := range refMatch(x, f, xs, fs, o, stride, nil) {
					if j == 0 {
						want = append(want, nil)
					}
					want[p] = append(want[p], row...)
				}
			}
			checkMatches(t, fmt.Sprintf("case %d: %v in %s, %+v, stride %d", i, xs, list, o, stride), b, m, want, exact)
		}
	})
}
