package simd

//go:noescape
func gemmNEON(k int, a *float32, ars, acs int, b, c *float32, crs, acc int)

//go:noescape
func gemmRowNEON(k int, a *float32, acs int, b, c *float32, acc int)

//go:noescape
func winoInNEON(px *[36]*float32, off int, dst *float32, plane, n4 int)

//go:noescape
func winoFilterNEON(src, dst *float32, plane, n int, row *[3]float32)

//go:noescape
func winoOutNEON(src *float32, plane int, tile *Tile, off, bits, n8 int, bias *float32)

//go:noescape
func winoBackNEON(src *float32, plane int, tile *Tile, off, bits, n8 int, add, gate int)

//go:noescape
func poolMaxNEON(t *Tile, off, pool, bits, n8 int, scale float32)

//go:noescape
func poolAvgNEON(t *Tile, off, pool, n8 int, scale float32)

//go:noescape
func unpoolNEON(dst *float32, u *Unpool, dy, sign, arg, avg int)

//go:noescape
func reluNEON(x *float32, sign *byte, n16 int)

//go:noescape
func diag3NEON(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)

func peakNEON(n int)

// laneBits selects one bit in each lane: the bits of a byte, those of the byte above
// it, and those of two bytes in 16 lanes of a byte.
var laneBits = [24]uint16{
	1, 2, 4, 8, 16, 32, 64, 128,
	1 << 8, 2 << 8, 4 << 8, 8 << 8, 16 << 8, 32 << 8, 64 << 8, 128 << 8,
	0x0201, 0x0804, 0x2010, 0x8040, 0x0201, 0x0804, 0x2010, 0x8040,
}

// native returns the NEON implementation, which every arm64 processor runs.
func native() []*Kernels { return []*Kernels{&neon} }

var neon = Kernels{
	Name: "neon",
	NR:   16,
	Gemm: func(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, _ *float32, _ int) {
		const rows = 6
		i := 0
		for ; i+rows <= m; i += rows {
			gemmNEON(k, at(a, i*ars), ars*4, acs*4, b, at(c, i*crs), crs*4, flag(acc))
		}
		for ; i < m; i++ {
			gemmRowNEON(k, at(a, i*ars), acs*4, b, at(c, i*crs), flag(acc))
		}
	},
	WinoIn: func(px *[36]*float32, off int, dst *float32, plane, n int) {
		winoInNEON(px, off*4, dst, plane*4, n/4)
	},
	WinoFilter: func(src, dst *float32, plane, n, row int) {
		winoFilterNEON(src, dst, plane*4, n, &winoRow[row])
	},
	WinoOut: func(src *float32, plane int, tile *Tile, off, bits, n int, bias *float32) {
		winoOutNEON(src, plane*4, tile, off*4, bits/8, n/8, bias)
	},
	WinoBack: func(src *float32, plane int, tile *Tile, off, bits, n int, add, gate bool) {
		winoBackNEON(src, plane*4, tile, off*4, bits/8, n/8, flag(add), flag(gate))
	},
	PoolMax: func(t *Tile, off, pool, bits, n int, scale float32) {
		poolMaxNEON(t, off*4, pool*4, bits/8, n/8, scale)
	},
	PoolAvg: func(t *Tile, off, pool, n int, scale float32) {
		poolAvgNEON(t, off*4, pool*4, n/8, scale/4)
	},
	Unpool: func(dst *float32, u *Unpool, dy, sign, arg int, avg bool) {
		unpoolNEON(dst, u, dy*4, sign/8, arg/8, flag(avg))
	},
	ReLU:  func(x *float32, sign *byte, n int) { reluNEON(x, sign, n/16) },
	Diag3: diag3NEON,
	FMA:   func(n int) int { peakNEON(n/192 + 1); return (n/192 + 1) * 192 },
}
