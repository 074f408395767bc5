package gpu

// The plain convolution follows the definition. It is for layers of fewer than 8
// channels, and for the gradient under replicated padding.

// convRows is how many rows of the output a chunk computes. It is even, so that a
// pooling window never lies in two chunks.
const convRows = 4

type convTask struct {
	b   *CPU
	out ConvOut
	x   *Array
	f   *Filter
	pad Pad

	taps []float32 // (9, C, K)
}

func (t *convTask) chunk(worker, i int) {
	h, w, k := t.x.Shape.H, t.x.Shape.W, t.f.Out
	y0, y1 := i*convRows, min(h, (i+1)*convRows)
	var act []float32
	if a := t.out.Act; a != nil && a.half == nil {
		act = a.data[y0*w*k : y1*w*k]
	} else {
		act = t.b.scratchFor(worker, convRows*w*k)[:(y1-y0)*w*k]
	}
	if t.f.narrow() {
		t.products(worker, area{y: y0, rows: y1 - y0, columns: w}, act)
	} else {
		t.sums(worker, y0, y1, act)
	}
	var signs []byte
	if m := t.out.Mask; m != nil {
		signs = m.sign[y0*w*signBytes(k) : y1*w*signBytes(k)]
	}
	t.relu(act, signs)
	if a := t.out.Act; a != nil {
		t.b.keep(a, y0*w*k, act)
	}
	if t.out.Pooled != nil || (t.out.Mask != nil && t.out.Pool.Kind == MaxPool) {
		t.pool(worker, y0, act, Shape{y1 - y0, w, k})
	}
}

// pool pools act, rows of the activation from y0 on.
func (t *convTask) pool(worker, y0 int, act []float32, s Shape) {
	h := t.x.Shape.H
	var pooled []float32
	at := 0
	if p := t.out.Pooled; p != nil {
		row := p.Shape.W * p.Shape.C
		at = y0 / 2 * row
		pooled = t.b.write(worker, 1, p, at, pooledRows(t.out.Pool, s, y0/2, h)*row)
	}
	poolRows(pooled, t.out.Mask, t.out.Pool, act, s, y0/2, h)
	if pooled != nil {
		t.b.keep(t.out.Pooled, at, pooled)
	}
}

// relu replaces act (positions, K) by max(0, act). Unless signs is nil, it stores there
// which are positive. The micro-kernel processes whole steps of values.
func (t *convTask) relu(act []float32, signs []byte) {
	k, whole := t.f.Out, 0
	if k%8 == 0 { // the bits of a position follow those of the one before
		whole = len(act) / channelStep * channelStep
	}
	if whole > 0 {
		var first *byte
		if signs != nil {
			first = &signs[0]
		}
		t.b.kernels.ReLU(&act[0], first, whole)
	}
	rest := act[whole:]
	for j, v := range rest {
		if v < 0 {
			rest[j] = 0
		}
	}
	if signs != nil && len(rest) > 0 {
		if whole > 0 {
			signs, k = signs[whole/8:], 8
		}
		packSigns(signs, rest, k)
	}
}

// sums computes rows y0..y1 of conv(x) + bias into act, before ReLU.
func (t *convTask) sums(worker, y0, y1 int, act []float32) {
	h, w, c, k := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C, t.f.Out
	first := max(0, y0-1)
	rows := t.b.read(worker, 0, t.x, first*w*c, (min(h, y1+1)-first)*w*c)
	for y := y0; y < y1; y++ {
		for x := range w {
			acc := act[((y-y0)*w+x)*k:][:k]
			copy(acc, t.f.cpu.bias)
			for tap := range 9 {
				yy, xx := y+tap/3-1, x+tap%3-1
				if t.pad == ReplicatePad {
					yy, xx = min(max(yy, 0), h-1), min(max(xx, 0), w-1)
				}
				if yy < 0 || yy >= h || xx < 0 || xx >= w {
					continue
				}
				mulAdd(acc, rows[((yy-first)*w+xx)*c:][:c], t.taps[tap*c*k:])
			}
		}
	}
}

// mulAdd adds x (C) times w (C, K) to acc (K), four channels at a time.
func mulAdd(acc, x, w []float32) {
	k := len(acc)
	c := 0
	for ; c+4 <= len(x); c += 4 {
		x0, x1, x2, x3 := x[c], x[c+1], x[c+2], x[c+3]
		w0 := w[c*k:][:k]
		w1 := w[(c+1)*k:][:k]
		w2 := w[(c+2)*k:][:k]
		w3 := w[(c+3)*k:][:k]
		for j := range acc {
			acc[j] += x0*w0[j] + x1*w1[j] + x2*w2[j] + x3*w3[j]
		}
	}
	for ; c < len(x); c++ {
		x0, w0 := x[c], w[c*k:][:k]
		for j := range acc {
			acc[j] += x0 * w0[j]
		}
	}
}

// packSigns sets bit c%8 of byte c/8 of each position where v is positive.
func packSigns(bits []byte, v []float32, c int) {
	n := signBytes(c)
	for p := 0; p*c < len(v); p++ {
		row, out := v[p*c:][:c], bits[p*n:][:n]
		clear(out)
		for j, x := range row {
			if x > 0 {
				out[j/8] |= 1 << (j % 8)
			}
		}
	}
}

// gateRow zeroes v where bits says the activation was not positive.
func gateRow(v []float32, bits []byte) {
	for j := range v {
		if bits[j/8]>>(j%8)&1 == 0 {
			v[j] = 0
		}
	}
}

type convGradTask struct {
	b      *CPU
	dx, dy *Array
	f      *Filter
	o      ConvGradOptions

	taps []float32 // (9, K, C)
}

func (t *convGradTask) chunk(worker, i int) {
	h, w, c, k := t.dx.Shape.H, t.dx.Shape.W, t.dx.Shape.C, t.f.Out
	y0, y1 := i*convRows, min(h, (i+1)*convRows)
	first := max(0, y0-1) // dy's rows, from row first on
	rows := min(h, y1+1) - first
	var dy []float32
	if m := t.o.Unpool; m != nil {
		dy = t.b.scratchFor(worker, (convRows+2)*w*k)[:rows*w*k]
		clear(dy)
		for r := range rows {
			t.b.unpoolRow(worker, dy[r*w*k:][:w*k], t.dy, nil, nil, m, m.Pool, m.Shape, first+r)
			gatePixels(dy[r*w*k:][:w*k], m, (first+r)*w, k)
		}
	} else {
		dy = t.b.read(worker, 0, t.dy, first*w*k, rows*w*k)
	}
	dx := t.b.read(worker, 1, t.dx, y0*w*c, (y1-y0)*w*c)
	var fromY, fromX [5]source
	for y := y0; y < y1; y++ {
		ny := sources(&fromY, y, h, t.o.Pad)
		for x := range w {
			nx := sources(&fromX, x, w, t.o.Pad)
			acc := dx[((y-y0)*w+x)*c:][:c]
			if !t.o.Add {
				clear(acc)
			}
			for _, sy := range fromY[:ny] {
				for _, sx := range fromX[:nx] {
					tap := (sy.tap+1)*3 + sx.tap + 1
					mulAdd(acc, dy[((sy.at-first)*w+sx.at)*k:][:k], t.taps[tap*k*c:])
				}
			}
		}
		if t.o.Gate != nil {
			gatePixels(dx[(y-y0)*w*c:][:w*c], t.o.Gate, y*w, c)
		}
	}
	t.b.keep(t.dx, y0*w*c, dx)
}

// source is a position along one axis whose output reads position p by tap -1, 0 or 1.
type source struct{ at, tap int }

// sources lists the sources of p: p-tap if that is inside, and at the edges of a
// replicated image the reads outside that were moved to p.
func sources(list *[5]source, p, n int, pad Pad) int {
	k := 0
	for tap := -1; tap <= 1; tap++ {
		if at := p - tap; at >= 0 && at < n {
			list[k] = source{at, tap}
			k++
		}
	}
	if pad == ReplicatePad {
		if p == 0 {
			list[k] = source{0, -1}
			k++
		}
		if p == n-1 {
			list[k] = source{n - 1, 1}
			k++
		}
	}
	return k
}

// gatePixels applies mask m to v, whose first pixel is number p of the array.
func gatePixels(v []float32, m *Mask, p, c int) {
	n := signBytes(c)
	for j := 0; j*c < len(v); j++ {
		gateRow(v[j*c:][:c], m.sign[(p+j)*n:][:n])
	}
}
