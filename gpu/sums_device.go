package gpu

import "github.com/impasto/impasto/cuda"

// deviceSums are sums in device memory, and memory for those of one part.
type deviceSums struct{ second, mean, part, partMean *Array }

// sumsValues is the most values that a device sums at a time if they are a part of each
// row.
const sumsValues = 1 << 20

func (b *Device) NewSums(channels int, mean bool) *Sums {
	s := &Sums{Channels: channels, Mean: mean}
	s.device.second, s.device.part = b.NewArray(Matrix(channels)), b.NewArray(Matrix(channels))
	if mean {
		s.device.mean, s.device.partMean = b.NewArray(Vector(channels)), b.NewArray(Vector(channels))
	}
	if b.strip == nil {
		b.strip = b.NewArray(Shape{1, 1, sumsValues})
	}
	return s
}

func (b *Device) SumsBytes(channels int) int64 { return 2 * b.Bytes(Matrix(channels)) }

func (b *Device) FreeSums(list ...*Sums) {
	for _, s := range list {
		if s != nil {
			b.Free(s.device.second, s.device.mean, s.device.part, s.device.partMean)
		}
	}
}

func (b *Device) ClearSums(s *Sums) {
	b.Fill(s.device.second, 0)
	if s.Mean {
		b.Fill(s.device.mean, 0)
	}
}

func (b *Device) JoinSums(into, from *Sums) {
	checkJoinSums(into, from)
	b.Axpy(into.device.second, 1, from.device.second)
	if into.Mean {
		b.Axpy(into.device.mean, 1, from.device.mean)
	}
}

func (b *Device) ReadSums(s *Sums) []float64 {
	var all []float64
	for _, a := range []*Array{s.device.second, s.device.mean} {
		if a != nil {
			for _, x := range Values(b, a) {
				all = append(all, float64(x))
			}
		}
	}
	return all
}

func (b *Device) WriteSums(s *Sums, v []float64) {
	checkWriteSums(s, v)
	for _, a := range []*Array{s.device.second, s.device.mean} {
		if a != nil {
			short := make([]float32, a.Shape.Len())
			for i := range short {
				short[i] = float32(v[i])
			}
			b.Upload(a, short)
			v = v[len(short):]
		}
	}
}

func (b *Device) Moments(second, mean *Array, s *Sums, norm float64, pixels int) {
	checkMoments(second, mean, s, pixels)
	b.Fill(second, 0)
	b.Axpy(second, norm, s.device.second)
	if mean != nil {
		b.Fill(mean, 0)
		b.Axpy(mean, 1/float64(pixels), s.device.mean)
	}
}

func (b *Device) AddSums(s *Sums, f *Array, r Rect, cell int) {
	checkSums("AddSums", s, f, r, cell)
	c := f.Shape.C
	if r.W == f.Shape.W { // whole rows lie side by side
		rows := b.View(f, 0, f.Shape)
		rows.Shape.H = r.H
		rows.at += cuda.Ptr(b.width(f.Shape) * int64(r.Y*r.W*c))
		b.addPart(s, rows)
		return
	}
	across := min(r.W, max(1, sumsValues/c))
	down := max(1, sumsValues/(across*c))
	for y := 0; y < r.H; y += down {
		for x := 0; x < r.W; x += across {
			part := b.View(b.strip, 0, Shape{min(down, r.H-y), min(across, r.W-x), c})
			b.CopyWindow(part, f, r.Y+y, r.X+x)
			b.addPart(s, part)
		}
	}
}

// addPart adds the sums of all positions of f.
func (b *Device) addPart(s *Sums, f *Array) {
	b.Gram(s.device.part, f, 1)
	b.Axpy(s.device.second, 1, s.device.part)
	if s.Mean {
		b.Mean(s.device.partMean, f)
		b.Axpy(s.device.mean, float64(f.Shape.Pixels()), s.device.partMean)
	}
}
