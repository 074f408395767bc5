package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// patchCase is a canvas with matches into one or more paintings.
type patchCase struct {
	f       Shape
	sources []Shape
	stride  int // of the sources
	o       PatchOptions
}

func patchCases() []patchCase {
	return []patchCase{
		{Shape{3, 3, 4}, []Shape{{3, 3, 4}}, 1, PatchOptions{}},
		{Shape{5, 9, 3}, []Shape{{8, 4, 3}}, 1, PatchOptions{Average: true}},
		{Shape{13, 7, 16}, []Shape{{6, 21, 16}, {3, 3, 16}, {9, 4, 16}}, 1, PatchOptions{Least: 0.4}},
		{Shape{14, 12, 5}, []Shape{{11, 12, 5}}, 2, PatchOptions{Stride: 2, Average: true, Least: 0.6}},
		{Shape{9, 10, 2}, []Shape{{5, 6, 2}}, 1, PatchOptions{Size: 5}},
		{Shape{9, 10, 2}, []Shape{{5, 6, 2}, {7, 8, 2}}, 3, PatchOptions{Size: 2, Stride: 3}},
		{Shape{1, 7, 33}, []Shape{{1, 1, 33}}, 1, PatchOptions{Size: 1}},
		{Shape{2, 2, 130}, []Shape{{2, 3, 130}}, 1, PatchOptions{Size: 2}},
	}
}

// setUp draws features and matches.
func (c *patchCase) setUp(r *rand.Rand) (f []float32, sources [][]float32, first []int, index []int32, score []float32) {
	c.o = c.o.withDefaults()
	f = random(r.Uint64(), c.f.Len(), 2)
	total := 0
	for _, s := range c.sources {
		sources = append(sources, random(r.Uint64(), s.Len(), 2))
		first = append(first, total)
		total += grid(s, c.o.Size, c.stride).Len()
	}
	for range grid(c.f, c.o.Size, c.o.Stride).Len() {
		index = append(index, int32(r.IntN(total)))
		score = append(score, r.Float32())
	}
	// Boundaries: the first and the last patch of every source, and scores that
	// meet the threshold, which is reached by them.
	for k := range first {
		last := total
		if k+1 < len(first) {
			last = first[k+1]
		}
		index[2*k%len(index)], score[2*k%len(index)] = int32(first[k]), 1
		index[(2*k+1)%len(index)], score[(2*k+1)%len(index)] = int32(last-1), 1
	}
	if c.o.Least > 0 {
		for p := 2 * len(first); p < len(score); p += 3 {
			score[p] = float32(c.o.Least)
		}
	}
	return f, sources, first, index, score
}

// covering lists for each position of the canvas the pixels that its patches'
// matches have there.
func (c *patchCase) covering(sources [][]float32, first []int, index []int32, score []float32) [][][]float32 {
	list := make([][][]float32, c.f.Pixels())
	g := grid(c.f, c.o.Size, c.o.Stride)
	for p, q := range index {
		if float64(score[p]) < c.o.Least {
			continue
		}
		k := 0
		for k+1 < len(first) && first[k+1] <= int(q) {
			k++
		}
		s := c.sources[k]
		sg := grid(s, c.o.Size, c.stride)
		local := int(q) - first[k]
		for i := range c.o.Size {
			for j := range c.o.Size {
				at := (p/g.W*c.o.Stride+i)*c.f.W + p%g.W*c.o.Stride + j
				from := (local/sg.W*c.stride+i)*s.W + local%sg.W*c.stride + j
				list[at] = append(list[at], sources[k][from*s.C:][:s.C])
			}
		}
	}
	return list
}

func TestPatchLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		r := rand.New(rand.NewPCG(41, 42))
		for _, c := range patchCases() {
			f, sources, first, index, score := c.setUp(r)
			name := fmt.Sprintf("%v from %v, %+v", c.f, c.sources, c.o)
			cover := c.covering(sources, first, index, score)
			const coef = 0.375
			loss := func(f []float64) float64 {
				v := 0.0
				for p, list := range cover {
					omega := 1.0
					if c.o.Average {
						omega /= float64(len(list))
					}
					for _, s := range list {
						for ch, e := range s {
							v += omega * sq(f[p*c.f.C+ch]-float64(e))
						}
					}
				}
				return coef * v
			}
			from := make([]PatchSource, len(sources))
			for k, v := range sources {
				from[k] = PatchSource{F: upload(b, c.sources[k], v), Stride: c.stride, First: first[k]}
			}
			m := b.NewMatches(grid(c.f, c.o.Size, c.o.Stride))
			b.UploadMatches(m, index, score)
			before := random(75, c.f.Len(), 1)
			dx, af := upload(b, c.f, before), upload(b, c.f, f)
			b.PatchLoss(dx, af, m, from, c.o, coef, 7)
			lossRel := 1e-6
			if _, device := b.(*Device); device && !c.o.Average {
				lossRel = 1e-9 // its sums are float64, and all else is exact
			}
			near(t, b, name+": loss", []float64{lossOf(b, 7)}, []float64{loss(wide(f))}, 1e-6, lossRel)
			want := slopes(loss, wide(f), 1e-3) // exact for a quadratic
			for i := range want {
				want[i] += float64(before[i])
			}
			near(t, b, name+": gradient", download(b, dx), want, 1e-5*(1+largest(want)), 1e-5)
			b.PatchLoss(nil, af, m, from, c.o, coef, 8)
			near(t, b, name+": loss alone", []float64{lossOf(b, 8)}, []float64{lossOf(b, 7)}, 0, 0)

			mean := make([]float64, c.f.Len())
			for p, list := range cover {
				for _, s := range list {
					for ch, e := range s {
						mean[p*c.f.C+ch] += float64(e) / float64(len(list))
					}
				}
			}
			b.Vote(af, m, from, c.o)
			near(t, b, name+": vote", download(b, af), mean, 1e-5, 1e-5)
		}
	})
}

func TestCosinesAndBias(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		r := rand.New(rand.NewPCG(43, 44))
		for _, c := range []struct {
			x            Shape
			size, stride int
		}{{Shape{1, 1, 1}, 1, 1}, {Shape{7, 5, 3}, 3, 1}, {Shape{13, 17, 33}, 3, 2}, {Shape{9, 6, 2}, 5, 1}} {
			x := random(r.Uint64(), c.x.Len(), 1)
			g := grid(c.x, c.size, c.stride)
			index, score := make([]int32, g.Len()), random(r.Uint64(), g.Len(), 3)
			if c.size == 1 {
				clear(x)
			}
			m := b.NewMatches(g)
			b.UploadMatches(m, index, score)
			bias := b.NewArray(g)
			b.MatchBias(bias, m, -0.5)
			for i, v := range download(b, bias) {
				if v != -0.5*score[i] {
					t.Fatalf("bias %d is %g, want %g", i, v, -0.5*score[i])
				}
			}
			want := make([]float64, g.Len())
			for p := range want {
				squares := 0.0
				for i := range c.size {
					for j := range c.size {
						for ch := range c.x.C {
							squares += sq(float64(x[((p/g.W*c.stride+i)*c.x.W+p%g.W*c.stride+j)*c.x.C+ch]))
						}
					}
				}
				if squares > 0 {
					want[p] = float64(score[p]) / math.Sqrt(squares)
				}
			}
			b.Cosines(m, upload(b, c.x, x), c.size, c.stride)
			got := make([]float32, g.Len())
			b.DownloadMatches(index, got, m)
			near(t, b, fmt.Sprint(c), got, want, 1e-6, 1e-6)
		}
	})
}
