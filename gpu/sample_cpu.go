package gpu

// Sample writes the positions of src (H, W, C) on the grid to dst (h, w, C).
func (b *CPU) Sample(dst, src *Array, g Grid) {
	checkSample("Sample", dst, src, g)
	b.sample = sampleTask{dst, src, g, false}
	b.workers.run(dst.Shape.H, &b.sample)
}

// AddSample adds src (h, w, C) to the positions of dst (H, W, C) on the grid.
func (b *CPU) AddSample(dst, src *Array, g Grid) {
	checkSample("AddSample", src, dst, g)
	b.sample = sampleTask{src, dst, g, true}
	b.workers.run(src.Shape.H, &b.sample)
}

type sampleTask struct {
	few, all *Array
	g        Grid
	add      bool
}

func (t *sampleTask) chunk(_, y int) {
	s, c := t.few.Shape, t.few.Shape.C
	for x := range s.W {
		few := t.few.data[(y*s.W+x)*c:][:c]
		all := t.all.data[((t.g.Y+y*t.g.Step)*t.all.Shape.W+t.g.X+x*t.g.Step)*c:][:c]
		if !t.add {
			copy(few, all)
			continue
		}
		for i, v := range few {
			all[i] += v
		}
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

func (t *channelTask) chunk(_, y int) {
	w, c := t.dst.Shape.W, t.dst.Shape.C
	for p := y * w; p < (y+1)*w; p++ {
		t.b.kernels.Axpy(t.dst.data[p*c:][:c], t.a, t.m.data)
	}
}
