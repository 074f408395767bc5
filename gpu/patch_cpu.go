package gpu

// A chunk computes one row of positions. It gathers from all patches that cover them,
// in the order of d, so nothing is added twice or in another order.

type patchTask struct {
	b     *CPU
	dx, f *Array // dx: receives the gradient or, in a vote, the mean
	m     *Matches
	from  []PatchSource
	o     PatchOptions
	coef  float64
	vote  bool
	part  []float64 // per row
}

// PatchLoss pulls features f (H, W, C) towards the matched patches of from:
// slot = coef * the sum of squared differences, and dx += its gradient (Li & Wand
// 2016, eq. 2).
func (b *CPU) PatchLoss(dx, f *Array, m *Matches, from []PatchSource, o PatchOptions, coef float64, slot int) {
	o = o.withDefaults()
	checkPatches("PatchLoss", f, m, from, o)
	if dx != nil {
		sameShape("PatchLoss", dx, f)
	}
	checkSlot("PatchLoss", slot)
	b.patch = patchTask{b: b, dx: dx, f: f, m: m, from: from, o: o, coef: coef, part: b.partials(f.Shape.H)}
	b.workers.run(f.Shape.H, &b.patch)
	b.status.Loss[slot] = coef * sum(b.patch.part)
}

// Vote writes to dst (H, W, C) the mean of all matched patches that cover each
// position.
func (b *CPU) Vote(dst *Array, m *Matches, from []PatchSource, o PatchOptions) {
	o = o.withDefaults()
	checkPatches("Vote", dst, m, from, o)
	b.patch = patchTask{b: b, dx: dst, f: dst, m: m, from: from, o: o, vote: true}
	b.workers.run(dst.Shape.H, &b.patch)
}

func (t *patchTask) chunk(worker, y int) {
	s := t.f.Shape
	votes := t.b.scratchFor(worker, s.C)
	row := y * s.W * s.C
	fs := t.b.read(worker, 0, t.f, row, s.W*s.C)
	var dxs []float32
	switch {
	case t.vote:
		dxs = t.b.write(worker, 1, t.dx, row, s.W*s.C)
	case t.dx != nil:
		dxs = t.b.read(worker, 1, t.dx, row, s.W*s.C)
	}
	value := 0.0
	for x := range s.W {
		clear(votes)
		f := fs[x*s.C:][:s.C]
		n, apart := t.gather(worker, votes, f, y, x)
		switch {
		case t.vote:
			dst := dxs[x*s.C:][:s.C]
			for c, v := range votes {
				dst[c] = v / float32(max(n, 1))
			}
			continue
		case n == 0:
			continue
		}
		omega := 1.0
		if t.o.Average {
			omega = 1 / float64(n)
		}
		value += omega * apart
		if t.dx != nil {
			k, count := float32(2*t.coef*omega), float32(n)
			dx := dxs[x*s.C:][:s.C]
			for c, v := range votes {
				dx[c] += k * (float32(count*f[c]) - v)
			}
		}
	}
	if dxs != nil {
		t.b.keep(t.dx, row, dxs)
	}
	if t.part != nil {
		t.part[y] = value
	}
}

// gather adds to votes the value of each patch that covers (y, x). It returns how many
// patches there are and, except in a vote, the sum of their squared distances to f.
func (t *patchTask) gather(worker int, votes, f []float32, y, x int) (n int, apart float64) {
	for i := range t.o.Size {
		for j := range t.o.Size {
			py, px := y-i, x-j
			if py < 0 || px < 0 || py%t.o.Stride != 0 || px%t.o.Stride != 0 {
				continue
			}
			py, px = py/t.o.Stride, px/t.o.Stride
			if py >= t.m.Shape.H || px >= t.m.Shape.W {
				continue
			}
			p := py*t.m.Shape.W + px
			if float64(t.m.score[p]) < t.o.Least {
				continue
			}
			v := t.source(worker, int(t.m.index[p]), i, j)
			n++
			if t.vote {
				for c, e := range v {
					votes[c] += e
				}
				continue
			}
			squares := float32(0)
			for c, e := range v {
				votes[c] += e
				d := f[c] - e
				squares += d * d
			}
			apart += float64(squares)
		}
	}
	return n, apart
}

// source returns the pixel (i, j) of the patch with that number.
func (t *patchTask) source(worker, index, i, j int) []float32 {
	k := len(t.from) - 1
	for t.from[k].First > index {
		k--
	}
	s := &t.from[k]
	stride := max(1, s.Stride)
	cols := (s.F.Shape.W-t.o.Size)/stride + 1
	q := index - s.First
	y, x := q/cols*stride+i, q%cols*stride+j
	return t.b.read(worker, 2, s.F, (y*s.F.Shape.W+x)*s.F.Shape.C, s.F.Shape.C)
}
