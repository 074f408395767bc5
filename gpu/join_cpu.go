package gpu

import "math"

type joinTask struct {
	dst, f, m *Array
	scale     float64
	unit      bool
}

// Join writes features f (H, W, C) times scale, then the channels of a map m
// (H, W, K) as they are, to dst (H, W, C+K); m may be nil. unit first divides each
// pixel of f by its norm (Champandard 2016).
func (b *CPU) Join(dst, f, m *Array, scale float64, unit bool) {
	checkJoin(dst, f, m)
	b.join = joinTask{dst, f, m, scale, unit}
	b.workers.run(f.Shape.H, &b.join)
}

func (t *joinTask) chunk(_, y int) {
	w, c, n := t.f.Shape.W, t.f.Shape.C, t.dst.Shape.C
	for x := y * w; x < (y+1)*w; x++ {
		f, dst := t.f.data[x*c:][:c], t.dst.data[x*n:][:n]
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
			copy(dst[c:], t.m.data[x*(n-c):])
		}
	}
}
