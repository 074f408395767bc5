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
	b.launchJoin(blocksFor(n, 8), dst, f.at, at(m), n, f.Shape.C, maps, width, float32(scale), flag(unit))
}
