package gpu

// Sample writes the positions of src (H, W, C) on the grid to dst (h, w, C).
func (b *CPU) Sample(dst, src *Array, g Grid) {
	checkSample("Sample", dst, src, g)
	b.sample = sampleTask{b, dst, src, g, false}
	b.workers.run(dst.Shape.H, &b.sample)
}

// AddSample adds src (h, w, C) to the positions of dst (H, W, C) on the grid.
func (b *CPU) AddSample(dst, src *Array, g Grid) {
	checkSample("AddSample", src, dst, g)
	b.sample = sampleTask{b, src, dst, g, true}
	b.workers.run(src.Shape.H, &b.sample)
}

type sampleTask struct {
	b        *CPU
	few, all *Array
	g        Grid
	add      bool
}

func (t *sampleTask) chunk(worker, y int) {
	s, c := t.few.Shape, t.few.Shape.C
	for x := range s.W {
		from := (y*s.W + x) * c
		at := ((t.g.Y+y*t.g.Step)*t.all.Shape.W + t.g.X + x*t.g.Step) * c
		few, all := t.b.read(worker, 0, t.few, from, c), t.b.read(worker, 1, t.all, at, c)
		if !t.add {
			copy(few, all)
			t.b.keep(t.few, from, few)
			continue
		}
		for i, v := range few {
			all[i] += v
		}
		t.b.keep(t.all, at, all)
	}
}

// AddChannels adds a times m (1, C, 1) to every position of dst (H, W, C).
func (b *CPU) AddChannels(dst *Array, a float64, m *Array) {
	checkAddChannels(dst, m)
	b.channels = channelTask{b, dst, m, float32(a)}
	b.workers.run(dst.Shape.H, &b.channels)
}

type channelTask struct {
	b      *CPU
	dst, m *Array
	a      float32
}

func (t *channelTask) chunk(worker, y int) {
	w, c := t.dst.Shape.W, t.dst.Shape.C
	row := t.b.read(worker, 0, t.dst, y*w*c, w*c)
	for p := range w {
		t.b.kernels.Axpy(row[p*c:][:c], t.a, t.m.data)
	}
	t.b.keep(t.dst, y*w*c, row)
}
