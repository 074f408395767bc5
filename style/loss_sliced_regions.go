package style

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/impasto/impasto/gpu"
)

// A region of the canvas is the set of pixels that have one value in all its maps. It
// is compared with those positions of the paintings whose values are nearest to its
// own. So a region that no painting has is compared with the most similar regions. In
// maps of labels all others are equally far, and it is compared with all of them.

// mostRegions is how many different values the maps of a picture may have.
const mostRegions = 255

// slicedGuides returns the maps by which the sliced loss is guided. The weight of maps
// belongs to patches; 0 ignores maps in ModeDoodle.
func (in Inputs) slicedGuides(o Options) []Guide {
	if o.StyleLoss != LossSliced || o.StyleWeight == 0 || o.Mode == ModeDoodle && o.MapWeight == 0 {
		return nil
	}
	if o.Mode != ModeArt && o.Mode != ModeDoodle {
		return nil
	}
	return in.Guides
}

// guidedAlone reports whether a doodle needs no patches: its maps guide the style loss.
func (o Options) guidedAlone() bool {
	return o.Mode == ModeDoodle && o.StyleLoss == LossSliced && o.StyleWeight > 0 && o.MapWeight > 0
}

// slicedGuides checks that maps guide anything, and have few values.
func (c *checker) slicedGuides(in Inputs, o Options) {
	if o.Mode == ModeArt && len(in.Guides) > 0 && (o.StyleLoss != LossSliced || o.Method == MethodNNST) {
		c.add("style-loss", []Suggestion{{"style-loss", string(LossSliced), ""}}, "maps guide the style loss sliced, not %s", o.paintsBy())
		return
	}
	guides := in.slicedGuides(o)
	if len(guides) == 0 || len(c.problems) > 0 {
		return
	}
	for i := range len(in.Styles) + 1 {
		name := "the canvas"
		if i > 0 {
			name = fmt.Sprintf("painting %d", i)
		}
		if valuesOf(mapsOf(guides, i-1)) == nil {
			c.add("map", nil, "the map of %s has more than %d different values; the style loss sliced compares region by region", name, mostRegions)
		}
	}
}

// paintsBy names the method, or the style loss of the method that has one.
func (o Options) paintsBy() string {
	if o.Method == MethodNNST {
		return "the method nnst"
	}
	return string(o.StyleLoss)
}

// mapsOf returns the maps of painting i, of the canvas for -1.
func mapsOf(guides []Guide, i int) []*Map {
	var all []*Map
	for _, g := range guides {
		if i < 0 {
			all = append(all, g.Canvas)
		} else {
			all = append(all, g.Styles[i])
		}
	}
	return all
}

// mapValues holds the maps of one picture as the index of each pixel's value.
type mapValues struct {
	w, h   int
	of     []uint8       // (H, W), indices of values
	values [][][]float32 // by value and map
}

// valuesOf finds the values that the maps of a picture have together; it is nil if they
// are too many. Other maps are brought to the size of the first, without mixing values.
func valuesOf(maps []*Map) *mapValues {
	v := &mapValues{w: maps[0].W, h: maps[0].H}
	v.of = make([]uint8, v.w*v.h)
	known, last := map[string]uint8{}, []byte(nil)
	for p := range v.of {
		var key []byte
		var value [][]float32
		for _, m := range maps {
			at := (p/v.w*m.H/v.h*m.W + p%v.w*m.W/v.w) * m.C
			value = append(value, m.Pix[at:at+m.C])
		}
		for _, part := range value {
			for _, x := range part {
				bits := math.Float32bits(x + 0) // zeros of both signs are one value
				key = append(key, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
			}
		}
		if p > 0 && slices.Equal(key, last) {
			v.of[p] = v.of[p-1]
			continue
		}
		i, seen := known[string(key)]
		if !seen {
			if len(known) == mostRegions {
				return nil
			}
			i = uint8(len(known))
			known[string(key)] = i
			v.values = append(v.values, value)
		}
		v.of[p], last = i, key
	}
	return v
}

// votes calls each with every position of a layer's grid for a picture of w x h pixels,
// with cell pixels to a side of a position: how many pixels of the map there have each
// value. The counts are only valid during the call.
func (v *mapValues) votes(grid gpu.Shape, w, h, cell int, each func(p int, counts []int)) {
	counts := make([]int, len(v.values))
	span := func(i, of, all int) (from, to int) { // of pixels of the map
		from = min(i*cell*of/all, of-1)
		return from, max(from+1, min((i+1)*cell*of/all, of))
	}
	for p := range grid.Pixels() {
		clear(counts)
		top, bottom := span(p/grid.W, v.h, h)
		left, right := span(p%grid.W, v.w, w)
		for y := top; y < bottom; y++ {
			for _, i := range v.of[y*v.w+left : y*v.w+right] {
				counts[i]++
			}
		}
		each(p, counts)
	}
}

// regions say how the maps of a run divide canvas and paintings.
type regions struct {
	canvas *mapValues // a value is a region
	styles []*mapValues
	// with[i][r] lists the values of painting i with which region r is compared.
	with [][][]int
}

// newRegions prepares guides that were checked; nil without any.
func (o Options) newRegions(guides []Guide, styles int) *regions {
	if len(guides) == 0 {
		return nil
	}
	r := &regions{canvas: valuesOf(mapsOf(guides, -1))}
	for i := range styles {
		r.styles = append(r.styles, valuesOf(mapsOf(guides, i)))
		r.with = append(r.with, make([][]int, len(r.canvas.values)))
	}
	for region, value := range r.canvas.values {
		least := math.Inf(1)
		distances := make([][]float64, styles)
		for i, s := range r.styles {
			for _, other := range s.values {
				d := o.valueDistance(guides, value, other)
				distances[i], least = append(distances[i], d), min(least, d)
			}
		}
		for i := range r.styles {
			for k, d := range distances[i] {
				if d <= least*(1+1e-6) {
					r.with[i][region] = append(r.with[i][region], k)
				}
			}
		}
	}
	return r
}

// valueDistance is the weighted sum of squared differences of two values of all maps.
func (o Options) valueDistance(guides []Guide, a, b [][]float32) float64 {
	sum := 0.0
	for i, g := range guides {
		weight := g.weight()
		if i < len(o.MapWeights) {
			weight *= o.MapWeights[i]
		}
		for c, x := range a[i] {
			sum += weight * (float64(x) - float64(b[i][c])) * (float64(x) - float64(b[i][c]))
		}
	}
	return sum
}

// measureRegions appends to layers the features of painting i, region by region. They are
// not cached, since they depend on the canvas's map too.
func (r *run) measureRegions(i, canvas int, cut Cut, layers map[string][]moments) error {
	w, h := r.o.styleSize(r.styles[i], canvas)
	b := r.env.Backend
	t, err := r.o.newTiling(b, r.env.Network, h, w, cut, false)
	if err != nil {
		return err
	}
	defer t.free()
	x := b.NewArray(gpu.Shape{H: h, W: w, C: 3})
	defer b.Free(x)
	r.px.upload(b, x, r.styles[i].Resize(w, h))
	for layer, m := range t.measureRows(r.o, x, r.regions, i) {
		layers[layer] = append(layers[layer], m)
	}
	return nil
}

// canvasPositions lists the positions of the canvas of w x h pixels by region.
func (r *regions) canvasPositions(grid gpu.Shape, w, h, cell int) [][]int32 {
	lists := make([][]int32, len(r.canvas.values))
	r.canvas.votes(grid, w, h, cell, func(p int, counts []int) {
		most := largestOf(counts)
		lists[most] = append(lists[most], int32(p))
	})
	return lists
}

// stylePositions lists the positions of painting i of w x h pixels with which each
// region of the canvas is compared. A position may be in several lists.
func (r *regions) stylePositions(i int, grid gpu.Shape, w, h, cell int) [][]int32 {
	with := r.with[i]
	lists := make([][]int32, len(with))
	best, place := make([]int, len(with)), make([]int32, len(with))
	r.styles[i].votes(grid, w, h, cell, func(p int, counts []int) {
		most := largestOf(counts)
		for region, values := range with {
			if slices.Contains(values, most) {
				lists[region] = append(lists[region], int32(p))
				continue
			}
			share := 0
			for _, v := range values {
				share += counts[v]
			}
			if share > best[region] {
				best[region], place[region] = share, int32(p)
			}
		}
	})
	for region, list := range lists {
		if len(list) == 0 && best[region] > 0 {
			lists[region] = []int32{place[region]}
		}
	}
	return lists
}

// largestOf returns the index of the largest count, the first of equal ones.
func largestOf(counts []int) int {
	most := 0
	for i, n := range counts {
		if n > counts[most] {
			most = i
		}
	}
	return most
}

// thin draws positions from each region, as strata does, so that there are about as many
// as slicedCount says, and at least one of each region that has any. ends has the end of
// each region.
func thin(lists [][]int32, channels int, rng *rand.Rand) (at, ends []int32) {
	all := 0
	for _, list := range lists {
		all += len(list)
	}
	limit := slicedCount(all, channels)
	for _, list := range lists {
		n := len(list)
		if all > limit && n > 0 {
			n = max(1, int(int64(n)*int64(limit)/int64(all)))
		}
		for _, i := range strata(n, len(list), rng) {
			at = append(at, list[i])
		}
		ends = append(ends, int32(len(at)))
	}
	return at, ends
}
