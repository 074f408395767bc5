package gpu

import "github.com/impasto/impasto/cuda"

func (b *Device) Join(dst, f, m *Array, scale float64, unit bool) {
	checkJoin(dst, f, m)
	b.joined(dst.at, dst.Shape.C, b.halves(dst.Shape), f, m, scale, unit)
}

// joined writes f and m (nil: none) to dst, width channels a pixel, zeros last,
// as binary16 if half.
func (b *Device) joined(dst cuda.Ptr, width int, half bool, f, m *Array, scale float64, unit bool) {
	maps, from := 0, at(m)
	if m != nil {
		maps = m.Shape.C
		from = b.inSingle(m)
	}
	n, grid, to := f.Shape.Pixels(), blocksFor(f.Shape.Pixels(), 8), float32(1)
	if half {
		to = 1 / float32(halfUnit)
	}
	k := float32(scale) * to
	if !unit {
		k *= b.unit(f.Shape)
	}
	switch c := f.Shape.C; {
	case b.halves(f.Shape) && half:
		b.launchJoinHalf(grid, dst, f.at, from, n, c, maps, width, k, flag(unit), to)
	case b.halves(f.Shape):
		b.launchJoinFromHalf(grid, dst, f.at, from, n, c, maps, width, k, flag(unit), to)
	case half:
		b.launchJoinToHalf(grid, dst, f.at, from, n, c, maps, width, k, flag(unit), to)
	default:
		b.launchJoin(grid, dst, f.at, from, n, c, maps, width, float32(scale), flag(unit))
	}
}
