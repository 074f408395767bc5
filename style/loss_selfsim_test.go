package style

import (
	"math"
	"slices"
	"testing"
)

// referenceSelfSim is 1/n sum |P - T| at positions, with P_ij = M_ij / sum_k M_kj
// the shares of the distances M_ij = 1 - cos(x_i, x_j), by columns as Kolkin et
// al. have them.
func referenceSelfSim(f, photo grid, positions []int32) float64 {
	shares := func(g grid) [][]float64 {
		n := len(positions)
		m := make([][]float64, n)
		at := func(i int) []float64 { return g.v[int(positions[i])*g.c:][:g.c] }
		length := func(x []float64) float64 { return math.Sqrt(dotOf(x, x)) }
		for i := range n {
			m[i] = make([]float64, n)
			for j := range n {
				if d := 1 - dotOf(at(i), at(j))/math.Max(length(at(i))*length(at(j)), 1e-30); i != j && d >= 1e-5 {
					m[i][j] = d
				}
			}
		}
		for j := range n {
			total := 0.0
			for i := range n {
				total += m[i][j]
			}
			for i := range n {
				m[i][j] /= math.Max(total, 1e-30)
			}
		}
		return m
	}
	p, t, loss := shares(f), shares(photo), 0.0
	for i := range p {
		for j := range p {
			loss += math.Abs(p[i][j] - t[i][j])
		}
	}
	return loss / float64(len(positions))
}

func dotOf(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// TestSelfSimContent compares the content loss and the image's gradient, along
// directions in which all pixels move, with the float64 reference.
func TestSelfSimContent(t *testing.T) {
	n := tinyNetwork(7)
	const w, h = 23, 17
	content, style, x := noisePicture(w, h, 1), noisePicture(w, h, 2), noisePicture(w, h, 3)
	for name, c := range map[string]struct {
		preset  string
		balance float64
	}{"relative": {"default", 3}, "mean": {"jj", 1}} {
		t.Run(name, func(t *testing.T) {
			o := tinyPreset(t, c.preset)
			o.ContentLoss, o.StyleWeight, o.TVWeight, o.ContentWeight = ContentSelfSim, 0, 0, 3
			o.ContentLayers = []LayerWeight{{"relu1_1", 1}, {"relu2_1", 3}}
			ob := engineObjective(t, n, o, x, content, style)
			photo := features(n, asGrid(content, n, o), o)
			loss := func(g grid) float64 {
				total, all := 0.0, features(n, g, o)
				for _, l := range o.ContentLayers {
					f := all[l.Layer]
					share := l.Weight
					if o.LossScale == ScaleRelative {
						share /= 4
					}
					total += 3 * c.balance * share * referenceSelfSim(f, photo[l.Layer], drawPositions(o.Seed, l.Layer, f.h*f.w, 1024))
				}
				return total
			}
			near(t, "content", ob.report(ob.b.Status()).Content, loss(asGrid(x, n, o)), 1e-5)
			checkDirections(t, "content", ob, asGrid(x, n, o), loss, kinkedLoss)
		})
	}
}

// TestDrawPositions: different ones, in order, all where there are few, the same
// for the same seed and layer alone.
func TestDrawPositions(t *testing.T) {
	all := drawPositions(1, "relu4_2", 5, 1024)
	if !slices.Equal(all, []int32{0, 1, 2, 3, 4}) {
		t.Errorf("of 5 positions %v were drawn", all)
	}
	some := drawPositions(1, "relu4_2", 5000, 1024)
	if len(some) != 1024 || !slices.IsSorted(some) || len(slices.Compact(slices.Clone(some))) != 1024 || some[1023] >= 5000 {
		t.Errorf("of 5000 positions %d were drawn, from %d to %d", len(some), some[0], some[len(some)-1])
	}
	if !slices.Equal(some, drawPositions(1, "relu4_2", 5000, 1024)) {
		t.Error("drawn again, positions are others")
	}
	if slices.Equal(some, drawPositions(2, "relu4_2", 5000, 1024)) || slices.Equal(some, drawPositions(1, "relu4_1", 5000, 1024)) {
		t.Error("another seed, or another layer, has the same positions")
	}
}

// TestContentLossOfOlderRecipes: one that names none compares features. Nor need it name
// how roots are computed.
func TestContentLossOfOlderRecipes(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.ContentLoss, o.ScaleSide, o.W2Root = "", "", ""
	if err := o.Validate("relu1_1", "relu2_1", "relu3_1"); err != nil {
		t.Error(err)
	}
	o.ContentLoss = "selfsame"
	if err := o.Validate("relu1_1", "relu2_1", "relu3_1"); err == nil {
		t.Error("selfsame was taken for a content loss")
	}
}
