package gpu

import "math"

type cpuAdam struct {
	track
	o    AdamOptions
	m, v []float32
	step int // since the moments were last zero
	all  int // all accepted steps, for the schedule

	sums   sumsTask
	update adamTask
}

// NewAdam returns Adam (Kingma & Ba 2015) for an image of shape s, with two moments of
// its size. See Optimizer.
func (b *CPU) NewAdam(s Shape, o AdamOptions) Optimizer {
	o = o.withDefaults()
	checkBounds("NewAdam", s, o.Bounds)
	a := &cpuAdam{track: newTrack(b, s, o.StepOptions), o: o, m: make([]float32, s.Len()), v: make([]float32, s.Len())}
	a.sums.part = make([]float64, 3*chunks(s.Len(), chunkLen))
	a.update.a = a
	return a
}

func (a *cpuAdam) Step(x, g *Array) {
	checkStep("Adam", a.shape, x, g)
	a.sums.x, a.sums.g = x.data, g.data
	n := chunks(len(x.data), chunkLen)
	a.b.workers.run(n, &a.sums)
	var absX, absG, gg float64
	for i := range n {
		absX += a.sums.part[3*i]
		absG += a.sums.part[3*i+1]
		gg += a.sums.part[3*i+2]
	}
	loss := a.b.status.total()
	if !a.evaluated(loss, absX, absG, gg) {
		a.reject()
		if a.has {
			copy(x.data, a.base)
		}
		clear(a.m)
		clear(a.v)
		a.step = 0
		return
	}
	a.step++
	lr := a.o.LearningRate * a.o.factor(a.all) * a.scale
	a.all++
	a.update.x, a.update.g = x.data, g.data
	a.update.rate = float32(lr / (1 - math.Pow(a.o.Beta1, float64(a.step))))
	a.update.root = float32(1 / math.Sqrt(1-math.Pow(a.o.Beta2, float64(a.step))))
	a.b.workers.run(n, &a.update)
	a.accepted(loss)
	a.b.status.StepSize = lr
}

// Restart does nothing: Adam's moments may be of gradients of several functions.
func (a *cpuAdam) Restart(*Array) {}

type adamTask struct {
	a          *cpuAdam
	x, g       []float32
	rate, root float32 // lr / (1 - b1^t) and 1 / sqrt(1 - b2^t)
}

func (t *adamTask) chunk(_, i int) {
	a := t.a
	lo, hi := i*chunkLen, min(len(t.x), (i+1)*chunkLen)
	a.accept(t.x, lo, hi)
	b1, b2, eps := float32(a.o.Beta1), float32(a.o.Beta2), float32(a.o.Eps)
	x, m, v := t.x[lo:hi], a.m[lo:hi], a.v[lo:hi]
	for j, g := range t.g[lo:hi] {
		m[j] = b1*m[j] + (1-b1)*g
		v[j] = b2*v[j] + (1-b2)*g*g
		root := float32(math.Sqrt(float64(v[j]))) * t.root
		x[j] -= t.rate * m[j] / (root + eps)
	}
	if a.track.o.Bounds != nil {
		low, high := a.bounds(lo, len(x))
		for j, e := range x {
			x[j] = min(max(e, low[j]), high[j])
		}
	}
}

// Carry resamples the moments: the first bicubically, the second linearly, so that it
// stays positive. It does not change their scale, like style-transfer-pytorch: Adam's
// step does not depend on it, and earlier values soon have little weight in the
// averages.
func (a *cpuAdam) Carry(from Optimizer, _ float64) {
	f, ok := from.(*cpuAdam)
	if !ok {
		fail("Carry", "the optimiser before was not Adam")
	}
	a.carry(&f.track)
	a.step, a.all = f.step, f.all
	a.b.resample(a.m, f.m, a.shape, f.shape, Bicubic)
	a.b.resample(a.v, f.v, a.shape, f.shape, Bilinear)
}

func (a *cpuAdam) Bytes() int64 { return a.bytes() + 4*int64(len(a.m)+len(a.v)) }

func (a *cpuAdam) Free() {
	bytes := a.Bytes()
	a.release()
	a.m, a.v = nil, nil
	a.b.returnMemory(bytes)
}
