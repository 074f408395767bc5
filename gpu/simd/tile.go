package simd

import "unsafe"

// Tile says where a 4x4 tile of an activation lies, row by row: channel 0 of each
// pixel, the first byte of its sign bits (channel c is bit c%8 of byte c/8), and for
// the four 2x2 windows channel 0 of the pooled value and the first bytes of two bit
// planes. The planes say which pixel won, 2*dy + dx: Lo has dx, Hi has dy. Values that
// are not needed or lie outside go to memory that is not read.
type Tile struct {
	Px     [16]*float32
	Sign   [16]*byte
	Pool   [4]*float32
	Lo, Hi [4]*byte
}

// Unpool says where a 6x6 patch of a gradient lies, which is known at the resolution of
// the pooled layer above. For each pixel it has channel 0 of its window's gradient, its
// own sign bits, and its window's winner bits; and it has the factor. Pixel (y, x) of
// the patch is place 2*((y+1)%2) + (x+1)%2 of its window. A pixel outside the image
// points at a clear sign bit.
type Unpool struct {
	Dy           [36]*float32
	Sign, Lo, Hi [36]*byte
	Scale        [36]float32
}

// poolPixels are the places of a tile's windows, in the order 2*dy + dx.
var poolPixels = [4][4]int{{0, 1, 4, 5}, {2, 3, 6, 7}, {8, 9, 12, 13}, {10, 11, 14, 15}}

func poolMaxGeneric(t *Tile, off, pool, bits, n int, scale float32) {
	for w, px := range poolPixels {
		for c := range n {
			v, won := *at(t.Px[px[0]], off+c), 0
			for i := 1; i < 4; i++ {
				if e := *at(t.Px[px[i]], off+c); e > v || e != e {
					v, won = e, i
				}
			}
			*at(t.Pool[w], pool+c) = v * scale
			setBit(t.Lo[w], bits+c, won&1 != 0)
			setBit(t.Hi[w], bits+c, won&2 != 0)
		}
	}
}

func poolAvgGeneric(t *Tile, off, pool, n int, scale float32) {
	for w, px := range poolPixels {
		for c := range n {
			v := *at(t.Px[px[0]], off+c) + *at(t.Px[px[1]], off+c)
			v += *at(t.Px[px[2]], off+c) + *at(t.Px[px[3]], off+c)
			*at(t.Pool[w], pool+c) = v * (scale / 4)
		}
	}
}

func unpoolGeneric(dst *float32, u *Unpool, dy, sign, arg int, avg bool) {
	for i := range 36 {
		place := (i/6+1)%2*2 + (i+1)%2
		for c := range 16 {
			v := float32(0)
			if bit(u.Sign[i], sign+c) &&
				(avg || (bit(u.Lo[i], arg+c) == (place&1 != 0) && bit(u.Hi[i], arg+c) == (place&2 != 0))) {
				v = *at(u.Dy[i], dy+c) * u.Scale[i]
			}
			*at(dst, i*16+c) = v
		}
	}
}

func reluGeneric(x *float32, sign *byte, n int) {
	for i := range n {
		v := at(x, i)
		if *v < 0 {
			*v = 0
		}
		if sign != nil {
			setBit(sign, i, *v > 0)
		}
	}
}

func setBit(p *byte, i int, on bool) {
	b := (*byte)(unsafe.Add(unsafe.Pointer(p), i/8))
	*b &^= 1 << (i % 8)
	if on {
		*b |= 1 << (i % 8)
	}
}

func bit(p *byte, i int) bool {
	return *(*byte)(unsafe.Add(unsafe.Pointer(p), i/8))>>(i%8)&1 != 0
}
