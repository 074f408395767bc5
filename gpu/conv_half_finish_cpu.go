package gpu

import "github.com/impasto/impasto/gpu/simd"

// finish computes activations from the sums of a block, n outputs from first on: ReLU,
// rounding, signs and pooling.
func (t *halfConvTask) finish(w *halfWorker, a area, first, n int) {
	out := &t.dst.out
	size := a.rows * a.columns * halfOutputs
	t.b.kernels.ReLU(&w.sums[0], &w.signs[0], size)
	t.b.bf16.Round(&w.rounded[0], &w.sums[0], size)
	planes := signBytes(t.n)
	for y := range a.rows {
		at := (a.y+y)*t.w + a.x
		for x := range a.columns {
			i := y*a.columns + x
			if out.Act != nil {
				copy(out.Act.half[(at+x)*t.n+first:][:n], w.rounded[i*halfOutputs:])
			}
			if out.Mask != nil {
				copy(out.Mask.sign[(at+x)*planes+first/8:][:n/8], w.signs[i*halfOutputs/8:])
			}
		}
	}
	if k := out.Pool.Kind; k == MaxPool || k == AvgPool {
		w.pool.pool(t, w.sums, a)
		w.pool.store(t, a, first, n)
	}
}

// finishGrad stores the sums of a block as gradients, gated by the layer below.
func (t *halfConvTask) finishGrad(w *halfWorker, a area, first, n int) {
	dx, gate := t.dst.out.Act.half, t.dst.out.Mask
	t.b.bf16.Round(&w.rounded[0], &w.sums[0], a.rows*a.columns*halfOutputs)
	planes := signBytes(t.n)
	for y := range a.rows {
		at := (a.y+y)*t.w + a.x
		for x := range a.columns {
			to, from := dx[(at+x)*t.n+first:][:n], w.rounded[(y*a.columns+x)*halfOutputs:][:n]
			if gate == nil {
				copy(to, from)
				continue
			}
			for j, bits := range gate.sign[(at+x)*planes+first/8:][:n/8] {
				keepWhere(to[8*j:], from[8*j:], bits)
			}
		}
	}
}

// halfPoolTable pools a block, 32 outputs at a time.
type halfPoolTable struct {
	tile    simd.Tile
	pooled  []float32 // (rows/2, columns/2, 32)
	rounded []uint16
	winners []byte // (rows/2, columns/2, 8): 4 bytes of dx, then 4 of dy
	zeros   []float32
	sink    []float32
	bits    []byte
}

func (p *halfPoolTable) reserve() {
	n := halfRows / 2 * halfColumns / 2
	p.pooled, p.rounded, p.winners = simd.Floats(n*halfOutputs), bf16s(n*halfOutputs), make([]byte, n*halfOutputs/4)
	p.zeros, p.sink, p.bits = simd.Floats(halfOutputs), simd.Floats(halfOutputs), make([]byte, halfOutputs/8)
}

// pool pools activations of a block (rows, columns, 32). Pixels of a window beyond the
// edge of the image count as zero. No activation is lower, so they are never the
// largest.
func (p *halfPoolTable) pool(t *halfConvTask, act []float32, a area) {
	kind, scale := t.dst.out.Pool.Kind, t.dst.out.Pool.scale()
	high, wide := chunks(a.rows, 2), chunks(a.columns, 2)
	for y := 0; y < a.rows; y += 4 {
		for x := 0; x < a.columns; x += 4 {
			for i := range p.tile.Px {
				p.tile.Px[i] = &p.zeros[0]
				if py, px := y+i/4, x+i%4; py < a.rows && px < a.columns {
					p.tile.Px[i] = &act[(py*a.columns+px)*halfOutputs]
				}
			}
			for i := range p.tile.Pool {
				p.tile.Pool[i], p.tile.Lo[i], p.tile.Hi[i] = &p.sink[0], &p.bits[0], &p.bits[0]
				if wy, wx := y/2+i/2, x/2+i%2; wy < high && wx < wide {
					at := wy*wide + wx
					p.tile.Pool[i] = &p.pooled[at*halfOutputs]
					p.tile.Lo[i], p.tile.Hi[i] = &p.winners[at*8], &p.winners[at*8+4]
				}
			}
			if kind == MaxPool {
				t.b.kernels.PoolMax(&p.tile, 0, 0, 0, halfOutputs, scale)
			} else {
				t.b.kernels.PoolAvg(&p.tile, 0, 0, halfOutputs, scale)
			}
		}
	}
	if kind == AvgPool && (a.rows%2 != 0 || a.columns%2 != 0) {
		p.weighEdges(a, high, wide)
	}
}

// weighEdges corrects the means of windows that lack a row or a column.
func (p *halfPoolTable) weighEdges(a area, high, wide int) {
	for wy := range high {
		for wx := range wide {
			k := float32(4 / (min(2, a.rows-2*wy) * min(2, a.columns-2*wx)))
			v := p.pooled[(wy*wide+wx)*halfOutputs:][:halfOutputs]
			for i := range v {
				v[i] *= k
			}
		}
	}
}

// store rounds and stores the windows of a block, n outputs from first on.
func (p *halfPoolTable) store(t *halfConvTask, a area, first, n int) {
	out := &t.dst.out
	s := out.Pool.Out(Shape{t.h, t.w, t.n})
	wide, planes := chunks(a.columns, 2), signBytes(t.n)
	size := chunks(a.rows, 2) * wide * halfOutputs
	t.b.bf16.Round(&p.rounded[0], &p.pooled[0], size)
	p.copy(t, a, first, n, 0)
	if out.Pooled != nil && out.Pooled.Shape.C != t.n {
		t.b.roundingErrors(p.rounded[:size], p.pooled[:size])
		p.copy(t, a, first, n, t.n)
	}
	if out.Mask == nil || out.Pool.Kind != MaxPool {
		return
	}
	for wy := range min(chunks(a.rows, 2), s.H-a.y/2) {
		for wx := range min(wide, s.W-a.x/2) {
			i, at := wy*wide+wx, (a.y/2+wy)*s.W+a.x/2+wx
			arg := out.Mask.arg[at*2*planes+first/8:]
			copy(arg[:n/8], p.winners[i*8:])
			copy(arg[planes:][:n/8], p.winners[i*8+4:])
		}
	}
}

// copy stores the rounded windows in channels from offset + first on.
func (p *halfPoolTable) copy(t *halfConvTask, a area, first, n, offset int) {
	pooled := t.dst.out.Pooled
	if pooled == nil {
		return
	}
	s, wide := pooled.Shape, chunks(a.columns, 2)
	for wy := range min(chunks(a.rows, 2), s.H-a.y/2) {
		for wx := range min(wide, s.W-a.x/2) {
			at := (a.y/2+wy)*s.W + a.x/2 + wx
			copy(pooled.half[at*s.C+offset+first:][:n], p.rounded[(wy*wide+wx)*halfOutputs:])
		}
	}
}
