package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// This file sets where the tiles of a Winograd convolution are read and written. The
// micro-kernels take tables of pointers to pixels, so borders cost them nothing:
// pointers outside the image point at zeros or at memory that is not read. Inside the
// image the table of one tile is used for the next of its row with an offset, walk, in
// channels.

// gatherSource is the input of a convolution: x (h, w, c), or with a mask the gradient
// of x's pooled form, which is spread through the mask.
type gatherSource struct {
	x    []float32
	c    int
	pad  Pad
	mask *Mask // of x before pooling; nil: x is read as it is
}

// gatherTable is a worker's table of a 6x6 patch.
type gatherTable struct {
	px      [36]*float32
	unpool  simd.Unpool
	patch   []float32    // (36, 16): a patch after unpooling
	patchPx [36]*float32 // its pixels
	zeros   []float32    // outside the image
	clear   []byte       // sign bits outside the image
	last    int          // the tile that the table points at
	inside  bool         // it lies inside, so the next tile can use the same table
	walk    int
	rest    gatherRest
}

func (g *gatherTable) reserve(t *winogradTask) {
	if len(g.zeros) < t.c {
		g.zeros, g.clear = simd.Floats(t.c), make([]byte, signBytes(t.c))
	}
	if g.patch == nil {
		g.patch = simd.Floats(36 * channelStep)
		for i := range g.patchPx {
			g.patchPx[i] = &g.patch[i*channelStep]
		}
		g.rest.reserve()
	}
	g.inside = false
}

// aim points the table at the patch of a tile, which starts one pixel up and
// left of it.
func (g *gatherTable) aim(t *winogradTask, tile int) {
	across := chunks(t.w, 4)
	y, x := tile/across*4-1, tile%across*4-1
	h, w := t.h, t.w
	if t.src.mask != nil { // an odd last row or column has a window of its own, or none
		h, w = h&^1, w&^1
	}
	inside := y >= 0 && x >= 0 && y+6 <= h && x+6 <= w
	if inside && g.inside && tile == g.last+1 && x > 0 && t.src.c%8 == 0 { // bits lie 8 to a byte
		g.last, g.walk = tile, g.walk+4*t.src.c
		return
	}
	g.last, g.inside, g.walk = tile, inside, 0
	if t.src.mask != nil {
		g.aimUnpool(t, y, x)
		return
	}
	for i := range g.px {
		py, px := y+i/6, x+i%6
		if t.src.pad == ReplicatePad {
			py, px = min(max(py, 0), t.h-1), min(max(px, 0), t.w-1)
		}
		g.px[i] = &g.zeros[0]
		if py >= 0 && py < t.h && px >= 0 && px < t.w {
			g.px[i] = &t.src.x[(py*t.w+px)*t.src.c]
		}
	}
}

func (g *gatherTable) aimUnpool(t *winogradTask, y, x int) {
	m := t.src.mask
	out := m.Pool.Out(m.Shape)
	planes := signBytes(t.src.c)
	u := &g.unpool
	for i := range 36 {
		py, px := y+i/6, x+i%6
		wy, wx := py/2, px/2
		u.Dy[i], u.Sign[i], u.Lo[i], u.Hi[i], u.Scale[i] = &g.zeros[0], &g.clear[0], &g.clear[0], &g.clear[0], 0
		if py < 0 || py >= t.h || px < 0 || px >= t.w || wy >= out.H || wx >= out.W {
			continue
		}
		at := wy*out.W + wx
		u.Dy[i] = &t.src.x[at*t.src.c]
		u.Sign[i] = &m.sign[(py*t.w+px)*planes]
		u.Scale[i] = m.Pool.scale()
		if m.Pool.Kind == MaxPool {
			u.Lo[i], u.Hi[i] = &m.arg[at*2*planes], &m.arg[(at*2+1)*planes]
		} else {
			u.Scale[i] /= float32(min(2, t.h-2*wy) * min(2, t.w-2*wx))
		}
	}
}

// finishTarget is the output of a convolution. Forward (bias not nil) it is what out
// holds. Backward it is the gradient out.Act, to which the result is added if add is
// set, gated by out.Mask's signs.
type finishTarget struct {
	bias []float32
	out  ConvOut
	add  bool
}

// finishTable is a worker's table of a 4x4 tile.
type finishTable struct {
	tile   simd.Tile
	act    []float32 // (16, NR): the tile, if the activation is not stored
	sink   []float32
	bits   []byte // sink of bits
	last   int
	inside bool
	walk   int
	window []float32 // (NR)
	rest   finishRest
}

func (f *finishTable) reserve(t *winogradTask) {
	if len(f.sink) < t.n {
		f.sink, f.bits = simd.Floats(t.n), make([]byte, signBytes(t.n))
	}
	if f.act == nil {
		f.act, f.window = simd.Floats(16*t.ks.NR), make([]float32, t.ks.NR)
		f.rest.reserve(t.ks.NR)
	}
	f.inside = false
}

// aim points the table at a tile.
func (f *finishTable) aim(t *winogradTask, tile int) {
	across := chunks(t.w, 4)
	y, x := tile/across*4, tile%across*4
	inside := y+4 <= t.h && x+4 <= t.w
	if inside && f.inside && tile == f.last+1 && x > 0 && t.n%8 == 0 { // bits lie 8 to a byte
		f.last, f.walk = tile, f.walk+4*t.n
		return
	}
	f.last, f.inside, f.walk = tile, inside, 0
	out := &t.dst.out
	planes := signBytes(t.n)
	for i := range 16 {
		py, px := y+i/4, x+i%4
		in := py < t.h && px < t.w
		at := py*t.w + px
		switch {
		case out.Act == nil:
			f.tile.Px[i] = &f.act[i*t.ks.NR]
		case in:
			f.tile.Px[i] = &out.Act.data[at*t.n]
		default:
			f.tile.Px[i] = &f.sink[0]
		}
		f.tile.Sign[i] = &f.bits[0]
		if in && out.Mask != nil {
			f.tile.Sign[i] = &out.Mask.sign[at*planes]
		}
	}
	if t.dst.bias == nil || out.Pool.Kind == NoPool {
		return
	}
	s := out.Pool.Out(Shape{t.h, t.w, t.n})
	for i := range 4 {
		wy, wx := y/2+i/2, x/2+i%2
		at := wy*s.W + wx
		f.tile.Pool[i], f.tile.Lo[i], f.tile.Hi[i] = &f.sink[0], &f.bits[0], &f.bits[0]
		if 2*wy+2 > t.h || 2*wx+2 > t.w {
			continue
		}
		if out.Pooled != nil {
			f.tile.Pool[i] = &out.Pooled.data[at*t.n]
		}
		if out.Mask != nil && out.Pool.Kind == MaxPool {
			f.tile.Lo[i], f.tile.Hi[i] = &out.Mask.arg[at*2*planes], &out.Mask.arg[(at*2+1)*planes]
		}
	}
}

// store computes the results of a tile from its products, n outputs from first on.
func (f *finishTable) store(t *winogradTask, m *float32, plane, tile, first, n int) {
	out := &t.dst.out
	px, bits := f.walk+first, 0
	if out.Act == nil {
		px = 0
	}
	if out.Mask != nil {
		bits = f.walk + first
	}
	if n%channelStep != 0 {
		f.storeRest(t, m, plane, tile, first, n, px, bits)
		return
	}
	if t.dst.bias == nil {
		t.ks.WinoBack(m, plane, &f.tile, px, bits, n, t.dst.add, out.Mask != nil)
		return
	}
	t.ks.WinoOut(m, plane, &f.tile, px, bits, n, &t.dst.bias[first])
	if out.Pool.Kind == NoPool {
		return
	}
	pool := f.walk/2 + first
	if out.Pooled == nil {
		pool = 0
	}
	switch out.Pool.Kind {
	case MaxPool:
		t.ks.PoolMax(&f.tile, px, pool, bits, n, out.Pool.scale())
	case AvgPool:
		t.ks.PoolAvg(&f.tile, px, pool, n, out.Pool.scale())
	}
	if !f.inside {
		f.poolEdges(t, tile, px, first, n)
	}
}

// poolEdges pools the windows that reach over the image's edge, which the
// micro-kernels leave out.
func (f *finishTable) poolEdges(t *winogradTask, tile, off, first, n int) {
	across := chunks(t.w, 4)
	y, x := tile/across*4, tile%across*4
	out := &t.dst.out
	s := out.Pool.Out(Shape{t.h, t.w, t.n})
	planes := signBytes(t.n)
	for i := range 4 {
		wy, wx := y/2+i/2, x/2+i%2
		if wy >= s.H || wx >= s.W || (2*wy+2 <= t.h && 2*wx+2 <= t.w) {
			continue
		}
		// The window's corner pixel; at an edge the next one right, the next
		// one down, or both are missing.
		corner := i/2*8 + i%2*2
		v := append(f.window[:0], unsafe.Slice(f.tile.Px[corner], off+n)[off:]...)
		other, place := -1, 0
		if 2*wx+2 <= t.w {
			other, place = corner+1, 1
		} else if 2*wy+2 <= t.h {
			other, place = corner+4, 2
		}
		at := wy*s.W + wx
		for c := range n {
			won := 0
			if other >= 0 {
				e := unsafe.Slice(f.tile.Px[other], off+n)[off+c]
				switch {
				case out.Pool.Kind == AvgPool:
					v[c] = (v[c] + e) / 2
				case e > v[c] || e != e:
					v[c], won = e, place
				}
			}
			if out.Pooled != nil {
				out.Pooled.data[at*t.n+first+c] = v[c] * out.Pool.scale()
			}
			if out.Mask != nil && out.Pool.Kind == MaxPool {
				arg, ch := out.Mask.arg[at*2*planes:], first+c
				arg[ch/8] = arg[ch/8]&^(1<<(ch%8)) | byte(won&1)<<(ch%8)
				arg[planes+ch/8] = arg[planes+ch/8]&^(1<<(ch%8)) | byte(won>>1)<<(ch%8)
			}
		}
	}
}
