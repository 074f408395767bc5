package maps

import (
	"cmp"
	"image"
	"image/color"
	"slices"

	"github.com/impasto/impasto/internal/picture"
)

// census counts the colours of a picture that is read as a map.
type census struct {
	w, h    int
	pixels  []codes // (H, W)
	list    []hue   // each colour once
	at      map[codes]int
	leaders []int // indices into list: the colours of regions
	home    []int // for each colour the number of its leader, or edge
	flat    int   // pixels whose four neighbours have exactly their colour
}

// hue is one colour and how it occurs.
type hue struct {
	codes
	count int
	calm  int // of these, pixels with four neighbours of nearly the same colour
}

const (
	// edge marks a colour that is not a region of its own.
	edge = -1
	// calmStep is the largest distance to a neighbour within a flat area. JPEG
	// noise away from edges is smaller. The steps of a soft brush are larger.
	calmStep = 8
	// flatShare is the least share of pixels in a map whose neighbours have exactly
	// the same colour. Even spoilt maps have more. Photographs have hardly any.
	flatShare = 0.25
	// overshoot is how far beyond two colours a sharp resize goes at their border,
	// as a share of their distance.
	overshoot = 0.15
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
	for i, k := range c.pixels {
		far := c.step(i)
		if far <= calmStep {
			c.list[c.at[k]].calm++
		}
		if far == 0 {
			c.flat++
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

// step returns the distance from the colour of pixel i to the farthest of its four
// neighbours' colours.
func (c *census) step(i int) float64 {
	far := 0.0
	each4(i, c.w, len(c.pixels), func(j int) {
		if c.pixels[j] != c.pixels[i] {
			far = max(far, Distance(c.pixels[i].nrgba(), c.pixels[j].nrgba()))
		}
	})
	return far
}

// isPhotograph reports whether the picture has no flat areas.
func (c *census) isPhotograph() bool {
	return len(c.list) > MaxRegions && float64(c.flat) < flatShare*float64(len(c.pixels))
}

// lead chooses the colours of regions. It takes the colours of flat areas, the
// largest first, unless they are near one chosen before. Then it takes those of
// lines and dots too small to be flat, unless they are mixtures of the regions
// beside them. It reports whether there are few enough colours.
func (c *census) lead() bool {
	c.home = make([]int, len(c.list))
	var rest []int
	solid := max(1, len(c.pixels)/5000)
	for i, h := range c.list {
		c.home[i] = c.within(h.codes, Near, 0)
		if c.home[i] == edge && (h.calm >= solid || i == 0) {
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
	slices.SortStableFunc(rest, func(a, b int) int { return c.list[b].count - c.list[a].count })
	known := len(c.leaders)
	for _, i := range rest {
		// A line may be anywhere, and its colour varies more than an area's.
		c.home[i] = c.within(c.list[i].codes, 3*Near, known)
		if c.home[i] != edge {
			continue
		}
		for n := known; n < len(c.leaders); n++ {
			beside[i][n] = true
		}
		if c.list[i].count < least || c.isExplained(c.list[i].codes, beside[i]) {
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

// within returns the number of the leader nearest to a colour, searching from the
// leader first on. It returns edge if none is within reach.
func (c *census) within(k codes, reach float64, first int) int {
	at := edge
	for n, i := range c.leaders[first:] {
		if d := Distance(k.nrgba(), c.list[i].nrgba()); d <= reach && (at == edge || d < reach) {
			reach, at = d, first+n
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

// isExplained reports whether a colour comes from the regions beside it, or from
// any regions if fewer than two are beside it. Such a colour hardly differs from
// one region, or lies between two. The test takes luma and both chroma differences
// separately, because JPEG blends chroma over a wider area than luma.
func (c *census) isExplained(k codes, beside map[int]bool) bool {
	var of []int
	for n := range c.leaders {
		if beside[n] || len(beside) < 2 {
			of = append(of, n)
		}
	}
	v := ycc(k)
	for a := range of {
		near := c.list[c.leaders[of[a]]]
		if Distance(k.nrgba(), near.nrgba()) <= 2*Near {
			return true
		}
		p := ycc(near.codes)
		for b := range a {
			other := c.list[c.leaders[of[b]]]
			q := ycc(other.codes)
			inside := true
			for i := range v {
				lo, hi := min(p[i], q[i]), max(p[i], q[i])
				slack := calmStep + overshoot*(hi-lo)
				above := slack
				if i == 0 { // two colours blended in linear light are lighter than either code
					above += overshoot * Distance(near.nrgba(), other.nrgba())
				}
				inside = inside && v[i] >= lo-slack && v[i] <= hi+above
			}
			if inside {
				return true
			}
		}
	}
	return false
}

// ycc returns luma, two colour differences and alpha, as JPEG defines them
// (BT.601).
func ycc(k codes) [4]float64 {
	y, cb, cr := color.RGBToYCbCr(k[0], k[1], k[2])
	return [4]float64{float64(y), float64(cb), float64(cr), float64(k[3])}
}

// assign labels the pixels. Pixels between regions take the adjacent label of the
// nearest colour, ring by ring from the regions outwards.
func (c *census) assign(src *Source) *Map {
	m := &Map{W: c.w, H: c.h, Labels: make([]uint8, len(c.pixels))}
	for _, i := range c.leaders {
		m.Regions = append(m.Regions, Region{Colour: c.list[i].nrgba()})
	}
	src.Exact = true
	known := make([]bool, len(c.pixels))
	for i, k := range c.pixels {
		n := c.home[c.at[k]]
		if n == edge {
			src.EdgePixels++
			continue
		}
		known[i] = true
		m.Labels[i] = uint8(n)
		src.Exact = src.Exact && k == c.list[c.leaders[n]].codes
	}
	src.Exact = src.Exact && src.EdgePixels == 0
	for i := range c.list {
		if c.home[i] == edge {
			src.EdgeColors++
		}
	}
	m.grow(known, func(i int, l uint8) float64 { return Distance(c.pixels[i].nrgba(), m.Regions[l].Colour) })
	order := m.compactOrder()
	c.nearPairs(src, order)
	m.permute(order)
	return m
}

// nearPairs lists the solid colours that were read as part of another region. If
// there are many colours, the cause is another one, which Check reports.
func (c *census) nearPairs(src *Source, order []int) {
	if len(c.list) > 64 {
		return
	}
	least := max(1, len(c.pixels)/500)
	for i, h := range c.list {
		if n := c.home[i]; n != edge && c.leaders[n] != i && h.calm >= least {
			src.Near = append(src.Near, NearPair{Region: slices.Index(order, n), Colour: h.nrgba(), Pixels: h.count})
		}
	}
}
