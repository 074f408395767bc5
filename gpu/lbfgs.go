package gpu

import "math"

// lbfgsMemory is the small part of L-BFGS: the list of those of the K = m+1 slots that
// hold pairs, and the Gram matrix of the 2K+1 basis vectors
//
//	s_0..s_m, y_0..y_m, g
//
// One slot is always free, for the step under way. The recursion needs only the dot
// products, so the large vectors are read twice: to compute these and to form the
// direction.
type lbfgsMemory struct {
	k     int       // slots
	gram  []float64 // (2k+1) x (2k+1)
	order []int     // slots that hold pairs, oldest first
	free  int       // slot of the step under way
	delta []float64 // coefficients of the direction
	alpha []float64
}

func newLBFGSMemory(history int) lbfgsMemory {
	k := history + 1
	n := 2*k + 1
	return lbfgsMemory{k: k, gram: make([]float64, n*n), order: make([]int, 0, k), delta: make([]float64, n), alpha: make([]float64, k)}
}

func (m *lbfgsMemory) size() int            { return 2*m.k + 1 }
func (m *lbfgsMemory) s(slot int) int       { return slot }
func (m *lbfgsMemory) y(slot int) int       { return m.k + slot }
func (m *lbfgsMemory) g() int               { return 2 * m.k }
func (m *lbfgsMemory) forget()              { m.order = m.order[:0] }
func (m *lbfgsMemory) dot(i, j int) float64 { return m.gram[i*m.size()+j] }

// set stores the dot products of basis vector i with all that are in use.
func (m *lbfgsMemory) set(i int, dots []float64) {
	for _, slot := range m.order {
		m.put(i, m.s(slot), dots)
		m.put(i, m.y(slot), dots)
	}
	m.put(i, m.s(m.free), dots)
	m.put(i, m.y(m.free), dots)
	m.put(i, m.g(), dots)
}

func (m *lbfgsMemory) put(i, j int, dots []float64) {
	m.gram[i*m.size()+j], m.gram[j*m.size()+i] = dots[j], dots[j]
}

// commit adds the pair in the free slot to the history if its curvature is positive,
// s.y > 1e-10 y.y, and chooses the next free slot.
func (m *lbfgsMemory) commit() bool {
	sy, yy := m.dot(m.s(m.free), m.y(m.free)), m.dot(m.y(m.free), m.y(m.free))
	if !(sy > 1e-10*yy) {
		return false
	}
	if len(m.order) == m.k-1 {
		oldest := m.order[0]
		copy(m.order, m.order[1:])
		m.order[len(m.order)-1] = m.free
		m.free = oldest
		return true
	}
	m.order = append(m.order, m.free)
	m.free = m.unused()
	return true
}

func (m *lbfgsMemory) unused() int {
	for slot := range m.k {
		taken := false
		for _, o := range m.order {
			taken = taken || o == slot
		}
		if !taken {
			return slot
		}
	}
	panic("gpu: L-BFGS has no free slot")
}

// direction fills delta with the coefficients of -H g by the two-loop
// recursion (Nocedal & Wright, algorithm 7.4).
func (m *lbfgsMemory) direction() {
	clear(m.delta)
	m.delta[m.g()] = -1
	for n := len(m.order) - 1; n >= 0; n-- {
		slot := m.order[n]
		m.alpha[n] = m.project(m.s(slot)) / m.dot(m.s(slot), m.y(slot))
		m.delta[m.y(slot)] -= m.alpha[n]
	}
	if n := len(m.order); n > 0 {
		last := m.order[n-1]
		gamma := m.dot(m.s(last), m.y(last)) / m.dot(m.y(last), m.y(last))
		for j := range m.delta {
			m.delta[j] *= gamma
		}
	}
	for n, slot := range m.order {
		beta := m.project(m.y(slot)) / m.dot(m.s(slot), m.y(slot))
		m.delta[m.s(slot)] += m.alpha[n] - beta
	}
}

// project returns the dot product of the direction so far with basis vector i.
func (m *lbfgsMemory) project(i int) float64 {
	v := 0.0
	for j, c := range m.delta {
		if c != 0 {
			v += c * m.dot(i, j)
		}
	}
	return v
}

// armijo is the share of the predicted decrease that a step must reach, and
// maxBacktracks is how often the line search shortens one step.
const (
	armijo        = 1e-4
	maxBacktracks = 12
)

// shorten returns the factor by which a rejected step shrinks: the minimum of the
// parabola through both values and the slope at the base, limited to 0.1..0.5. slope is
// g.s at the base, rise the change of the loss over the step.
func shorten(slope, rise float64) float64 {
	r := -slope / (2 * (rise - slope))
	if math.IsNaN(r) || math.IsInf(rise, 1) {
		return 0.1
	}
	return min(max(r, 0.1), 0.5)
}
