package gpu

import "math"

// A canvas tile is pruneSide pixels of a row, a style tile one panel of the
// bank. The product of a pair of pixels belongs to the patches that begin up to
// Size-1 pixels above and left of it, so boxes and bounds reach that far around.

const (
	pruneSide = 16
	pruneMost = 1 << 31 // pairs of tiles: 256 MB of bits
)

// box is the range of each map channel over a tile.
type box struct{ lo, hi []float32 }

func (b *CPU) NewPruning(x *Array, banks []*Bank, stride int, slack float64) []*Pruning {
	stride = max(1, stride)
	checkPruning(x, banks, stride)
	k := banks[0].Size
	m := b.NewMatches(banks[0].MatchGrid(x.Shape, stride))
	for i, bank := range banks {
		b.Match(m, x, bank, MatchOptions{Stride: stride, Add: i > 0})
	}
	segments := chunks(x.Shape.W, pruneSide)
	tiles := make([]box, x.Shape.H*segments)
	least := make([]float64, len(tiles)) // of the best map scores of patches that need the tile
	for i := range tiles {
		y, x0 := i/segments, i%segments*pruneSide
		x1 := min(x0+pruneSide, x.Shape.W)
		tiles[i] = x.box(y-k+1, y+k, x0-k+1, x1+k-1)
		least[i] = math.Inf(1)
		for py := max(0, y-k+1); py <= y; py++ {
			for px := max(0, x0-k+1); px < x1; px++ {
				if py%stride == 0 && px%stride == 0 && py/stride < m.Shape.H && px/stride < m.Shape.W {
					least[i] = min(least[i], float64(m.score[py/stride*m.Shape.W+px/stride]))
				}
			}
		}
	}
	pruned := make([]*Pruning, len(banks))
	for i, bank := range banks {
		pruned[i] = b.prune(x, bank, tiles, least, slack)
	}
	return pruned
}

func (b *CPU) prune(x *Array, bank *Bank, tiles []box, least []float64, slack float64) *Pruning {
	nr, s, k := b.kernels.NR, bank.Shape, bank.Size
	panels := chunks(s.Pixels(), nr)
	if len(tiles)*panels > pruneMost {
		return nil
	}
	p := &Pruning{
		canvas: Shape{x.Shape.H, x.Shape.W, 0}, style: Shape{s.H, s.W, 0},
		live: make([]uint64, chunks(len(tiles)*panels, 64)), rows: make([]bool, x.Shape.H*s.H),
	}
	boxes := make([]box, panels)
	for i := range boxes {
		boxes[i] = bank.cpu.box(s, nr, k, i)
	}
	segments, alive := len(tiles)/x.Shape.H, 0
	for t, tile := range tiles {
		for i, other := range boxes {
			most := float64(k*k) * tile.bound(other)
			// Scores are float32, and so were the bounds' factors.
			room := 1e-4 * (math.Abs(most) + math.Abs(least[t]) + slack)
			if most+slack+room < least[t] {
				continue
			}
			at := t*panels + i
			p.live[at/64] |= 1 << (at % 64)
			alive++
			for v := i * nr / s.W; v <= min((i*nr+nr-1)/s.W, s.H-1); v++ {
				p.rows[t/segments*s.H+v] = true
			}
		}
	}
	p.Skipped = 1 - float64(alive)/float64(len(tiles)*panels)
	if alive == len(tiles)*panels {
		return nil
	}
	return p
}

// bound is the largest product that a pixel of one box and one of the other can
// have.
func (a box) bound(b box) float64 {
	total := 0.0
	for c := range a.lo {
		total += float64(max(a.lo[c]*b.lo[c], a.lo[c]*b.hi[c], a.hi[c]*b.lo[c], a.hi[c]*b.hi[c]))
	}
	return total
}

func newBox(c int) box {
	b := box{make([]float32, c), make([]float32, c)}
	for i := range c {
		b.lo[i], b.hi[i] = -minusInfinity, minusInfinity
	}
	return b
}

func (b box) add(c int, v float32) { b.lo[c], b.hi[c] = min(b.lo[c], v), max(b.hi[c], v) }

// box is that of rows y0..y1 and columns x0..x1, as far as they are in a.
func (a *Array) box(y0, y1, x0, x1 int) box {
	s := a.Shape
	b := newBox(s.C)
	for y := max(0, y0); y < min(y1, s.H); y++ {
		for x := max(0, x0); x < min(x1, s.W); x++ {
			for c, v := range a.data[(y*s.W+x)*s.C:][:s.C] {
				b.add(c, v)
			}
		}
	}
	return b
}

// box is that of the pixels in reach of a panel.
func (c *cpuBank) box(s Shape, nr, k, panel int) box {
	b := newBox(s.C)
	for p := panel * nr; p < min((panel+1)*nr, s.Pixels()); p++ {
		for y := max(0, p/s.W-k+1); y < min(p/s.W+k, s.H); y++ {
			for x := max(0, p%s.W-k+1); x < min(p%s.W+k, s.W); x++ {
				at := y*s.W + x
				for ch := range s.C {
					b.add(ch, c.panels[at/nr*nr*s.C+ch*nr+at%nr])
				}
			}
		}
	}
	return b
}

// isLive says whether products of canvas tile (y, segment) and panel are needed.
func (p *Pruning) isLive(segments, panels, y, segment, panel int) bool {
	at := (y*segments+segment)*panels + panel
	return p.live[at/64]>>(at%64)&1 != 0
}
