package gpu

import "math"

type poolTask struct {
	b    *CPU
	y, x *Array
	p    Pool
}

// Pool reduces x (H, W, C) to y (H', W', C), the shape that p.Out gives.
func (b *CPU) Pool(y, x *Array, p Pool) {
	checkPool(y, x, p)
	b.pool = poolTask{b, y, x, p}
	b.workers.run(y.Shape.H, &b.pool)
}

func (t *poolTask) chunk(worker, i int) {
	s := t.x.Shape
	n := t.p.size()
	y0, y1 := i*n, min(s.H, (i+1)*n)
	row := t.y.Shape.W * s.C
	y := t.b.write(worker, 0, t.y, i*row, row)
	poolRows(y, nil, t.p, t.b.read(worker, 1, t.x, y0*s.W*s.C, (y1-y0)*s.W*s.C), Shape{y1 - y0, s.W, s.C}, i, s.H)
	t.b.keep(t.y, i*row, y)
}

// pooledRows returns how many rows poolRows writes.
func pooledRows(p Pool, s Shape, first, h int) int {
	return min(p.Out(Shape{h, s.W, s.C}).H-first, chunks(s.H, p.size()))
}

// poolRows pools rows of x, of shape s, which start at a window's edge. y receives the
// rows of the pooled array from first on; nil: not stored. m receives the places of the
// largest elements of max pooling; nil: not stored. h is the height of the whole input.
func poolRows(y []float32, m *Mask, p Pool, x []float32, s Shape, first, h int) {
	out := p.Out(Shape{h, s.W, s.C})
	n, c := p.size(), s.C
	planes := signBytes(c)
	for oy := first; oy < first+pooledRows(p, s, first, h); oy++ {
		for ox := range out.W {
			win := window{(oy - first) * n, min((oy-first+1)*n, s.H), ox * n, min((ox+1)*n, s.W)}
			var dst []float32
			if y != nil {
				dst = y[((oy-first)*out.W+ox)*c:][:c]
			}
			var arg []byte
			if m != nil && p.Kind == MaxPool {
				arg = m.arg[(oy*out.W+ox)*2*planes:][:2*planes]
				clear(arg)
			}
			for ch := range c {
				v, at := reduce(p, x, win, s.W, c, ch)
				if dst != nil {
					dst[ch] = v * p.scale()
				}
				if arg != nil {
					arg[ch/8] |= byte(at&1) << (ch % 8)
					arg[planes+ch/8] |= byte(at>>1) << (ch % 8)
				}
			}
		}
	}
}

// window is rows y0..y1 and columns x0..x1 of the input.
type window struct{ y0, y1, x0, x1 int }

// reduce pools channel ch of a window and, for max, says which element won:
// size*dy + dx.
func reduce(p Pool, x []float32, w window, width, c, ch int) (v float32, at int) {
	switch p.Kind {
	case MaxPool:
		v = x[(w.y0*width+w.x0)*c+ch]
		for y := w.y0; y < w.y1; y++ {
			for xx := w.x0; xx < w.x1; xx++ {
				if e := x[(y*width+xx)*c+ch]; e > v || e != e {
					v, at = e, p.size()*(y-w.y0)+xx-w.x0
				}
			}
		}
	case AvgPool:
		for y := w.y0; y < w.y1; y++ {
			for xx := w.x0; xx < w.x1; xx++ {
				v += x[(y*width+xx)*c+ch]
			}
		}
		v /= float32((w.y1 - w.y0) * (w.x1 - w.x0))
	case L2Pool:
		for y := w.y0; y < w.y1; y++ {
			for xx := w.x0; xx < w.x1; xx++ {
				e := x[(y*width+xx)*c+ch]
				v += e * e
			}
		}
		v = float32(math.Sqrt(float64(v)))
	}
	return v, at
}

type poolGradTask struct {
	b      *CPU
	dx, dy *Array
	o      PoolGradOptions
	p      Pool
}

// PoolGrad spreads dy (H', W', C), the gradient of a pooled array, over dx
// (H, W, C): to the winner of max pooling, equally for average pooling, and by
// x/y for L2 pooling.
func (b *CPU) PoolGrad(dx, dy *Array, o PoolGradOptions) {
	p := checkPoolGrad(dx, dy, o)
	b.poolGrad = poolGradTask{b, dx, dy, o, p}
	b.workers.run(dx.Shape.H, &b.poolGrad)
}

func (t *poolGradTask) chunk(worker, y int) {
	w, c := t.dx.Shape.W, t.dx.Shape.C
	row := t.b.read(worker, 0, t.dx, y*w*c, w*c)
	if !t.o.Add {
		clear(row)
	}
	t.b.unpoolRow(worker, row, t.dy, t.o.X, t.o.Y, t.o.Mask, t.p, t.dx.Shape, y)
	if t.o.Mask != nil {
		gatePixels(row, t.o.Mask, y*w, c)
	}
	t.b.keep(t.dx, y*w*c, row)
}

// unpoolRow adds to row, row y of an input of shape s, its part of the gradient with
// respect to the pooled array. Max pooling reads the place of the largest element from
// m, or finds it again in xs.
func (b *CPU) unpoolRow(worker int, row []float32, dy, xs, ys *Array, m *Mask, p Pool, s Shape, y int) {
	n, c, w := p.size(), s.C, s.W
	out := p.Out(s)
	oy := y / n
	if oy >= out.H {
		return
	}
	planes := signBytes(c)
	y0, y1 := oy*n, min((oy+1)*n, s.H) // rows of the windows
	grads := b.read(worker, 1, dy, oy*out.W*c, out.W*c)
	var values, pooled []float32
	if p.gradReads(m) {
		values = b.read(worker, 2, xs, y0*w*c, (y1-y0)*w*c)
	}
	if p.Kind == L2Pool {
		pooled = b.read(worker, 3, ys, oy*out.W*c, out.W*c)
	}
	for x := 0; x < w && x/n < out.W; x++ {
		at := oy*out.W + x/n
		win := window{0, y1 - y0, x / n * n, min((x/n+1)*n, w)}
		g, d := grads[x/n*c:][:c], row[x*c:][:c]
		place := (y-y0)*n + x - win.x0
		switch {
		case p.Kind == AvgPool:
			k := p.scale() / float32((win.y1-win.y0)*(win.x1-win.x0))
			for ch := range d {
				d[ch] += g[ch] * k
			}
		case p.Kind == L2Pool:
			k := p.scale() * p.scale()
			xv, yv := values[((y-y0)*w+x)*c:][:c], pooled[x/n*c:][:c]
			for ch := range d {
				if yv[ch] != 0 {
					d[ch] += k * g[ch] * xv[ch] / yv[ch]
				}
			}
		case m != nil:
			arg := m.arg[at*2*planes:][:2*planes]
			k := p.scale()
			for ch := range d {
				if int(arg[ch/8]>>(ch%8)&1|arg[planes+ch/8]>>(ch%8)&1<<1) == place {
					d[ch] += g[ch] * k
				}
			}
		default:
			k := p.scale()
			for ch := range d {
				if _, won := reduce(p, values, win, w, c, ch); won == place {
					d[ch] += g[ch] * k
				}
			}
		}
	}
}
