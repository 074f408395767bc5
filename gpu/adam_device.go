package gpu

import (
	"io"
	"math"

	"github.com/impasto/impasto/cuda"
)

type deviceAdam struct {
	deviceTrack
	o        AdamOptions
	m, v     *Array
	adam     cuda.Ptr // adamCells
	schedule cuda.Ptr // its factors, float64
	partial  cuda.Ptr // three sums a chunk
}

// adamCells are the struct Adam of kernels/adam.cu.
type adamCells struct {
	lr, beta1, beta2, eps float64
	schedule              int // its length
	step, all             int
	power1, power2        float64 // beta^step
	good                  bool
	rate, root            float64
}

func (c *adamCells) cells(s *stateIO) {
	for _, v := range []*float64{&c.lr, &c.beta1, &c.beta2, &c.eps} {
		s.number(v)
	}
	s.count(&c.schedule)
	s.count(&c.step)
	s.count(&c.all)
	s.number(&c.power1)
	s.number(&c.power2)
	s.flag(&c.good)
	s.number(&c.rate)
	s.number(&c.root)
}

// at sets the counts of steps and the values that follow from them.
func (c *adamCells) at(step, all int) {
	c.step, c.all = step, all
	c.power1, c.power2 = math.Pow(c.beta1, float64(step)), math.Pow(c.beta2, float64(step))
}

func (b *Device) NewAdam(s Shape, o AdamOptions) Optimizer {
	o = o.withDefaults()
	checkBounds("NewAdam", s, o.Bounds)
	a := &deviceAdam{deviceTrack: newDeviceTrack(b, s, o.StepOptions), o: o, m: b.NewArray(s), v: b.NewArray(s)}
	c := &adamCells{lr: o.LearningRate, beta1: o.Beta1, beta2: o.Beta2, eps: o.Eps, schedule: len(o.Schedule)}
	c.at(0, 0)
	a.adam = b.newCells(c.cells)
	if len(o.Schedule) > 0 {
		a.schedule = b.newCells(func(s *stateIO) { s.numbers(o.Schedule) })
	}
	a.partial = b.alloc(8 * 3 * int64(a.blocks()))
	return a
}

func (a *deviceAdam) Step(x, g *Array) {
	checkStep("Adam", a.shape, x, g)
	if a.b.settling {
		return
	}
	n, grid := a.shape.Len(), cuda.Dim3{X: a.blocks()}
	a.b.launchImageSums(grid, x.at, g.at, a.partial, n)
	a.b.launchAdamJudge(cuda.Dim3{X: 1}, a.b.status, a.track, a.adam, a.partial, a.blocks(), a.schedule)
	a.b.launchAdamMove(grid, a.track, a.adam, x.at, g.at, a.base.at, at(a.average), a.m.at, a.v.at, at(a.bounds), n, a.shape.C)
}

// Restart does nothing: Adam's moments may be of gradients of several functions.
func (a *deviceAdam) Restart(*Array) {}

// Carry does what the CPU's does.
func (a *deviceAdam) Carry(from Optimizer, _ float64) {
	f, ok := from.(*deviceAdam)
	if !ok {
		fail("Carry", "the optimiser before was not Adam")
	}
	a.carry(&f.deviceTrack)
	now, then := a.readAdam(), f.readAdam()
	now.at(then.step, then.all)
	a.b.writeCells(a.adam, now.cells)
	a.b.Resample(a.m, f.m, Bicubic)
	a.b.Resample(a.v, f.v, Bilinear)
}

func (a *deviceAdam) readAdam() *adamCells {
	c := new(adamCells)
	a.b.readCells(a.adam, c.cells)
	return c
}

func (a *deviceAdam) state(s *stateIO) error {
	s.header("adam", a.shape, 0)
	a.deviceTrack.state(s)
	c := a.readAdam()
	s.count(&c.step)
	s.count(&c.all)
	s.array(a.b, a.m)
	s.array(a.b, a.v)
	if s.r != nil && s.err == nil {
		c.at(c.step, c.all)
		a.b.writeCells(a.adam, c.cells)
	}
	return s.err
}

func (a *deviceAdam) Save(w io.Writer) error { return a.state(&stateIO{w: w}) }
func (a *deviceAdam) Load(r io.Reader) error { return a.state(&stateIO{r: r}) }

func (a *deviceAdam) arrays() []*Array { return append(a.deviceTrack.arrays(), a.m, a.v) }

func (a *deviceAdam) Bytes() int64 { return a.b.bytesOf(a.arrays()) + 8*3*int64(a.blocks()) }

func (a *deviceAdam) Free() {
	a.b.Free(a.arrays()...)
	a.b.free(a.track, a.adam, a.schedule, a.partial)
}
