package gpu

import "math"

type cpuLBFGS struct {
	track
	o        LBFGSOptions
	mem      lbfgsMemory
	s, y     [][]float32 // the history, by slot
	grad     []float32   // gradient at base
	loss     float64     // at base
	absG     float64     // sum of |g| at base
	slope    float64     // grad . s of the step under way
	halvings int         // of the step under way, by the line search

	dots lbfgsDots
	move lbfgsMove
}

// NewLBFGS returns L-BFGS (Liu & Nocedal 1989) for an image of shape s, with 2 History
// arrays of its size. See Optimizer.
func (b *CPU) NewLBFGS(s Shape, o LBFGSOptions) Optimizer {
	o = o.withDefaults()
	checkBounds("NewLBFGS", s, o.Bounds)
	l := &cpuLBFGS{track: newTrack(b, s, o.StepOptions), o: o, mem: newLBFGSMemory(o.History), grad: make([]float32, s.Len())}
	for range l.mem.k {
		l.s = append(l.s, make([]float32, s.Len()))
		l.y = append(l.y, make([]float32, s.Len()))
	}
	l.dots = lbfgsDots{l: l, part: make([]float64, l.chunks()*l.dotCount()), total: make([]float64, l.dotCount())}
	l.move = lbfgsMove{l: l, coef: make([]float32, l.mem.size()), part: make([]float64, l.chunks())}
	return l
}

func (l *cpuLBFGS) chunks() int { return chunks(len(l.base), chunkLen) }

// dotCount returns the number of sums per chunk: three rows of the Gram matrix (the new
// s, the new y, g), and |x| and |g|.
func (l *cpuLBFGS) dotCount() int { return 3*l.mem.size() + 2 }

func (l *cpuLBFGS) Step(x, g *Array) {
	checkStep("L-BFGS", l.shape, x, g)
	l.dots.x, l.dots.g = x.data, g.data
	clear(l.dots.part)
	l.b.workers.run(l.chunks(), &l.dots)
	l.dots.reduce()
	n := l.mem.size()
	gg, absX, absG := l.dots.total[2*n+l.mem.g()], l.dots.total[3*n], l.dots.total[3*n+1]
	loss := l.b.status.total()

	usable := l.evaluated(loss, absX, absG, gg)
	search := l.has && l.o.LineSearch
	switch {
	case usable && !(search && loss > l.loss+armijo*l.slope):
		l.accept(x, g, loss, absG)
	case usable:
		l.backtrack(x, loss)
	default:
		l.reject()
		if search {
			l.backtrack(x, math.Inf(1))
		} else if l.has {
			l.restart(x)
		}
	}
}

// accept makes x the base and makes the next step from there.
func (l *cpuLBFGS) accept(x, g *Array, loss, absG float64) {
	n := l.mem.size()
	if l.has {
		l.mem.set(l.mem.s(l.mem.free), l.dots.total[:n])
		l.mem.set(l.mem.y(l.mem.free), l.dots.total[n:2*n])
		l.mem.commit()
	}
	l.mem.set(l.mem.g(), l.dots.total[2*n:3*n])
	l.loss, l.absG, l.halvings = loss, absG, 0
	l.mem.direction()
	l.advance(x, g.data, l.stepLength())
	l.accepted(loss)
}

// stepLength returns the learning rate. It is smaller if the direction is the plain
// gradient, whose length means nothing.
func (l *cpuLBFGS) stepLength() float64 {
	step := l.o.LearningRate * l.scale
	switch {
	case len(l.mem.order) > 0:
	case l.o.FirstStep > 0 && l.absG > 0:
		step *= l.o.FirstStep * float64(l.shape.Len()) / l.absG
	case l.absG > 1:
		step /= l.absG
	}
	return step
}

// Restart goes back to the base and forgets the history. The next evaluation is of the
// base.
func (l *cpuLBFGS) Restart(x *Array) {
	if l.has {
		copy(x.data, l.base)
	}
	l.mem.forget()
	l.has, l.halvings = false, 0
}

// restart goes back to the base and from there along its gradient.
func (l *cpuLBFGS) restart(x *Array) {
	l.mem.forget()
	l.mem.direction()
	l.halvings = 0
	l.advance(x, nil, l.stepLength())
}

// backtrack shortens the step under way. If it has done so too often, it tries the
// gradient itself. If that fails too, the search has stalled.
func (l *cpuLBFGS) backtrack(x *Array, loss float64) {
	if l.halvings++; l.halvings <= maxBacktracks {
		l.move.x, l.move.g, l.move.shrink = x.data, nil, float32(shorten(l.slope, loss-l.loss))
		l.b.workers.run(l.chunks(), &l.move)
		l.slope = sum(l.move.part)
		return
	}
	if len(l.mem.order) == 0 {
		l.b.status.Stalled = true
		copy(x.data, l.base)
		return
	}
	l.restart(x)
}

// advance moves x to base + step * direction, inside the bounds. If g is given, it
// makes x and g the base first.
func (l *cpuLBFGS) advance(x *Array, g []float32, step float64) {
	l.move.x, l.move.g, l.move.shrink = x.data, g, 0
	for j, c := range l.mem.delta {
		l.move.coef[j] = float32(step * c)
	}
	l.b.workers.run(l.chunks(), &l.move)
	l.slope = sum(l.move.part)
	l.b.status.StepSize = step
}

// lbfgsDots computes y = g - grad and the dot products of s, y and g with the basis.
type lbfgsDots struct {
	l     *cpuLBFGS
	x, g  []float32
	part  []float64 // dotCount per chunk
	total []float64 // dotCount
}

func (t *lbfgsDots) chunk(worker, i int) {
	l := t.l
	lo, hi := i*chunkLen, min(len(t.x), (i+1)*chunkLen)
	n := l.mem.size()
	part := t.part[i*l.dotCount():][:l.dotCount()]
	g := t.g[lo:hi]
	gAt := l.mem.g()
	x, free := t.x[lo:hi], l.mem.free
	s, y := l.s[free][lo:hi], l.y[free][lo:hi]
	if l.has {
		old := l.grad[lo:hi]
		for j := range y {
			y[j] = g[j] - old[j]
		}
	}
	g = l.movable(worker, x, g, lo)
	part[3*n], part[3*n+1], part[2*n+gAt] = imageSums(x, g)
	if !l.has {
		s, y = g, g // there are no pairs yet, and nothing reads their products
	}
	part[gAt], part[n+gAt], _ = l.b.kernels.Dots(g, s, y, g)
	one := func(at int, v []float32) {
		part[at], part[n+at], part[2*n+at] = l.b.kernels.Dots(v, s, y, g)
	}
	for _, slot := range l.mem.order {
		one(l.mem.s(slot), l.s[slot][lo:hi])
		one(l.mem.y(slot), l.y[slot][lo:hi])
	}
	if l.has {
		one(l.mem.s(free), s)
		one(l.mem.y(free), y)
	}
}

// held reports whether an element is at a bound, lo or hi, against which its gradient
// pushes it. It does not move, and the recursion must not see it.
func held(x, g, lo, hi float32) bool { return x <= lo && g > 0 || x >= hi && g < 0 }

// movable returns the gradient with the held elements set to zero. Without bounds it is
// g itself, otherwise a copy in the worker's scratch memory. first is the index in the
// image of x[0].
func (l *cpuLBFGS) movable(worker int, x, g []float32, first int) []float32 {
	if l.track.o.Bounds == nil {
		return g
	}
	low, high := l.bounds(first, len(x))
	out := l.b.scratchFor(worker, chunkLen)[:len(g)]
	for j, v := range g {
		if held(x[j], v, low[j], high[j]) {
			v = 0
		}
		out[j] = v
	}
	return out
}

// reduce adds the chunks' sums in their order.
func (t *lbfgsDots) reduce() {
	clear(t.total)
	for i := 0; i < len(t.part); i += len(t.total) {
		for j, v := range t.part[i:][:len(t.total)] {
			t.total[j] += v
		}
	}
}

// lbfgsMove forms the step s and the next image, and the slope grad . s.
type lbfgsMove struct {
	l      *cpuLBFGS
	x, g   []float32 // g: nil when the base stays
	coef   []float32 // of the basis vectors, step length included
	shrink float32   // 0: a new step; else multiply the step under way
	part   []float64
}

func (t *lbfgsMove) chunk(worker, i int) {
	l := t.l
	lo, hi := i*chunkLen, min(len(t.x), (i+1)*chunkLen)
	s, x := l.s[l.mem.free][lo:hi], t.x[lo:hi]
	if t.g != nil {
		l.track.accept(t.x, lo, hi)
		copy(l.grad[lo:hi], t.g[lo:hi])
	}
	base := l.base[lo:hi]
	grad := l.movable(worker, base, l.grad[lo:hi], lo)
	if t.shrink != 0 {
		// The box is convex, so a shorter step stays inside.
		for j := range s {
			s[j] *= t.shrink
			x[j] = base[j] + s[j]
		}
	} else {
		c := t.coef[l.mem.g()]
		for j := range s {
			s[j] = c * grad[j]
		}
		for _, slot := range l.mem.order {
			l.b.kernels.Axpy(s, t.coef[l.mem.s(slot)], l.s[slot][lo:hi])
			l.b.kernels.Axpy(s, t.coef[l.mem.y(slot)], l.y[slot][lo:hi])
		}
		for j := range s {
			x[j] = base[j] + s[j]
		}
		l.confine(x, base, l.grad[lo:hi], lo)
		for j := range s {
			s[j] = x[j] - base[j]
		}
	}
	t.part[i] = dot(grad, s)
}

// confine limits x to the bounds, and keeps held elements at their base.
func (l *cpuLBFGS) confine(x, base, grad []float32, first int) {
	if l.track.o.Bounds == nil {
		return
	}
	low, high := l.bounds(first, len(x))
	for j, v := range x {
		x[j] = min(max(v, low[j]), high[j])
		if held(base[j], grad[j], low[j], high[j]) {
			x[j] = base[j]
		}
	}
}

// Carry resamples the history. The steps s keep their values, and the changes y of the
// gradient are scaled as it is. The Gram matrix and the curvature test are computed
// again.
func (l *cpuLBFGS) Carry(from Optimizer, gradient float64) {
	f, ok := from.(*cpuLBFGS)
	if !ok {
		fail("Carry", "the optimiser before was not L-BFGS")
	}
	l.carry(&f.track)
	skip := max(0, len(f.mem.order)-(l.mem.k-1))
	for _, slot := range f.mem.order[skip:] {
		free := l.mem.free
		l.b.resample(l.s[free], f.s[slot], l.shape, f.shape, Bilinear)
		l.b.resample(l.y[free], f.y[slot], l.shape, f.shape, Bilinear)
		for j := range l.y[free] {
			l.y[free][j] *= float32(gradient)
		}
		row := make([]float64, l.mem.size())
		for _, v := range []struct {
			at int
			x  []float32
		}{{l.mem.s(free), l.s[free]}, {l.mem.y(free), l.y[free]}} {
			for _, other := range append(l.mem.order[:len(l.mem.order):len(l.mem.order)], free) {
				row[l.mem.s(other)] = l.b.dotData(v.x, l.s[other])
				row[l.mem.y(other)] = l.b.dotData(v.x, l.y[other])
			}
			l.mem.set(v.at, row)
		}
		l.mem.commit()
	}
}

func (l *cpuLBFGS) Bytes() int64 {
	return l.bytes() + 4*int64(len(l.grad))*int64(1+2*l.mem.k)
}

func (l *cpuLBFGS) Free() {
	bytes := l.Bytes()
	l.release()
	l.s, l.y, l.grad = nil, nil, nil
	l.b.returnMemory(bytes)
}
