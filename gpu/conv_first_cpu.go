package gpu

// The first layer has three inputs, too few for Winograd's transforms. Forward, the
// three taps of a row are adjacent in memory, so that a row of outputs is three
// products (W, 9) * (9, K) with overlapping rows of A. Backward, dy (W, K) * (K, 27) is
// the part of each output in the gradient of each of its nine inputs, and shifted sums
// of these are dx.

// firstColumns is how many pixels are finished before the next begin, so that their
// outputs stay in the first level of cache.
const firstColumns = 48

// narrowInputs is the most inputs of the first layer's form.
const narrowInputs = 4

// narrow reports whether the first layer's form applies, which is for few inputs.
func (f *Filter) narrow() bool { return f.In <= narrowInputs && f.Out >= channelStep/2 }

// firstPanels returns the taps in panels (K/NR; 9*C + 1, NR), the bias last.
func (f *Filter) firstPanels(nr int) []float32 {
	if f.cpu.panels == nil {
		depth := 9*f.In + 1
		f.cpu.panels = make([]float32, chunks(f.Out, nr)*depth*nr)
		for k := range f.Out {
			at := f.cpu.panels[k/nr*depth*nr+k%nr:]
			for c := range f.In {
				for t := range 9 {
					at[(t*f.In+c)*nr] = f.tap(k, c, t)
				}
			}
			at[9*f.In*nr] = f.cpu.bias[k]
		}
	}
	return f.cpu.panels
}

// firstGradPanels returns the transposed taps in panels (9*C/NR; K, NR).
func (f *Filter) firstGradPanels(nr int) []float32 {
	if f.cpu.panelsGrad == nil {
		f.cpu.panelsGrad = make([]float32, chunks(9*f.In, nr)*f.Out*nr)
		for k := range f.Out {
			for t := range 9 {
				for c := range f.In {
					col := t*f.In + c
					f.cpu.panelsGrad[(col/nr*f.Out+k)*nr+col%nr] = f.tap(k, c, t)
				}
			}
		}
	}
	return f.cpu.panelsGrad
}

// products computes conv(x) + bias, before ReLU, into act (rows, columns, K). a has at
// most convRows rows.
func (t *convTask) products(worker int, a area, act []float32) {
	w, c, k := a.columns, t.x.Shape.C, t.f.Out
	ks := t.b.kernels
	nr := ks.NR
	stride := (w + 2) * c
	// The strip's input rows have one pixel of padding all round. A spare panel takes
	// the columns beyond the layer's.
	s := t.b.scratchFor(worker, convRows*w*k+(convRows+2)*stride+firstColumns*nr)[convRows*w*k:]
	strip, spare := s[:(convRows+2)*stride], s[(convRows+2)*stride:]
	for r := range a.rows + 2 {
		t.inputs(strip[r*stride:][:stride], a.y+r-1, a)
	}
	depth := 9*c + 1
	for y := range a.rows {
		for x := 0; x < w; x += firstColumns {
			cols := min(firstColumns, w-x)
			for p := 0; p*nr < k; p++ {
				panel := t.taps[p*depth*nr:]
				n := min(nr, k-p*nr)
				dst, ld := act[(y*w+x)*k+p*nr:], k
				if n < nr {
					dst, ld = spare, nr
				}
				ks.Gemm(cols, 1, &one[0], 0, 0, &panel[9*c*nr], &dst[0], ld, false, nil, 0)
				for ty := range 3 {
					ks.Gemm(cols, 3*c, &strip[(y+ty)*stride+x*c], c, 1, &panel[ty*3*c*nr], &dst[0], ld, true, nil, 0)
				}
				if n < nr {
					copyColumns(act[(y*w+x)*k+p*nr:], dst, cols, k, nr, n, false)
				}
			}
		}
	}
}

// inputs copies row y of the inputs of an area, with those beyond the image.
func (t *convTask) inputs(row []float32, y int, a area) {
	h, w, c := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C
	if t.pad == ReplicatePad {
		y = min(max(y, 0), h-1)
	} else if y < 0 || y >= h {
		clear(row)
		return
	}
	from, to := max(a.x-1, 0), min(a.x+a.columns+1, w) // inside the image
	src := t.x.data[(y*w+from)*c : (y*w+to)*c]
	copy(row[(from-a.x+1)*c:], src)
	left, right := row[:c], row[(a.columns+1)*c:]
	if a.x == 0 {
		clear(left)
		if t.pad == ReplicatePad {
			copy(left, src)
		}
	}
	if a.x+a.columns == w {
		clear(right)
		if t.pad == ReplicatePad {
			copy(right, src[len(src)-c:])
		}
	}
}

// firstGradRows is how many rows of dx a chunk computes; it needs the products
// of two more.
const firstGradRows = 14

type firstGradTask struct {
	b      *CPU
	dx, dy *Array
	f      *Filter
	o      ConvGradOptions
	taps   []float32
}

func (t *firstGradTask) chunk(worker, i int) {
	h, w, c, k := t.dx.Shape.H, t.dx.Shape.W, t.dx.Shape.C, t.f.Out
	ks := t.b.kernels
	nr := ks.NR
	width := chunks(9*c, nr) * nr
	y0, y1 := i*firstGradRows, min(h, (i+1)*firstGradRows)
	g := t.b.scratchFor(worker, w*width)
	if !t.o.Add {
		clear(t.dx.data[y0*w*c : y1*w*c])
	}
	for r := max(0, y0-1); r < min(h, y1+1); r++ {
		dy := t.b.read(worker, 0, t.dy, r*w*k, w*k)
		for p := range width / nr {
			ks.Gemm(w, k, &dy[0], k, 1, &t.taps[p*k*nr], &g[p*nr], width, false, nil, 0)
		}
		for ty := range 3 {
			y := r + ty - 1
			if t.o.Pad == ReplicatePad {
				y = min(max(y, 0), h-1)
			}
			if y < y0 || y >= y1 {
				continue
			}
			row := t.dx.data[y*w*c:][:w*c]
			for tx := range 3 {
				t.spread(row, g[(ty*3+tx)*c:], width, tx-1)
			}
		}
	}
	if t.o.Gate != nil {
		gatePixels(t.dx.data[y0*w*c:y1*w*c], t.o.Gate, y0*w, c)
	}
}

// spread adds column block g (rows width apart) to a row of dx, shift pixels to the right.
func (t *firstGradTask) spread(row, g []float32, width, shift int) {
	w, c := t.dx.Shape.W, t.dx.Shape.C
	from, to := max(0, -shift), min(w, w-shift)
	if t.o.Pad == ReplicatePad {
		if shift < 0 {
			addTo(row[:c], g)
		} else if shift > 0 {
			addTo(row[(w-1)*c:], g[(w-1)*width:])
		}
	}
	if c == 3 {
		for x := from; x < to; x++ {
			d, s := row[(x+shift)*3:][:3], g[x*width:][:3]
			d[0] += s[0]
			d[1] += s[1]
			d[2] += s[2]
		}
		return
	}
	for x := from; x < to; x++ {
		addTo(row[(x+shift)*c:][:c], g[x*width:])
	}
}

func addTo(dst, src []float32) {
	for i := range dst {
		dst[i] += src[i]
	}
}
