package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// The 3x3 convolution of features in half precision, in both directions, is computed by
// its definition: products of bfloat16 with sums in float32. Winograd's transforms
// would round to values that are several times less exact.
//
// A chunk is a block of outputs. Its inputs, with a pixel of padding all round, are
// copied into a strip, where every tap of every pixel is an offset. Backward, inputs
// and outputs are exchanged, the taps are reversed, and pooling is undone while the
// strip is filled. Then, for 32 outputs at a time, the block's sums are computed and
// finished in float32: bias, ReLU, masks and pooling, or the earlier gradient and that
// of a style loss. They are rounded once. Pooling reads the values before they are
// rounded, so that its largest elements are those of single precision. Rounding keeps
// their order, so the pooled values are the largest of the stored ones.

const (
	// halfRows and halfColumns are the sides of a block: whole windows of pooling,
	// and with 512 channels a strip of 700 KB that stays in the second level of cache.
	halfRows, halfColumns = 8, 64
	// halfOutputs is the outputs of a panel, and the inputs of a step.
	halfOutputs = 32
	// halfChunks is how many chunks a worker should find.
	halfChunks = 3
)

type halfConvTask struct {
	b *CPU

	h, w, c, n int      // positions, inputs, outputs
	filter     []uint16 // (n/32; steps, 1024)
	terms      int      // whose sum a weight is
	src        halfSource
	dst        finishTarget
	style      halfStyle

	first   convTask // that src.exact points to
	columns int      // of a block
	pixel   int      // distance of pixels in a strip
	offsets []int    // of each step in a strip
	parts   int      // number of parts into which the panels are divided
	workers []*halfWorker
}

// halfSource is the input of a convolution: x (h, w, c), or with a mask the gradient of
// x's pooled form, which is spread through the mask.
type halfSource struct {
	x     []uint16
	pad   Pad
	mask  *Mask
	split bool      // each pixel is rounded values, then their errors
	exact *convTask // computes x split; nil: x is read
}

// halfWorker is the memory of one worker.
type halfWorker struct {
	strip   []uint16
	exact   exactRow
	sums    []float32 // (rows, columns, 32) of a block
	bias    [halfOutputs]float32
	rounded []uint16 // (columns, 32) of a row
	signs   []byte
	values  []float32 // a row of a pooled gradient, times the scale of its pooling
	scaled  []uint16  // the same, rounded
	styled  []uint16  // (rows, columns, outputs), the features of a style loss
	bits    []byte    // of the channels of a pixel
	pool    halfPoolTable
}

// run computes the convolution that the fields describe.
func (t *halfConvTask) run(b *CPU) {
	t.b = b
	t.columns = min(halfColumns, t.w)
	inputs := chunks(t.c, halfOutputs) * halfOutputs
	t.pixel = halfPixel(t.c)
	if t.src.split {
		inputs /= 2
	}
	t.offsets = t.offsets[:0]
	for range t.terms {
		for dy := range 3 {
			for c := 0; c < inputs; c += halfOutputs {
				for dx := range 3 {
					t.offsets = append(t.offsets, (dy*(t.columns+2)+dx)*t.pixel+c)
				}
			}
		}
	}
	for len(t.workers) < b.workers.n {
		t.workers = append(t.workers, &halfWorker{})
	}
	for _, w := range t.workers {
		w.reserve(t)
	}
	panels := chunks(t.n, halfOutputs)
	t.parts = min(panels, chunks(halfChunks*b.workers.n, t.blocks()))
	if b.workers.n == 1 || t.style.over {
		t.parts = 1
	}
	b.workers.run(t.blocks()*t.parts, t)
}

func (t *halfConvTask) blocks() int { return chunks(t.h, halfRows) * chunks(t.w, t.columns) }

func (w *halfWorker) reserve(t *halfConvTask) {
	if n := (halfRows + 2) * (t.columns + 2) * t.pixel; len(w.strip) < n {
		w.strip = bf16s(n)
	}
	w.exact.reserve(t)
	if n := (t.columns/2 + 2) * t.c; t.src.mask != nil && len(w.scaled) < n {
		w.scaled, w.values = bf16s(n), simd.Floats(n)
	}
	if n := halfRows * t.columns * t.style.pixel; t.style.F != nil && len(w.styled) < n {
		w.styled = bf16s(n)
	}
	if n := signBytes(t.c); len(w.bits) < n {
		w.bits = make([]byte, n)
	}
	if w.sums == nil {
		n := halfColumns * halfOutputs
		w.sums, w.rounded, w.signs = simd.Floats(halfRows*n), bf16s(n), make([]byte, n/8)
		w.pool.reserve()
	}
}

// area is a part of the outputs: its first position and its size.
type area struct{ y, x, rows, columns int }

func (t *halfConvTask) chunk(worker, i int) {
	w := t.workers[worker]
	block, part := i/t.parts, i%t.parts
	across := chunks(t.w, t.columns)
	a := area{y: block / across * halfRows, x: block % across * t.columns}
	a.rows, a.columns = min(halfRows, t.h-a.y), min(t.columns, t.w-a.x)
	t.fill(worker, a)
	t.style.fill(t, w, a)
	panels := chunks(t.n, halfOutputs)
	for p := part * panels / t.parts; p < (part+1)*panels/t.parts; p++ {
		first := p * halfOutputs
		n := min(halfOutputs, t.n-first)
		t.compute(w, a, p, first, n)
	}
}

// fill copies the inputs of a block into the strip.
func (t *halfConvTask) fill(worker int, a area) {
	w := t.workers[worker]
	for r := range a.rows + 2 {
		row := w.strip[r*(t.columns+2)*t.pixel:][:(a.columns+2)*t.pixel]
		y := a.y + r - 1
		switch {
		case t.src.pad == ReplicatePad:
			y = min(max(y, 0), t.h-1)
		case y < 0 || y >= t.h:
			clear(row)
			continue
		}
		if t.src.mask != nil {
			t.fillUnpooled(w, row, y, a)
			continue
		}
		from, to := max(a.x-1, 0), min(a.x+a.columns+1, t.w) // inside the image
		in := row[(from-a.x+1)*t.pixel:]
		var src []uint16
		if t.src.exact != nil {
			src = w.exact.row(t, worker, area{y, from, 1, to - from})
		} else {
			src = t.src.x[(y*t.w+from)*t.c : (y*t.w+to)*t.c]
		}
		copyPixels(in, t.pixel, src, t.c)
		if a.x == 0 {
			t.border(row[:t.pixel], src)
		}
		if a.x+a.columns == t.w {
			t.border(row[(a.columns+1)*t.pixel:], src[len(src)-t.c:])
		}
	}
}

// border fills the pixel beyond the end of a row. inside is the row's last pixel.
func (t *halfConvTask) border(px, inside []uint16) {
	clear(px)
	if t.src.pad == ReplicatePad {
		copy(px, inside[:t.c])
	}
}

// fillUnpooled fills a row of the strip with row y of the gradient before pooling.
func (t *halfConvTask) fillUnpooled(w *halfWorker, row []uint16, y int, a area) {
	m := t.src.mask
	out := m.Pool.Out(m.Shape)
	if y/2 >= out.H {
		clear(row)
		return
	}
	first := max(a.x-1, 0) / 2
	last := min((a.x+a.columns)/2, out.W-1)
	var g []uint16
	if first <= last {
		g = t.scaled(w, t.src.x[(y/2*out.W+first)*t.c:(y/2*out.W+last+1)*t.c], first, min(2, t.h-y/2*2))
	}
	planes := signBytes(t.c)
	for i := range a.columns + 2 {
		px, x := row[i*t.pixel:][:t.pixel], a.x+i-1
		if x < 0 || x >= t.w || x/2 >= out.W {
			clear(px)
			continue
		}
		clear(px[t.c:])
		dy := g[(x/2-first)*t.c:][:t.c]
		sign := m.sign[(y*t.w+x)*planes:][:planes]
		if m.Pool.Kind == AvgPool {
			t.keep(px, dy, sign)
			continue
		}
		arg := m.arg[(y/2*out.W+x/2)*2*planes:][:2*planes]
		lo, hi := arg[:planes], arg[planes:]
		notX, notY := byte(x&1)-1, byte(y&1)-1 // all ones where the pixel is the first
		bits := w.bits[:planes]
		for j := range bits {
			bits[j] = sign[j] & (lo[j] ^ notX) & (hi[j] ^ notY)
		}
		t.keep(px, dy, bits)
	}
}

// keep copies the channels of src whose bit is set to dst, and zeros.
func (t *halfConvTask) keep(dst, src []uint16, bits []byte) {
	n := len(bits) / 4 * 4
	if n > 0 {
		t.b.bf16.Keep(&dst[0], &src[0], &bits[0], 8*n)
	}
	for j := n; j < len(bits); j++ {
		keepWhere(dst[8*j:], src[8*j:], bits[j])
	}
}

// scaled returns the gradients g of windows first on of a row of windows, times the
// factor of their pooling. height is the number of rows of the windows.
func (t *halfConvTask) scaled(w *halfWorker, g []uint16, first, height int) []uint16 {
	p := t.src.mask.Pool
	if p.Kind == MaxPool && p.scale() == 1 {
		return g
	}
	v := w.values[:len(g)]
	t.b.widen(v, g)
	for i := range len(g) / t.c {
		k := p.scale()
		if p.Kind == AvgPool {
			k /= float32(height * min(2, t.w-2*(first+i)))
		}
		for j := range v[i*t.c:][:t.c] {
			v[i*t.c+j] *= k
		}
	}
	t.b.round(w.scaled[:len(g)], v)
	return w.scaled[:len(g)]
}

// keepWhere copies to dst the eight values of src whose bit is set, and zeros. Both
// begin at a multiple of eight bytes.
func keepWhere(dst, src []uint16, bits byte) {
	d, s := (*[2]uint64)(unsafe.Pointer(&dst[:8][0])), (*[2]uint64)(unsafe.Pointer(&src[:8][0]))
	d[0], d[1] = s[0]&fourOf[bits&15], s[1]&fourOf[bits>>4]
}

// fourOf lists, for each four bits, a word of four uint16 that are all ones where the
// bit is set.
var fourOf = func() (all [16]uint64) {
	for bits := range all {
		four := (*[4]uint16)(unsafe.Pointer(&all[bits]))
		for i := range four {
			if bits>>i&1 != 0 {
				four[i] = 0xffff
			}
		}
	}
	return all
}()

// compute computes panel p of a block, n outputs from first on. Each row is finished
// while its sums are in the first level of cache.
func (t *halfConvTask) compute(w *halfWorker, a area, p, first, n int) {
	filter := &t.filter[p*len(t.offsets)*simd.BF16Step]
	forward := t.dst.bias != nil
	if forward {
		clear(w.bias[copy(w.bias[:], t.dst.bias[first:first+n]):])
	}
	for y := range a.rows {
		sums := w.sums[y*a.columns*halfOutputs:][:a.columns*halfOutputs]
		acc := !forward && t.begin(w, a, y, first, n, sums)
		at := y * (t.columns + 2) * t.pixel
		t.b.bf16.Mul(a.columns, &w.strip[at], t.pixel, &t.offsets[0], len(t.offsets), filter, &sums[0], halfOutputs, acc)
		if t.src.split {
			t.b.bf16.Mul(a.columns, &w.strip[at+t.c/2], t.pixel, &t.offsets[0], len(t.offsets)/t.terms, filter, &sums[0], halfOutputs, true)
		}
		if forward {
			t.finish(w, a, y, first, n, sums)
		} else {
			t.finishGrad(w, a, y, first, n, sums)
		}
	}
	if k := t.dst.out.Pool.Kind; forward && (k == MaxPool || k == AvgPool) {
		w.pool.pool(t, w.sums, a)
		w.pool.store(t, a, first, n)
	}
}

// begin sets the sums of row y of a block to the gradient that is there and that of a
// style loss. It returns false, and leaves the sums, if there is neither.
func (t *halfConvTask) begin(w *halfWorker, a area, y, first, n int, sums []float32) bool {
	if t.dst.add {
		src := t.dst.out.Act.half[((a.y+y)*t.w+a.x)*t.n+first:]
		for x := range a.columns {
			copy(w.rounded[x*halfOutputs:][:n], src[x*t.n:])
		}
		t.b.bf16.Widen(&sums[0], &w.rounded[0], len(sums))
	}
	if t.style.F == nil {
		return t.dst.add
	}
	if !t.dst.add {
		clear(sums)
	}
	t.style.add(w.styled[y*a.columns*t.style.pixel:], first, n, sums)
	return true
}
