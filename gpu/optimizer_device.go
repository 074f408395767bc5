package gpu

import "github.com/impasto/impasto/cuda"

// deviceTrack does what track does, on a device. Its scalars and those of the
// optimisers are blocks of cells (see status_device.go), the structs whose names end in
// Cells.
type deviceTrack struct {
	b     *Device
	shape Shape
	o     StepOptions

	track   cuda.Ptr // trackCells
	base    *Array   // the last accepted image
	average *Array   // sum of decayed images; nil without averaging
	bounds  *Array   // (2, 1, C), low then high; nil without
}

// trackCells are the struct Track of kernels/optimizer.cuh; track says what they mean.
type trackCells struct {
	scale, worst, weight float64
	has                  bool
	failures, patience   int
	average              float64
}

func (c *trackCells) cells(s *stateIO) {
	s.number(&c.scale)
	s.number(&c.worst)
	s.number(&c.weight)
	s.flag(&c.has)
	s.count(&c.failures)
	s.count(&c.patience)
	s.number(&c.average)
}

func newDeviceTrack(b *Device, s Shape, o StepOptions) deviceTrack {
	t := deviceTrack{b: b, shape: s, o: o, base: b.NewArray(s)}
	if o.Average > 0 {
		t.average = b.NewArray(s)
	}
	if o.Bounds != nil {
		t.bounds = ArrayOf(b, Shape{2, 1, s.C}, append(append([]float32{}, o.Bounds.Lo...), o.Bounds.Hi...))
	}
	t.track = b.newCells((&trackCells{scale: 1, patience: o.patience(), average: o.Average}).cells)
	return t
}

func (t *deviceTrack) readTrack() *trackCells {
	c := new(trackCells)
	t.b.readCells(t.track, c.cells)
	return c
}

// blocks returns how many blocks of a kernel process the image, a chunk each.
func (t *deviceTrack) blocks() int { return chunks(t.shape.Len(), chunkLen) }

func (t *deviceTrack) Result(dst *Array) {
	if dst.Shape != t.shape {
		fail("Result", "dst is %v, want %v", dst.Shape, t.shape)
	}
	t.b.launchTrackResult(cuda.Dim3{X: t.blocks()}, dst.at, t.track, t.base.at, at(t.average), t.shape.Len())
}

// carry does what track's does.
func (t *deviceTrack) carry(from *deviceTrack) {
	now, then := t.readTrack(), from.readTrack()
	now.scale = then.scale
	if t.average != nil && from.average != nil {
		t.b.Resample(t.average, from.average, Bicubic)
		now.weight = then.weight
	}
	t.b.writeCells(t.track, now.cells)
}

// state writes or reads the same values as track's.
func (t *deviceTrack) state(s *stateIO) {
	status, c := t.b.Status(), t.readTrack()
	s.status(&status)
	s.flag(&c.has)
	s.number(&c.weight)
	s.number(&c.scale)
	s.number(&c.worst)
	s.count(&c.failures)
	s.array(t.b, t.base)
	s.array(t.b, t.average)
	if s.r != nil && s.err == nil {
		t.b.writeCells(t.b.status, func(s *stateIO) { s.status(&status) })
		t.b.writeCells(t.track, c.cells)
	}
}

// bytesOf returns the memory of arrays; nil ones are ignored.
func (b *Device) bytesOf(arrays []*Array) (n int64) {
	for _, a := range arrays {
		if a != nil {
			n += b.Bytes(a.Shape)
		}
	}
	return n
}

func (t *deviceTrack) arrays() []*Array { return []*Array{t.base, t.average, t.bounds} }

// array writes or reads the values of a; nil has none.
func (s *stateIO) array(b *Device, a *Array) {
	if a == nil || s.err != nil {
		return
	}
	v := make([]float32, a.Shape.Len())
	if s.w != nil {
		b.Download(v, a)
	}
	s.vector(v)
	if s.r != nil && s.err == nil {
		b.Upload(a, v)
	}
}
