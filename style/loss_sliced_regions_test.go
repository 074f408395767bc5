package style

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
)

// labelMap is a map of labels with a channel for each of so many.
func labelMap(w, h, labels int, label func(x, y int) int) *Map {
	m := &Map{W: w, H: h, C: labels, Pix: make([]float32, w*h*labels)}
	for i := range w * h {
		m.Pix[i*labels+label(i%w, i/w)] = 1
	}
	return m
}

// The regions of the tests, of a canvas of 23 x 17 pixels: left, right, one pixel, and a
// corner that no painting has.
const (
	leftRegion = iota
	rightRegion
	pixelRegion
	absentRegion
	testRegions
)

func canvasLabel(x, y int) int {
	switch {
	case x == 5 && y == 7:
		return pixelRegion
	case x > 17 && y > 12:
		return absentRegion
	case x < 9:
		return leftRegion
	}
	return rightRegion
}

// The first painting has all but absentRegion, of pixelRegion a row; the second has
// only leftRegion.
func styleLabels(i int) func(x, y int) int {
	return func(x, y int) int {
		switch {
		case i == 1:
			return leftRegion
		case y == 3 && x < 6:
			return pixelRegion
		case x+y < 20:
			return leftRegion
		}
		return rightRegion
	}
}

// referencePositions lists the positions of a grid by label: that of most of its cell x
// cell pixels; of equally many, the one that comes first in the picture. With some, a
// label without a position has the first of those with most of its pixels.
func referencePositions(w, h, gw, gh, cell int, label func(x, y int) int, some bool) [][]int {
	var first []int
	for i := range w * h {
		if l := label(i%w, i/w); !slices.Contains(first, l) {
			first = append(first, l)
		}
	}
	lists, most, place := make([][]int, testRegions), make([]int, testRegions), make([]int, testRegions)
	for p := range gw * gh {
		counts := make([]int, testRegions)
		for i := range cell * cell {
			counts[label(p%gw*cell+i%cell, p/gw*cell+i/cell)]++
		}
		best := first[0]
		for _, l := range first {
			if counts[l] > counts[best] {
				best = l
			}
			if counts[l] > most[l] {
				most[l], place[l] = counts[l], p
			}
		}
		lists[best] = append(lists[best], p)
	}
	for l := range lists {
		if some && len(lists[l]) == 0 && most[l] > 0 {
			lists[l] = []int{place[l]}
		}
	}
	return lists
}

// positionsOf are the features at some positions.
func positionsOf(f grid, positions []int) grid {
	out := grid{h: len(positions), w: 1, c: f.c}
	for _, p := range positions {
		out.v = append(out.v, f.v[p*f.c:][:f.c]...)
	}
	return out
}

// referenceGuided is the sliced loss region by region over the mean square of the
// paintings' features, where absentRegion is compared with all of the paintings. The
// weights of the paintings that have a region are divided by their sum.
func referenceGuided(f grid, places [][]int, styles []grid, stylePlaces [][][]int, weights []float64, u []float32) float64 {
	loss, positions := 0.0, 0
	squares, rows := make([]float64, len(styles)), make([]int, len(styles))
	for region := range testRegions {
		own := positionsOf(f, places[region])
		var others []grid
		var shares []float64
		total := 0.0
		for i, s := range styles {
			part := s
			if region != absentRegion {
				part = positionsOf(s, stylePlaces[i][region])
			}
			squares[i] += dotOf(part.v, part.v)
			rows[i] += part.h * part.w
			if len(part.v) > 0 {
				others, shares, total = append(others, part), append(shares, weights[i]), total+weights[i]
			}
		}
		if own.h == 0 {
			continue
		}
		for i := range shares {
			shares[i] /= total
		}
		loss += float64(own.h) * referenceSliced(own, others, shares, u)
		positions += own.h
	}
	power := 0.0
	for i, w := range weights {
		power += w * squares[i] / float64(rows[i]*f.c)
	}
	return loss / float64(positions) / power
}

func guidedInputs(styles int) Inputs {
	in := Inputs{Content: noisePicture(23, 17, 1), Styles: []*Picture{noisePicture(23, 15, 2), smoothPicture(13, 23, 5)}[:styles]}
	g := Guide{Canvas: labelMap(23, 17, testRegions, canvasLabel)}
	for i, s := range in.Styles {
		g.Styles = append(g.Styles, labelMap(s.W, s.H, testRegions, styleLabels(i)))
	}
	in.Guides = []Guide{g}
	return in
}

// guidedObjective sets up a guided sliced loss and evaluates it at x.
func guidedObjective(t *testing.T, env Env, o Options, x *Picture, in Inputs) *objective {
	t.Helper()
	if err := checkInputs(in, o); err != nil {
		t.Fatal(err)
	}
	o.Size = "content"
	plan, err := NewPlan(x.W, x.H, o, env)
	if err != nil {
		t.Fatal(err)
	}
	return objectiveFor(t, env, plan, x, in)
}

// TestGuidedSlicedLoss compares the guided loss and its gradient, along directions in
// which all pixels move, with the float64 reference, on the CPU and on a device: a region
// of one pixel, which the second layer no longer has, one that no painting has, and
// paintings that lack some.
func TestGuidedSlicedLoss(t *testing.T) {
	for _, styles := range []int{1, 2} {
		n := tinyNetwork(7)
		o := tinyPreset(t, "default")
		o.StyleLoss, o.ContentWeight, o.TVWeight, o.StyleWeight = LossSliced, 0, 0, 3
		o.StyleLayers = []LayerWeight{{"relu1_1", 1}, {"relu2_1", 3}}
		weights := []float64{1}
		if styles == 2 {
			o.StyleWeights, weights = []float64{3, 1}, []float64{0.75, 0.25}
		}
		in, x := guidedInputs(styles), noisePicture(23, 17, 3)
		ob := guidedObjective(t, Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 2}), Network: n}, o, x, in)
		paintings, places := map[string][]grid{}, map[string][][][]int{}
		cells := map[string]int{"relu1_1": 1, "relu2_1": 2}
		for i, s := range in.Styles {
			for layer, f := range features(n, asGrid(s, n, o), o) {
				paintings[layer] = append(paintings[layer], f)
				if cell := cells[layer]; cell > 0 {
					places[layer] = append(places[layer], referencePositions(s.W, s.H, f.w, f.h, cell, styleLabels(i), true))
				}
			}
		}
		loss := func(g grid) float64 {
			total, all := 0.0, features(n, g, o)
			for _, l := range o.StyleLayers {
				f := all[l.Layer]
				own := referencePositions(23, 17, f.w, f.h, cells[l.Layer], canvasLabel, false)
				u := unitVectors(randomFor(o.Seed, fmt.Sprintf("directions %s %v 0", l.Layer, ob.x.Shape)), f.c, f.c)
				total += 3 * slicedBalance * l.Weight / 4 * referenceGuided(f, own, paintings[l.Layer], places[l.Layer], weights, u)
			}
			return total
		}
		want := loss(asGrid(x, n, o))
		near(t, fmt.Sprint(styles, " style"), ob.report(ob.b.Status()).Style, want, 1e-5)
		checkDirections(t, fmt.Sprint(styles, " style"), ob, asGrid(x, n, o), loss, kinkedLoss)
		env, _ := deviceEnv(t)
		env.Network = n
		near(t, fmt.Sprint(styles, " style on a device"), func() float64 {
			ob := guidedObjective(t, env, o, x, in)
			return ob.report(ob.b.Status()).Style
		}(), want, 1e-5)
	}
}

// TestGuidedSlicedPicture: threads, tiles and several backends paint the same bytes, and
// maps change the picture.
func TestGuidedSlicedPicture(t *testing.T) {
	n := deepNetwork(t)
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.UseStyleLoss(LossSliced, "vgg19")
	o.StyleLayers = []LayerWeight{{"relu1_1", 1}, {"relu3_1", 1}}
	in := Inputs{Content: smoothPicture(203, 171, 1), Styles: []*Picture{noisePicture(190, 130, 2)}}
	in.Guides = []Guide{{
		Canvas: labelMap(203, 171, 3, func(x, y int) int { return min(2, (x+y)/90) }),
		Styles: []*Map{labelMap(190, 130, 3, func(x, _ int) int { return min(2, x/70) })},
	}}
	x := noisePicture(203, 171, 3)
	env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 2}), Network: n}
	whole := guidedObjective(t, env, o, x, in)
	o.Tile = "64"
	sameGradient(t, "tiles", guidedObjective(t, env, o, x, in), whole)

	o.Size, o.Scales, o.Iterations = "content", 1, []int{3}
	paint := func(threads, others int, in Inputs) []float32 {
		env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: threads}), Network: n, Cache: &Cache{}}
		for range others {
			env.Others = append(env.Others, gpu.NewCPU(gpu.CPUOptions{Threads: 1}))
		}
		r, err := Art(context.Background(), in, o, env)
		if err != nil {
			t.Fatal(err)
		}
		return r.Picture.Pix
	}
	one := paint(1, 0, in)
	if !slices.Equal(one, paint(3, 0, in)) || !slices.Equal(one, paint(1, 1, in)) {
		t.Error("threads or backends change the picture")
	}
	in.Guides = nil
	if slices.Equal(one, paint(1, 0, in)) {
		t.Error("maps change nothing")
	}
}

// TestRegionsOfMaps: values of several maps make regions together, the size of a map
// does not matter, and regions that a painting lacks are compared with the nearest.
func TestRegionsOfMaps(t *testing.T) {
	label := func(x, y int) int { return min(2, x/3) }
	small := valuesOf([]*Map{labelMap(8, 5, 3, label)})
	large := valuesOf([]*Map{labelMap(16, 10, 3, func(x, y int) int { return label(x/2, y/2) })})
	lists := func(v *mapValues) [][]int32 {
		return (&regions{canvas: v}).canvasPositions(gpu.Shape{H: 2, W: 4, C: 1}, 8, 5, 2)
	}
	if a, b := fmt.Sprint(lists(small)), fmt.Sprint(lists(large)); a != b || a != "[[0 1 4 5] [2 6] [3 7]]" {
		t.Errorf("positions %v, of the larger map %v", a, b)
	}

	shades := func(v ...float32) *Map { return &Map{W: len(v), H: 1, C: 1, Pix: v} }
	o := Options{}
	o.MapWeights = []float64{1, 4}
	r := o.newRegions([]Guide{
		{Canvas: shades(0, 0.5, 1, 1), Styles: []*Map{shades(0.1, 0.8), shades(0.4, 0.9)}},
		{Canvas: shades(0, 0, 0, 1), Styles: []*Map{shades(0, 1), shades(0, 0)}},
	}, 2)
	// The fourth region is 0.2^2 from the first painting's second value, and 0.1^2 + 4
	// from the second painting's.
	if got := fmt.Sprint(r.with); got != "[[[0] [] [] [1]] [[] [0] [1] []]]" {
		t.Errorf("regions are compared with %v", got)
	}
	// A value that no position of a layer has most of is found where it has most pixels.
	r = o.newRegions([]Guide{{Canvas: shades(0, 1), Styles: []*Map{shades(0, 0, 0, 0, 0, 0, 1, 0)}}}, 1)
	if got := fmt.Sprint(r.stylePositions(0, gpu.Shape{H: 1, W: 2, C: 1}, 8, 1, 4)); got != "[[0 1] [1]]" {
		t.Errorf("positions %v", got)
	}
	// Of many positions some are drawn, of each region at least one.
	at, ends := thin([][]int32{{4, 5, 6, 7, 8, 9}, nil, {1}, {2, 3}}, slicedValues/4, nil)
	if len(at) != 4 || fmt.Sprint(ends) != "[2 2 3 4]" || at[2] != 1 {
		t.Errorf("of regions, %v remain, ending at %v", at, ends)
	}
}

// TestGuidedSlicedFaults: maps that guide nothing, or have no regions.
func TestGuidedSlicedFaults(t *testing.T) {
	in, o := guidedInputs(1), tinyPreset(t, "default")
	fault := func(in Inputs, o Options) string {
		var faults Problems
		if errors.As(checkInputs(in, o), &faults) {
			return faults.Error()
		}
		return ""
	}
	if got := fault(in, o); !strings.Contains(got, "maps guide the style loss sliced, not moments") {
		t.Errorf("with the default loss: %q", got)
	}
	o.StyleLoss = LossSliced
	if got := fault(in, o); got != "" {
		t.Errorf("with the sliced loss: %q", got)
	}
	in.Guides[0].Canvas = MapOf(noisePicture(23, 17, 1))
	in.Guides[0].Styles[0] = MapOf(in.Styles[0])
	if got := fault(in, o); !strings.Contains(got, "the map of the canvas has more than 255 different values") {
		t.Errorf("with a photograph for a map: %q", got)
	}
}
