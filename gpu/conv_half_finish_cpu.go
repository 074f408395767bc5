package gpu

import "github.com/impasto/impasto/gpu/simd"

// finish computes activations from the sums of row y of a block, n outputs from first
// on: bias, ReLU, rounding and signs.
func (t *halfConvTask) finish(w *halfWorker, a area, y, first, n int, sums []float32) {
	out, at, planes := &t.dst.out, (a.y+y)*t.w+a.x, signBytes(t.n)
	act, stride := w.rounded, halfOutputs
	if out.Act != nil && n == halfOutputs {
		act, stride = out.Act.half[at*t.n+first:], t.n
	}
	signs, signStride := w.signs, halfOutputs/8
	if out.Mask != nil && n == halfOutputs {
		signs, signStride = out.Mask.sign[at*planes+first/8:], planes
	}
	t.b.bf16.Activate(&sums[0], &w.bias[0], &act[0], stride, &signs[0], signStride, a.columns)
	if n == halfOutputs {
		return
	}
	for x := range a.columns {
		if out.Act != nil {
			copy(out.Act.half[(at+x)*t.n+first:][:n], w.rounded[x*halfOutputs:])
		}
		if out.Mask != nil {
			copy(out.Mask.sign[(at+x)*planes+first/8:][:n/8], w.signs[x*halfOutputs/8:])
		}
	}
}

// ones is a gate that keeps 32 values.
var ones = [4]byte{0xff, 0xff, 0xff, 0xff}

// finishGrad stores the sums of row y of a block as gradients, gated by the layer below.
func (t *halfConvTask) finishGrad(w *halfWorker, a area, y, first, n int, sums []float32) {
	at, planes := (a.y+y)*t.w+a.x, signBytes(t.n)
	dx, bits, step := t.dst.out.Act.half[at*t.n+first:], ones[:], 0
	if gate := t.dst.out.Mask; gate != nil {
		bits, step = gate.sign[at*planes+first/8:], planes
	}
	if n == halfOutputs {
		t.b.bf16.RoundGated(&dx[0], t.n, &sums[0], &bits[0], step, a.columns)
		return
	}
	t.b.bf16.Round(&w.rounded[0], &sums[0], len(sums))
	for x := range a.columns {
		for j, keep := range bits[x*step:][:n/8] {
			keepWhere(dx[x*t.n+8*j:], w.rounded[x*halfOutputs+8*j:], keep)
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
		t.b.residue(p.rounded[:size], p.pooled[:size], p.rounded[:size])
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
