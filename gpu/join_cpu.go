package gpu

import "math"

type joinTask struct {
	b         *CPU
	dst, f, m *Array
	scale     float64
	unit      bool
}

// Join writes features f (H, W, C) times scale, then the channels of a map m
// (H, W, K) as they are, to dst (H, W, C+K); m may be nil. unit first divides each
// pixel of f by its norm (Champandard 2016).
func (b *CPU) Join(dst, f, m *Array, scale float64, unit bool) {
	checkJoin(dst, f, m)
	b.join = joinTask{b, dst, f, m, scale, unit}
	b.workers.run(f.Shape.H, &b.join)
}

func (t *joinTask) chunk(worker, y int) {
	w, c, n := t.f.Shape.W, t.f.Shape.C, t.dst.Shape.C
	fs, dsts := t.b.read(worker, 0, t.f, y*w*c, w*c), t.b.write(worker, 1, t.dst, y*w*n, w*n)
	var ms []float32
	if t.m != nil {
		ms = t.b.read(worker, 2, t.m, y*w*(n-c), w*(n-c))
	}
	for x := range w {
		f, dst := fs[x*c:][:c], dsts[x*n:][:n]
		k := float32(t.scale)
		if t.unit {
			squares := dot(f, f)
			if squares > 0 {
				k = float32(t.scale / math.Sqrt(squares))
			}
		}
		for i, v := range f {
			dst[i] = k * v
		}
		if t.m != nil {
			copy(dst[c:], ms[x*(n-c):])
		}
	}
	t.b.keep(t.dst, y*w*n, dsts)
}
