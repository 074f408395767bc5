package style

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"
)

// referenceSliced is the mean over directions and positions of (sort_i(u.F) - q_i)^2, as in
// Heitz et al., with q the weighted mean of the paintings' quantiles.
func referenceSliced(f grid, styles []grid, weights []float64, directions []float32) float64 {
	along := func(g grid, d int) []float64 {
		v := make([]float64, g.h*g.w)
		for p := range v {
			for c := range g.c {
				v[p] += g.v[p*g.c+c] * float64(directions[d*g.c+c])
			}
		}
		sort.Float64s(v)
		return v
	}
	count, loss := len(directions)/f.c, 0.0
	for d := range count {
		v := along(f, d)
		want := make([]float64, len(v))
		for k, s := range styles {
			q := along(s, d)
			for i := range want {
				at := math.Max(0, math.Min((float64(i)+0.5)*float64(len(q))/float64(len(v))-0.5, float64(len(q)-1)))
				low := int(at)
				want[i] += weights[k] * (q[low] + (at-float64(low))*(q[min(low+1, len(q)-1)]-q[low]))
			}
		}
		for i := range v {
			loss += (v[i] - want[i]) * (v[i] - want[i]) / float64(len(v)*count)
		}
	}
	return loss
}

// TestSlicedStyle compares the style loss and the image's gradient, along directions
// in which all pixels move, with the float64 reference.
func TestSlicedStyle(t *testing.T) {
	n := tinyNetwork(7)
	const w, h = 23, 17
	content, x := noisePicture(w, h, 1), noisePicture(w, h, 3)
	for name, c := range map[string]struct {
		preset string
		blend  Blend
		styles int
	}{"relative": {"default", BlendTargets, 1}, "two": {"default", BlendLosses, 2}, "mean": {"jj", BlendTargets, 1}} {
		t.Run(name, func(t *testing.T) {
			o := tinyPreset(t, c.preset)
			o.StyleLoss, o.StyleBlend, o.ContentWeight, o.TVWeight, o.StyleWeight = LossSliced, c.blend, 0, 0, 3
			o.StyleLayers = []LayerWeight{{"relu1_1", 1}, {"relu2_1", 3}}
			pictures := []*Picture{noisePicture(w, h, 2), smoothPicture(31, 19, 5)}[:c.styles]
			weights := []float64{1}
			if c.styles == 2 {
				o.StyleWeights, weights = []float64{3, 1}, []float64{0.75, 0.25}
			}
			ob := engineObjective(t, n, o, x, content, pictures...)
			styles := map[string][]grid{}
			for _, p := range pictures {
				sw, sh := o.styleSize(p, o.side(w, h))
				for layer, g := range features(n, asGrid(p.Resize(sw, sh), n, o), o) {
					styles[layer] = append(styles[layer], g)
				}
			}
			loss := func(g grid) float64 {
				total, all := 0.0, features(n, g, o)
				for _, l := range o.StyleLayers {
					f, factor := all[l.Layer], l.Weight
					if o.LossScale == ScaleRelative {
						power := 0.0
						for k, s := range styles[l.Layer] {
							power += weights[k] * dotOf(s.v, s.v) / float64(len(s.v))
						}
						factor *= slicedBalance / (4 * power)
					}
					u := unitVectors(randomFor(o.Seed, fmt.Sprintf("directions %s %v 0", l.Layer, ob.x.Shape)), f.c, f.c)
					total += 3 * factor * referenceSliced(f, styles[l.Layer], weights, u)
				}
				return total
			}
			near(t, "style", ob.report(ob.b.Status()).Style, loss(asGrid(x, n, o)), 1e-5)
			checkDirections(t, "style", ob, asGrid(x, n, o), loss, kinkedLoss)
		})
	}
}

// TestSlicedTurns: directions come from the seed and change after sliced-hold iterations;
// without sliced-hold they stay.
func TestSlicedTurns(t *testing.T) {
	n := tinyNetwork(7)
	content, style, x := noisePicture(23, 17, 1), noisePicture(23, 17, 2), noisePicture(23, 17, 3)
	values := func(o Options, iterations ...int) (losses []float64, restarts []bool) {
		o.StyleLoss = LossSliced
		ob := engineObjective(t, n, o, x, content, style)
		for _, it := range iterations {
			restarts = append(restarts, ob.turn(it))
			ob.evaluate()
			losses = append(losses, ob.report(ob.b.Status()).Style)
		}
		return losses, restarts
	}
	o := tinyPreset(t, "default")
	held, restarts := values(o, 1, 2, 50)
	if held[0] != held[1] || held[0] != held[2] || slices.Contains(restarts, true) {
		t.Errorf("directions that are held give %v, restarts %v", held, restarts)
	}
	o.SlicedHold = 3
	turning, restarts := values(o, 1, 3, 4, 6, 7)
	if turning[0] != held[0] || turning[0] != turning[1] || turning[1] == turning[2] || turning[2] != turning[3] || turning[3] == turning[4] {
		t.Errorf("directions held for 3 iterations give %v", turning)
	}
	if !slices.Equal(restarts, []bool{false, false, true, false, true}) {
		t.Errorf("L-BFGS restarts at %v", restarts)
	}
	if again, _ := values(o, 6); again[0] != turning[3] {
		t.Errorf("taken up in the middle, the loss is %g, want %g", again[0], turning[3])
	}
	o.Seed++
	if other, _ := values(o, 1); other[0] == turning[0] {
		t.Error("another seed has the same directions")
	}
}

// TestSlicedPositions: all of few positions are taken, of many one from each equal part.
func TestSlicedPositions(t *testing.T) {
	for _, c := range []struct{ positions, channels, want int }{
		{1, 64, 1}, {500, 512, 500}, {1 << 20, 64, 65536}, {1 << 20, 8, 65536}, {1 << 20, 128, 32768}, {1 << 20, 512, 8192},
	} {
		if n := slicedCount(c.positions, c.channels); n != c.want {
			t.Errorf("of %d positions with %d channels %d are looked at, want %d", c.positions, c.channels, n, c.want)
		}
	}
	if all := strata(5, 5, randomFor(1, "")); !slices.Equal(all, []int32{0, 1, 2, 3, 4}) {
		t.Errorf("of 5 positions %v were drawn", all)
	}
	for i, p := range strata(100, 1234, randomFor(1, "")) {
		if int(p) < i*1234/100 || int(p) >= (i+1)*1234/100 {
			t.Errorf("position %d is %d", i, p)
		}
	}
}

// TestSlicedLayers: the default layers are those that the network has.
func TestSlicedLayers(t *testing.T) {
	for network, want := range map[string]int{"vgg19": 12, "mini": 8} {
		o := DefaultOptions(ModeArt, "cpu", network)
		o.UseStyleLoss(LossSliced, network)
		if len(o.StyleLayers) != want || o.StyleLoss != LossSliced {
			t.Errorf("%s: %s at %v", network, o.StyleLoss, o.StyleLayers)
		}
		gram := DefaultOptions(ModeArt, "cpu", network)
		gram.UseStyleLoss(LossGram, network)
		if gram.StyleLoss != LossGram || len(gram.StyleLayers) != 5 {
			t.Errorf("%s: %s at %v", network, gram.StyleLoss, gram.StyleLayers)
		}
	}
}
