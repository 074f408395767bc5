package simd

import "unsafe"

//go:noescape
func mulBF16AMX(blocks int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int, cfg *tileConfig)

//go:noescape
func mulBF16AMXUpper(a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int, cfg *tileConfig)

//go:noescape
func peakAMX(n int, cfg *tileConfig)

// tileConfig is the operand of LDTILECFG: the number of rows of each tile and their
// bytes. For a tile that is not used both are 0.
type tileConfig struct {
	palette byte
	_       [15]byte
	width   [16]uint16 // bytes of a row
	rows    [16]byte
}

// tileConfigs are the configurations of blocks of 1 to 32 pixels.
var tileConfigs = func() (cfgs [33]tileConfig) {
	for pixels := 1; pixels <= 32; pixels++ {
		upper, lower := byte(min(pixels, 16)), byte(max(pixels-16, 0))
		cfg := &cfgs[pixels]
		cfg.palette = 1
		for tile, rows := range []byte{upper, upper, lower, lower, upper, lower, 16, 16} {
			if rows > 0 {
				cfg.rows[tile], cfg.width[tile] = rows, 64
			}
		}
	}
	return cfgs
}()

// newAMX returns the implementation with tile instructions. They are used only to
// multiply; the other routines are those of other.
func newAMX(other *BF16Kernels) *BF16Kernels {
	k := *other
	k.Name, k.Mul = "amx", mulAMX
	k.FMA = func(n int) int { peakAMX(n/65536+1, &tileConfigs[32]); return (n/65536 + 1) * 65536 }
	return &k
}

func mulAMX(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs int, acc bool) {
	blocks, rest := m/32, m%32
	if blocks > 0 {
		mulBF16AMX(blocks, a, stride*2, offsets, steps, b, c, crs*4, flag(acc), &tileConfigs[32])
	}
	if rest == 0 {
		return
	}
	a = (*uint16)(unsafe.Add(unsafe.Pointer(a), 2*32*blocks*stride))
	c = at(c, 32*blocks*crs)
	if rest > 16 {
		mulBF16AMX(1, a, stride*2, offsets, steps, b, c, crs*4, flag(acc), &tileConfigs[rest])
	} else {
		mulBF16AMXUpper(a, stride*2, offsets, steps, b, c, crs*4, flag(acc), &tileConfigs[rest])
	}
}
