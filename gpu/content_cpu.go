package gpu

type contentTask struct {
	dx, f, target []float32
	k             float32
	part          []float64
}

// ContentLoss compares features f with target, both (H, W, C), by the squared
// error of Gatys et al. (2016): slot = coef * sum (f - target)^2, and
// dx += 2 coef (f - target) where dx is not nil.
func (b *CPU) ContentLoss(dx, f, target *Array, coef float64, slot int) {
	checkContent(dx, f, target, slot)
	n := chunks(f.Shape.Len(), chunkLen)
	b.content = contentTask{f: f.data, target: target.data, k: float32(2 * coef), part: b.partials(n)}
	if dx != nil {
		b.content.dx = dx.data
	}
	b.workers.run(n, &b.content)
	b.status.Loss[slot] = coef * sum(b.content.part)
}

func (t *contentTask) chunk(_, i int) {
	lo, hi := i*chunkLen, min(len(t.f), (i+1)*chunkLen)
	s := 0.0
	for j := lo; j < hi; j++ {
		d := t.f[j] - t.target[j]
		s += float64(d) * float64(d)
		if t.dx != nil {
			t.dx[j] += t.k * d
		}
	}
	t.part[i] = s
}
