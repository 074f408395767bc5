package gpu

import "github.com/impasto/impasto/gpu/simd"

// NewSums makes sums of that many channels, of zeros: products of each two
// channels (C, C) and, with mean, each channel (C).
func (b *CPU) NewSums(channels int, mean bool) *Sums {
	s := &Sums{Channels: channels, Mean: mean, second: make([]float64, channels*channels)}
	if mean {
		s.mean = make([]float64, channels)
	}
	return s
}

// SumsBytes returns the memory of sums of that many channels.
func (b *CPU) SumsBytes(channels int) int64 { return 8 * int64(channels*channels) }

// FreeSums frees sums; nil is ignored.
func (b *CPU) FreeSums(list ...*Sums) {
	for _, s := range list {
		if s != nil {
			s.second, s.mean = nil, nil
		}
	}
}

// ClearSums sets sums to zero.
func (b *CPU) ClearSums(s *Sums) {
	clear(s.second)
	clear(s.mean)
}

// JoinSums adds from to into.
func (b *CPU) JoinSums(into, from *Sums) {
	checkJoinSums(into, from)
	for i, v := range from.second {
		into.second[i] += v
	}
	for i, v := range from.mean {
		into.mean[i] += v
	}
}

// ReadSums returns the values of s: products, then channels if it has them.
func (b *CPU) ReadSums(s *Sums) []float64 {
	return append(append([]float64{}, s.second[:s.Channels*s.Channels]...), s.mean...)
}

// WriteSums sets the values of s to those of ReadSums.
func (b *CPU) WriteSums(s *Sums, v []float64) {
	checkWriteSums(s, v)
	copy(s.mean, v[copy(s.second, v):])
}

// Moments computes from sums over so many pixels second = norm * products (C, C, 1) and
// the mean (1, C, 1); mean may be nil.
func (b *CPU) Moments(second, mean *Array, s *Sums, norm float64, pixels int) {
	checkMoments(second, mean, s, pixels)
	c := s.Channels
	b.second = secondTask{second.data, s.second, norm, c}
	b.workers.run(chunks(c, secondRows), &b.second)
	if mean != nil {
		for i, v := range s.mean {
			mean.data[i] = float32(v / float64(pixels))
		}
	}
}

// secondRows is how many rows a chunk computes, and writes as columns.
const secondRows = 16

// secondTask computes second moments from their upper triangle.
type secondTask struct {
	out  []float32
	sum  []float64
	norm float64
	c    int
}

func (t *secondTask) chunk(_, i int) {
	first := i * secondRows
	for x := first; x < t.c; x++ {
		column := t.out[x*t.c:][:t.c]
		for y := first; y < min(first+secondRows, x+1); y++ {
			v := float32(t.norm * t.sum[y*t.c+x])
			t.out[y*t.c+x], column[y] = v, v
		}
	}
}

// AddSums adds to s the products and channels of features f (H, W, C) over the
// positions in r. It sums squares of side cell in float32 and their sums in
// float64, so that tiles which end where cells end add up to the whole.
func (b *CPU) AddSums(s *Sums, f *Array, r Rect, cell int) {
	checkSums("AddSums", s, f, r, cell)
	b.products(s.second, f, r, cell)
	if s.Mean {
		c := f.Shape.C
		b.mean = meanTask{b, f, r, b.partials(r.H * c)}
		b.workers.run(r.H, &b.mean)
		for i := range r.H {
			for j := range c {
				s.mean[j] += b.mean.part[i*c+j]
			}
		}
	}
}

// meanTask sums the channels of each row of a part of f.
type meanTask struct {
	b    *CPU
	f    *Array
	r    Rect
	part []float64
}

func (t *meanTask) chunk(worker, i int) {
	c := t.f.Shape.C
	part := t.part[i*c:][:c]
	clear(part)
	row := t.b.read(worker, 0, t.f, ((t.r.Y+i)*t.f.Shape.W+t.r.X)*c, t.r.W*c)
	for p := 0; p < len(row); p += c {
		for j, v := range row[p : p+c] {
			part[j] += float64(v)
		}
	}
}

// momentTask adds f^T f to sum over the positions in r, cell by cell, the upper
// triangle by panels of channels. It processes a batch of cells at a time, each with a
// partial matrix, in rounds: it packs a slice of every cell, then multiplies it.
type momentTask struct {
	b               *CPU
	ks              *simd.Kernels
	f               *Array
	r               Rect
	cell            int
	first, cells    int // of this batch
	round, slice    int
	width           int       // channels of a panel
	packed, partial []float32 // in half precision packed is bfloat16
	offsets         []int     // in half precision
	sum             []float64
	phase           func(t *momentTask, worker, i int)
}

const (
	// gramCells is how many cells are in a batch if the matrix is small. A large matrix
	// has enough panels for all workers.
	gramCells      = 8
	gramSmall      = 128 // channels
	gramSlice      = 256 // positions of a cell in a round
	gramSliceLarge = 1024
	gramRows       = 16 // of the result that a chunk of the last phase writes
)

func (b *CPU) products(sum []float64, f *Array, r Rect, cell int) {
	t := &b.momentum
	*t = momentTask{b: b, ks: b.kernels, f: f, r: r, cell: cell, sum: sum, width: b.kernels.NR, offsets: t.offsets}
	pack, multiply := (*momentTask).pack, (*momentTask).multiply
	t.cell = min(cell, max(r.H, r.W))
	most := 1
	t.slice = gramSliceLarge
	if f.Shape.C <= gramSmall {
		most, t.slice = gramCells, gramSlice
	}
	t.slice = min(t.slice, t.cell*t.cell)
	if f.half != nil {
		pack, multiply = (*momentTask).packHalf, (*momentTask).multiplyHalf
		t.setHalf()
	}
	panels := chunks(f.Shape.C, t.width)
	side := panels * t.width
	t.packed = grown(&b.packed, most*side*t.slice)
	t.partial = grown(&b.partialMoments, most*side*side)
	all := chunks(r.H, t.cell) * chunks(r.W, t.cell)
	for ; t.first < all; t.first += most {
		t.cells = min(most, all-t.first)
		for t.round = range chunks(t.cell*t.cell, t.slice) {
			t.phase = pack
			b.workers.run(t.cells*panels, t)
			t.phase = multiply
			b.workers.run(t.cells*panels, t)
		}
		t.phase = (*momentTask).finish
		b.workers.run(chunks(f.Shape.C, gramRows), t)
	}
}

func (t *momentTask) chunk(worker, i int) { t.phase(t, worker, i) }

// part returns a cell of the batch, and its positions in this round.
func (t *momentTask) part(i int) (r Rect, from, to int) {
	across := chunks(t.r.W, t.cell)
	y, x := (t.first+i)/across*t.cell, (t.first+i)%across*t.cell
	r = Rect{t.r.Y + y, t.r.X + x, min(t.cell, t.r.H-y), min(t.cell, t.r.W-x)}
	from = min(r.H*r.W, t.round*t.slice)
	return r, from, min(r.H*r.W, from+t.slice)
}

// at is where position p of a cell begins.
func (t *momentTask) at(r Rect, p int) int {
	return ((r.Y+p/r.W)*t.f.Shape.W + r.X + p%r.W) * t.f.Shape.C
}

func (t *momentTask) panel(cell, j int) []float32 {
	return t.packed[(cell*chunks(t.f.Shape.C, t.width)+j)*t.slice*t.width:]
}

func (t *momentTask) pack(_, i int) {
	c, nr := t.f.Shape.C, t.ks.NR
	panels := chunks(c, nr)
	cell, j := i/panels, i%panels
	r, from, to := t.part(cell)
	panel := t.panel(cell, j)
	for p := from; p < to; {
		n := min(to-p, r.W-p%r.W) // positions in one row
		pack(panel[(p-from)*nr:], t.f.data[t.at(r, p):], n, c, j*nr, c, nr)
		p += n
	}
}

// multiply multiplies panel j of a cell with the panels up to it. Those with most work
// come first.
func (t *momentTask) multiply(_, i int) {
	nr, panels := t.ks.NR, chunks(t.f.Shape.C, t.ks.NR)
	cell, j := i%t.cells, panels-1-i/t.cells
	side := panels * nr
	partial := t.partial[cell*side*side:]
	_, from, to := t.part(cell)
	for r := range j + 1 {
		for k := 0; k < to-from; k += productDepth {
			t.ks.Gemm(nr, min(productDepth, to-from-k), &t.panel(cell, r)[k*nr], 1, nr, &t.panel(cell, j)[k*nr],
				&partial[r*nr*side+j*nr], side, t.round > 0 || k > 0, nil, 0)
		}
	}
}

// finish adds the cells in their order.
func (t *momentTask) finish(_, i int) {
	c := t.f.Shape.C
	side := chunks(c, t.width) * t.width
	for y := i * gramRows; y < min(c, (i+1)*gramRows); y++ {
		sum := t.sum[y*c+y : y*c+c]
		for cell := range t.cells {
			for x, v := range t.partial[(cell*side+y)*side+y:][:len(sum)] {
				sum[x] += float64(v)
			}
		}
	}
}
