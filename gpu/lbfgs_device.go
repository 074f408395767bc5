package gpu

import (
	"io"

	"github.com/impasto/impasto/cuda"
)

type deviceLBFGS struct {
	deviceTrack
	o       LBFGSOptions
	memory  cuda.Ptr // memoryCells
	grad    *Array   // gradient at base
	s, y    *Array   // the history, (K, H, W, C) as one vector
	partial cuda.Ptr // 3n+2 sums a chunk
	slopes  cuda.Ptr // a chunk's part of grad . s for the step under way
}

// memoryCells are the struct Memory of kernels/lbfgs.cu and what follows it.
type memoryCells struct {
	lbfgsMemory
	search       bool
	halvings     int
	lr, firstSum float64
	loss, absG   float64
	good, stay   bool
	shrink       float64
	total        []float64
}

func (o LBFGSOptions) newMemoryCells(s Shape) *memoryCells {
	c := &memoryCells{lbfgsMemory: newLBFGSMemory(o.History), search: o.LineSearch, lr: o.LearningRate, firstSum: o.FirstStep * float64(s.Len())}
	c.total = make([]float64, 3*c.size()+3)
	return c
}

func (c *memoryCells) cells(s *stateIO) {
	k, count := c.k, len(c.order)
	s.count(&k)
	s.count(&count)
	s.count(&c.free)
	s.flag(&c.search)
	s.count(&c.halvings)
	for _, v := range []*float64{&c.lr, &c.firstSum, &c.loss, &c.absG} {
		s.number(v)
	}
	s.flag(&c.good)
	s.flag(&c.stay)
	s.number(&c.shrink)
	s.numbers(c.gram)
	s.numbers(c.total)
	s.numbers(c.delta)
	s.numbers(c.alpha)
	order := c.order[:c.k]
	for i := range order {
		s.count(&order[i])
	}
	c.order = order[:count]
}

func (b *Device) NewLBFGS(s Shape, o LBFGSOptions) Optimizer {
	o = o.withDefaults()
	checkBounds("NewLBFGS", s, o.Bounds)
	c := o.newMemoryCells(s)
	ring := Shape{1, 1, c.k * s.Len()} // kernels index it in 64 bits
	l := &deviceLBFGS{deviceTrack: newDeviceTrack(b, s, o.StepOptions), o: o, memory: b.newCells(c.cells),
		grad: b.NewArray(s), s: b.NewArray(ring), y: b.NewArray(ring)}
	// Sums of slots without a pair are added up like all others and then not
	// used, so they must be numbers.
	l.partial = b.newCells(func(s *stateIO) { s.numbers(make([]float64, l.blocks()*(3*c.size()+2))) })
	l.slopes = b.newCells(func(s *stateIO) { s.numbers(make([]float64, l.blocks())) })
	return l
}

func (l *deviceLBFGS) Step(x, g *Array) {
	checkStep("L-BFGS", l.shape, x, g)
	if l.b.settling {
		return
	}
	n, c, grid := l.shape.Len(), l.shape.C, cuda.Dim3{X: l.blocks()}
	l.b.launchLbfgsDots(grid, l.memory, l.track, x.at, g.at, l.grad.at, l.s.at, l.y.at, at(l.bounds), l.partial, n, c)
	l.b.launchLbfgsSolve(cuda.Dim3{X: 1}, l.b.status, l.track, l.memory, l.partial, l.slopes, l.blocks())
	l.b.launchLbfgsMove(grid, l.memory, l.track, x.at, g.at, l.base.at, at(l.average), l.grad.at,
		l.s.at, l.y.at, at(l.bounds), l.slopes, n, c)
}

// slot returns one vector of a ring.
func (l *deviceLBFGS) slot(ring *Array, slot int) *Array {
	return &Array{Shape: l.shape, at: ring.at + cuda.Ptr(4*slot*l.shape.Len())}
}

func (l *deviceLBFGS) readMemory() *memoryCells {
	c := l.o.newMemoryCells(l.shape)
	l.b.readCells(l.memory, c.cells)
	return c
}

// Carry does what the CPU's does. Only dot products and the resampling run on the
// device.
func (l *deviceLBFGS) Carry(from Optimizer, gradient float64) {
	f, ok := from.(*deviceLBFGS)
	if !ok {
		fail("Carry", "the optimiser before was not L-BFGS")
	}
	l.carry(&f.deviceTrack)
	now, then := l.readMemory(), f.readMemory()
	scaled := l.b.NewArray(l.shape)
	defer l.b.Free(scaled)
	skip := max(0, len(then.order)-(now.k-1))
	for _, slot := range then.order[skip:] {
		s, y := l.slot(l.s, now.free), l.slot(l.y, now.free)
		l.b.Resample(s, f.slot(f.s, slot), Bilinear)
		l.b.Resample(scaled, f.slot(f.y, slot), Bilinear)
		l.b.Fill(y, 0)
		l.b.Axpy(y, gradient, scaled)
		row := make([]float64, now.size())
		for _, v := range []struct {
			at int
			x  *Array
		}{{now.s(now.free), s}, {now.y(now.free), y}} {
			for _, other := range append(now.order[:len(now.order):len(now.order)], now.free) {
				row[now.s(other)] = l.b.Dot(v.x, l.slot(l.s, other))
				row[now.y(other)] = l.b.Dot(v.x, l.slot(l.y, other))
			}
			now.set(v.at, row)
		}
		now.commit()
	}
	l.b.writeCells(l.memory, now.cells)
}

// Restart goes back to the base and forgets the history. The next evaluation is of the
// base.
func (l *deviceLBFGS) Restart(x *Array) {
	l.b.outside("Restart")
	t, m := l.readTrack(), l.readMemory()
	if t.has {
		l.b.Copy(x, l.base)
	}
	m.forget()
	t.has, m.halvings = false, 0
	l.b.writeCells(l.track, t.cells)
	l.b.writeCells(l.memory, m.cells)
}

// state writes or reads the same values as the CPU's.
func (l *deviceLBFGS) state(s *stateIO) error {
	s.header("l-bfgs", l.shape, l.o.History)
	l.deviceTrack.state(s)
	c := l.readMemory()
	parts := make([]float64, l.blocks())
	l.b.readCells(l.slopes, func(s *stateIO) { s.numbers(parts) })
	slope := sum(parts)
	s.number(&c.loss)
	s.number(&c.absG)
	s.number(&slope)
	s.count(&c.halvings)
	s.array(l.b, l.grad)
	s.memory(&c.lbfgsMemory)
	if s.err != nil {
		return s.err
	}
	s.array(l.b, l.slot(l.s, c.free))
	for _, slot := range c.order {
		s.array(l.b, l.slot(l.s, slot))
		s.array(l.b, l.slot(l.y, slot))
	}
	if s.r != nil && s.err == nil {
		clear(parts)
		parts[0] = slope
		l.b.writeCells(l.slopes, func(s *stateIO) { s.numbers(parts) })
		l.b.writeCells(l.memory, c.cells)
	}
	return s.err
}

func (l *deviceLBFGS) Save(w io.Writer) error { return l.state(&stateIO{w: w}) }
func (l *deviceLBFGS) Load(r io.Reader) error { return l.state(&stateIO{r: r}) }

func (l *deviceLBFGS) arrays() []*Array { return append(l.deviceTrack.arrays(), l.grad, l.s, l.y) }

func (l *deviceLBFGS) Bytes() int64 {
	return l.b.bytesOf(l.arrays()) + 8*int64(l.blocks())*int64(3*(2*(l.o.History+1)+1)+3)
}

func (l *deviceLBFGS) Free() {
	l.b.Free(l.arrays()...)
	l.b.free(l.track, l.memory, l.partial, l.slopes)
}
