package maps

import (
	"fmt"
	"slices"

	"github.com/impasto/impasto/internal/picture"
)

// Repair removes the faults of a map that need no decision of the user. Transparent
// pixels go to the regions around them, and specks to their neighbours. Regions
// that come from JPEG compression are too small to guide anything, so they go to
// the region with the longest common border. Edge colours and nearly equal colours
// were merged when the map was read. Repair returns what was done, in one sentence
// for each repair.
func Repair(m *Map, src *Source) []string {
	var done []string
	if src.EdgeColors > 0 {
		done = append(done, fmt.Sprintf("%s between regions became the regions' own", plural(src.EdgeColors, "colour")))
	}
	if len(src.Near) > 0 {
		done = append(done, fmt.Sprintf("%s became the region's they are near to", plural(len(src.Near), "colour")))
	}
	if n := m.fillClear(); n > 0 {
		done = append(done, fmt.Sprintf("%s filled from beside", plural(n, "transparent pixel")))
	}
	if n := m.MergeSpecks(m.SpeckSize()); n > 0 {
		done = append(done, fmt.Sprintf("%s merged into what surrounds them", plural(n, "speck")))
	}
	if src.Format == picture.JPEG {
		if n := m.mergeVanishing(); n > 0 {
			done = append(done, fmt.Sprintf("%s too small to guide anything merged into what is beside them", plural(n, "region")))
		}
	}
	if len(done) == 0 && !src.Exact {
		done = append(done, "colours made exact")
	}
	return done
}

// fillClear gives the pixels of transparent regions to the nearest opaque region,
// ring by ring, and returns the number of these pixels. A completely transparent
// map stays as it is.
func (m *Map) fillClear() int {
	filled, known := 0, make([]bool, len(m.Labels))
	for i, l := range m.Labels {
		if known[i] = m.Regions[l].Colour.A == 255; !known[i] {
			filled++
		}
	}
	if filled == len(m.Labels) {
		return 0
	}
	m.grow(known, func(int, uint8) float64 { return 0 })
	m.compact()
	return filled
}

// mergeVanishing merges the regions that Check reports as vanishing into the region
// with the longest common border, the smallest first. It returns how many it
// merged. Two regions always remain, because a map with one region says nothing.
func (m *Map) mergeVanishing() int {
	merged := 0
	for len(m.Regions) > 2 {
		cover, least := m.Coverage(CoarsestCell), -1
		for i := range m.Regions {
			if cover[i] < leastCover && (least < 0 || m.Regions[i].Pixels <= m.Regions[least].Pixels) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		m.Merge([]int{m.Neighbour(least), least})
		merged++
	}
	return merged
}

// leftOver is a share of a map. A region below it that the other map lacks counts
// as a leftover. A larger one was probably forgotten in the other map.
const leftOver = 0.02

// JoinLeftovers merges regions of m whose colours other does not have. If a colour
// that both maps have is within snapReach, the region joins the region of that
// colour. A leftover joins the region with the longest common border. JoinLeftovers
// returns how many it merged.
func (m *Map) JoinLeftovers(other *Map) int {
	joined := 0
	for i := len(m.Regions) - 1; i >= 0 && len(m.Regions) > 2; i-- { // the smallest first
		c := m.Regions[i].Colour
		if other.has(c) {
			continue
		}
		into := -1
		if to := closest(c, other); Distance(c, to) <= snapReach {
			into = slices.IndexFunc(m.Regions, func(r Region) bool { return r.Colour == to })
		}
		if into < 0 && m.Share(i) < leftOver {
			into = m.Neighbour(i)
		}
		if into < 0 || into == i {
			continue
		}
		m.Merge([]int{into, i})
		joined++
		i = len(m.Regions)
	}
	return joined
}

// snapReach is how far apart two maps' colours for one thing may be.
const snapReach = 90

// Snap changes the colours of regions of m to those of other. A region whose colour
// is near one of other's takes exactly that colour. A region whose colour other
// lacks takes the nearest colour of other within snapReach, if no region of m has
// it. Snap returns how many regions changed.
func (m *Map) Snap(other *Map) int {
	changed := 0
	for _, reach := range []float64{Near, snapReach} {
		for i := range m.Regions {
			r := &m.Regions[i]
			to := closest(r.Colour, other)
			if d := Distance(r.Colour, to); d == 0 || d > reach {
				continue
			}
			free := true
			for j := range m.Regions {
				free = free && (j == i || m.Regions[j].Colour != to)
			}
			if free {
				r.Colour = to
				changed++
			}
		}
	}
	return changed
}
