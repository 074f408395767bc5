package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// refMatch scores every pair of patches in float64.
func refMatch(x, f []float32, xs, fs Shape, o BankOptions, stride int, bias []float32) (scores [][]float64) {
	k := o.Size
	own := Shape{(fs.H-k)/o.Stride + 1, (fs.W-k)/o.Stride + 1, 1}
	for y := 0; y+k <= xs.H; y += stride {
		for xx := 0; xx+k <= xs.W; xx += stride {
			row := make([]float64, own.Len())
			for q := range row {
				v, u := q/own.W*o.Stride, q%own.W*o.Stride
				dot, norm := 0.0, 0.0
				for i := range k {
					for j := range k {
						for c := range xs.C {
							s := float64(f[((v+i)*fs.W+u+j)*fs.C+c])
							dot += s * float64(x[((y+i)*xs.W+xx+j)*xs.C+c])
							norm += s * s
						}
					}
				}
				if o.Norm == PatchNorm {
					dot /= math.Sqrt(norm + 1e-12)
				}
				if bias != nil {
					dot += float64(bias[q])
				}
				row[q] = dot
			}
			scores = append(scores, row)
		}
	}
	return scores
}

// TestMatch compares with brute force. Small integers make scores exact, so
// ties must go to the lowest index; with normal values the winner's true score
// must be the best up to rounding.
func TestMatch(t *testing.T) {
	shapes := []struct{ x, f Shape }{
		{Shape{3, 3, 4}, Shape{3, 3, 4}}, {Shape{5, 9, 3}, Shape{8, 4, 3}}, {Shape{13, 7, 16}, Shape{6, 21, 16}},
		{Shape{18, 33, 5}, Shape{17, 34, 5}}, {Shape{4, 40, 33}, Shape{37, 5, 33}}, {Shape{14, 12, 160}, Shape{12, 9, 160}},
	}
	onEach(t, func(t *testing.T, b Backend) {
		r := rand.New(rand.NewPCG(21, 22))
		for _, s := range shapes {
			for size := 1; size <= 5; size++ {
				for _, stride := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {3, 2}} {
					if _, device := b.(*Device); device && s.x.Len()*s.f.Len() > 3e6 {
						continue // minutes on a software device
					}
					if min(s.x.H, s.x.W, s.f.H, s.f.W) < size || size != 3 && (stride[0] != 1 || s.x.C > 16) {
						continue
					}
					exact := r.IntN(2) == 1
					o := BankOptions{Size: size, Stride: stride[1], Norm: MatchNorm(r.IntN(2))}
					x, f := random(r.Uint64(), s.x.Len(), 1), random(r.Uint64(), s.f.Len(), 1)
					if exact {
						o.Norm = NoNorm
						for _, v := range [][]float32{x, f} {
							for i := range v {
								v[i] = float32(r.IntN(2))
							}
						}
					}
					bank := b.NewBank(upload(b, s.f, f), o)
					var bias []float32
					var ab *Array
					if r.IntN(2) == 1 {
						bias = make([]float32, bank.Grid().Len())
						for i := range bias {
							bias[i] = float32(r.IntN(3))
						}
						ab = upload(b, bank.Grid(), bias)
					}
					name := fmt.Sprintf("%v in %v, %+v, stride %d, bias %v", s.x, s.f, o, stride[0], bias != nil)
					m := b.NewMatches(bank.MatchGrid(s.x, stride[0]))
					b.Match(m, upload(b, s.x, x), bank, MatchOptions{Stride: stride[0], Bias: ab})
					checkMatches(t, name, b, m, refMatch(x, f, s.x, s.f, o, stride[0], bias), exact)
				}
			}
		}
	})
}

func checkMatches(t *testing.T, name string, b Backend, m *Matches, want [][]float64, exact bool) {
	t.Helper()
	index, score := make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
	b.DownloadMatches(index, score, m)
	if len(want) != len(index) {
		t.Fatalf("%s: %d patches, want %d", name, len(index), len(want))
	}
	for p, row := range want {
		best, lowest, size := math.Inf(-1), 0, 0.0
		for q, v := range row {
			size = max(size, math.Abs(v))
			if v > best {
				best, lowest = v, q
			}
		}
		if exact && int(index[p]) != lowest {
			t.Fatalf("%s: patch %d matches %d, want %d", name, p, index[p], lowest)
		}
		tol := 3e-6 * (size + 1)
		if int(index[p]) >= len(row) || row[index[p]] < best-tol || math.Abs(float64(score[p])-best) > tol {
			t.Fatalf("%s: patch %d matches %d with %g, want %d with %g", name, p, index[p], score[p], lowest, best)
		}
	}
}

// TestMatchEqual gives every pair the same score: index 0 must win everywhere.
func TestMatchEqual(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		x, f := b.NewArray(Shape{9, 14, 8}), b.NewArray(Shape{11, 10, 8})
		for _, v := range []float32{0, 1} {
			b.Fill(x, v)
			b.Fill(f, v)
			bank := b.NewBank(f, BankOptions{})
			m := b.NewMatches(bank.MatchGrid(x.Shape, 1))
			b.Match(m, x, bank, MatchOptions{})
			index, score := make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
			b.DownloadMatches(index, score, m)
			for p, i := range index {
				want := math.Sqrt(9*8) * float64(v)
				if i != 0 || math.Abs(float64(score[p])-want) > 1e-5 {
					t.Fatalf("all %g: patch %d matches %d with %g, want 0 with %g", v, p, i, score[p], want)
				}
			}
		}
	})
}

// TestMatchNaN has a pixel without a value: patches with it never win, and
// canvas patches with it match nothing.
func TestMatchNaN(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, size := range []int{3, 2} { // a device has a kernel for 3, and one for any side
			s, n := Shape{8, 8, 4}, 9-size
			x, f := random(1, s.Len(), 1), random(2, s.Len(), 1)
			f[(3*8+3)*4] = float32(math.NaN())
			x[0] = float32(math.NaN())
			bank := b.NewBank(upload(b, s, f), BankOptions{Size: size, Norm: NoNorm})
			m := b.NewMatches(bank.MatchGrid(s, 1))
			b.Match(m, upload(b, s, x), bank, MatchOptions{})
			index, score := make([]int32, n*n), make([]float32, n*n)
			b.DownloadMatches(index, score, m)
			if index[0] != 0 || !math.IsInf(float64(score[0]), -1) {
				t.Errorf("side %d: a patch without a value matches %d with %g", size, index[0], score[0])
			}
			for p := 1; p < n*n; p++ {
				if v, u := int(index[p])/n, int(index[p])%n; v > 3-size && v <= 3 && u > 3-size && u <= 3 {
					t.Errorf("side %d: patch %d matches %d, which has no value", size, p, index[p])
				}
				if math.IsNaN(float64(score[p])) || math.IsInf(float64(score[p]), 0) {
					t.Errorf("side %d: patch %d has the score %g", size, p, score[p])
				}
			}
		}
	})
}

// TestMatchThreads compares index and score for any number of threads, on
// features with many duplicates.
func TestMatchThreads(t *testing.T) {
	s, fs := Shape{40, 37, 16}, Shape{33, 50, 16}
	r := rand.New(rand.NewPCG(31, 32))
	x, f := make([]float32, s.Len()), make([]float32, fs.Len())
	for _, v := range [][]float32{x, f} {
		for i := range v {
			v[i] = float32(r.IntN(2))
		}
	}
	var want []int32
	for _, threads := range []int{1, 2, 5} {
		b := NewCPU(CPUOptions{Threads: threads})
		bank := b.NewBank(upload(b, fs, f), BankOptions{})
		m := b.NewMatches(bank.MatchGrid(s, 1))
		xs := upload(b, s, x)
		for range 2 {
			b.Match(m, xs, bank, MatchOptions{})
		}
		got, score := make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
		b.DownloadMatches(got, score, m)
		for _, v := range score {
			got = append(got, int32(math.Float32bits(v)))
		}
		if want == nil {
			want = got
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("value %d is %d on %d threads, %d on one", i, got[i], threads, want[i])
			}
		}
		if n := testing.AllocsPerRun(3, func() { b.Match(m, xs, bank, MatchOptions{}) }); n != 0 {
			t.Errorf("%g allocations on %d threads", n, threads)
		}
	}
}
