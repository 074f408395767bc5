package gpu

type contentTask struct {
	dx, f, target []float32
	c             int // channels
	pixels        int // of a chunk
	coef          float64
	part          []float64
}

// ContentLoss compares features f with target, both (H, W, C), by the squared
// error of Gatys et al. (2016): slot = coef * sum (f - target)^2, and
// dx += 2 coef (f - target) where dx is not nil.
//
// Each pixel's share is rounded to float32 and the shares are added in float64.
// That sum is exact while no share but zero is below 2^-29 of it, so that the
// losses of an image's parts add up to the whole's to the last bit, in any order.
// The line search needs that: from the difference of two losses it takes the
// length of a step, and a last bit there becomes another picture.
func (b *CPU) ContentLoss(dx, f, target *Array, coef float64, slot int) {
	checkContent(dx, f, target, slot)
	t := contentTask{f: f.data, target: target.data, c: f.Shape.C, coef: coef}
	t.pixels = max(1, chunkLen/t.c)
	n := chunks(f.Shape.Pixels(), t.pixels)
	t.part = b.partials(n)
	if dx != nil {
		t.dx = dx.data
	}
	b.content = t
	b.workers.run(n, &b.content)
	b.status.Loss[slot] = sum(t.part)
}

func (t *contentTask) chunk(_, i int) {
	k, step := float32(2*t.coef), t.pixels*t.c
	total := 0.0
	for lo, end := i*step, min(len(t.f), (i+1)*step); lo < end; lo += t.c {
		s := 0.0
		for j := lo; j < lo+t.c; j++ {
			d := t.f[j] - t.target[j]
			s += float64(d) * float64(d)
			if t.dx != nil {
				t.dx[j] += k * d
			}
		}
		total += float64(float32(t.coef * s))
	}
	t.part[i] = total
}
