package gpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
	"gonum.org/v1/gonum/optimize"
)

// problem is a smooth function with its gradient, in float64.
type problem struct {
	name string
	f    func(x []float64) (float64, []float64)
	x0   func(n int) []float64
}

// quadratic is 1/2 sum a_i (x_i - b_i)^2 plus a coupling of neighbours, with
// curvatures from 1 to cond.
func quadratic(cond float64) problem {
	return problem{fmt.Sprintf("quadratic %g", cond), func(x []float64) (float64, []float64) {
		v, g := 0.0, make([]float64, len(x))
		for i := range x {
			a := math.Pow(cond, float64(i)/float64(len(x)))
			d := x[i] - math.Sin(float64(3*i))
			v += a * d * d / 2
			g[i] += a * d
			if i > 0 {
				e := x[i] - x[i-1]
				v += e * e / 4
				g[i] += e / 2
				g[i-1] -= e / 2
			}
		}
		return v, g
	}, func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Cos(float64(i))
		}
		return x
	}}
}

// valley is the chained Rosenbrock function with a mild slope: curved, not convex.
var valley = problem{"valley", func(x []float64) (float64, []float64) {
	v, g := 0.0, make([]float64, len(x))
	for i := 0; i+1 < len(x); i++ {
		d, e := x[i+1]-x[i]*x[i], 1-x[i]
		v += 10*d*d + e*e
		g[i] += -40*d*x[i] - 2*e
		g[i+1] += 20 * d
	}
	return v, g
}, func(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = -1.2 + 2.2*float64(i%2)
	}
	return x
}}

// logCosh is convex, steep far out and flat in curvature there.
var logCosh = problem{"log-cosh", func(x []float64) (float64, []float64) {
	v, g := 0.0, make([]float64, len(x))
	for i := range x {
		a := 1 + float64(i%7)
		d := a * (x[i] - 0.1*float64(i%5))
		v += math.Log(math.Cosh(d))
		g[i] = a * math.Tanh(d)
	}
	return v, g
}, func(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = 3 - float64(i%4)
	}
	return x
}}

// rig runs an optimiser of a backend on a problem of the host.
type rig struct {
	b    Backend
	x, g *Array
	one  *Array
	zero *Array
}

func newRig(b Backend, s Shape, x0 []float64) *rig {
	r := &rig{b: b, x: upload(b, s, narrow(x0)), g: b.NewArray(s), one: b.NewArray(Vector(1)), zero: b.NewArray(Vector(1))}
	b.ResetStatus()
	b.Fill(r.one, 1)
	return r
}

// evaluate puts loss v and gradient g where the optimiser looks for them.
func (r *rig) evaluate(v float64, g []float64) {
	r.b.Upload(r.g, narrow(g))
	r.b.ContentLoss(nil, r.one, r.zero, v, 0) // v * (1 - 0)^2
}

// step evaluates p at x and steps; it returns the value found.
func (r *rig) step(opt Optimizer, p problem) float64 {
	v, g := p.f(wide(download(r.b, r.x)))
	r.evaluate(v, g)
	opt.Step(r.x, r.g)
	return v
}

// textbook is L-BFGS with a fixed step in float64, by the two-loop recursion on
// vectors (Nocedal & Wright, algorithm 7.4) and Torch7's rules.
type textbook struct {
	m    int
	s, y [][]float64
	x, g []float64 // before the last step
}

func (l *textbook) step(x, g []float64) {
	if l.x != nil {
		s, y := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			s[i], y[i] = x[i]-l.x[i], g[i]-l.g[i]
		}
		if inner(s, y) > 1e-10*inner(y, y) {
			l.s, l.y = append(l.s, s), append(l.y, y)
			if len(l.s) > l.m {
				l.s, l.y = l.s[1:], l.y[1:]
			}
		}
	}
	l.x, l.g = slices.Clone(x), slices.Clone(g)
	q := make([]float64, len(g))
	abs := 0.0
	for i, v := range g {
		q[i] = -v
		abs += math.Abs(v)
	}
	alpha := make([]float64, len(l.s))
	for i := len(l.s) - 1; i >= 0; i-- {
		alpha[i] = inner(l.s[i], q) / inner(l.s[i], l.y[i])
		for j := range q {
			q[j] -= alpha[i] * l.y[i][j]
		}
	}
	t := math.Min(1, 1/abs)
	if n := len(l.s); n > 0 {
		t = 1
		gamma := inner(l.s[n-1], l.y[n-1]) / inner(l.y[n-1], l.y[n-1])
		for j := range q {
			q[j] *= gamma
		}
	}
	for i := range l.s {
		beta := inner(l.y[i], q) / inner(l.s[i], l.y[i])
		for j := range q {
			q[j] += (alpha[i] - beta) * l.s[i][j]
		}
	}
	for j := range x {
		x[j] += t * q[j]
	}
}

func inner(a, b []float64) float64 {
	v := 0.0
	for i := range a {
		v += a[i] * b[i]
	}
	return v
}

func TestLBFGSFollowsTheTextbook(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, p := range []problem{quadratic(100), quadratic(3), quadratic(1000)} {
			s := Shape{9, 7, 3}
			x := p.x0(s.Len())
			r := newRig(b, s, x)
			opt := b.NewLBFGS(s, LBFGSOptions{History: 6})
			ref := &textbook{m: 6}
			for i := range 40 {
				r.step(opt, p)
				_, g := p.f(x)
				ref.step(x, g)
				if e := testutil.RelL2(download(b, r.x), x); e > 1e-4 {
					t.Errorf("%s: after %d steps off by %.2g", p.name, i+1, e)
					break
				}
			}
		}
	})
}

// TestLBFGSAgainstGonum: with the line search, after so many evaluations of
// value and gradient we are no worse than gonum's L-BFGS, up to three of them
// for our first step, which is as short as Torch7's.
func TestLBFGSAgainstGonum(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		for _, p := range []problem{quadratic(100), quadratic(1e4), valley, logCosh} {
			s := Shape{6, 5, 3}
			for _, evaluations := range []int{15, 40, 100} {
				best, calls := math.Inf(1), 0
				_, err := optimize.Minimize(optimize.Problem{
					Func: func(x []float64) float64 {
						v, _ := p.f(x)
						if calls++; calls <= evaluations-3 {
							best = min(best, v)
						}
						return v
					},
					Grad: func(g, x []float64) {
						_, d := p.f(x)
						copy(g, d)
					},
				}, p.x0(s.Len()), &optimize.Settings{FuncEvaluations: evaluations, Converger: optimize.NeverTerminate{}}, &optimize.LBFGS{Store: 10})
				if calls == 0 {
					t.Fatal(err)
				}
				r := newRig(b, s, p.x0(s.Len()))
				opt := b.NewLBFGS(s, LBFGSOptions{LineSearch: true})
				ours := math.Inf(1)
				for range evaluations {
					ours = min(ours, r.step(opt, p))
				}
				// Our image is float32: below this no step can be told from rounding.
				start, _ := p.f(p.x0(s.Len()))
				if floor := 1e-9 * start; ours > best*1.02+floor && ours > best+1e-12*start {
					t.Errorf("%s after %d evaluations: %.6g, gonum %.6g", p.name, evaluations, ours, best)
				}
			}
		}
	})
}

// TestLineSearchNeverRises: accepted points go down, whatever the start.
func TestLineSearchNeverRises(t *testing.T) {
	onOneDevice(t, func(t *testing.T, b Backend) {
		s := Shape{6, 5, 3}
		r := newRig(b, s, valley.x0(s.Len()))
		opt := b.NewLBFGS(s, LBFGSOptions{LineSearch: true, LearningRate: 50})
		shown := b.NewArray(s)
		last := math.Inf(1)
		for i := range 120 {
			r.step(opt, valley)
			opt.Result(shown)
			v, _ := valley.f(wide(download(b, shown)))
			if v > last {
				t.Fatalf("evaluation %d: the result rose from %g to %g", i, last, v)
			}
			last = v
		}
		start, _ := valley.f(valley.x0(s.Len()))
		if !(last < start/10) {
			t.Errorf("from %g only to %g", start, last)
		}
	})
}

func TestAdamFollowsTheFormula(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, eps := range []float64{1e-8, 0.1} {
			s := Shape{5, 7, 3}
			p := quadratic(10)
			x := p.x0(s.Len())
			r := newRig(b, s, x)
			o := AdamOptions{LearningRate: 0.05, Beta1: 0.9, Beta2: 0.99, Eps: eps, Schedule: []float64{1, 0.5, 0.25}}
			o.Average = 0.9
			opt := b.NewAdam(s, o)
			m, v, avg := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
			weight := 0.0
			for step := 1; step <= 50; step++ {
				r.step(opt, p)
				_, g := p.f(x)
				lr := o.LearningRate * o.Schedule[min(step-1, 2)]
				weight = 0.9*weight + 0.1
				for i := range x {
					avg[i] = 0.9*avg[i] + 0.1*x[i]
					m[i] = 0.9*m[i] + 0.1*g[i]
					v[i] = 0.99*v[i] + 0.01*g[i]*g[i]
					mh, vh := m[i]/(1-math.Pow(0.9, float64(step))), v[i]/(1-math.Pow(0.99, float64(step)))
					x[i] -= lr * mh / (math.Sqrt(vh) + eps)
				}
			}
			near(t, b, "x", download(b, r.x), x, 1e-4, 1e-4)
			for i := range avg {
				avg[i] /= weight
			}
			shown := b.NewArray(s)
			opt.Result(shown)
			near(t, b, "average", download(b, shown), avg, 1e-4, 1e-4)
		}
	})
}

// TestSmallFirstStep: L-BFGS shortens its first step where the sum of |g| is
// above 1, and never lengthens it.
func TestSmallFirstStep(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{1, 1, 3}
		g := []float32{0.25, -0.125, 0.0625}
		x := b.NewArray(s)
		b.NewLBFGS(s, LBFGSOptions{}).Step(x, upload(b, s, g))
		near(t, b, "x", download(b, x), []float64{-0.25, 0.125, -0.0625}, 1e-7, 0)
	})
}

// TestResultBeforeAnyStep: there is nothing to show, so dst keeps what it holds.
func TestResultBeforeAnyStep(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, o := range []StepOptions{{}, {Average: 0.9}} {
			for name, opt := range optimizers(b, Shape{3, 2, 3}, o) {
				dst := b.NewArray(Shape{3, 2, 3})
				b.Fill(dst, 7)
				opt.Result(dst)
				for _, v := range download(b, dst) {
					if v != 7 {
						t.Fatalf("%s, average %g: result is %g, want 7 as before", name, o.Average, v)
					}
				}
			}
		}
	})
}

func optimizers(b Backend, s Shape, o StepOptions) map[string]Optimizer {
	return map[string]Optimizer{
		"adam":          b.NewAdam(s, AdamOptions{StepOptions: o, LearningRate: 0.1}),
		"l-bfgs":        b.NewLBFGS(s, LBFGSOptions{StepOptions: o}),
		"l-bfgs search": b.NewLBFGS(s, LBFGSOptions{StepOptions: o, LineSearch: true}),
	}
}

// TestBounds: every image stays inside, and the optimum is the box's.
func TestBounds(t *testing.T) {
	onOneDevice(t, func(t *testing.T, b Backend) {
		s := Shape{4, 5, 3}
		lo, hi := []float32{-0.2, -1, 0}, []float32{0.3, 0.5, 0.25}
		// Separable, so the optimum in the box is the clamped one.
		p := problem{f: func(x []float64) (float64, []float64) {
			v, g := 0.0, make([]float64, len(x))
			for i := range x {
				d := x[i] - math.Sin(float64(3*i))
				v += d * d * float64(1+i%4)
				g[i] = 2 * d * float64(1+i%4)
			}
			return v, g
		}}
		for name, opt := range optimizers(b, s, StepOptions{Bounds: &Bounds{lo, hi}}) {
			r := newRig(b, s, make([]float64, s.Len()))
			for range 100 {
				r.step(opt, p)
				for i, v := range download(b, r.x) {
					if v < lo[i%3] || v > hi[i%3] {
						t.Fatalf("%s: element %d is %g", name, i, v)
					}
				}
			}
			want := make([]float64, s.Len())
			for i := range want {
				want[i] = math.Min(math.Max(math.Sin(float64(3*i)), float64(lo[i%3])), float64(hi[i%3]))
			}
			near(t, b, name, download(b, r.x), want, 0.02, 0)
		}
	})
}

// TestGuard spoils evaluations and expects the last good image back.
func TestGuard(t *testing.T) {
	s := Shape{5, 6, 3}
	p := quadratic(10)
	spoils := map[string]func(v float64, g []float64) (float64, []float64){
		"loss NaN":      func(v float64, g []float64) (float64, []float64) { return math.NaN(), g },
		"loss infinite": func(v float64, g []float64) (float64, []float64) { return math.Inf(1), g },
		"loss exploded": func(v float64, g []float64) (float64, []float64) { return 1e9, g },
		"gradient NaN":  func(v float64, g []float64) (float64, []float64) { g[17] = math.NaN(); return v, g },
		"gradient inf":  func(v float64, g []float64) (float64, []float64) { g[3] = math.Inf(-1); return v, g },
	}
	onOneDevice(t, func(t *testing.T, b Backend) {
		for spoil, f := range spoils {
			for name, opt := range optimizers(b, s, StepOptions{Patience: 3}) {
				r := newRig(b, s, p.x0(s.Len()))
				for range 6 {
					r.step(opt, p)
				}
				good, before := b.NewArray(s), b.Status()
				opt.Result(good)
				spoiled := func() {
					r.evaluate(f(p.f(wide(download(b, r.x)))))
					opt.Step(r.x, r.g)
				}
				spoiled()
				b.Sync()
				what := fmt.Sprintf("%s, %s", spoil, name)
				if st := b.Status(); st.Rollbacks != 1 || st.Diverged {
					t.Errorf("%s: status %d rollbacks, diverged %v", what, st.Rollbacks, st.Diverged)
				} else if st.Accepted != before.Accepted {
					t.Errorf("%s: accepted", what)
				}
				v0, _ := p.f(wide(download(b, good)))
				if v, _ := p.f(wide(download(b, r.x))); !(v <= v0*1.5) {
					t.Errorf("%s: went on from %g to %g", what, v0, v)
				}
				// It recovers...
				for range 30 {
					r.step(opt, p)
				}
				if st := b.Status(); st.Diverged || !(st.Sum < v0) {
					t.Errorf("%s: after recovery %g, before %g", what, st.Sum, v0)
				}
				// ...and gives up after three in a row, keeping the last good image.
				for i := 1; i <= 3; i++ {
					spoiled()
					b.Sync()
					if b.Status().Diverged != (i == 3) {
						t.Errorf("%s: after %d bad evaluations in a row, diverged is %v", what, i, i != 3)
					}
				}
				opt.Result(good)
				for _, v := range download(b, good) {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
						t.Fatalf("%s: the result holds %g", what, v)
					}
				}
			}
		}
	})
}

// TestCarry: at the same size the next scale's optimiser goes on as the old one
// would; at another size it still descends.
func TestCarry(t *testing.T) {
	onOneDevice(t, func(t *testing.T, b Backend) {
		s := Shape{6, 5, 3}
		p := quadratic(30)
		for name := range optimizers(b, s, StepOptions{}) {
			first := optimizers(b, s, StepOptions{})[name]
			r := newRig(b, s, p.x0(s.Len()))
			for range 8 {
				r.step(first, p)
			}
			x := download(b, r.x)
			big := Shape{9, 8, 3}
			next := optimizers(b, big, StepOptions{})[name]
			next.Carry(first, 1)
			large := b.NewArray(big)
			b.Resample(large, r.x, Bicubic)
			rb := newRig(b, big, wide(download(b, large)))
			start, _ := p.f(wide(download(b, rb.x)))
			for range 80 {
				rb.step(next, p)
			}
			end, _ := p.f(wide(download(b, rb.x)))
			lowest := minimum(p, big.Len())
			if !(end-lowest < (start-lowest)/10) {
				t.Errorf("%s: at the larger scale from %g only to %g, the minimum is %g", name, start, end, lowest)
			}
			if name != "adam" {
				continue // L-BFGS has no last gradient to continue from
			}
			same := optimizers(b, s, StepOptions{})[name]
			same.Carry(first, 1)
			r2 := newRig(b, s, wide(x))
			for range 5 {
				r.step(first, p)
				r2.step(same, p)
			}
			near(t, b, name+" carried", download(b, r2.x), download(b, r.x), 1e-6, 1e-6)
		}
	})
}

// TestRestart: after Restart, the first evaluation of another function is at the last
// accepted image. It is accepted though the function's values are higher, and the
// optimiser finds the minimum from there.
func TestRestart(t *testing.T) {
	onOneDevice(t, func(t *testing.T, b Backend) {
		s := Shape{6, 7, 3}
		p, n := quadratic(30), s.Len()
		raised := problem{"raised", func(x []float64) (float64, []float64) {
			y := make([]float64, n)
			for i, v := range x {
				y[i] = -v
			}
			v, g := p.f(y)
			for i := range g {
				g[i] = -g[i]
			}
			return v + 500, g
		}, p.x0}
		for name, opt := range optimizers(b, s, StepOptions{}) {
			r := newRig(b, s, p.x0(n))
			b.ResetStatus()
			for range 12 {
				r.step(opt, p)
			}
			base, before := b.NewArray(s), b.Status()
			opt.Result(base)
			opt.Restart(r.x)
			if name != "adam" {
				if got, want := download(b, r.x), download(b, base); !slices.Equal(got, want) {
					t.Errorf("%s: restarted elsewhere than at the last accepted image", name)
				}
			}
			first := r.step(opt, raised)
			if st := b.Status(); st.Accepted != before.Accepted+1 || st.Rollbacks != before.Rollbacks {
				t.Errorf("%s: the first evaluation of another function was not accepted: %+v", name, st)
			}
			last := first
			for range 60 {
				last = r.step(opt, raised)
			}
			if least := minimum(p, n) + 500; !(last-least < 0.02*(first-least)) {
				t.Errorf("%s: from %g to %g, the minimum is %g", name, first, last, least)
			}
			opt.Free()
		}
	})
}

// minimum finds the least value of a convex problem by plain gradient descent
// with momentum, slowly.
func minimum(p problem, n int) float64 {
	x, v := p.x0(n), make([]float64, n)
	f := 0.0
	for range 5000 {
		var g []float64
		f, g = p.f(x)
		for i := range x {
			v[i] = 0.9*v[i] - 0.005*g[i]
			x[i] += v[i]
		}
	}
	return f
}
