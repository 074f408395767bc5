package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// The 3x3 convolution in both directions by Winograd's F(4x4, 3x3): the
// formulas are in gpu/simd/wino_generic.go. A run works on tiles of 4x4
// outputs, numbered along rows, in three phases:
//
//	gather    V(36; tile, c)  patches of the input, transformed
//	multiply  M(36; tile, k)  36 matrix products V * U, a panel of outputs at a time
//	finish    from M: bias, ReLU, pooling and masks, or gradients added and gated
//
// and the filters' transform U(36; c, k) is computed anew in each run from the
// 3x3 taps: that costs less than reading a fourfold copy from memory.
//
// A layer with many tiles runs in blocks whose V and M stay in the cache of
// one worker, with no meeting point but the one after U. A layer with few
// tiles and large filters shares V, and each worker takes panels of outputs.

// channelStep is what the micro-kernels' channel counts are multiples of.
const channelStep = 16

const (
	// sharedFilters bounds in*out of layers whose whole U is kept for a run:
	// 36 * 4 bytes each, 9.4 MB, within the last level of cache.
	sharedFilters = 1 << 16
	// depthStep is how many input channels a product sums at a time: a panel of
	// U that deep stays in the innermost cache.
	depthStep = 256
	// sharedTiles is how many tiles a run by panels takes at a time.
	sharedTiles = 256
)

type winogradTask struct {
	b  *CPU
	ks *simd.Kernels

	h, w, c, n int // output size, inputs, outputs
	taps       []float32
	panels     int

	src gatherSource
	dst finishTarget

	phase   func(t *winogradTask, worker, i int)
	t0, t1  int       // tiles of this round, when V is shared
	block   int       // tiles of a block, when it is not
	u, v    []float32 // shared
	perWork []*winogradWorker
}

// winogradWorker is the scratch of one worker. The tables live here so that
// they are not allocated anew for every call through a function value.
type winogradWorker struct {
	u, v, m []float32
	gather  gatherTable
	finish  finishTable
}

func (t *winogradTask) chunk(worker, i int) { t.phase(t, worker, i) }

// run computes the convolution that the fields describe.
func (t *winogradTask) run(b *CPU) {
	t.b, t.ks = b, b.kernels
	t.panels = chunks(t.n, t.ks.NR)
	for len(t.perWork) < b.workers.n {
		t.perWork = append(t.perWork, &winogradWorker{})
	}
	for _, w := range t.perWork {
		w.gather.reserve(t)
		w.finish.reserve(t)
	}
	tiles := chunks(t.h, 4) * chunks(t.w, 4)
	t.block = t.blockTiles()
	if t.c*t.n <= sharedFilters && tiles >= 4*t.block {
		t.u = grown(&t.b.winoU, t.panels*36*t.filterPlane())
		t.phase = (*winogradTask).filterChunk
		b.workers.run(t.panels, t)
		t.t0, t.t1 = 0, tiles
		t.phase = (*winogradTask).blockChunk
		b.workers.run(chunks(tiles, t.block), t)
		return
	}
	rounds := chunks(tiles, sharedTiles)
	for r := range rounds {
		t.t0, t.t1 = r*tiles/rounds, (r+1)*tiles/rounds
		rows := padRows(t.t1 - t.t0)
		t.v = grown(&t.b.winoV, 36*t.patchPlane(rows))
		t.phase = (*winogradTask).gatherChunk
		b.workers.run(chunks(t.t1-t.t0, gatherTiles), t)
		t.phase = (*winogradTask).panelChunk
		b.workers.run(t.panels, t)
	}
}

// blockTiles chooses the block so that V and a panel of M fill about half of a
// second-level cache of 1 MB, but so many tiles that U, read once a block, is
// worth its way.
func (t *winogradTask) blockTiles() int {
	return min(max(4096/t.c*12/16/12*12, 24), 96)
}

// gatherTiles is how many tiles a chunk of the shared gather phase takes.
const gatherTiles = 8

// Planes are padded by a cache line: 36 planes a power of two apart would
// share the same few sets of the cache.
func (t *winogradTask) filterPlane() int          { return t.c*t.ks.NR + channelStep }
func (t *winogradTask) patchPlane(rows int) int   { return rows*t.c + channelStep }
func (t *winogradTask) productPlane(rows int) int { return rows*t.ks.NR + channelStep }

// padRows rounds up to what the micro-kernels do without a slow remainder.
func padRows(tiles int) int { return (tiles + 3) &^ 3 }

func (t *winogradTask) filterChunk(_, panel int) {
	plane := t.filterPlane()
	t.filter(t.u[panel*36*plane:], panel)
}

func (t *winogradTask) filter(u []float32, panel int) {
	t.ks.WinoFilter(&t.taps[panel*t.c*9*t.ks.NR], &u[0], t.filterPlane(), t.c)
}

// blockChunk takes one block of tiles through all phases.
func (t *winogradTask) blockChunk(worker, i int) {
	t0, t1 := t.t0+i*t.block, min(t.t1, t.t0+(i+1)*t.block)
	rows := padRows(t1 - t0)
	s := t.perWork[worker]
	v := grown(&s.v, 36*t.patchPlane(rows))
	for tile := t0; tile < t1; tile++ {
		t.gather(s, v, rows, tile-t0, tile)
	}
	size := 36 * t.filterPlane()
	for p := range t.panels {
		t.panel(s, v, t.u[p*size:], p, t0, t1)
	}
}

func (t *winogradTask) gatherChunk(worker, i int) {
	rows := padRows(t.t1 - t.t0)
	for tile := t.t0 + i*gatherTiles; tile < min(t.t1, t.t0+(i+1)*gatherTiles); tile++ {
		t.gather(t.perWork[worker], t.v, rows, tile-t.t0, tile)
	}
}

func (t *winogradTask) panelChunk(worker, p int) {
	s := t.perWork[worker]
	u := grown(&s.u, 36*t.filterPlane())
	t.filter(u, p)
	t.panel(s, t.v, u, p, t.t0, t.t1)
}

// gather transforms the patch of a tile into row row of V. V's planes hold
// depthStep channels of all rows, then the next depthStep.
func (t *winogradTask) gather(s *winogradWorker, v []float32, rows, row, tile int) {
	plane := t.patchPlane(rows)
	g := &s.gather
	g.aim(t, tile)
	for c := 0; c < t.c; c += depthStep {
		depth := min(depthStep, t.c-c)
		at := &v[c*rows+row*depth]
		if t.src.mask == nil {
			t.ks.WinoIn(&g.px, g.walk+c, at, plane, depth)
			continue
		}
		for d := 0; d < depth; d += channelStep {
			t.ks.Unpool(&g.patch[0], &g.unpool, g.walk/2+c+d, g.walk+c+d, g.walk+c+d, t.src.mask.Pool.Kind == AvgPool)
			t.ks.WinoIn(&g.patchPx, 0, (*float32)(unsafe.Add(unsafe.Pointer(at), d*4)), plane, channelStep)
		}
	}
}

// panel multiplies the patches of tiles t0..t1 with a panel of filters and
// finishes the tiles' outputs.
func (t *winogradTask) panel(s *winogradWorker, v, u []float32, panel, t0, t1 int) {
	rows := padRows(t1 - t0)
	nr := t.ks.NR
	vp, up, mp := t.patchPlane(rows), t.filterPlane(), t.productPlane(rows)
	m := grown(&s.m, 36*mp)
	for i := range 36 {
		for c := 0; c < t.c; c += depthStep {
			depth := min(depthStep, t.c-c)
			t.ks.Gemm(rows, depth, &v[i*vp+c*rows], depth, 1, &u[i*up+c*nr], &m[i*mp], nr, c > 0)
		}
	}
	first := panel * nr
	for tile := t0; tile < t1; tile++ {
		t.finish(s, &m[(tile-t0)*nr], mp, tile, first, min(nr, t.n-first))
	}
}

// grown returns n floats of *p, which it replaces where it is too short.
func grown(p *[]float32, n int) []float32 {
	if len(*p) < n {
		*p = simd.Floats(n)
	}
	return (*p)[:n]
}
