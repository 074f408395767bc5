package maps

import (
	"math"

	"github.com/impasto/impasto/internal/picture"
)

// Resize returns the map at w x h pixels. A pixel takes the label that covers most
// of its area in m, and the lower label if two cover the same area. No colours are
// blended, and unlike with nearest-neighbour sampling no region gets thinner by
// chance. When enlarging, the result is that of nearest-neighbour sampling.
func (m *Map) Resize(w, h int) *Map {
	q := &Map{W: w, H: h, Labels: make([]uint8, w*h), Regions: append([]Region(nil), m.Regions...)}
	cover := make([]int64, len(m.Regions))
	across, down := spans(m.W, w), spans(m.H, h)
	for y, rows := range down {
		for x, cols := range across {
			clear(cover)
			for v, rw := range rows.weight {
				row := m.Labels[(rows.from+v)*m.W+cols.from:]
				for u, cw := range cols.weight {
					cover[row[u]] += rw * cw
				}
			}
			best := 0
			for l, n := range cover {
				if n > cover[best] {
					best = l
				}
			}
			q.Labels[y*w+x] = uint8(best)
		}
	}
	q.count()
	return q
}

// span holds the source pixels that one pixel of the result covers, and how much of
// each it covers, in whole numbers.
type span struct {
	from   int
	weight []int64
}

// spans divides from source pixels among to result pixels. In units of 1/to of a
// source pixel, source pixel i covers [i*to, (i+1)*to) and result pixel x covers
// [x*from, (x+1)*from).
func spans(from, to int) []span {
	list := make([]span, to)
	for x := range list {
		lo, hi := x*from, (x+1)*from
		first := lo / to
		s := span{from: first}
		for i := first; i*to < hi; i++ {
			s.weight = append(s.weight, int64(min(hi, (i+1)*to)-max(lo, i*to)))
		}
		list[x] = s
	}
	return list
}

// Crop returns the w x h pixels whose upper left corner is x, y. They must lie
// within the map.
func (m *Map) Crop(x, y, w, h int) *Map {
	q := &Map{W: w, H: h, Labels: make([]uint8, 0, w*h), Regions: append([]Region(nil), m.Regions...)}
	for v := y; v < y+h; v++ {
		q.Labels = append(q.Labels, m.Labels[v*m.W+x:v*m.W+x+w]...)
	}
	q.count()
	return q
}

// CropTo returns the largest centred part with the proportions of w x h.
func (m *Map) CropTo(w, h int) *Map {
	cw, ch := m.W, m.H
	if m.W*h > m.H*w {
		cw = max(1, int(math.Round(float64(m.H)*float64(w)/float64(h))))
	} else {
		ch = max(1, int(math.Round(float64(m.W)*float64(h)/float64(w))))
	}
	return m.Crop((m.W-cw)/2, (m.H-ch)/2, cw, ch)
}

// Stretch returns by how much the proportions of the map differ from w x h: 0.06
// for 6 %.
func (m *Map) Stretch(w, h int) float64 {
	return math.Abs(float64(m.W)*float64(h)/(float64(m.H)*float64(w)) - 1)
}

// Enlarge is like Resize to a larger size, but with smooth edges. A pixel takes the
// label whose plane, interpolated bilinearly, is highest there, and the lower label
// if two are equal.
func (m *Map) Enlarge(w, h int) *Map {
	q := &Map{W: w, H: h, Labels: make([]uint8, w*h), Regions: append([]Region(nil), m.Regions...)}
	highest := make([]float32, w*h)
	plane := make([]float32, len(m.Labels))
	for r := range m.Regions {
		drawPlane(m, r, plane)
		for i, v := range picture.Resample(plane, m.W, m.H, 1, w, h, picture.Bilinear) {
			if v > highest[i] {
				highest[i], q.Labels[i] = v, uint8(r)
			}
		}
	}
	q.count()
	return q
}

// drawPlane sets plane (H, W) to 1 inside a region and to 0 elsewhere.
func drawPlane[T float32 | float64](m *Map, region int, plane []T) {
	for i, l := range m.Labels {
		plane[i] = 0
		if int(l) == region {
			plane[i] = 1
		}
	}
}

// Soft returns how much each pixel belongs to a region, (H, W), 0..1: 1 inside, 0
// outside, and a ramp of about radius pixels on either side of its border. It is
// the mean of the region over a square of 2 radius + 1 pixels, within the picture.
// The weights of all regions add up to 1 everywhere.
func (m *Map) Soft(region, radius int) []float32 {
	v := make([]float64, len(m.Labels))
	drawPlane(m, region, v)
	boxMean(v, m.W, m.H, radius)
	soft := make([]float32, len(v))
	for i := range v {
		soft[i] = float32(min(1, v[i]))
	}
	return soft
}

// boxMean replaces each value of v (h, w) by the mean over the square of
// 2 r + 1 pixels around it, within the picture.
func boxMean(v []float64, w, h, r int) {
	line := make([]float64, max(w, h)+1)
	mean := func(n, stride, from int) {
		for i := range n {
			line[i+1] = line[i] + v[from+i*stride]
		}
		for i := range n {
			lo, hi := max(0, i-r), min(n, i+r+1)
			v[from+i*stride] = (line[hi] - line[lo]) / float64(hi-lo)
		}
	}
	for y := range h {
		mean(w, 1, y*w)
	}
	for x := range w {
		mean(h, w, x)
	}
}

// Coverage returns, for each region, the largest share that it has of any cell when
// the map is averaged over cells of n x n pixels, as pooling does before a layer. A
// region whose share is small in every cell cannot guide that layer.
func (m *Map) Coverage(n int) []float64 {
	most := make([]float64, len(m.Regions))
	count := make([]int, len(m.Regions))
	for y := 0; y < m.H; y += n {
		for x := 0; x < m.W; x += n {
			clear(count)
			bottom, right := min(y+n, m.H), min(x+n, m.W)
			for v := y; v < bottom; v++ {
				for _, l := range m.Labels[v*m.W+x : v*m.W+right] {
					count[l]++
				}
			}
			for l, c := range count {
				most[l] = max(most[l], float64(c)/float64((bottom-y)*(right-x)))
			}
		}
	}
	return most
}

// Width returns, for each region, the side of the largest square that lies inside
// it.
func (m *Map) Width() []int {
	widest := make([]int, len(m.Regions))
	side := make([]int, m.W) // of the largest square whose lower right corner is in this column
	for y := range m.H {
		diagonal := 0
		for x := range m.W {
			i := y*m.W + x
			l := m.Labels[i]
			up := side[x]
			s := 1
			if y > 0 && x > 0 && m.Labels[i-1] == l && m.Labels[i-m.W] == l && m.Labels[i-m.W-1] == l {
				s = 1 + min(up, side[x-1], diagonal)
			}
			diagonal, side[x] = up, s
			widest[l] = max(widest[l], s)
		}
	}
	return widest
}
