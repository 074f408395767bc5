package maps

import (
	"image/color"
	"math"
	"slices"
)

// Recolor gives a region another colour. It refuses a colour that another region
// has or nearly has, because that would join the two regions. Merge does that.
func (m *Map) Recolor(region int, c color.NRGBA) error {
	for i, r := range m.Regions {
		if i != region && Distance(r.Colour, c) <= Near {
			return inputError("taken", "%s has nearly the colour %s already; recolouring %s would make them one region",
				r, Hex(c), m.Regions[region])
		}
	}
	m.Regions[region].Colour = c
	return nil
}

// FreeColour returns the first colour of the palette that is far from all colours
// in use. If none is far, it returns the farthest one.
func (m *Map) FreeColour() Region {
	far, best := -1.0, Palette[0]
	for _, p := range Palette {
		_, d := nearest(p.Colour, m.Regions)
		if d > 100 {
			return p
		}
		if d > far {
			far, best = d, p
		}
	}
	return best
}

// Merge joins the regions. The result keeps the colour and name of the first.
func (m *Map) Merge(regions []int) {
	first := regions[0]
	for i, l := range m.Labels {
		if slices.Contains(regions, int(l)) {
			m.Labels[i] = uint8(first)
		}
	}
	m.compact()
}

// MergeSpecks joins every connected piece of fewer than least pixels to the region
// that it has the longest border with, the smallest pieces first. It returns how
// many pieces it joined. A map keeps at least one piece.
func (m *Map) MergeSpecks(least int) int {
	merged := 0
	for {
		pieces, of := m.pieces()
		var small []int
		for i, p := range pieces {
			if p.pixels < least {
				small = append(small, i)
			}
		}
		if len(small) == 0 || len(pieces) == 1 {
			break
		}
		slices.SortStableFunc(small, func(a, b int) int { return pieces[a].pixels - pieces[b].pixels })
		// A piece beside one that has changed waits for the next round, because its
		// borders have changed since they were measured.
		border := m.borders(pieces, of)
		changed := map[int]bool{}
		for _, i := range small {
			best, to, wait := 0, -1, false
			for j, n := range border[i] {
				wait = wait || changed[j]
				if n > best || n == best && to >= 0 && j < to {
					best, to = n, j
				}
			}
			if wait || to < 0 {
				continue
			}
			changed[i] = true
			pieces[i].label = pieces[to].label
			merged++
		}
		for i, p := range of {
			m.Labels[i] = pieces[p].label
		}
	}
	m.compact()
	return merged
}

// piece is a connected part (4 neighbours) of a region.
type piece struct {
	label  uint8
	pixels int
	first  int // its first pixel, row by row
}

// pieces finds the connected parts in the order of their first pixels. of[i] is the
// piece of pixel i.
func (m *Map) pieces() (list []piece, of []int) {
	of = make([]int, len(m.Labels))
	for i := range of {
		of[i] = -1
	}
	var stack []int
	for start := range m.Labels {
		if of[start] >= 0 {
			continue
		}
		n, label := len(list), m.Labels[start]
		list = append(list, piece{label: label, first: start})
		of[start] = n
		stack = append(stack[:0], start)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			list[n].pixels++
			m.each4(i, func(j int) {
				if of[j] < 0 && m.Labels[j] == label {
					of[j] = n
					stack = append(stack, j)
				}
			})
		}
	}
	return list, of
}

// borders counts, for each piece, the pixel sides that it shares with each other
// piece.
func (m *Map) borders(pieces []piece, of []int) []map[int]int {
	border := make([]map[int]int, len(pieces))
	for i := range border {
		border[i] = map[int]int{}
	}
	for i, p := range of {
		m.each4(i, func(j int) {
			if q := of[j]; q != p {
				border[p][q]++
			}
		})
	}
	return border
}

// grow labels the pixels that are not known, ring by ring from the known ones. Each
// takes the adjacent label of least cost, and the first of several with the same
// cost. At least one pixel must be known.
func (m *Map) grow(known []bool, cost func(i int, label uint8) float64) {
	var open []int
	for i, k := range known {
		if !k {
			open = append(open, i)
		}
	}
	for len(open) > 0 {
		var rest, done []int
		var labels []uint8
		for _, i := range open {
			least, label := math.Inf(1), -1
			m.each4(i, func(j int) {
				if !known[j] {
					return
				}
				if d := cost(i, m.Labels[j]); d < least {
					least, label = d, int(m.Labels[j])
				}
			})
			if label < 0 {
				rest = append(rest, i)
				continue
			}
			done, labels = append(done, i), append(labels, uint8(label))
		}
		for n, i := range done {
			known[i], m.Labels[i] = true, labels[n]
		}
		open = rest
	}
}

// each4 calls do for the four neighbours of pixel i.
func (m *Map) each4(i int, do func(j int)) { each4(i, m.W, len(m.Labels), do) }

// each4 calls do for the four neighbours of pixel i, among n pixels in rows of w.
func each4(i, w, n int, do func(j int)) {
	x := i % w
	if x > 0 {
		do(i - 1)
	}
	if x < w-1 {
		do(i + 1)
	}
	if i >= w {
		do(i - w)
	}
	if i < n-w {
		do(i + w)
	}
}
