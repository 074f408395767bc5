package gpu

import (
	"unsafe"

	"github.com/impasto/impasto/gpu/simd"
)

// The 3x3 convolution in both directions is computed by Winograd's F(4x4, 3x3); the
// formulas are in gpu/simd/wino_generic.go. A run works on tiles of 4x4 outputs,
// numbered along rows, in three phases:
//
//	gather    V(36; tile, c)  patches of the input, transformed
//	multiply  M(36; tile, k)  36 matrix products V * U, a panel of NR outputs at a time
//	finish    from M: bias, ReLU, pooling and masks, or gradients added and gated
//
// The filters' transform U(36; c, k) is computed again in each run from the 3x3 taps.
// That costs less than reading four times as much from memory.
//
// A layer with small filters runs in blocks of tiles whose V and M stay in the cache of
// one worker; all workers read the same U. In a layer with large filters, or few tiles,
// the workers share V, and each makes the U of one panel at a time.

// The micro-kernels' channel counts are multiples of channelStep. In layers of other
// widths the last channels of a pixel are copied and filled up to a whole step.
const channelStep = 16

func padChannels(c int) int { return chunks(c, channelStep) * channelStep }

// winogradTile is the side of a tile of outputs.
const winogradTile = 4

const (
	// smallFilters bounds in*out of the layers whose whole U is kept for a run (36 * 4
	// bytes each, at most 4.7 MB: more would not fit into the last level of cache).
	smallFilters = 1 << 15
	// depthStep is how many inputs a product sums at a time, so that a panel of
	// U stays in the first level of cache, and 36 of them in the second.
	depthStep = 128
	// filterStep is how many inputs are transformed at a time. Their taps stay in the first
	// level of cache from one row point to the next.
	filterStep = 16
	// rowStep is how many row points panelChunk transforms at a time; it divides six. With
	// more of them, taps are read less often and U takes more of the cache.
	rowStep = 3
	// blockTiles of V and M fill half of a second level of 1 MB at 64 channels.
	blockTiles = 24
	// roundTiles bounds the tiles whose V is shared at a time.
	roundTiles = 192
	// gatherTiles is how many tiles a chunk of the shared gather phase takes.
	gatherTiles = 8
	// partTiles is the least number of tiles in a part of a panel's tiles. Each part
	// transforms the filters again.
	partTiles = 48
	// workerChunks is how many chunks a worker should find in a phase, so that fast
	// cores do not wait long for the last chunks of a slow one.
	workerChunks = 8
)

type winogradTask struct {
	ks *simd.Kernels

	h, w, c, n int       // output size, inputs filled up to whole steps, outputs
	taps       []float32 // (n/NR, c, 9, NR)
	src        gatherSource
	dst        finishTarget

	phase   func(t *winogradTask, worker, i int)
	cut     winogradCut
	t0, t1  int       // the tiles of this phase
	u, v    []float32 // shared: U of all panels, or V of this round
	workers []*winogradWorker
}

// winogradWorker is the scratch of one worker. It holds the tables, so that they are
// not allocated again for every call through a function value.
type winogradWorker struct {
	scratch []float32 // its own of U, V and M
	gather  gatherTable
	finish  finishTable
}

func (t *winogradTask) chunk(worker, i int) { t.phase(t, worker, i) }

// run computes the convolution that the fields describe.
func (t *winogradTask) run(b *CPU) {
	t.ks = b.kernels
	for len(t.workers) < b.workers.n {
		t.workers = append(t.workers, &winogradWorker{})
	}
	for _, w := range t.workers {
		w.gather.reserve(t)
		w.finish.reserve(t)
	}
	tiles, panels := chunks(t.h, 4)*chunks(t.w, 4), chunks(t.n, t.ks.NR)
	if t.c*t.n <= smallFilters && tiles >= 4*blockTiles {
		t.u = grown(&b.winoU, panels*t.filterLen(t.c))
		t.phase = (*winogradTask).filterChunk
		b.workers.run(panels, t)
		t.t0, t.t1 = 0, tiles
		t.phase = (*winogradTask).blockChunk
		t.cut.block = blockLen(tiles, b.workers.n)
		b.workers.run(chunks(tiles, t.cut.block), t)
		return
	}
	rounds := chunks(tiles, roundTiles)
	for r := range rounds {
		t.t0, t.t1 = r*tiles/rounds, (r+1)*tiles/rounds
		t.cut = cutRound(t.t1-t.t0, panels, b.workers.n)
		t.v = grown(&b.winoV, 36*t.patchPlane(padRows(t.t1-t.t0)))
		t.phase = (*winogradTask).gatherChunk
		b.workers.run(chunks(t.t1-t.t0, t.cut.gather), t)
		t.phase = (*winogradTask).panelChunk
		b.workers.run(panels*chunks(t.t1-t.t0, t.cut.part), t)
	}
}

// winogradCut is how many tiles a chunk of each phase takes. The values of a tile do
// not depend on it.
type winogradCut struct{ block, gather, part int }

// blockLen returns the number of tiles in a block. It is half of blockTiles if workers
// would find few blocks.
func blockLen(tiles, workers int) int {
	if chunks(tiles, blockTiles) < workerChunks*workers && workers > 1 {
		return blockTiles / 2
	}
	return blockTiles
}

// cutRound cuts a round of tiles whose products take so many panels.
func cutRound(tiles, panels, workers int) winogradCut {
	parts := max(1, min(chunks(workerChunks*workers, 2*panels), tiles/partTiles))
	return winogradCut{
		gather: max(1, min(gatherTiles, tiles/(workerChunks*workers))),
		part:   padRows(chunks(tiles, parts)),
	}
}

// filterPlane returns the length of a plane. Planes are padded by a cache line, since
// 36 planes a power of two apart would share the same few sets of the cache.
func (t *winogradTask) filterPlane(depth int) int { return depth*t.ks.NR + channelStep }
func (t *winogradTask) patchPlane(rows int) int   { return rows*t.c + channelStep }
func (t *winogradTask) productPlane(rows int) int { return rows*t.ks.NR + channelStep }

// filterLen returns the length of a panel's U up to input c: 36 planes for each
// depthStep inputs.
func (t *winogradTask) filterLen(c int) int {
	n := c / depthStep * 36 * t.filterPlane(depthStep)
	if rest := c % depthStep; rest > 0 {
		n += 36 * t.filterPlane(rest)
	}
	return n
}

// padRows rounds up to a number of rows that the micro-kernels process without a slow
// remainder.
func padRows(tiles int) int { return (tiles + 3) &^ 3 }

// filter transforms a panel's taps of depth inputs, from input c on, at the row points from
// row to row+rows-1.
func (t *winogradTask) filter(u []float32, panel, c, depth, row, rows int) {
	plane := t.filterPlane(depth)
	for at := 0; at < depth; at += filterStep {
		taps, n := &t.taps[(panel*t.c+c+at)*9*t.ks.NR], min(filterStep, depth-at)
		for r := range rows {
			t.ks.WinoFilter(taps, &u[r*6*plane+at*t.ks.NR], plane, n, row+r)
		}
	}
}

func (t *winogradTask) filterChunk(_, panel int) {
	u := t.u[panel*t.filterLen(t.c):]
	for c := 0; c < t.c; c += depthStep {
		depth := min(depthStep, t.c-c)
		t.filter(u[t.filterLen(c):], panel, c, depth, 0, 6)
	}
}

// blockChunk computes all phases of one block of tiles. U comes from the last level of
// cache, so each product fetches the panel of the next one ahead.
func (t *winogradTask) blockChunk(worker, i int) {
	t0, t1 := i*t.cut.block, min(t.t1, (i+1)*t.cut.block)
	rows := padRows(t1 - t0)
	s := t.workers[worker]
	vp, mp := t.patchPlane(rows), t.productPlane(rows)
	vm := grown(&s.scratch, 36*(vp+mp))
	v, m := vm[:36*vp], vm[36*vp:]
	for tile := t0; tile < t1; tile++ {
		t.gather(s, v, rows, tile-t0, tile)
	}
	for p := range chunks(t.n, t.ks.NR) {
		for c := 0; c < t.c; c += depthStep {
			depth := min(depthStep, t.c-c)
			u, up := t.u[p*t.filterLen(t.c)+t.filterLen(c):], t.filterPlane(depth)
			for i := range 36 {
				t.ks.Gemm(rows, depth, &v[i*vp+c*rows], depth, 1, &u[i*up], &m[i*mp], t.ks.NR, c > 0,
					&u[min(i+1, 35)*up], depth*t.ks.NR)
			}
		}
		t.finish(s, m, mp, p, t0, t1)
	}
}

func (t *winogradTask) gatherChunk(worker, i int) {
	rows := padRows(t.t1 - t.t0)
	for tile := t.t0 + i*t.cut.gather; tile < min(t.t1, t.t0+(i+1)*t.cut.gather); tile++ {
		t.gather(t.workers[worker], t.v, rows, tile-t.t0, tile)
	}
}

// panelChunk multiplies a part of the round's patches with one panel of filters, at
// rowStep of the six row points at a time, so that the U and M in use stay in
// the second level of cache. Each product fetches the patches of the next ahead.
func (t *winogradTask) panelChunk(worker, i int) {
	s := t.workers[worker]
	parts := chunks(t.t1-t.t0, t.cut.part)
	p, first := i/parts, i%parts*t.cut.part
	end := min(t.t1, t.t0+first+t.cut.part)
	all, rows := padRows(t.t1-t.t0), padRows(end-t.t0-first)
	vp, mp := t.patchPlane(all), t.productPlane(rows)
	size := rowStep * 6 * t.filterPlane(min(t.c, depthStep))
	um := grown(&s.scratch, size+36*mp)
	u, m := um[:size], um[size:]
	for row := 0; row < 6; row += rowStep {
		for c := 0; c < t.c; c += depthStep {
			depth := min(depthStep, t.c-c)
			up := t.filterPlane(depth)
			t.filter(u, p, c, depth, row, rowStep)
			for i := row * 6; i < (row+rowStep)*6; i++ {
				t.ks.Gemm(rows, depth, &t.v[i*vp+c*all+first*depth], depth, 1, &u[(i-row*6)*up], &m[i*mp], t.ks.NR, c > 0,
					t.nextPatches(vp, all, first, i, c), rows*depth)
			}
		}
	}
	t.finish(s, m, mp, p, t.t0+first, end)
}

// nextPatches returns the address of the patches from first on that panelChunk reads
// after those of plane i and channel c.
func (t *winogradTask) nextPatches(vp, rows, first, i, c int) *float32 {
	const planes = 6 * rowStep
	switch {
	case i%planes < planes-1:
		i++
	case c+depthStep < t.c:
		i, c = i-planes+1, c+depthStep
	default:
		i, c = min(i+1, 35), 0
	}
	return &t.v[i*vp+c*rows+first*min(depthStep, t.c-c)]
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
		whole := min(depth, (t.src.c-c)/channelStep*channelStep)
		if t.src.mask == nil && whole > 0 {
			t.ks.WinoIn(&g.px, g.walk+c, at, plane, whole)
		}
		if t.src.mask != nil {
			for d := 0; d < whole; d += channelStep {
				t.ks.Unpool(&g.patch[0], &g.unpool, g.walk/2+c+d, g.walk+c+d, g.walk+c+d, t.src.mask.Pool.Kind == AvgPool)
				t.ks.WinoIn(&g.patchPx, 0, (*float32)(unsafe.Add(unsafe.Pointer(at), d*4)), plane, channelStep)
			}
		}
		if whole < depth {
			g.fill(t, c+whole)
			t.ks.WinoIn(&g.patchPx, 0, (*float32)(unsafe.Add(unsafe.Pointer(at), whole*4)), plane, channelStep)
		}
	}
}

// finish computes the outputs of tiles t0..t1 from the products of a panel.
func (t *winogradTask) finish(s *winogradWorker, m []float32, plane, panel, t0, t1 int) {
	nr := t.ks.NR
	s.finish.inside = false
	for tile := t0; tile < t1; tile++ {
		s.finish.aim(t, tile)
		s.finish.store(t, &m[(tile-t0)*nr], plane, tile, panel*nr, min(nr, t.n-panel*nr))
	}
}

// grown returns n floats of *p. If *p is too short, it is replaced by a new slice of at
// least a huge page.
func grown(p *[]float32, n int) []float32 {
	if len(*p) < n {
		*p = simd.Floats(max(n, 1<<19))
	}
	return (*p)[:n]
}
