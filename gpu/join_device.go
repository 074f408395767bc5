package gpu

import "github.com/impasto/impasto/cuda"

func (b *Device) Join(dst, f, m *Array, scale float64, unit bool) {
	checkJoin(dst, f, m)
	b.joined(dst.at, dst.Shape.C, f, m, scale, unit)
}

// joined writes f and m (nil: none) to dst, width channels a pixel, zeros last.
func (b *Device) joined(dst cuda.Ptr, width int, f, m *Array, scale float64, unit bool) {
	maps := 0
	if m != nil {
		maps = m.Shape.C
	}
	n := f.Shape.Pixels()
	b.launch("semantic", "join", blocksFor(n, 8), new(cuda.Args).Ptr(dst).Ptr(f.at).Ptr(at(m)).Int(int32(n)).Int(int32(f.Shape.C)).
		Int(int32(maps)).Int(int32(width)).Float(float32(scale)).Int(flag(unit)))
}
