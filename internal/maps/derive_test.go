package maps

import (
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/testutil"
)

// matched is the share of pixels that agree when every region stands for the
// truth it has most pixels of.
func matched(m *Map, truth []uint8) float64 {
	votes := make([][256]int, len(m.Regions))
	for i, l := range m.Labels {
		votes[l][truth[i]]++
	}
	right := 0
	for _, v := range votes {
		right += slices.Max(v[:])
	}
	return float64(right) / float64(len(truth))
}

// painted is the scene in muted colours, with strokes and canvas grain over it.
func painted(w, h int) (*picture.Picture, []uint8) {
	p, truth := scene(w, h, [4]color.NRGBA{rgb(120, 150, 190), rgb(40, 60, 90), rgb(230, 210, 130), rgb(110, 60, 40)})
	random := rand.New(rand.NewPCG(5, 6))
	for y := range h {
		for x := range w {
			stroke := 0.05 * math.Sin(float64(x)*0.7+3*math.Sin(float64(y)*0.21))
			for c := range 3 {
				v := &p.Pix[3*(y*w+x)+c]
				*v = float32(min(1, max(0, float64(*v)+stroke+0.05*random.NormFloat64())))
			}
		}
	}
	return p, truth
}

func TestDeriveRecoversPlantedRegions(t *testing.T) {
	for _, size := range [][2]int{{320, 240}, {241, 331}, {900, 610}} {
		p, truth := painted(size[0], size[1])
		m, err := Derive(p, DeriveOptions{Regions: 4})
		if err != nil {
			t.Fatal(err)
		}
		if m.W != p.W || m.H != p.H || len(m.Regions) < 3 || len(m.Regions) > 4 {
			t.Errorf("%v: %dx%d, %d regions", size, m.W, m.H, len(m.Regions))
		}
		if got := matched(m, truth); got < 0.95 {
			t.Errorf("%v: %.4f of the pixels are in their region, want 0.95", size, got)
		}
		again, _ := Derive(p, DeriveOptions{Regions: 4})
		if !slices.Equal(m.Labels, again.Labels) || !slices.Equal(m.Regions, again.Regions) {
			t.Errorf("%v: a second run gives another map", size)
		}
	}
}

// Where colour says nothing, features must, as far as their cells of four
// pixels allow.
func TestDeriveUsesFeatures(t *testing.T) {
	const w, h = 192, 160
	p, truth := painted(w, h)
	for i := range p.Pix {
		p.Pix[i] = 0.5
	}
	see := func(q *picture.Picture) ([]Features, error) {
		f := Features{H: q.H / 4, W: q.W / 4, C: 5}
		f.V = make([]float32, f.H*f.W*f.C)
		for y := range f.H {
			for x := range f.W {
				// The picture lies within a margin of mirrored pixels.
				u, v := min(max(4*x+2-margin, 0), w-1), min(max(4*y+2-margin, 0), h-1)
				f.V[(y*f.W+x)*f.C+int(truth[v*w+u])] = 7
			}
		}
		return []Features{f}, nil
	}
	m, err := Derive(p, DeriveOptions{Regions: 3, Features: see})
	if err != nil {
		t.Fatal(err)
	}
	if got := matched(m, truth); got < 0.95 {
		t.Errorf("%.4f of the pixels are in their region by features alone, want 0.95", got)
	}
}

func TestDeriveMergesIslandsAndKeepsColoursApart(t *testing.T) {
	p, _ := painted(300, 200)
	m, err := Derive(p, DeriveOptions{Regions: 8})
	if err != nil {
		t.Fatal(err)
	}
	pieces, _ := m.pieces()
	for _, q := range pieces {
		if float64(q.pixels) < smallest*float64(len(m.Labels)) {
			t.Errorf("an island of %d pixels is left", q.pixels)
		}
	}
	for i, a := range m.Regions {
		for _, b := range m.Regions[:i] {
			if Distance(a.Colour, b.Colour) < 127 {
				t.Errorf("%s and %s are near", a, b)
			}
		}
	}
	if found := Check(Side{Path: "x.png", Map: m, Source: &Source{Exact: true}}); slices.ContainsFunc(found, func(f Finding) bool { return f.Severity != Note }) {
		t.Errorf("a derived map has faults: %+v", found)
	}
}

// TestDeriveMergesWhatVanishes: a spot that fills no cell of relu4_1 by half becomes no
// region, because lint would refuse the map.
func TestDeriveMergesWhatVanishes(t *testing.T) {
	p := block(halves(), 11, 11, 10, 10, color.NRGBA{0, 255, 0, 255})
	m, err := Derive(p, DeriveOptions{Regions: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, cover := range m.Coverage(CoarsestCell) {
		if cover < leastCover {
			t.Errorf("%s fills %.2f of a cell at most", m.Regions[i], cover)
		}
	}
	if len(m.Regions) != 2 {
		t.Errorf("%d regions, want the two halves", len(m.Regions))
	}
}

func TestDeriveRefuses(t *testing.T) {
	p, _ := painted(100, 80)
	for _, c := range []struct {
		p    *picture.Picture
		k    int
		want string
	}{
		{p, 2, "with 3 to 16 regions, not 2"},
		{p, 17, "not 17"},
		{picture.New(31, 80), 4, "31x80 is too small"},
		{picture.New(100, 80), 4, "no regions that differ"},
	} {
		if _, err := Derive(c.p, DeriveOptions{Regions: c.k}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%dx%d in %d: %v, want %q", c.p.W, c.p.H, c.k, err, c.want)
		}
	}
}

// Lab of known colours, by the formulas with their published constants.
func TestLab(t *testing.T) {
	p := picture.New(5, 1)
	for x, c := range []color.NRGBA{rgb(255, 255, 255), rgb(0, 0, 0), rgb(255, 0, 0), rgb(0, 0, 255), rgb(119, 119, 119)} {
		set(p, x, 0, c)
	}
	// Values of the CIE's formulas for sRGB and D65, as tables print them.
	want := []float64{100, 0, 0, 0, 0, 0, 53.24, 80.09, 67.20, 32.30, 79.19, -107.86, 50.03, 0, 0}
	testutil.Close(t, "lab", lab(p), want, 0.02, 0)
}

func TestSuperpixelsAreConnectedAndFollowEdges(t *testing.T) {
	p, truth := painted(150, 110)
	colours := lab(p)
	blur(colours, p.W, p.H, 3, 1)
	of, cells := superpixels(colours, p.W, p.H, 200, compactness)
	if cells < 100 || cells > 300 {
		t.Errorf("%d cells where 200 were asked for", cells)
	}
	// Numbered as connected parts are, a cell must be one part.
	seen := make([]bool, cells)
	visited := make([]bool, len(of))
	m := blank(p.W, p.H, []Region{{}})
	for i := range of {
		if visited[i] {
			continue
		}
		if seen[of[i]] {
			t.Fatalf("cell %d has two parts", of[i])
		}
		seen[of[i]] = true
		stack := []int{i}
		visited[i] = true
		for len(stack) > 0 {
			j := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			m.each4(j, func(k int) {
				if !visited[k] && of[k] == of[i] {
					visited[k] = true
					stack = append(stack, k)
				}
			})
		}
	}
	votes := make([][4]int, cells)
	for i, c := range of {
		votes[c][truth[i]]++
	}
	right := 0
	for _, v := range votes {
		right += slices.Max(v[:])
	}
	if share := float64(right) / float64(len(of)); share < 0.97 {
		t.Errorf("cells keep to %.4f of the edges, want 0.97", share)
	}
}

// On points whose best grouping is known, k-means must find it.
func TestKMeansFindsTheGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 20 {
		k := 2 + random.IntN(5)
		p := points{d: 3}
		var truth []int
		for g := range k {
			for range 5 + random.IntN(40) {
				p.v = append(p.v, 10*float64(g)+random.NormFloat64(), -7*float64(g*g)+random.NormFloat64(), random.NormFloat64())
				p.weight = append(p.weight, 1+random.Float64())
				truth = append(truth, g)
				p.n++
			}
		}
		group, means := p.kmeans(k, 12)
		name := map[int]int{}
		for i, g := range group {
			if was, ok := name[truth[i]]; ok && was != g {
				t.Fatalf("%d groups: points of one are in two", k)
			}
			name[truth[i]] = g
		}
		for g := range k { // each mean is that of its members
			var sum, total float64
			for i := range p.n {
				if group[i] == g {
					sum += p.weight[i] * p.at(i)[0]
					total += p.weight[i]
				}
			}
			if math.Abs(means[g*3]-sum/total) > 1e-9 {
				t.Errorf("mean %d is %v, want %v", g, means[g*3], sum/total)
			}
		}
	}
}

// Principal components of points spread along known axes.
func TestPrincipalKeepsTheWidestDirections(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	p := points{d: 6}
	var first []float64
	for range 400 {
		a, b := 9*random.NormFloat64(), 3*random.NormFloat64()
		noise := func() float64 { return 0.1 * random.NormFloat64() }
		p.v = append(p.v, 0.6*a+noise()+4, 0.8*a+noise(), b+noise(), noise(), noise(), noise())
		p.weight = append(p.weight, 1)
		first = append(first, a)
		p.n++
	}
	q, was := p.principal(2)
	dot, aa, qq, variance := 0.0, 0.0, 0.0, 0.0
	for i, a := range first {
		dot += a * q.at(i)[0]
		aa += a * a
		qq += q.at(i)[0] * q.at(i)[0]
		variance += distance2(q.at(i), []float64{0, 0}) / float64(p.n)
	}
	if r := math.Abs(dot) / math.Sqrt(aa*qq); r < 0.995 {
		t.Errorf("the first component correlates %.4f with the widest direction", r)
	}
	if math.Abs(variance-1) > 1e-9 || math.Abs(was-90) > 15 {
		t.Errorf("the variance is %v, want 1, and was %v, want about 81 + 9", variance, was)
	}
}
