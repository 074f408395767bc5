package gpu

// NewResizer prepares the resizing of arrays (h, w) of from to (H, W) of to.
func (b *CPU) NewResizer(to, from Shape, filter ResampleFilter) *Resizer {
	return newResizer(to, from, filter)
}

// FreeResizers does nothing; devices need it.
func (b *CPU) FreeResizers(...*Resizer) {}

// Resize writes channels of src (h, w, C), resized by r, to channels of dst
// (H, W, C'); see ResizeOptions.
func (b *CPU) Resize(dst, src *Array, r *Resizer, o ResizeOptions) {
	o = o.withDefaults(src)
	checkResize(dst, src, r, o)
	b.resize = resizeTask{b, dst, src, r, o}
	b.workers.run(chunks(r.To.H, resampleRows), &b.resize)
}

type resizeTask struct {
	b        *CPU
	dst, src *Array
	r        *Resizer
	o        ResizeOptions
}

// chunk filters the source rows it needs along x, then those along y.
func (t *resizeTask) chunk(worker, i int) {
	r, c := t.r, t.o.Channels
	row := r.To.W * c
	rows := r.along[i*resampleRows : min(r.To.H, (i+1)*resampleRows)]
	first, end := rows[0].first, 0
	for _, tap := range rows {
		first, end = min(first, tap.first), max(end, tap.first+len(tap.weights))
	}
	strip := t.b.scratchFor(worker, (end-first+1)*row)
	line, strip := strip[:row], strip[row:]
	clear(strip)
	for y := first; y < end; y++ {
		t.across(worker, strip[(y-first)*row:][:row], y)
	}
	for j, tap := range rows {
		clear(line)
		for k, w := range tap.weights {
			t.b.kernels.Axpy(line, w, strip[(tap.first+k-first)*row:][:row])
		}
		t.store(worker, i*resampleRows+j, line)
	}
}

// across adds row y of the source, filtered along x, to out (W, Channels).
func (t *resizeTask) across(worker int, out []float32, y int) {
	r, c, pitch := t.r, t.o.Channels, t.src.Shape.C
	src := t.b.read(worker, 0, t.src, y*r.From.W*pitch, r.From.W*pitch)
	for x, tap := range r.across {
		to, from := out[x*c:][:c], src[tap.first*pitch+t.o.From:]
		for k, w := range tap.weights {
			if v := from[k*pitch:][:c]; c >= 8 {
				t.b.kernels.Axpy(to, w, v)
			} else {
				for ch, e := range v {
					to[ch] += w * e
				}
			}
		}
	}
}

// store writes a row of the result.
func (t *resizeTask) store(worker, y int, line []float32) {
	c, pitch, scale := t.o.Channels, t.dst.Shape.C, float32(t.o.Scale)
	at := y * t.r.To.W * pitch
	row := t.b.read(worker, 0, t.dst, at, t.r.To.W*pitch)
	for x := range t.r.To.W {
		dst, v := row[x*pitch+t.o.To:][:c], line[x*c:][:c]
		if !t.o.Add {
			clear(dst)
		}
		if c >= 8 {
			t.b.kernels.Axpy(dst, scale, v)
			continue
		}
		for ch, e := range v {
			dst[ch] += scale * e
		}
	}
	t.b.keep(t.dst, at, row)
}
