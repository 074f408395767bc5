package gpu

import (
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/testutil"
)

// adamCase is an Adam on a device, and the arrays of an image and a gradient of
// three chunks.
type adamCase struct {
	b    *Device
	s    Shape
	x, g []float32
	opt  *deviceAdam
}

func newAdamCase(b *Device, o AdamOptions) *adamCase {
	s := Shape{1, 2800, 3}
	b.ResetStatus()
	return &adamCase{b: b, s: s, x: ragged(570, s.Len()), g: ragged(571, s.Len()), opt: b.NewAdam(s, o).(*deviceAdam)}
}

// step takes one step with the loss v.
func (c *adamCase) step(v float64) Status {
	c.b.AddLoss(0, v-c.b.Loss(0))
	c.opt.Step(upload(c.b, c.s, c.x), upload(c.b, c.s, c.g))
	return c.b.Status()
}

func TestDoubleAdam(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		schedule := []float64{1, 0.3, 0.7}
		o := AdamOptions{LearningRate: 0.1, Beta1: 0.9, Beta2: 0.99, Schedule: schedule}
		c := newAdamCase(b, o)
		squares, first := 0.0, 0.0
		for i, v := range c.g {
			squares += float64(v) * float64(v)
			if i < chunkLen {
				first += float64(v) * float64(v)
			}
		}
		power1, power2 := 1.0, 1.0
		for _, k := range schedule {
			s := c.step(1)
			power1, power2 = power1*0.9, power2*0.99
			cells := c.opt.readAdam()
			sameDouble(t, "gradient norm", s.GradNorm, math.Sqrt(squares))
			sameDouble(t, "step", s.StepSize, 0.1*k)
			sameDouble(t, "power of beta1", cells.power1, power1)
			sameDouble(t, "power of beta2", cells.power2, power2)
			sameDouble(t, "rate", cells.rate, 0.1*k/(1-power1))
			sameDouble(t, "root", cells.root, 1/math.Sqrt(1-power2))
		}
		sameDouble(t, "squares of a chunk", doubles(b, c.opt.partial, 3)[2], first)
	})
}

// TestDoubleGuard: sums beyond the largest float32 are accepted, and the test for an
// exploding loss is in float64.
func TestDoubleGuard(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		huge := []int{0, 256, 1, 31, 32, chunkLen, chunkLen + 1, 2 * chunkLen} // one thread's, one warp's, one block's
		for _, what := range []string{"image", "gradient"} {
			c := newAdamCase(b, AdamOptions{})
			for _, i := range huge {
				map[string][]float32{"image": c.x, "gradient": c.g}[what][i] = 3e38
			}
			if s := c.step(1); s.Accepted != 1 {
				t.Errorf("an %s of finite values was not taken: %+v", what, s)
			}
			l := b.NewLBFGS(c.s, LBFGSOptions{})
			b.ResetStatus()
			l.Step(upload(b, c.s, c.x), upload(b, c.s, c.g))
			if s := b.Status(); s.Accepted != 1 {
				t.Errorf("L-BFGS did not take an %s of finite values: %+v", what, s)
			}
		}
		c := newAdamCase(b, AdamOptions{StepOptions: StepOptions{Average: 0.9, Patience: 100}})
		weight := 0.0
		for i, e := range []struct {
			loss  float64
			taken bool
		}{
			{1, true}, {1 + 0x1p-30, true}, // the worst so far
			{100, true}, // accepted, because a loss may be 100 times the worst; becomes the worst
			{100 * 100, true}, {100 * 100 * 100 * (1 + 0x1p-40), false}, {100 * 100 * 100, true},
			{1e8 * (1 + 0x1p-40), false}, {1e8, true},
		} {
			before := b.Status().Accepted
			s := c.step(e.loss)
			if taken := s.Accepted > before; taken != e.taken {
				t.Errorf("evaluation %d, loss %.17g: taken is %t", i, e.loss, taken)
			}
			if s.Sum != e.loss {
				t.Errorf("the status has a loss of %.17g, not %.17g", s.Sum, e.loss)
			}
			if e.taken {
				weight = 0.9*weight + 1 - 0.9
				sameDouble(t, "worst loss", c.opt.readTrack().worst, e.loss)
			}
			sameDouble(t, "weight of the average", c.opt.readTrack().weight, weight)
		}
		c = newAdamCase(b, AdamOptions{})
		b.AddLoss(3, 1e39)
		if s := c.step(1e39); s.Accepted != 1 || s.Sum != 2e39 {
			t.Errorf("a loss of 2e39 was not taken, or is %g", s.Sum)
		}
	})
}

// TestDoubleLBFGS compares the dot products, the direction that follows from them and
// the slope with float64, on the vectors that the device has.
func TestDoubleLBFGS(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s, p := Shape{1, 1500, 3}, quadratic(30)
		r := newRig(b, s, p.x0(s.Len()))
		opt := b.NewLBFGS(s, LBFGSOptions{History: 3}).(*deviceLBFGS)
		vector := func(ring *Array, slot int) []float64 { return wide(download(b, opt.slot(ring, slot))) }
		for step := range 6 {
			before := opt.readMemory()
			x, last := wide(download(b, r.x)), wide(download(b, opt.grad))
			v, g := p.f(x)
			r.evaluate(v, g)
			g = wide(download(b, r.g))
			var oldS, oldY [][]float64
			for _, slot := range append(before.order, before.free) {
				oldS, oldY = append(oldS, vector(opt.s, slot)), append(oldY, vector(opt.y, slot))
			}
			opt.Step(r.x, r.g)
			after := opt.readMemory()

			dot := func(what string, got float64, a, b []float64) {
				t.Helper()
				want, size := 0.0, 0.0
				for i := range a {
					want += a[i] * b[i]
					size += math.Abs(a[i] * b[i])
				}
				if !(math.Abs(got-want) <= 1e-12*size) {
					t.Errorf("step %d: %s is %.17g, want %.17g", step, what, got, want)
				}
			}
			ones, n := make([]float64, len(x)), after.size()
			for i := range ones {
				ones[i] = 1
			}
			dot("magnitude of the image", after.total[3*n], absolute(x), ones)
			dot("magnitude of the gradient", after.total[3*n+1], absolute(g), ones)
			dot("square of the gradient", after.total[2*n+after.g()], g, g)
			dot("kept magnitude", after.absG, absolute(g), ones)
			sameDouble(t, "kept loss", after.loss, b.Status().Sum)
			if step > 0 {
				ds, dy := oldS[len(before.order)], vector(opt.y, before.free)
				oldY[len(before.order)] = dy
				for i, slot := range append(before.order, before.free) {
					vs, vy := oldS[i], oldY[i]
					dot("s . s", after.total[after.s(slot)], ds, vs)
					dot("s . y", after.total[after.y(slot)], ds, vy)
					dot("y . s", after.total[n+after.s(slot)], dy, vs)
					dot("y . y", after.total[n+after.y(slot)], dy, vy)
					dot("g . s", after.total[2*n+after.s(slot)], g, vs)
					dot("g . y", after.total[2*n+after.y(slot)], g, vy)
				}
				dot("slope", after.total[3*n+2], last, ds)
			}
			// The step's coefficients against the recursion on vectors.
			ref := &textbook{m: 3}
			for _, slot := range after.order {
				ref.s, ref.y = append(ref.s, vector(opt.s, slot)), append(ref.y, vector(opt.y, slot))
			}
			want, got := make([]float64, len(x)), make([]float64, len(x))
			ref.step(want, g)
			for i := range got {
				got[i] = after.delta[after.g()] * g[i]
				for k, slot := range after.order {
					got[i] += after.delta[after.s(slot)]*ref.s[k][i] + after.delta[after.y(slot)]*ref.y[k][i]
				}
			}
			if e := testutil.RelL2(got, want); !(e <= 1e-12) {
				t.Errorf("step %d: the direction is off by %.2g", step, e)
			}
			magnitude := 0.0
			for _, v := range g {
				magnitude += math.Abs(v)
			}
			length := 1.0
			if len(after.order) == 0 {
				length = min(1, 1/magnitude)
			}
			sameDouble(t, "step", b.Status().StepSize, length)
			slope := 0.0
			for _, v := range doubles(b, opt.slopes, opt.blocks()) {
				slope += v
			}
			dot("slope ahead", slope, g, vector(opt.s, after.free))
		}
	})
}

func absolute(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, e := range v {
		out[i] = math.Abs(e)
	}
	return out
}

// solver runs lbfgs_solve alone, on sums that a test chooses. The image has one element
// and the history one pair: n = 5 basis vectors.
type solver struct {
	b     *Device
	track cuda.Ptr
	opt   *deviceLBFGS
}

func newSolver(b *Device, o LBFGSOptions) *solver {
	o.History = 1
	b.ResetStatus()
	opt := b.NewLBFGS(Shape{1, 1, 1}, o).(*deviceLBFGS)
	return &solver{b, opt.track, opt}
}

// solve gives it an evaluation: the loss v, the rows of sums as lbfgs_dots writes them
// for free slot f, and the slope of the step before.
func (s *solver) solve(v, ss, sy, yy, sg, yg, gg, slope float64) *memoryCells {
	m := s.opt.readMemory()
	f, n := m.free, m.size()
	part := make([]float64, 3*n+2)
	part[m.s(f)], part[m.y(f)], part[m.g()] = ss, sy, sg
	part[n+m.s(f)], part[n+m.y(f)], part[n+m.g()] = sy, yy, yg
	part[2*n+m.s(f)], part[2*n+m.y(f)], part[2*n+m.g()] = sg, yg, gg
	part[3*n], part[3*n+1] = 1, math.Sqrt(gg)
	s.b.AddLoss(0, v-s.b.Loss(0))
	s.b.launchLbfgsSolve(cuda.Dim3{X: 1}, s.b.status, s.track, s.opt.memory, newDoubles(s.b, part...), newDoubles(s.b, slope), 1)
	return s.opt.readMemory()
}

// TestDoubleSearch: the rules of L-BFGS compare with their thresholds in float64.
func TestDoubleSearch(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		// Armijo's rule: a loss equal to the threshold is accepted, the next larger one is not.
		const slope = -0.5
		for _, loss := range []float64{1, 1 + 0x1p-40} {
			limit := loss + 1e-4*slope
			for _, c := range []struct {
				v     float64
				taken bool
			}{{limit, true}, {math.Nextafter(limit, 2), false}} {
				s := newSolver(b, LBFGSOptions{LineSearch: true})
				s.solve(loss, 0, 0, 0, 0, 0, 1, 0)
				m := s.solve(c.v, 1, 0.5, 1, 1, 1, 1, slope)
				if taken := b.Status().Accepted == 2; taken != c.taken {
					t.Errorf("a loss of %.17g after %.17g: taken is %t", c.v, loss, taken)
				}
				if want := 0.5; !c.taken && m.shrink != want {
					t.Errorf("the step is multiplied by %g, want %g", m.shrink, want)
				}
			}
		}
		// The parabola's minimum, between its limits.
		for _, c := range []struct{ rise, want float64 }{
			{0.25, 1.0 / 3}, {0.1, 0.5 / 1.2}, {0.3, 0.5 / 1.6}, {1.7, 0.5 / 4.4}, {2, 0.1}, {1000, 0.1},
		} {
			s := newSolver(b, LBFGSOptions{LineSearch: true})
			s.solve(1, 0, 0, 0, 0, 0, 1, 0)
			got := s.solve(1+c.rise, 1, 0.5, 1, 1, 1, 1, slope).shrink
			if math.Abs(got-c.want) > 1e-15 {
				t.Errorf("after a rise of %g the step is multiplied by %.17g, want %.17g", c.rise, got, c.want)
			}
		}
		// Curvature: s.y must be above 1e-10 y.y, also where both are 0.
		for _, c := range []struct {
			sy, yy float64
			kept   int
		}{
			{1e-10 * 3, 3, 0}, {math.Nextafter(1e-10*3, 1), 3, 1}, {0, 0, 0}, {1e30, 1e39, 1}, {1e-50, 1e-42, 1}, {-1, 1, 0},
		} {
			s := newSolver(b, LBFGSOptions{})
			s.solve(1, 0, 0, 0, 0, 0, 1, 0)
			m := s.solve(1, 1, c.sy, c.yy, 1, 1, 1, slope)
			if len(m.order) != c.kept {
				t.Errorf("s.y %g, y.y %g: %d pairs kept, want %d", c.sy, c.yy, len(m.order), c.kept)
			}
			for _, v := range m.delta {
				if v-v != 0 {
					t.Errorf("s.y %g, y.y %g: a coefficient of %g", c.sy, c.yy, v)
				}
			}
		}
	})
}

// TestHistoryBeyond32Bits has slots of history that begin more than 2^32 elements
// after the first. Memory is allocated only for the slot that the kernels must read.
func TestHistoryBeyond32Bits(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const n, count, slot = 100, 1 << 30, 5
		shape := Vector(n)
		x, g, grad, base := ragged(580, n), ragged(581, n), ragged(582, n), ragged(583, n)
		s, y := ragged(584, n), make([]float32, n)
		for i := range y {
			y[i] = g[i] - grad[i]
		}
		// An optimiser whose free slot and only pair is slot 5.
		opt := b.NewLBFGS(shape, LBFGSOptions{History: 6}).(*deviceLBFGS)
		m := opt.readMemory()
		m.free, m.order = slot, append(m.order, slot)
		m.good = true
		for i := range m.delta {
			m.delta[i] = 0
		}
		m.delta[m.s(slot)], m.delta[m.y(slot)], m.delta[m.g()] = 0.5, 0.25, -1
		b.writeCells(opt.memory, m.cells)
		track := opt.readTrack()
		track.has = true
		b.writeCells(opt.track, track.cells)

		// A block takes 4096 elements, of which those past n are 0.
		vector := func(v []float32) cuda.Ptr {
			all := b.NewArray(Shape{1, 1, chunkLen})
			b.Copy(b.View(all, 0, shape), upload(b, shape, v))
			return all.at
		}
		px, pg, pgrad, pbase := vector(x), vector(g), vector(grad), vector(base)
		ps, py := vector(s), vector(make([]float32, n))
		const before = 4 * slot * count // bytes, from the first slot to this one
		S, Y := ps-before, py-before
		size := m.size()
		part := newDoubles(b, make([]float64, 3*size+2)...)
		b.launchLbfgsDots(cuda.Dim3{X: 1}, opt.memory, opt.track, px, pg, pgrad, S, Y, 0, part, count, 3)
		stored := b.NewArray(shape)
		b.Copy(stored, &Array{Shape: shape, at: py})
		sameFloats(t, "difference", download(b, stored), wide(y))
		sums := doubles(b, part, 3*size+2)
		near(t, b, "s . s", []float64{sums[m.s(slot)]}, []float64{inner(wide(s), wide(s))}, 0, 1e-12)
		near(t, b, "s . y", []float64{sums[m.y(slot)]}, []float64{inner(wide(s), wide(y))}, 1e-12, 1e-12)
		near(t, b, "y . y", []float64{sums[size+m.y(slot)]}, []float64{inner(wide(y), wide(y))}, 0, 1e-12)

		slopes := newDoubles(b, 0)
		b.launchLbfgsMove(cuda.Dim3{X: 1}, opt.memory, opt.track, px, pg, pbase, 0, pgrad, S, Y, 0, slopes, count, 3)
		b.Copy(stored, &Array{Shape: shape, at: px})
		want := make([]float64, n)
		for i := range want {
			want[i] = float64(x[i]) - float64(g[i]) + 0.5*float64(s[i]) + 0.25*float64(y[i])
		}
		near(t, b, "image", download(b, stored), want, 1e-6, 1e-6)
		b.Copy(stored, &Array{Shape: shape, at: ps})
		for i := range want {
			want[i] -= float64(x[i])
		}
		near(t, b, "step", download(b, stored), want, 1e-6, 1e-6)
	})
}
