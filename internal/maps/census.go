package maps

import (
	"cmp"
	"image"
	"image/color"
	"slices"

	"github.com/impasto/impasto/internal/picture"
)

// census is the colours of a picture on the way to becoming a map.
type census struct {
	w, h    int
	pixels  []codes // (H, W)
	list    []hue   // each colour once
	at      map[codes]int
	leaders []int // indices into list: the colours of regions
	home    []int // of each colour: its leader's number, or edge
}

// hue is one colour and how it occurs.
type hue struct {
	codes
	count int
	calm  int // of them, with four neighbours of nearly the same colour
}

const (
	// edge marks a colour that belongs to no region by itself.
	edge = -1
	// calmStep is the distance to a neighbour within a flat area: JPEG noise
	// away from edges stays below it, a soft brush goes in larger steps.
	calmStep = 8
	// A picture whose photoColours commonest colours cover less than photoShare
	// of it is not flat anywhere.
	photoColours = 32
	photoShare   = 0.3
)

func newCensus(p *picture.Picture) *census {
	img := p.Image(8).(*image.NRGBA)
	c := &census{w: p.W, h: p.H, pixels: make([]codes, p.W*p.H), at: map[codes]int{}}
	for i := range c.pixels {
		k := codes(img.Pix[4*i : 4*i+4])
		if k[3] == 0 { // an invisible pixel has no colour
			k = codes{}
		}
		c.pixels[i] = k
		n, seen := c.at[k]
		if !seen {
			n = len(c.list)
			c.at[k] = n
			c.list = append(c.list, hue{codes: k})
		}
		c.list[n].count++
	}
	for y := range c.h {
		for x := range c.w {
			if c.isCalm(x, y) {
				c.list[c.at[c.pixels[y*c.w+x]]].calm++
			}
		}
	}
	slices.SortFunc(c.list, func(a, b hue) int {
		return cmp.Or(cmp.Compare(b.calm, a.calm), cmp.Compare(b.count, a.count), slices.Compare(a.codes[:], b.codes[:]))
	})
	for i, h := range c.list {
		c.at[h.codes] = i
	}
	return c
}

func (k codes) nrgba() color.NRGBA { return color.NRGBA{k[0], k[1], k[2], k[3]} }

// isCalm reports whether the pixel's neighbours all have nearly its colour.
func (c *census) isCalm(x, y int) bool {
	i := y*c.w + x
	near := func(j int) bool {
		return c.pixels[j] == c.pixels[i] || Distance(c.pixels[i].nrgba(), c.pixels[j].nrgba()) <= calmStep
	}
	return (x == 0 || near(i-1)) && (x == c.w-1 || near(i+1)) && (y == 0 || near(i-c.w)) && (y == c.h-1 || near(i+c.w))
}

// isPhotograph reports whether nothing is flat.
func (c *census) isPhotograph() bool {
	if len(c.list) <= MaxRegions {
		return false
	}
	counts := make([]int, len(c.list))
	for i, h := range c.list {
		counts[i] = h.count
	}
	slices.SortFunc(counts, func(a, b int) int { return b - a })
	top := 0
	for _, n := range counts[:min(photoColours, len(counts))] {
		top += n
	}
	return float64(top) < photoShare*float64(len(c.pixels))
}

// lead chooses the colours of regions: those of flat areas, the largest first,
// that are not near one chosen before; then those of lines too thin to be flat,
// unless they are mixtures of the regions beside them. It reports whether there
// are few enough.
func (c *census) lead() bool {
	c.home = make([]int, len(c.list))
	var rest []int
	for i, h := range c.list {
		c.home[i] = c.nearest(h.codes)
		if c.home[i] == edge && (h.calm > 0 || i == 0) {
			c.home[i] = len(c.leaders)
			c.leaders = append(c.leaders, i)
		}
		if c.home[i] == edge {
			rest = append(rest, i)
		}
		if len(c.leaders) > MaxRegions {
			return false
		}
	}
	least := max(1, len(c.pixels)/20000)
	beside := c.neighbours()
	for _, i := range rest {
		if c.home[i] = c.nearest(c.list[i].codes); c.home[i] != edge {
			continue // near a line that was found since
		}
		if c.list[i].count < least || c.isMixture(c.list[i].codes, beside[i]) {
			continue
		}
		c.home[i] = len(c.leaders)
		c.leaders = append(c.leaders, i)
		if len(c.leaders) > MaxRegions {
			return false
		}
	}
	return true
}

// nearest returns the number of the leader nearest to a colour, or edge if none
// is near.
func (c *census) nearest(k codes) int {
	best, at := Near+1, edge
	for n, i := range c.leaders {
		if d := Distance(k.nrgba(), c.list[i].nrgba()); d <= Near && d < best {
			best, at = d, n
		}
	}
	return at
}

// neighbours returns, for each colour that has no region, the leaders within
// two pixels of it.
func (c *census) neighbours() map[int]map[int]bool {
	beside := map[int]map[int]bool{}
	for y := range c.h {
		for x := range c.w {
			i := c.at[c.pixels[y*c.w+x]]
			if c.home[i] != edge {
				continue
			}
			if beside[i] == nil {
				beside[i] = map[int]bool{}
			}
			for v := max(0, y-2); v <= min(c.h-1, y+2); v++ {
				for u := max(0, x-2); u <= min(c.w-1, x+2); u++ {
					if n := c.home[c.at[c.pixels[v*c.w+u]]]; n != edge {
						beside[i][n] = true
					}
				}
			}
		}
	}
	return beside
}

// isMixture reports whether a colour lies between those of two regions beside
// it (of any two, where none is): in luma and in both chroma differences, each
// taken alone, because JPEG blends chroma over a wider area than luma.
func (c *census) isMixture(k codes, beside map[int]bool) bool {
	var of []int
	for n := range c.leaders {
		if beside[n] || len(beside) < 2 {
			of = append(of, n)
		}
	}
	v := ycc(k)
	for a := range of {
		for b := range a {
			p, q := ycc(c.list[c.leaders[of[a]]].codes), ycc(c.list[c.leaders[of[b]]].codes)
			inside := true
			for i := range v {
				inside = inside && v[i] >= min(p[i], q[i])-calmStep && v[i] <= max(p[i], q[i])+calmStep
			}
			if inside {
				return true
			}
		}
	}
	return false
}

// ycc is luma, two colour differences and alpha, as JPEG has them (BT.601).
func ycc(k codes) [4]float64 {
	y, cb, cr := color.RGBToYCbCr(k[0], k[1], k[2])
	return [4]float64{float64(y), float64(cb), float64(cr), float64(k[3])}
}

// assign labels the pixels. Those between regions take, ring by ring from the
// regions inwards, the label beside them whose colour is nearest to theirs.
func (c *census) assign(src *Source) *Map {
	m := &Map{W: c.w, H: c.h, Labels: make([]uint8, len(c.pixels))}
	for _, i := range c.leaders {
		m.Regions = append(m.Regions, Region{Colour: c.list[i].nrgba()})
	}
	src.Exact = true
	known := make([]bool, len(c.pixels))
	var open []int
	for i, k := range c.pixels {
		n := c.home[c.at[k]]
		if n == edge {
			open = append(open, i)
			continue
		}
		known[i] = true
		m.Labels[i] = uint8(n)
		src.Exact = src.Exact && k == c.list[c.leaders[n]].codes
	}
	src.EdgePixels = len(open)
	src.Exact = src.Exact && len(open) == 0
	for i := range c.list {
		if c.home[i] == edge {
			src.EdgeColors++
		}
	}
	for len(open) > 0 {
		open = c.ring(m, known, open)
	}
	order := m.compactOrder()
	c.nearPairs(src, order)
	m.permute(order)
	return m
}

// ring labels the open pixels beside known ones and returns the others.
func (c *census) ring(m *Map, known []bool, open []int) []int {
	var rest, done []int
	var labels []uint8
	for _, i := range open {
		best, label := 1e9, -1
		look := func(ok bool, j int) {
			if !ok || !known[j] {
				return
			}
			if d := Distance(c.pixels[i].nrgba(), m.Regions[m.Labels[j]].Colour); d < best {
				best, label = d, int(m.Labels[j])
			}
		}
		x, y := i%c.w, i/c.w
		look(x > 0, i-1)
		look(x < c.w-1, i+1)
		look(y > 0, i-c.w)
		look(y < c.h-1, i+c.w)
		if label < 0 {
			rest = append(rest, i)
			continue
		}
		done, labels = append(done, i), append(labels, uint8(label))
	}
	for n, i := range done {
		known[i], m.Labels[i] = true, labels[n]
	}
	return rest
}

// nearPairs lists the solid colours that were read as one region with another.
// In a JPEG, flat areas differ by a few codes without anybody's wish.
func (c *census) nearPairs(src *Source, order []int) {
	least := max(1, len(c.pixels)/500)
	for i, h := range c.list {
		n := c.home[i]
		if n == edge || c.leaders[n] == i || h.calm < least {
			continue
		}
		if Distance(h.nrgba(), c.list[c.leaders[n]].nrgba()) <= 4 && len(c.list) > 64 {
			continue
		}
		src.Near = append(src.Near, NearPair{Region: slices.Index(order, n), Colour: h.nrgba(), Pixels: h.count})
	}
}
