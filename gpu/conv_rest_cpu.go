package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// Channels of a Winograd convolution that do not fill a step of the micro-kernels are
// copied to memory where a whole step can be read and written, and back.

// gatherRest is a worker's copy of the last channels of a patch, in the form that
// Unpool reads.
type gatherRest struct {
	unpool       simd.Unpool
	dy           [36][channelStep]float32
	sign, lo, hi [36][channelStep / 8]byte
}

func (g *gatherRest) reserve() {
	u := &g.unpool
	for i := range 36 {
		u.Dy[i], u.Sign[i], u.Lo[i], u.Hi[i] = &g.dy[i][0], &g.sign[i][0], &g.lo[i][0], &g.hi[i][0]
	}
}

// fill copies the channels of the patch from c on, fewer than a step, into g.patch,
// followed by zeros.
func (g *gatherTable) fill(t *winogradTask, c int) {
	n := t.src.c - c
	m := t.src.mask
	if m == nil {
		for i, px := range g.px {
			row := g.patch[i*channelStep:][:channelStep]
			clear(row[copy(row, floats(px, g.walk+c, n)):])
		}
		return
	}
	r := &g.rest
	bits := signBytes(n)
	r.unpool.Scale = g.unpool.Scale
	for i := range 36 {
		clear(r.dy[i][copy(r.dy[i][:], floats(g.unpool.Dy[i], g.walk/2+c, n)):])
		clear(r.sign[i][copy(r.sign[i][:], octets(g.unpool.Sign[i], g.walk+c, bits)):])
		if m.Pool.Kind == MaxPool {
			copy(r.lo[i][:], octets(g.unpool.Lo[i], g.walk+c, bits))
			copy(r.hi[i][:], octets(g.unpool.Hi[i], g.walk+c, bits))
		}
	}
	t.ks.Unpool(&g.patch[0], &r.unpool, 0, 0, 0, m.Pool.Kind == AvgPool)
}

// finishRest is a worker's copy of the outputs of a tile, at most a panel of them.
type finishRest struct {
	tile      simd.Tile
	act, pool []float32 // (16, NR), (4, NR)
	bias      []float32 // (NR)
	sign      []byte    // (16, NR/8)
	lo, hi    []byte    // (4, NR/8)
}

func (f *finishRest) reserve(nr int) {
	f.act, f.pool, f.bias = simd.Floats(16*nr), simd.Floats(4*nr), simd.Floats(nr)
	f.sign, f.lo, f.hi = make([]byte, 16*nr/8), make([]byte, 4*nr/8), make([]byte, 4*nr/8)
	for i := range 16 {
		f.tile.Px[i], f.tile.Sign[i] = &f.act[i*nr], &f.sign[i*nr/8]
	}
	for i := range 4 {
		f.tile.Pool[i], f.tile.Lo[i], f.tile.Hi[i] = &f.pool[i*nr], &f.lo[i*nr/8], &f.hi[i*nr/8]
	}
}

// storeRest does what store does for n outputs that are no whole steps. px and bits are
// offsets, in channels, from the pointers of f.tile.
func (f *finishTable) storeRest(t *winogradTask, m *float32, plane, tile, first, n, px, bits int) {
	r, out, nr := &f.rest, &t.dst.out, t.ks.NR
	planes := signBytes(n)
	if t.dst.bias == nil {
		for i := range 16 {
			copy(r.act[i*nr:], floats(f.tile.Px[i], px, n))
			copy(r.sign[i*nr/8:], octets(f.tile.Sign[i], bits, planes))
		}
		t.ks.WinoBack(m, plane, &r.tile, 0, 0, padChannels(n), t.dst.add, out.Mask != nil)
	} else {
		clear(r.bias[copy(r.bias, t.dst.bias[first:first+n]):])
		t.ks.WinoOut(m, plane, &r.tile, 0, 0, padChannels(n), &r.bias[0])
	}
	for i := range 16 {
		copy(floats(f.tile.Px[i], px, n), r.act[i*nr:])
		if t.dst.bias != nil && out.Mask != nil {
			copy(octets(f.tile.Sign[i], bits, planes), r.sign[i*nr/8:])
		}
	}
	switch {
	case t.dst.bias == nil || out.Pool.Kind == NoPool:
		return
	case out.Pool.Kind == MaxPool:
		t.ks.PoolMax(&r.tile, 0, 0, 0, padChannels(n), out.Pool.scale())
	default:
		t.ks.PoolAvg(&r.tile, 0, 0, padChannels(n), out.Pool.scale())
	}
	for i := range 4 {
		if out.Pooled != nil {
			copy(floats(f.tile.Pool[i], f.walk/2+first, n), r.pool[i*nr:])
		}
		if out.Mask != nil && out.Pool.Kind == MaxPool {
			copy(octets(f.tile.Lo[i], bits, planes), r.lo[i*nr/8:])
			copy(octets(f.tile.Hi[i], bits, planes), r.hi[i*nr/8:])
		}
	}
	if !f.inside {
		f.poolEdges(t, tile, px, first, n)
	}
}

// floats returns the n values from channel off on of a pixel that begins at p.
func floats(p *float32, off, n int) []float32 { return unsafe.Slice(p, off+n)[off:] }

// octets returns n bytes of the bits that begin at p, from channel off on, a multiple
// of 8.
func octets(p *byte, off, n int) []byte { return unsafe.Slice(p, off/8+n)[off/8:] }
