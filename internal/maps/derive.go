package maps

import (
	"math"
	"slices"

	"github.com/impasto/impasto/internal/picture"
)

// Features are a layer's values of a picture, (H, W, C).
type Features struct {
	H, W, C int
	V       []float32
}

// DeriveOptions say how a map is made from a picture.
type DeriveOptions struct {
	Regions int // 3 to 16; the map may have fewer where the picture does not have as many
	// Features computes the features of a network for a picture of at most WorkSide
	// pixels a side, for one or more layers. If it is nil, only colour and place
	// are used.
	Features func(p *picture.Picture) ([]Features, error)
}

const (
	// MinRegions and MostRegions bound DeriveOptions.Regions.
	MinRegions, MostRegions = 3, 16
	// WorkSide is the long side at which a picture is divided.
	WorkSide = 384
	// margin is the width of the mirrored border that is added for the network, in
	// pixels. It is a multiple of the cell size of the deepest features, and less
	// than minSide.
	margin = 24
	// minSide is the smallest side of a picture that can be divided into regions.
	minSide = 32

	cellCount   = 900   // superpixels
	compactness = 14    // of superpixels, in units of Lab
	components  = 10    // principal directions kept of each layer
	smallest    = 0.006 // share of the picture below which a piece is an island
)

// The weights of the groups of numbers that describe a cell were chosen by looking
// at maps of paintings. With more weight on place, a plain sky is divided into
// parts. With more weight on features, edges no longer follow those of the picture.
const (
	colourWeight  = 1.0
	featureWeight = 0.6
	acrossWeight  = 0.12
	downWeight    = 0.4
	smoothWeight  = 0.35
)

// Derive draws a map of a picture, as a start to be edited. It divides the picture
// into superpixels, groups them by k-means over their mean colour (Lab), features
// and place, merges islands, smooths edges, and merges regions too small to guide a
// layer. Regions take the colours of Palette that are nearest to their own, the largest
// region first. So a sky is likely to be blue, and the same picture gets the same map
// every time.
func Derive(p *picture.Picture, o DeriveOptions) (*Map, error) {
	if o.Regions < MinRegions || o.Regions > MostRegions {
		return nil, inputError("count", "a map is derived with %d to %d regions, not %d", MinRegions, MostRegions, o.Regions).Hint("-k 6")
	}
	if min(p.W, p.H) < minSide {
		return nil, inputError("small", "a picture of %dx%d is too small to find regions in; %d pixels on each side are needed", p.W, p.H, minSide)
	}
	small := p.Flatten().Within(WorkSide, picture.Area)
	w, h := small.W, small.H
	colours := lab(small)
	calm := slices.Clone(colours)
	blur(calm, w, h, 3, 1) // so that brush strokes do not become regions
	of, cells := superpixels(calm, w, h, min(cellCount, w*h/16), compactness)

	var layers []Features
	if o.Features != nil {
		var err error
		if layers, err = o.Features(mirrored(small, margin)); err != nil {
			return nil, err
		}
	}
	pts, varied := describe(colours, layers, of, cells, w, h)
	if !varied {
		return nil, flat()
	}
	group, means := pts.kmeans(o.Regions, 24)
	group = pts.settle(group, means, adjacency(of, cells, w, h))

	m := &Map{W: w, H: h, Labels: make([]uint8, w*h), Regions: make([]Region, o.Regions)}
	for i, c := range of {
		m.Labels[i] = uint8(group[c])
	}
	m.compact()
	m.MergeSpecks(max(4, int(smallest*float64(w*h))))
	m.smooth(3)
	m.MergeSpecks(max(4, int(smallest*float64(w*h))))
	if len(m.Regions) < 2 {
		return nil, flat()
	}
	m.paint(colours)
	if w != p.W || h != p.H {
		m = m.Enlarge(p.W, p.H)
	}
	m.mergeVanishing() // what Check would refuse
	return m, nil
}

func flat() error {
	return inputError("flat", "the picture has no regions that differ; a map of it would be one colour")
}

// describe makes a point of each cell: its mean Lab, the principal components of
// its mean features, and its centre. Each group of numbers is scaled to a weighted
// variance of 1, and then by its weight. varied is false if neither colours nor
// features differ by more than noise.
func describe(colours []float64, layers []Features, of []int, cells, w, h int) (all points, varied bool) {
	weight := make([]float64, cells)
	for _, c := range of {
		weight[c]++
	}
	mean := func(d int, add func(i int, sum []float64)) points {
		p := points{cells, d, make([]float64, cells*d), weight}
		for i, c := range of {
			add(i, p.at(c))
		}
		for c := range cells {
			for k := range p.at(c) {
				p.at(c)[k] /= weight[c]
			}
		}
		return p
	}
	var parts []points
	var weights []float64
	include := func(p points, by float64) {
		parts, weights = append(parts, p), append(weights, by)
	}
	// principal adds the main directions of p, if p varies by more than noise.
	principal := func(p points, d int, by, noise float64) {
		q, variance := p.principal(d)
		if variance > noise {
			include(q, by)
			varied = true
		}
	}
	principal(mean(3, func(i int, sum []float64) {
		for k := range sum {
			sum[k] += colours[3*i+k]
		}
	}), 3, colourWeight, 1)
	for _, f := range layers {
		unit := unitLength(f)
		principal(mean(f.C, func(i int, sum []float64) {
			x, y := float64(i%w)+0.5+margin, float64(i/w)+0.5+margin
			addBilinear(sum, f, unit, x/float64(w+2*margin), y/float64(h+2*margin))
		}), components, featureWeight/math.Sqrt(float64(len(layers))), 5e-3)
	}
	long := float64(max(w, h))
	include(mean(1, func(i int, sum []float64) { sum[0] += float64(i%w) / long }), acrossWeight*3.5)
	include(mean(1, func(i int, sum []float64) { sum[0] += float64(i/w) / long }), downWeight*3.5)

	d := 0
	for _, p := range parts {
		d += p.d
	}
	all = points{cells, d, make([]float64, 0, cells*d), weight}
	for c := range cells {
		for n, p := range parts {
			for _, v := range p.at(c) {
				all.v = append(all.v, v*weights[n])
			}
		}
	}
	return all, varied
}

// mirrored returns p extended by r mirrored pixels on each side. A network pads
// with zeros, and without the margin it would see a dark frame there.
func mirrored(p *picture.Picture, r int) *picture.Picture {
	q := picture.New(p.W+2*r, p.H+2*r)
	back := func(i, n int) int {
		if i < 0 {
			i = -1 - i
		}
		if i >= n {
			i = 2*n - 1 - i
		}
		return i
	}
	for y := range q.H {
		for x := range q.W {
			from := back(y-r, p.H)*p.W + back(x-r, p.W)
			copy(q.Pix[3*(y*q.W+x):][:3], p.Pix[3*from:])
		}
	}
	return q
}

// unitLength scales the features of each position to length 1, so that their
// strength does not count.
func unitLength(f Features) []float64 {
	out := make([]float64, len(f.V))
	for i := 0; i < len(f.V); i += f.C {
		sum := 1e-12
		for _, v := range f.V[i : i+f.C] {
			sum += float64(v) * float64(v)
		}
		scale := 1 / math.Sqrt(sum)
		for c, v := range f.V[i : i+f.C] {
			out[i+c] = float64(v) * scale
		}
	}
	return out
}

// addBilinear adds to sum the features v (H, W, C) at the place u, t (0..1 across
// and down), interpolated between the centres of positions.
func addBilinear(sum []float64, f Features, v []float64, u, t float64) {
	axis := func(at float64, n int) (lo, hi int, share float64) {
		at = min(max(at*float64(n)-0.5, 0), float64(n-1))
		lo = int(at)
		return lo, min(lo+1, n-1), at - float64(lo)
	}
	x0, x1, fx := axis(u, f.W)
	y0, y1, fy := axis(t, f.H)
	for _, corner := range []struct {
		x, y int
		by   float64
	}{{x0, y0, (1 - fx) * (1 - fy)}, {x1, y0, fx * (1 - fy)}, {x0, y1, (1 - fx) * fy}, {x1, y1, fx * fy}} {
		if corner.by == 0 {
			continue
		}
		at := (corner.y*f.W + corner.x) * f.C
		for c := range sum {
			sum[c] += corner.by * v[at+c]
		}
	}
}

// adjacency lists, for each cell, its neighbours and the length of each border.
func adjacency(of []int, cells, w, h int) [][]neighbour {
	border := make([]map[int]int, cells)
	for i := range border {
		border[i] = map[int]int{}
	}
	meet := func(a, b int) {
		if a != b {
			border[a][b]++
			border[b][a]++
		}
	}
	for i := range of {
		if i%w < w-1 {
			meet(of[i], of[i+1])
		}
		if i/w < h-1 {
			meet(of[i], of[i+w])
		}
	}
	list := make([][]neighbour, cells)
	for c, b := range border {
		for to, n := range b {
			list[c] = append(list[c], neighbour{to, float64(n)})
		}
		slices.SortFunc(list[c], func(a, b neighbour) int { return a.cell - b.cell })
	}
	return list
}

// neighbour is a cell beside another and the length of their border.
type neighbour struct {
	cell   int
	border float64
}

// settle moves each cell to the group of least cost: its squared distance from the
// group's mean, plus a penalty for the border it shares with cells of other groups
// (Besag's iterated conditional modes). So single cells within another region join
// that region.
func (p points) settle(group []int, means []float64, beside [][]neighbour) []int {
	group = slices.Clone(group)
	k := len(means) / p.d
	spread := 0.0
	total := 0.0
	for i, g := range group {
		spread += p.weight[i] * distance2(p.at(i), means[g*p.d:(g+1)*p.d])
		total += p.weight[i]
	}
	penalty := 4 * smoothWeight * spread / total
	for range 10 {
		moved := false
		for i := range p.n {
			around := 0.0
			for _, b := range beside[i] {
				around += b.border
			}
			best, to := math.Inf(1), group[i]
			for g := range k {
				differ := 0.0
				for _, b := range beside[i] {
					if group[b.cell] != g {
						differ += b.border
					}
				}
				cost := distance2(p.at(i), means[g*p.d:(g+1)*p.d]) + penalty*differ/max(1, around)
				if cost < best {
					best, to = cost, g
				}
			}
			moved = moved || to != group[i]
			group[i] = to
		}
		if !moved {
			break
		}
	}
	return group
}

// smooth rounds the edges: each pixel takes the label with the largest weight
// within about r pixels of it.
func (m *Map) smooth(r int) {
	highest := make([]float64, len(m.Labels))
	labels := make([]uint8, len(m.Labels))
	plane := make([]float64, len(m.Labels))
	for n := range m.Regions {
		drawPlane(m, n, plane)
		boxMean(plane, m.W, m.H, r)
		boxMean(plane, m.W, m.H, r)
		for i, v := range plane {
			if v > highest[i]+1e-9 {
				highest[i], labels[i] = v, uint8(n)
			}
		}
	}
	m.Labels = labels
	m.compact()
}

// paint gives the regions colours of the palette, the largest region first. Each
// takes the free colour nearest in Lab to its mean colour.
func (m *Map) paint(colours []float64) {
	mean := make([][3]float64, len(m.Regions))
	for i, l := range m.Labels {
		for c := range 3 {
			mean[l][c] += colours[3*i+c] / float64(m.Regions[l].Pixels)
		}
	}
	swatch := picture.New(len(Palette), 1)
	for i, p := range Palette {
		swatch.Pix[3*i], swatch.Pix[3*i+1], swatch.Pix[3*i+2] = float32(p.Colour.R)/255, float32(p.Colour.G)/255, float32(p.Colour.B)/255
	}
	known := lab(swatch)
	taken := make([]bool, len(Palette))
	for r := range m.Regions {
		best, at := math.Inf(1), 0
		for i := range Palette {
			// Hue counts more than lightness, because paintings are darker than the
			// palette.
			dl, da, db := (mean[r][0]-known[3*i])/3, 2*mean[r][1]-known[3*i+1], 2*mean[r][2]-known[3*i+2]
			if d := dl*dl + da*da + db*db; d < best && !taken[i] {
				best, at = d, i
			}
		}
		taken[at] = true
		m.Regions[r].Colour = Palette[at].Colour
	}
}
