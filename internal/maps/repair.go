package maps

import "fmt"

// Repair removes from a map what can be removed without asking: transparent
// pixels go to the regions around them, and specks to their neighbours. Edge
// colours and near-equal colours are gone once a map is read; writing it makes
// that last. It returns what was done, a sentence each.
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
	if len(done) == 0 && !src.Exact {
		done = append(done, "colours made exact")
	}
	return done
}

// fillClear gives the pixels of transparent regions to the opaque region
// nearest to them, ring by ring, and returns how many they were. A map that is
// transparent everywhere stays as it is.
func (m *Map) fillClear() int {
	var open []int
	known := make([]bool, len(m.Labels))
	for i, l := range m.Labels {
		if known[i] = m.Regions[l].Colour.A == 255; !known[i] {
			open = append(open, i)
		}
	}
	if len(open) == len(m.Labels) {
		return 0
	}
	filled := len(open)
	for len(open) > 0 {
		var rest, done []int
		var labels []uint8
		for _, i := range open {
			label := -1
			m.each4(i, func(j int) {
				if known[j] && label < 0 {
					label = int(m.Labels[j])
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
	m.compact()
	return filled
}

// Snap gives regions of m that are drawn in a colour near one of other's that
// very colour, and those whose colour other does not have the nearest of its
// colours within 90, if no region of m has it. It returns how many changed.
func (m *Map) Snap(other *Map) int {
	changed := 0
	for _, reach := range []float64{Near, 90} {
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
