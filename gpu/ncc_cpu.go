package gpu

import (
	"math"

	"github.com/impasto/impasto/gpu/simd"
)

// Row y of the canvas times row v of the style is a block S(y, v) of pixel products,
// (W, Ws). The product of the patches at (y, x) and (v, u) is
//
//	sum over i, j < Size of S(y+i, v+i)[x+j, u+j]
//
// so it needs only the blocks of one diagonal v - y. A chunk processes a band of
// neighbouring diagonals from top to bottom and keeps only the last Size slabs of
// blocks. Every block is multiplied exactly once.

// cpuBank is the features' pixels in panels, all rows in one (pixels/NR; C, NR),
// and the patches' factors row by row, each row filled up to whole registers
// with patches that cannot win.
type cpuBank struct {
	panels  []float32
	squares []float64 // |pixel|^2, for PatchNorm
	inv     []float32 // (H-Size+1, stride)
	own     []float32 // minus infinity where the bank's stride skips a patch
	bias    []float32 // of this Match
	stride  int
}

// NewBank prepares the patches of a painting's features f (H, W, C) for Match,
// Size x Size positions and Stride apart.
func (b *CPU) NewBank(f *Array, o BankOptions) *Bank {
	o = o.withDefaults()
	checkBank(f, o)
	s, nr := f.Shape, b.kernels.NR
	rows, cols := s.H-o.Size+1, s.W-o.Size+1
	c := &cpuBank{stride: (cols + channelStep - 1) / channelStep * channelStep}
	c.panels = simd.Floats(chunks(s.Pixels(), nr) * nr * s.C)
	c.squares = make([]float64, s.Pixels())
	n := rows * c.stride
	c.inv, c.own, c.bias = simd.Floats(n), simd.Floats(n), simd.Floats(n)
	bank := &Bank{Shape: s, BankOptions: o, cpu: c}
	b.FillBank(bank, f)
	return bank
}

// FillBank replaces the patches of a bank by those of f, which has the shape of
// the features that it was made of.
func (b *CPU) FillBank(bank *Bank, f *Array) {
	if f.Shape != bank.Shape {
		fail("FillBank", "features %v for a bank of %v", f.Shape, bank.Shape)
	}
	b.bank = bankTask{b, bank, f}
	b.workers.run(f.Shape.H, &b.bank)
	s, o, c := f.Shape, bank.BankOptions, bank.cpu
	for i := range c.own {
		c.own[i] = minusInfinity
	}
	for v := 0; v < s.H-o.Size+1; v += o.Stride {
		for u := 0; u < s.W-o.Size+1; u += o.Stride {
			at := v*c.stride + u
			c.inv[at], c.own[at] = 1, 0
			if o.Norm == PatchNorm {
				sum := 1e-12 // a black patch has no direction, and must not divide by zero
				for i := range o.Size {
					for j := range o.Size {
						sum += c.squares[(v+i)*s.W+u+j]
					}
				}
				c.inv[at] = float32(1 / math.Sqrt(sum))
			}
		}
	}
}

// bankTask packs a row of pixels.
type bankTask struct {
	b    *CPU
	bank *Bank
	f    *Array
}

func (t *bankTask) chunk(worker, y int) {
	s, nr, c := t.f.Shape, t.b.kernels.NR, t.bank.cpu
	row := t.b.read(worker, 0, t.f, y*s.W*s.C, s.W*s.C)
	for p := y * s.W; p < (y+1)*s.W; p++ {
		panel := c.panels[p/nr*nr*s.C+p%nr:]
		f := row[(p-y*s.W)*s.C:][:s.C]
		for ch, v := range f {
			panel[ch*nr] = v
		}
		if t.bank.Norm == PatchNorm {
			c.squares[p] = dot(f, f)
		}
	}
}

// FreeBanks frees banks.
func (b *CPU) FreeBanks(banks ...*Bank) {
	var bytes int64
	for _, bank := range banks {
		if bank != nil && bank.cpu != nil {
			bytes += 4 * int64(len(bank.cpu.panels))
			bank.cpu = nil
		}
	}
	b.returnMemory(bytes)
}

// NewMatches allocates an index and a score for each position of s (H, W, 1).
func (b *CPU) NewMatches(s Shape) *Matches {
	return &Matches{Shape: s, index: make([]int32, s.Len()), score: make([]float32, s.Len())}
}

// DownloadMatches copies the index and the score of each position of m.
func (b *CPU) DownloadMatches(index []int32, score []float32, m *Matches) {
	copy(index, m.index)
	copy(score, m.score)
}

// UploadMatches sets the index and the score of each position of m.
func (b *CPU) UploadMatches(m *Matches, index []int32, score []float32) {
	copy(m.index, index)
	copy(m.score, score)
}

// FreeMatches frees matches.
func (b *CPU) FreeMatches(all ...*Matches) {
	for _, m := range all {
		if m != nil {
			m.index, m.score = nil, nil
		}
	}
}

// Cosines divides each score of m by the norm of its patch of x (H, W, C), so that
// after PatchNorm it is the cosine between the patches.
func (b *CPU) Cosines(m *Matches, x *Array, size, stride int) {
	stride = max(1, stride)
	checkCosines(m, x, size, stride)
	s := x.Shape
	for p := range m.score {
		y, u, squares := p/m.Shape.W*stride, p%m.Shape.W*stride, 0.0
		for i := range size {
			row := b.read(0, 0, x, ((y+i)*s.W+u)*s.C, size*s.C)
			squares += dot(row, row)
		}
		if squares == 0 {
			m.score[p] = 0
			continue
		}
		m.score[p] = float32(float64(m.score[p]) / math.Sqrt(squares))
	}
}

// MatchBias writes scale times the scores of m to bias, of m's shape. With canvas
// and painting swapped in Match, a negative scale favours patches that are wanted
// little.
func (b *CPU) MatchBias(bias *Array, m *Matches, scale float64) {
	checkMatchBias(bias, m)
	for i, v := range m.score {
		bias.data[i] = float32(scale) * v
	}
}

const (
	// bandBytes is the most memory of a band's slabs and the style rows they come from
	// in the second level of cache. The next canvas row needs most of them again.
	bandBytes = 512 << 10
	bandMost  = 8 // diagonals
)

type matchTask struct {
	b      *CPU
	x      *Array
	bank   *Bank
	prune  *Pruning
	stride int
	band   int // diagonals of a chunk
	ld     int // floats of a row of a slab

	// Each worker stores its own best matches. The merge takes the highest score, then
	// the lowest index, so the result does not depend on which worker found what.
	index   [][]int32
	score   [][]float32
	workers []*matchWorker
}

type matchWorker struct {
	slabs []float32
	best  []float32 // of one row of canvas patches against one row of style patches
	rows  [3]*float32
}

// Match finds for each patch P of x (H, W, C) the patch Q of the bank with the
// highest <P, Q> / |Q| + bias(Q), or without the norm under NoNorm, and writes
// its number and score to m (Li & Wand 2016). Of equal scores the lowest number
// wins.
func (b *CPU) Match(m *Matches, x *Array, bank *Bank, o MatchOptions) {
	stride := max(1, o.Stride)
	o.Stride = stride
	checkMatch(m, x, bank, o)
	c, g := bank.cpu, bank.Grid()
	copy(c.bias, c.own)
	if o.Bias != nil {
		for i, v := range o.Bias.data {
			c.bias[i/g.W*bank.Stride*c.stride+i%g.W*bank.Stride] = v
		}
	}
	t := &b.match
	t.b, t.x, t.bank, t.prune, t.stride = b, x, bank, o.Prune, stride
	nr, k := b.kernels.NR, bank.Size
	t.band = min(max(bandBytes/(4*bank.Shape.W*(x.Shape.C+k*x.Shape.W)), 1), bandMost)
	t.ld = t.band*bank.Shape.W + 2*nr
	for len(t.workers) < b.workers.n {
		t.workers = append(t.workers, &matchWorker{})
		t.index, t.score = append(t.index, nil), append(t.score, nil)
	}
	for i, w := range t.workers {
		grown(&w.slabs, (k*x.Shape.W+k)*t.ld)
		grown(&w.best, m.Shape.W)
		if len(t.index[i]) < m.Shape.Len() {
			t.index[i], t.score[i] = make([]int32, m.Shape.Len()), make([]float32, m.Shape.Len())
		}
		clear(t.index[i])
		for j := range t.score[i] {
			t.score[i][j] = minusInfinity
		}
	}
	diagonals := x.Shape.H + bank.Shape.H - 2*k + 1
	b.workers.run(chunks(diagonals, t.band), t)
	for p := range m.index {
		index, score := t.index[0][p], t.score[0][p]
		for w := range t.workers[1:] {
			if s := t.score[w+1][p]; s > score || s == score && t.index[w+1][p] < index {
				index, score = t.index[w+1][p], s
			}
		}
		if o.Add && !(score > m.score[p]) {
			continue
		}
		// From the position in the grid of all patches to the bank's own.
		all := bank.Shape.W - k + 1
		v, u := int(index)/all, int(index)%all
		m.index[p], m.score[p] = int32(o.First+v/bank.Stride*g.W+u/bank.Stride), score
	}
}

// note stores a new match at p if it is better than the one there.
func (t *matchTask) note(index []int32, score []float32, p int, i int32, s float32) {
	if s > score[p] || s == score[p] && i < index[p] {
		index[p], score[p] = i, s
	}
}

// chunk walks the diagonals v - y = first .. first+band-1.
func (t *matchTask) chunk(worker, i int) {
	k, h, hs := t.bank.Size, t.x.Shape.H, t.bank.Shape.H
	first := i*t.band - (h - k)
	for y := max(0, -first-t.band+1); y < min(h, hs-first); y++ {
		t.multiply(worker, y, max(0, y+first), min(hs, y+first+t.band))
		top := y - k + 1 // the row of patches that is complete now
		if top < 0 || top%t.stride != 0 {
			continue
		}
		for v := max(0, top+first); v < min(hs-k+1, top+first+t.band); v++ {
			if v%t.bank.Stride == 0 && (t.prune == nil || t.prune.rows[top*hs+v]) {
				t.compare(worker, top, v, first)
			}
		}
	}
}

// columns returns the number of canvas patches in a row.
func (t *matchTask) columns() int { return (t.x.Shape.W-t.bank.Size)/t.stride + 1 }

// slab returns the memory for the products of canvas row y.
func (t *matchTask) slab(w *matchWorker, y int) []float32 {
	k := t.bank.Size
	return w.slabs[y%k*t.x.Shape.W*t.ld:]
}

// column returns where style row v starts in the slab of canvas row y. Panels need not
// begin with a row, so the slab begins with the panel of its first pixel.
func (t *matchTask) column(y, v, first int) int {
	nr, ws := t.b.kernels.NR, t.bank.Shape.W
	return v*ws - max(0, y+first)*ws/nr*nr
}

// multiply computes the products of canvas row y with style rows va to vb-1.
func (t *matchTask) multiply(worker, y, va, vb int) {
	w := t.workers[worker]
	row := t.b.read(worker, 0, t.x, y*t.x.Shape.W*t.x.Shape.C, t.x.Shape.W*t.x.Shape.C)
	s, nr, ws := t.x.Shape, t.b.kernels.NR, t.bank.Shape.W
	slab := t.slab(w, y)
	p0, p1 := va*ws/nr, chunks(vb*ws, nr)
	for p := p0; p < p1; p++ {
		at := slab[(p-p0)*nr:]
		if t.prune == nil {
			t.product(at, row, 0, s.W, p, p1)
			continue
		}
		// Runs of tiles that are needed, or not.
		segments, panels := chunks(s.W, pruneSide), chunks(t.bank.Shape.Pixels(), nr)
		for i := 0; i < segments; {
			live, from := t.prune.isLive(segments, panels, y, i, p), i
			for i < segments && t.prune.isLive(segments, panels, y, i, p) == live {
				i++
			}
			x0, x1 := from*pruneSide, min(i*pruneSide, s.W)
			if live {
				t.product(at, row, x0, x1, p, p1)
				continue
			}
			for x := x0; x < x1; x++ {
				row := at[x*t.ld:][:nr]
				for j := range row {
					row[j] = minusInfinity
				}
			}
		}
	}
}

// product multiplies pixels x0 to x1-1 of a row of the canvas with panel p. p1 is the
// end of the panels that follow.
func (t *matchTask) product(slab, row []float32, x0, x1, p, p1 int) {
	ks, s := t.b.kernels, t.x.Shape
	nr := ks.NR
	panel := t.bank.cpu.panels[p*s.C*nr:]
	for c := 0; c < s.C; c += depthStep {
		depth := min(depthStep, s.C-c)
		next := &t.bank.cpu.panels[min(p+1, p1-1)*s.C*nr]
		if c+depth < s.C {
			next = &panel[(c+depth)*nr]
		}
		ks.Gemm(x1-x0, depth, &row[x0*s.C+c], s.C, 1, &panel[c*nr], &slab[x0*t.ld], t.ld, c > 0, next, depth*nr)
	}
}

// compare compares the canvas patches of row y with the style patches of row v.
func (t *matchTask) compare(worker, y, v, first int) {
	w, k, c := t.workers[worker], t.bank.Size, t.bank.cpu
	count := t.columns()
	step := t.stride * t.ld
	inv, bias := c.inv[v*c.stride:][:c.stride], c.bias[v*c.stride:][:c.stride]
	if k == 3 {
		for i := range w.rows {
			w.rows[i] = &t.slab(w, y+i)[t.column(y+i, v+i, first)]
		}
		t.b.kernels.Diag3(&w.best[0], count, step, &w.rows, t.ld, &inv[0], &bias[0], c.stride)
	}
	index, score := t.index[worker], t.score[worker]
	for i := range count {
		p := y/t.stride*count + i
		if k == 3 && w.best[i] < score[p] {
			continue
		}
		t.find(w, index, score, p, i*step, y, v, first, inv, bias)
	}
}

// find finds the best patch of style row v, the first of equal ones, for one canvas
// patch. The patch's products begin at o in each slab.
func (t *matchTask) find(w *matchWorker, index []int32, score []float32, p, o, y, v, first int, inv, bias []float32) {
	k, cols := t.bank.Size, t.bank.Shape.W-t.bank.Size+1
	best, at := minusInfinity, -1
	if k == 1 {
		row := t.slab(w, y)[t.column(y, v, first)+o:]
		best, at = findPixel(row[:cols], inv[:cols], bias[:cols])
		if at >= 0 {
			t.note(index, score, p, int32(v*cols+at), best)
		}
		return
	}
	for u := range cols {
		var s float32
		if k == 3 {
			s = simd.Diag3At(&w.rows, o+u, t.ld, inv[u], bias[u])
		} else {
			for i := range k {
				row := t.slab(w, y+i)[t.column(y+i, v+i, first)+o+u:]
				for j := range k {
					s += row[j*(t.ld+1)]
				}
			}
			s = float32(s*inv[u]) + bias[u]
		}
		if s > best {
			best, at = s, u
			if k == 3 && s == w.best[p%t.columns()] {
				break // no other is better
			}
		}
	}
	if at >= 0 {
		t.note(index, score, p, int32(v*cols+at), best)
	}
}

// findPixel does what find does for patches of one pixel.
func findPixel(products, inv, bias []float32) (best float32, at int) {
	best, at = minusInfinity, -1
	inv, bias = inv[:len(products)], bias[:len(products)]
	for u, v := range products {
		if s := float32(v*inv[u]) + bias[u]; s > best {
			best, at = s, u
		}
	}
	return best, at
}
