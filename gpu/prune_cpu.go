package gpu

import "math"

// Bounds are computed for tiles of patches: pruneSide patches that begin side by side
// in a canvas row, and the patches that begin in one panel of the bank. Each position
// in a patch has its own box, the range of the map channels over the pixels at that
// position in the tile's patches. So a tile beside a border is not mixed with what lies
// beyond it. Then the products of pixels that a live pair of patch tiles needs are
// marked by canvas tile and panel.

const (
	pruneSide = 16
	pruneMost = 1 << 31 // pairs of tiles: 256 MB of bits
)

// box is the range of each map channel over some pixels. Without any pixel it is empty,
// with lo above hi.
type box struct{ lo, hi []float32 }

// patchTile holds the bounds of patches that begin near each other.
type patchTile struct {
	places []box   // (Size, Size)
	least  float64 // of the best map scores of its patches, on the canvas
}

// NewPruning finds the patches of the banks that no patch of the canvas x can match
// best, within slack. It uses what the maps alone add to scores. It waits for x.
func (b *CPU) NewPruning(x *Array, banks []*Bank, stride int, slack float64) []*Pruning {
	stride = max(1, stride)
	checkPruning(x, banks, stride)
	k, s := banks[0].Size, x.Shape
	m := b.NewMatches(banks[0].MatchGrid(s, stride))
	for i, bank := range banks {
		b.Match(m, x, bank, MatchOptions{Stride: stride, Add: i > 0})
	}
	segments := chunks(s.W, pruneSide)
	values := b.read(0, 0, x, 0, s.Len())
	tiles := make([]patchTile, s.H*segments)
	for i := range tiles {
		y, x0 := i/segments, i%segments*pruneSide
		tiles[i].least = math.Inf(1)
		var origins []int
		for xx := x0; xx < min(x0+pruneSide, s.W-k+1); xx++ {
			if y+k > s.H || y%stride != 0 || xx%stride != 0 {
				continue
			}
			origins = append(origins, y*s.W+xx)
			tiles[i].least = min(tiles[i].least, float64(m.score[y/stride*m.Shape.W+xx/stride]))
		}
		tiles[i].places = places(origins, k, s, func(p, c int) float32 { return values[p*s.C+c] })
	}
	pruned := make([]*Pruning, len(banks))
	for i, bank := range banks {
		pruned[i] = b.prune(s, bank, tiles, slack)
	}
	return pruned
}

func (b *CPU) prune(canvas Shape, bank *Bank, tiles []patchTile, slack float64) *Pruning {
	nr, s, k := b.kernels.NR, bank.Shape, bank.Size
	panels := chunks(s.Pixels(), nr)
	if len(tiles)*panels > pruneMost {
		return nil
	}
	p := &Pruning{
		canvas: Shape{canvas.H, canvas.W, 0}, style: Shape{s.H, s.W, 0},
		live: make([]uint64, chunks(len(tiles)*panels, 64)), rows: make([]bool, canvas.H*s.H),
	}
	segments := len(tiles) / canvas.H
	for i := range panels {
		var origins []int
		for q := i * nr; q < min((i+1)*nr, s.Pixels()); q++ {
			if y, u := q/s.W, q%s.W; y+k <= s.H && u+k <= s.W && y%bank.Stride == 0 && u%bank.Stride == 0 {
				origins = append(origins, q)
			}
		}
		if len(origins) == 0 {
			continue
		}
		style := places(origins, k, s, func(q, c int) float32 { return bank.cpu.panels[q/nr*nr*s.C+c*nr+q%nr] })
		for t, tile := range tiles {
			if math.IsInf(tile.least, 1) {
				continue // no patch begins here
			}
			most := 0.0
			for place, box := range tile.places {
				most += box.bound(style[place])
			}
			// Scores are float32, and so were the bounds' factors.
			room := 1e-4 * (math.Abs(most) + math.Abs(tile.least) + slack)
			if most+slack+room < tile.least {
				continue
			}
			y, x := t/segments, t%segments*pruneSide
			for v := origins[0] / s.W; v <= origins[len(origins)-1]/s.W; v++ {
				p.rows[y*s.H+v] = true
			}
			p.mark(canvas, s, k, nr, y, x, origins[0], origins[len(origins)-1])
		}
	}
	alive := 0
	for i := range len(tiles) * panels {
		alive += int(p.live[i/64] >> (i % 64) & 1)
	}
	p.Skipped = 1 - float64(alive)/float64(len(tiles)*panels)
	if alive == len(tiles)*panels {
		return nil
	}
	return p
}

// mark marks the products from which the scores of some patches are summed: those that
// begin at canvas pixels x to x+pruneSide-1 of row y and at style pixels from to to.
func (p *Pruning) mark(canvas, s Shape, k, nr, y, x, from, to int) {
	segments, panels := chunks(canvas.W, pruneSide), chunks(s.Pixels(), nr)
	last := min(x+pruneSide-1, canvas.W-k)
	for i := range k {
		for j := range k {
			for segment := (x + j) / pruneSide; segment <= (last+j)/pruneSide; segment++ {
				for panel := (from + i*s.W + j) / nr; panel <= (to+i*s.W+j)/nr; panel++ {
					at := ((y+i)*segments+segment)*panels + panel
					p.live[at/64] |= 1 << (at % 64)
				}
			}
		}
	}
}

// places returns for each position in a patch the box over the patches that begin at
// origins. value returns the value of a pixel and channel of features s.
func places(origins []int, k int, s Shape, value func(p, c int) float32) []box {
	boxes := make([]box, k*k)
	for i := range boxes {
		b := box{make([]float32, s.C), make([]float32, s.C)}
		for c := range s.C {
			b.lo[c], b.hi[c] = -minusInfinity, minusInfinity
			for _, p := range origins {
				v := value(p+i/k*s.W+i%k, c)
				b.lo[c], b.hi[c] = min(b.lo[c], v), max(b.hi[c], v)
			}
		}
		boxes[i] = b
	}
	return boxes
}

// bound returns the largest product that a pixel of one box and one of the other can
// have.
func (a box) bound(b box) float64 {
	total := 0.0
	for c := range a.lo {
		total += float64(max(a.lo[c]*b.lo[c], a.lo[c]*b.hi[c], a.hi[c]*b.lo[c], a.hi[c]*b.hi[c]))
	}
	return total
}

// isLive reports whether products of canvas tile (y, segment) and panel are needed.
func (p *Pruning) isLive(segments, panels, y, segment, panel int) bool {
	at := (y*segments+segment)*panels + panel
	return p.live[at/64]>>(at%64)&1 != 0
}
