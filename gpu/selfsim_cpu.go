package gpu

import (
	"math"
	"slices"
)

// NewSelfSimilarity returns the target of SelfSimLoss: a photograph's features f (H, W,
// C) at different positions y*W + x; see selfsim.go.
func (b *CPU) NewSelfSimilarity(f *Array, positions []int32) *SelfSimilarity {
	checkSelfSimilarity(f, positions)
	n := len(positions)
	s := newSelfSimilarity(b, f.Shape, n)
	s.both, s.across = b.NewArray(Matrix(n)), b.NewArray(Shape{f.Shape.C, n, 1})
	s.positions = slices.Clone(positions)
	b.distances(f, s)
	b.runSelfSim(selfSimShares, n)
	copy(s.target.data, s.shares.data)
	return s
}

// FreeSelfSimilarity frees the memory of each; nil is ignored.
func (b *CPU) FreeSelfSimilarity(all ...*SelfSimilarity) {
	for _, s := range all {
		if s != nil {
			b.Free(s.target, s.shares, s.unit, s.slope, s.length, s.both, s.across)
		}
	}
}

// SelfSimLoss compares how similar features f (H, W, C) are to each other with
// how similar the photograph's were; see selfsim.go for the formula. It adds the
// gradient to dx (H, W, C), which may be nil.
func (b *CPU) SelfSimLoss(dx, f *Array, s *SelfSimilarity, coef float64, slot int) {
	checkSelfSim(dx, f, s, slot)
	b.distances(f, s)
	t := &b.selfSim
	t.dx, t.coef, t.part = dx, coef/float64(s.n), b.partials(s.n)
	b.runSelfSim(selfSimCompare, s.n)
	b.status.Loss[slot] = sum(t.part)
	if dx == nil {
		return
	}
	b.runSelfSim(selfSimBoth, s.n)
	b.multiply(s.slope.data, s.both.data, s.unit.data, nil, s.n, f.Shape.C, false)
	b.runSelfSim(selfSimScatter, s.n)
}

// distances writes the cosines of the features at the positions to s.shares.
func (b *CPU) distances(f *Array, s *SelfSimilarity) {
	b.selfSim = selfSimTask{b: b, s: s, f: f, c: f.Shape.C}
	b.runSelfSim(selfSimGather, s.n)
	b.runSelfSim(selfSimAcross, f.Shape.C)
	b.multiply(s.shares.data, s.unit.data, s.across.data, nil, f.Shape.C, s.n, false)
}

func (b *CPU) runSelfSim(step selfSimStep, n int) {
	b.selfSim.step = step
	b.workers.run(n, &b.selfSim)
}

type selfSimStep int

const (
	selfSimGather  selfSimStep = iota // features at position i, brought to length 1
	selfSimAcross                     // channel i of those at all positions
	selfSimShares                     // row i: cosines become shares of distances
	selfSimCompare                    // row i: loss of the shares, and its derivative by distances
	selfSimBoth                       // row i of that slope plus its transpose, negative
	selfSimScatter                    // the slope by the features at position i
)

type selfSimTask struct {
	b    *CPU
	step selfSimStep
	s    *SelfSimilarity
	dx   *Array
	f    *Array
	c    int       // channels
	coef float64   // of the loss, over n
	part []float64 // the loss of each row
}

func (t *selfSimTask) chunk(worker, i int) {
	switch t.step {
	case selfSimGather:
		t.gather(worker, i)
	case selfSimAcross:
		row := t.s.across.data[i*t.s.n:][:t.s.n]
		for j := range row {
			row[j] = t.s.unit.data[j*t.c+i]
		}
	case selfSimShares:
		t.shares(i)
	case selfSimCompare:
		t.compare(i)
	case selfSimBoth:
		n, g := t.s.n, t.s.shares.data
		row := t.s.both.data[i*n:][:n]
		for j := range row {
			row[j] = -(g[i*n+j] + g[j*n+i])
		}
	case selfSimScatter:
		t.scatter(worker, i)
	}
}

func (t *selfSimTask) gather(worker, i int) {
	x, unit := t.b.read(worker, 0, t.f, int(t.s.positions[i])*t.c, t.c), t.s.unit.data[i*t.c:][:t.c]
	squares := 0.0
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	length := float32(math.Sqrt(squares))
	t.s.length.data[i] = length
	if length == 0 {
		clear(unit)
		return
	}
	for j, v := range x {
		unit[j] = v / length
	}
}

// shares converts row i of the cosines into shares of distances. It returns the sum of
// the distances.
func (t *selfSimTask) shares(i int) (total float64) {
	row := t.s.shares.data[i*t.s.n:][:t.s.n]
	for j, cos := range row {
		row[j] = 1 - cos
		if j == i || row[j] < selfSimLeast {
			row[j] = 0
		}
		total += float64(row[j])
	}
	if total > 0 {
		for j, d := range row {
			row[j] = float32(float64(d) / total)
		}
	}
	return total
}

func (t *selfSimTask) compare(i int) {
	total := t.shares(i)
	n := t.s.n
	row, target := t.s.shares.data[i*n:][:n], t.s.target.data[i*n:][:n]
	loss, mean := 0.0, 0.0
	for j, p := range row {
		d := p - target[j]
		loss += math.Abs(float64(d))
		mean += float64(sign(d)) * float64(p)
	}
	t.part[i] = t.coef * loss
	if t.dx == nil {
		return
	}
	for j, p := range row {
		if total == 0 {
			row[j] = 0
			continue
		}
		row[j] = float32(t.coef * (float64(sign(p-target[j])) - mean) / total)
	}
}

func (t *selfSimTask) scatter(worker, i int) {
	length := t.s.length.data[i]
	if length == 0 {
		return
	}
	v, unit := t.s.slope.data[i*t.c:][:t.c], t.s.unit.data[i*t.c:][:t.c]
	at := int(t.s.positions[i]) * t.c
	dx := t.b.read(worker, 0, t.dx, at, t.c)
	along := 0.0
	for j, u := range unit {
		along += float64(v[j]) * float64(u)
	}
	for j, u := range unit {
		dx[j] += float32((float64(v[j]) - along*float64(u)) / float64(length))
	}
	t.b.keep(t.dx, at, dx)
}
