// Package maps holds semantic maps: flat-coloured pictures that say which part of
// another picture is sky, which is sea and which is figure. It reads them from
// pictures that people draw (with soft brushes, JPEG noise and nearly equal
// colours), derives them from paintings, checks them, repairs them and resizes them
// without adding colours.
//
// It imports internal/picture. It depends on no network: features of a network are
// passed to it as plain numbers, through a function (see DeriveOptions).
package maps

import (
	"cmp"
	"image/color"
	"slices"

	"github.com/impasto/impasto/internal/picture"
)

// MaxRegions is how many labels a map can hold.
const MaxRegions = 255

// Region is one label of a map.
type Region struct {
	Colour color.NRGBA // as it is drawn; A is 255 except in transparent regions
	Name   string      // from the legend beside the map; "" for none
	Pixels int         // its area
}

// String names the region for people: `sky #0080ff`, or `azure #0080ff` with the
// word for its colour if it has no name.
func (r Region) String() string { return r.Label() + " " + Hex(r.Colour) }

// Label returns the name of the region, or the word for its colour if it has none.
func (r Region) Label() string { return cmp.Or(r.Name, Word(r.Colour)) }

// Map is a picture whose pixels are labels of regions.
type Map struct {
	W, H    int
	Labels  []uint8  // (H, W), indices into Regions
	Regions []Region // at most MaxRegions, the largest first when read from a picture
}

// Of returns a map of the labels (H, W), which it keeps without copying. Each label
// must be an index of regions.
func Of(w, h int, labels []uint8, regions []Region) *Map {
	m := &Map{W: w, H: h, Labels: labels, Regions: append([]Region(nil), regions...)}
	m.count()
	return m
}

// Clone returns a copy that shares nothing with m.
func (m *Map) Clone() *Map {
	return &Map{W: m.W, H: m.H, Labels: append([]uint8(nil), m.Labels...), Regions: append([]Region(nil), m.Regions...)}
}

// count sets the areas of the regions.
func (m *Map) count() {
	for i := range m.Regions {
		m.Regions[i].Pixels = 0
	}
	for _, l := range m.Labels {
		m.Regions[l].Pixels++
	}
}

// Share returns the part of the map that region i covers, 0..1.
func (m *Map) Share(i int) float64 { return float64(m.Regions[i].Pixels) / float64(len(m.Labels)) }

// Picture draws the map in its flat colours.
func (m *Map) Picture() *picture.Picture {
	p := picture.New(m.W, m.H)
	for _, r := range m.Regions {
		if r.Colour.A != 255 {
			p.Alpha = make([]float32, m.W*m.H)
		}
	}
	for i, l := range m.Labels {
		c := m.Regions[l].Colour
		p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = float32(c.R)/255, float32(c.G)/255, float32(c.B)/255
		if p.Alpha != nil {
			p.Alpha[i] = float32(c.A) / 255
		}
	}
	return p
}

// OneHot returns the map as planes (H, W, K): 1 in the plane of a pixel's region,
// and 0 in the others. table[i] is the plane of region i (see Shared). If table is
// nil, region i has plane i.
func (m *Map) OneHot(table []int, planes int) []float32 {
	v := make([]float32, len(m.Labels)*planes)
	for i, l := range m.Labels {
		k := int(l)
		if table != nil {
			k = table[l]
		}
		v[i*planes+k] = 1
	}
	return v
}

// compact removes regions without pixels and sorts the others by area, the largest
// first. Regions of equal area keep their order.
func (m *Map) compact() { m.permute(m.compactOrder()) }

// compactOrder lists the regions that have pixels, the largest first.
func (m *Map) compactOrder() []int {
	m.count()
	order := make([]int, 0, len(m.Regions))
	for i, r := range m.Regions {
		if r.Pixels > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return m.Regions[b].Pixels - m.Regions[a].Pixels })
	return order
}

// permute makes region order[i] the new region i. It removes regions that are not
// in order, which must have no pixels.
func (m *Map) permute(order []int) {
	to := make([]uint8, len(m.Regions))
	regions := make([]Region, len(order))
	for i, from := range order {
		to[from], regions[i] = uint8(i), m.Regions[from]
	}
	for i, l := range m.Labels {
		m.Labels[i] = to[l]
	}
	m.Regions = regions
}

// Joined is like Shared, for several maps. Region i of first is table[i], and
// region j of others[n] is table[from[n][j]].
func Joined(first *Map, others ...*Map) (table []Region, from [][]int) {
	table, from = first.Regions, make([][]int, len(others))
	for n, m := range others {
		table, _, from[n] = Shared(&Map{Regions: table}, m)
	}
	return table, from
}

// Shared joins the region tables of two maps. Regions whose colours are the same,
// or nearly the same, become one. Region i of a is table[fromA[i]], and region j of
// b is table[fromB[j]]. Pixels in the table are the areas in a.
func Shared(a, b *Map) (table []Region, fromA, fromB []int) {
	table = append(table, a.Regions...)
	for i := range a.Regions {
		fromA = append(fromA, i)
	}
	taken := make([]bool, len(table))
	for _, r := range b.Regions {
		best, at := Near+1, -1
		for i := range a.Regions {
			if d := Distance(r.Colour, a.Regions[i].Colour); d < best && !taken[i] {
				best, at = d, i
			}
		}
		if at < 0 {
			at = len(table)
			r.Pixels = 0
			table = append(table, r)
		} else {
			taken[at] = true
			if table[at].Name == "" {
				table[at].Name = r.Name
			}
		}
		fromB = append(fromB, at)
	}
	return table, fromA, fromB
}
