// Package explain says where the patches of a finished picture came from. It
// reports which place of the painting each part of the canvas was matched with, how
// similar the two were, how often patches were reused, and which regions took
// patches from which. It also stores these matches in a file, and paints them again
// with another scan or colouring of the painting.
//
// It imports style, internal/maps and internal/picture.
package explain

import (
	"cmp"
	"slices"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// Inputs holds what a picture was painted from.
type Inputs struct {
	Patches   []style.Correspondence // of style.Result, at least one
	Styles    []*picture.Picture     // the paintings, in the order of the run
	StyleMaps []*maps.Map            // of each painting; nil, or nil elements, where there are none
	CanvasMap *maps.Map              // nil without maps
}

// Explanation holds the measurements of a picture, in the form of explain.json.
type Explanation struct {
	W      int            `json:"width"`
	H      int            `json:"height"`
	Layers []Layer        `json:"layers"`
	Areas  []maps.AreaRow `json:"areas,omitempty"` // of the canvas map and the first painting's
}

// Layer holds the measurements of the matches at one layer.
type Layer struct {
	Name       string     `json:"layer"`
	Patches    int        `json:"patches"`    // of the canvas
	Distinct   int        `json:"distinct"`   // patches of paintings that were used
	Reuse      float64    `json:"reuse"`      // share of the canvas's patches that repeat a patch used before, 0..1
	MostUsed   int        `json:"most_used"`  // number of times that the most used patch was used
	Used       float64    `json:"used"`       // share of the paintings' patches that were used
	Confidence Confidence `json:"confidence"` // scores of the matches
	Skipped    float64    `json:"skipped"`    // share of the products that maps made unnecessary
	Leaks      []Leak     `json:"regions,omitempty"`
	Coverage   []Coverage `json:"coverage,omitempty"`
}

// Confidence summarises the scores of matches: cosines of features, plus the part
// of the guides where that was added.
type Confidence struct {
	Least  float64 `json:"least"`
	Median float64 `json:"median"`
	Most   float64 `json:"most"`
}

// Leak says where the patches of one region of the canvas came from.
type Leak struct {
	Region  string  `json:"region"`
	Colour  string  `json:"colour"`
	Patches int     `json:"patches"`
	Own     float64 `json:"own"` // share that came from the same region, 0..1
	From    []Share `json:"from,omitempty"`
}

// Share is the part that came from another region. Shares are sorted, the largest
// first.
type Share struct {
	Region string  `json:"region"`
	Share  float64 `json:"share"`
}

// Coverage says how strongly a region counts at a layer: the largest share that it
// has of any cell.
type Coverage struct {
	Region string  `json:"region"`
	Canvas float64 `json:"canvas"`
	Style  float64 `json:"style"`
}

// Explain measures the matches.
func Explain(in Inputs) *Explanation {
	e := &Explanation{W: in.Patches[0].CanvasW, H: in.Patches[0].CanvasH}
	mapped := in.CanvasMap != nil && len(in.StyleMaps) > 0 && !slices.Contains(in.StyleMaps, nil)
	if mapped {
		e.Areas = maps.Areas(in.StyleMaps[0], in.CanvasMap)
	}
	for i := range in.Patches {
		c := &in.Patches[i]
		l := measure(c)
		if mapped {
			l.Leaks = leaks(c, in.CanvasMap, in.StyleMaps)
			l.Coverage = coverage(c, in.CanvasMap, in.StyleMaps[0])
		}
		e.Layers = append(e.Layers, l)
	}
	return e
}

// measure counts everything that needs no maps.
func measure(c *style.Correspondence) Layer {
	l := Layer{Name: c.Layer, Patches: len(c.Index), Skipped: c.Skipped}
	last := c.Sources[len(c.Sources)-1]
	used := make([]int, last.First+last.Cols*last.Rows)
	for _, i := range c.Index {
		used[i]++
		if used[i] == 1 {
			l.Distinct++
		}
		l.MostUsed = max(l.MostUsed, used[i])
	}
	l.Reuse = 1 - float64(l.Distinct)/float64(l.Patches)
	l.Used = float64(l.Distinct) / float64(len(used))
	sorted := slices.Sorted(slices.Values(c.Score))
	l.Confidence = Confidence{float64(sorted[0]), float64(sorted[len(sorted)/2]), float64(sorted[len(sorted)-1])}
	return l
}

// leaks counts, for each region of the canvas, the regions of the paintings that
// its patches came from. A patch belongs to the region at its centre.
func leaks(c *style.Correspondence, canvas *maps.Map, paintings []*maps.Map) []Leak {
	canvas = canvas.Resize(c.CanvasW, c.CanvasH)
	table, ofPainting := maps.Joined(canvas, paintings...)
	counts := make([][]int, len(table))
	for i := range counts {
		counts[i] = make([]int, len(table))
	}
	g := newGeometry(c)
	half := g.side / 2
	for y := range c.H {
		for x := range c.W {
			px, py := min(int(float64(x)*g.step+half), c.CanvasW-1), min(int(float64(y)*g.step+half), c.CanvasH-1)
			at := g.place(c.Index[y*c.W+x], half, half)
			m := paintings[at.style]
			from := ofPainting[at.style][m.Labels[at.pixel(m.W, m.H)]]
			counts[canvas.Labels[py*c.CanvasW+px]][from]++
		}
	}
	var list []Leak
	for to, row := range counts {
		total := 0
		for _, n := range row {
			total += n
		}
		if total == 0 {
			continue
		}
		l := Leak{Region: table[to].Label(), Colour: maps.Hex(table[to].Colour), Patches: total, Own: float64(row[to]) / float64(total)}
		for from, n := range row {
			if from != to && n > 0 {
				l.From = append(l.From, Share{table[from].Label(), float64(n) / float64(total)})
			}
		}
		slices.SortStableFunc(l.From, func(a, b Share) int { return cmp.Compare(b.Share, a.Share) })
		list = append(list, l)
	}
	return list
}

// coverage compares how strongly regions count at the layer on both sides.
func coverage(c *style.Correspondence, canvas, painting *maps.Map) []Coverage {
	base := newGeometry(c).base[0]
	canvas = canvas.Resize(c.CanvasW, c.CanvasH)
	painting = painting.Resize(base.W, base.H)
	table, ofPainting := maps.Joined(canvas, painting)
	list := make([]Coverage, len(table))
	for i, r := range table {
		list[i].Region = r.Label()
	}
	for i, v := range canvas.Coverage(c.Cell) {
		list[i].Canvas = v
	}
	for i, v := range painting.Coverage(c.Cell) {
		list[ofPainting[0][i]].Style = v
	}
	return list
}
