package gpu

type contentTask struct {
	b             *CPU
	dx, f, target *Array
	pixels        int // of a chunk
	coef          float64
	part          []float64
}

// ContentLoss compares features f with target, both (H, W, C), by the squared error of
// Gatys et al. (2016): slot = coef * sum (f - target)^2, and dx += 2 coef (f - target)
// if dx is not nil.
//
// Each pixel's share is rounded to float32 and the shares are added in float64. That
// sum is exact if no share except zero is below 2^-29 of it. Then the losses of an
// image's parts add up to the whole's to the last bit, in any order. The line search
// needs this: it computes the length of a step from the difference of two losses, where
// a different last bit gives another picture.
func (b *CPU) ContentLoss(dx, f, target *Array, coef float64, slot int) {
	checkContent(dx, f, target, slot)
	t := contentTask{b: b, dx: dx, f: f, target: target, pixels: max(1, chunkLen/f.Shape.C), coef: coef}
	n := chunks(f.Shape.Pixels(), t.pixels)
	t.part = b.partials(n)
	b.content = t
	b.workers.run(n, &b.content)
	b.status.Loss[slot] = sum(t.part)
}

func (t *contentTask) chunk(worker, i int) {
	c := t.f.Shape.C
	k, at := float32(2*t.coef), i*t.pixels*c
	n := min(t.f.Shape.Len()-at, t.pixels*c)
	f, target := t.b.read(worker, 0, t.f, at, n), t.b.read(worker, 1, t.target, at, n)
	var dx []float32
	if t.dx != nil {
		dx = t.b.read(worker, 2, t.dx, at, n)
	}
	total := 0.0
	for lo := 0; lo < n; lo += c {
		s := 0.0
		for j := lo; j < lo+c; j++ {
			d := f[j] - target[j]
			s += float64(d) * float64(d)
			if dx != nil {
				dx[j] += k * d
			}
		}
		total += float64(float32(t.coef * s))
	}
	if dx != nil {
		t.b.keep(t.dx, at, dx)
	}
	t.part[i] = total
}
