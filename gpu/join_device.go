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
	launch := map[[2]bool]func(grid cuda.Dim3, dst, f, m cuda.Ptr, N, C, K, width int, scale float32, unit int){
		{false, false}: b.launchJoin,
		{false, true}:  b.launchJoinToHalf,
		{true, false}:  b.launchJoinFromHalf,
		{true, true}:   b.launchJoinHalf,
	}[[2]bool{b.halves(f.Shape), half}]
	n := f.Shape.Pixels()
	launch(blocksFor(n, 8), dst, f.at, from, n, f.Shape.C, maps, width, float32(scale), flag(unit))
}
