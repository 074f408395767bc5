package gpu

import (
	"fmt"
	"testing"
)

// artist is a small painting by hand: two convolutions, a pooling, content,
// Gram, Wasserstein and TV losses, and an optimiser, on one backend.
type artist struct {
	b                    Backend
	x, dx                *Array
	act, pooled, act2    *Array
	grad, grad2          *Array
	gram, d, shift, mean *Array
	target, content      *Array
	mask1, mask2         *Mask
	f1, f2               *Filter
	w2                   *W2Target
	targets              []GramTarget
	covariance           *CovarianceTarget
	moments              *MomentsTarget
	photo                *SelfSimilarity
	places               *Places
	rows                 *Array
	sliced               *SlicedTarget
	opt                  Optimizer
}

func newArtist(b Backend, s Shape, opt func(b Backend, s Shape) Optimizer) *artist {
	const k1, k2 = 16, 24
	pool := Pool{Kind: MaxPool}
	a := &artist{b: b, x: upload(b, s, random(80, s.Len(), 30)), dx: b.NewArray(s)}
	full := withChannels(s, k1)
	half := pool.Out(full)
	deep := withChannels(half, k2)
	a.act, a.pooled, a.act2 = b.NewArray(full), b.NewArray(half), b.NewArray(deep)
	a.grad, a.grad2 = b.NewArray(full), b.NewArray(deep)
	a.gram, a.d = b.NewArray(Matrix(k1)), b.NewArray(Matrix(k2))
	a.mean, a.shift = b.NewArray(Vector(k2)), b.NewArray(Vector(k2))
	a.target, a.content = upload(b, Matrix(k1), random(81, k1*k1, 5)), upload(b, deep, random(82, deep.Len(), 5))
	a.mask1, a.mask2 = b.NewMask(full, pool), b.NewMask(deep, Pool{})
	w, bias := testFilter(3, k1)
	a.f1 = b.NewFilter(w, bias, 3, k1)
	w, bias = testFilter(k1, k2)
	a.f2 = b.NewFilter(w, bias, k1, k2)
	a.targets = []GramTarget{{a.target, 1e-3}}
	style := upload(b, deep, random(83, deep.Len(), 4))
	b.Mean(a.mean, style)
	b.Gram(a.d, style, 1/float64(deep.Pixels()))
	a.w2 = b.NewW2Target(a.mean, a.d, 1e-4, W2Fast)
	a.covariance = b.NewCovarianceTarget(a.mean, a.d)
	a.moments = b.NewMomentsTarget(a.mean, a.d)
	a.photo = b.NewSelfSimilarity(style, everyNth(deep, 3))
	a.places = b.NewPlaces(deep, everyNth(deep, 2))
	a.rows = b.NewArray(a.places.Rows())
	all := []int32{int32(a.places.Len())}
	a.sliced = b.NewSlicedTarget(a.places.Len(), k2, k2, all)
	b.Gather(a.rows, style, a.places, deep.Whole(), 0, 0)
	b.Aim(a.sliced, unitDirections(4, k2, k2), []SlicedPainting{{a.rows, all, 1}})
	a.opt = opt(b, s)
	return a
}

func (a *artist) iterate() {
	b := a.b
	pool := Pool{Kind: MaxPool}
	b.Conv(ConvOut{Act: a.act, Pooled: a.pooled, Mask: a.mask1, Pool: pool}, a.x, a.f1, ReplicatePad)
	b.Conv(ConvOut{Act: a.act2, Mask: a.mask2}, a.pooled, a.f2, ZeroPad)
	b.Fill(a.grad2, 0)
	b.ContentLoss(a.grad2, a.act2, a.content, 1e-3, 0)
	pixels := a.act2.Shape.Pixels()
	b.Mean(a.mean, a.act2)
	b.Gram(a.d, a.act2, 1/float64(pixels))
	b.W2Loss(a.d, a.shift, a.mean, a.d, a.w2, pixels, 10, 1)
	b.StyleGrad(a.grad2, a.act2, a.d, a.shift)
	b.Gram(a.d, a.act2, 1/float64(pixels))
	b.CovarianceLoss(a.d, a.shift, a.mean, a.d, a.covariance, pixels, 10, 4)
	b.StyleGrad(a.grad2, a.act2, a.d, a.shift)
	b.Gram(a.d, a.act2, 1/float64(pixels))
	b.MomentsLoss(a.d, a.shift, a.mean, a.d, a.moments, MomentsWeights{1, 2, 3}, pixels, 5)
	b.StyleGrad(a.grad2, a.act2, a.d, a.shift)
	b.SelfSimLoss(a.grad2, a.act2, a.photo, 10, 6)
	b.Gather(a.rows, a.act2, a.places, a.act2.Shape.Whole(), 0, 0)
	b.SlicedLoss(a.rows, a.sliced, 10, 7)
	b.Scatter(a.grad2, a.rows, a.places, 0, 0)
	b.Gate(a.grad2, a.mask2)
	b.ConvGrad(a.pooled, a.grad2, a.f2, ConvGradOptions{})
	b.Fill(a.grad, 0)
	b.Gram(a.gram, a.act, 1/float64(a.act.Shape.Len()))
	b.GramLoss(a.gram, a.gram, a.targets, 1/float64(a.act.Shape.Len()), 2)
	b.StyleGrad(a.grad, a.act, a.gram, nil)
	b.PoolGrad(a.grad, a.pooled, PoolGradOptions{Mask: a.mask1, Add: true})
	b.ConvGrad(a.dx, a.grad, a.f1, ConvGradOptions{Pad: ReplicatePad})
	b.TV(a.dx, a.x, nil, TVPower, 1e-4, 3)
	b.AddNormalized(a.dx, 0.1, a.x)
	a.opt.Step(a.x, a.dx)
}

var artistOptimizers = map[string]func(b Backend, s Shape) Optimizer{
	"adam": func(b Backend, s Shape) Optimizer {
		return b.NewAdam(s, AdamOptions{StepOptions: StepOptions{Average: 0.9}, LearningRate: 1})
	},
	"l-bfgs": func(b Backend, s Shape) Optimizer {
		return b.NewLBFGS(s, LBFGSOptions{StepOptions: StepOptions{Bounds: &Bounds{[]float32{-60, -60, -60}, []float32{60, 60, 60}}}, History: 4})
	},
	"search": func(b Backend, s Shape) Optimizer { return b.NewLBFGS(s, LBFGSOptions{LineSearch: true}) },
}

// TestSameBytesForAnyThreads runs whole iterations on one to seven threads.
func TestSameBytesForAnyThreads(t *testing.T) {
	s := Shape{47, 61, 3}
	for name, opt := range artistOptimizers {
		var want []float32
		for _, threads := range []int{1, 2, 3, 7, -1, -2, -3, -7} {
			precision := Single
			if threads < 0 {
				precision, threads = Half, -threads
			}
			if threads == 1 {
				want = nil
			}
			b := NewCPU(CPUOptions{Threads: threads, Precision: precision})
			a := newArtist(b, s, opt)
			p := b.Record(a.iterate)
			for range 6 {
				p.Run()
			}
			got := append(download(b, a.x), download(b, a.grad)...)
			st := b.Status()
			for _, v := range st.Loss[:8] {
				got = append(got, float32(v))
			}
			if want == nil {
				want = got
				continue
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%s: value %d is %g on %d threads, %g on one", name, i, got[i], threads, want[i])
				}
			}
		}
	}
}

// TestIterationDescends keeps the two tests around it honest: the iteration
// they run does lower its loss.
func TestIterationDescends(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		for name, opt := range artistOptimizers {
			a := newArtist(b, Shape{21, 18, 3}, opt)
			b.ResetStatus()
			a.iterate()
			b.Sync()
			first := b.Status().Sum
			for range 40 {
				a.iterate()
			}
			b.Sync()
			if st := b.Status(); !(st.Sum < first*0.8) || st.Diverged {
				t.Errorf("%s: from %g to %g, diverged %v", name, first, st.Sum, st.Diverged)
			}
		}
	})
}

func TestNoAllocations(t *testing.T) {
	for name, opt := range artistOptimizers {
		for i, threads := range []int{1, 3, 1, 3} {
			precision := []Precision{Single, Half}[i/2]
			t.Run(fmt.Sprintf("%s in %s on %d", name, precision, threads), func(t *testing.T) {
				b := NewCPU(CPUOptions{Threads: threads, Precision: precision})
				a := newArtist(b, Shape{33, 29, 3}, opt)
				a.iterate()
				a.iterate()
				if n := testing.AllocsPerRun(10, a.iterate); n != 0 {
					t.Errorf("%g allocations per iteration", n)
				}
			})
		}
	}
}
