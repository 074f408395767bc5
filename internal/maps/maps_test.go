package maps

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/testutil"
)

// draw makes a map from rows of letters, each a colour of colours.
func draw(t testing.TB, rows string, colours map[byte]color.NRGBA) *picture.Picture {
	t.Helper()
	lines := strings.Fields(rows)
	p := picture.New(len(lines[0]), len(lines))
	for y, line := range lines {
		for x := range line {
			c, ok := colours[line[x]]
			if !ok {
				t.Fatalf("no colour %q", line[x])
			}
			set(p, x, y, c)
		}
	}
	return p
}

// blank is a map that is all of its first region.
func blank(w, h int, regions []Region) *Map { return Of(w, h, make([]uint8, w*h), regions) }

func set(p *picture.Picture, x, y int, c color.NRGBA) {
	i := y*p.W + x
	p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = float32(c.R)/255, float32(c.G)/255, float32(c.B)/255
	if c.A != 255 && p.Alpha == nil {
		p.Alpha = make([]float32, p.W*p.H)
		for j := range p.Alpha {
			p.Alpha[j] = 1
		}
	}
	if p.Alpha != nil {
		p.Alpha[i] = float32(c.A) / 255
	}
}

var basic = map[byte]color.NRGBA{
	'r': rgb(255, 0, 0), 'g': rgb(0, 255, 0), 'b': rgb(0, 0, 255), 'k': rgb(0, 0, 0), 'w': rgb(255, 255, 255),
	'R': rgb(245, 5, 0), '-': {0, 0, 0, 0},
}

// scene paints labels 0..3: a sky, a sea below a slanting shore, a disc and a
// thin mast, and returns the truth beside the picture.
func scene(w, h int, colours [4]color.NRGBA) (*picture.Picture, []uint8) {
	p, truth := picture.New(w, h), make([]uint8, w*h)
	for y := range h {
		for x := range w {
			l := uint8(0)
			if 10*y > 6*h+x {
				l = 1
			}
			dx, dy := float64(x)-0.7*float64(w), float64(y)-0.3*float64(h)
			if math.Hypot(dx, dy) < 0.16*float64(h) {
				l = 2
			}
			if x >= w/4 && x < w/4+max(3, w/40) && y > h/5 && y < 3*h/4 {
				l = 3
			}
			truth[y*w+x] = l
			set(p, x, y, colours[l])
		}
	}
	return p, truth
}

// agreement is the share of pixels whose label, by the colour of its region,
// is the true one.
func agreement(m *Map, truth []uint8, colours [4]color.NRGBA) float64 {
	right := 0
	for i, l := range m.Labels {
		if m.Regions[l].Colour == colours[truth[i]] {
			right++
		}
	}
	return float64(right) / float64(len(truth))
}

var sceneColours = [4]color.NRGBA{rgb(0, 128, 255), rgb(0, 0, 128), rgb(255, 255, 0), rgb(200, 30, 30)}

func TestExactMapsAreReadExactly(t *testing.T) {
	for _, size := range [][2]int{{61, 47}, {160, 120}, {33, 129}} {
		p, truth := scene(size[0], size[1], sceneColours)
		m, src, err := FromPicture(p, "x.png")
		if err != nil {
			t.Fatal(err)
		}
		if got := agreement(m, truth, sceneColours); got != 1 {
			t.Errorf("%v: %.4f of the pixels agree", size, got)
		}
		if len(m.Regions) != 4 || !src.Exact || src.EdgeColors != 0 || src.Colours != 4 || src.Channels != 3 {
			t.Errorf("%v: %d regions, %+v", size, len(m.Regions), src)
		}
		for i := 1; i < len(m.Regions); i++ {
			if m.Regions[i].Pixels > m.Regions[i-1].Pixels {
				t.Errorf("%v: region %d is larger than the one before", size, i)
			}
		}
	}
}

// Soft brushes, resizes and JPEG leave colours between regions; the regions
// must come back all the same, and the stray colours must be told.
func TestRegionsSurviveWhatPeopleDoToMaps(t *testing.T) {
	hurt := map[string]func(p *picture.Picture) *picture.Picture{
		"soft brush": func(p *picture.Picture) *picture.Picture {
			for c := range 3 {
				plane := make([]float64, p.W*p.H)
				for i := range plane {
					plane[i] = float64(p.Pix[3*i+c])
				}
				boxMean(plane, p.W, p.H, 2)
				for i, v := range plane {
					p.Pix[3*i+c] = float32(v)
				}
			}
			return p
		},
		"shrunk": func(p *picture.Picture) *picture.Picture { return p.Resize(2*p.W/3, 2*p.H/3, picture.Lanczos3) },
		"JPEG 75": func(p *picture.Picture) *picture.Picture {
			return recoded(t, p, 75)
		},
		"JPEG 92": func(p *picture.Picture) *picture.Picture {
			return recoded(t, p, 92)
		},
	}
	for name, spoil := range hurt {
		p, truth := scene(320, 240, sceneColours)
		p = spoil(p)
		if p.W != 320 {
			_, truth = scene(p.W, p.H, sceneColours)
		}
		m, src, err := FromPicture(p, "x.png")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(m.Regions) != 4 {
			t.Errorf("%s: %d regions (%s), want 4; %d colours", name, len(m.Regions), m.list(nil), src.Colours)
		}
		right := 0
		for i, l := range m.Labels {
			if Distance(m.Regions[l].Colour, sceneColours[truth[i]]) <= Near {
				right++
			}
		}
		if share := float64(right) / float64(len(truth)); share < 0.985 {
			t.Errorf("%s: %.4f of the pixels agree, want 0.985", name, share)
		}
		if src.Exact || src.Colours < 50 || src.EdgeColors < 10 && name != "JPEG 92" {
			t.Errorf("%s: %d edge colours of %d, exact %v", name, src.EdgeColors, src.Colours, src.Exact)
		}
		Repair(m, src)
		again, src, err := FromPicture(m.Picture(), "y.png")
		if err != nil || !src.Exact || len(again.Regions) != 4 {
			t.Errorf("%s: once repaired it reads as %+v, %v", name, src, err)
		}
	}
}

func recoded(t *testing.T, p *picture.Picture, quality int) *picture.Picture {
	t.Helper()
	var b bytes.Buffer
	if err := picture.Encode(&b, p, picture.JPEG, picture.WriteOptions{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	q, _, err := picture.Decode(&b, "x.jpg", picture.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestNearColoursAreOneRegion(t *testing.T) {
	p := draw(t, "rrrrRRRRgggg rrrrRRRRgggg rrrrRRRRgggg rrrrRRRRgggg", basic)
	m, src, err := FromPicture(p, "x.png")
	if err != nil || len(m.Regions) != 2 || len(src.Near) != 1 {
		t.Fatalf("%v, %d regions, near %+v", err, len(m.Regions), src)
	}
	if n := src.Near[0]; m.Regions[n.Region].Colour != basic['r'] && m.Regions[n.Region].Colour != basic['R'] || n.Pixels != 16 {
		t.Errorf("pair %+v of %s", n, m.list(nil))
	}
}

func TestThinLinesAndSinglePixelsStay(t *testing.T) {
	for _, rows := range []string{
		"rrrrgbbbb rrrrgbbbb rrrrgbbbb rrrrgbbbb rrrrgbbbb", // a green line one pixel wide
		"r", "rg", "rgb bgr",
	} {
		p := draw(t, rows, basic)
		m, _, err := FromPicture(p, "x.png")
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Picture(); !slices.Equal(got.Pix, p.Pix) {
			t.Errorf("%q changed: %s", rows, m.list(nil))
		}
	}
}

func TestPhotographsAreNoMaps(t *testing.T) {
	p := picture.New(64, 48)
	for i := range p.Pix {
		p.Pix[i] = float32(rand.New(rand.NewPCG(1, uint64(i))).Float64())
	}
	_, _, err := FromPicture(p, "photo.png")
	if err == nil || !strings.Contains(err.Error(), "a picture, not a map") {
		t.Errorf("noise read as a map: %v", err)
	}
	many := picture.New(18*20, 18*20) // 400 flat squares of colours far apart
	for y := range many.H {
		for x := range many.W {
			k := y/18*20 + x/18
			set(many, x, y, rgb(uint8(k%8*36), uint8(k/8%8*36), uint8(k/64*36)))
		}
	}
	if _, _, err = FromPicture(many, "many.png"); err == nil || !strings.Contains(err.Error(), "more than 255 regions") {
		t.Errorf("400 regions: %v", err)
	}
}

// Resize must give each pixel the label that covers most of its area: compared
// with a plain count on a grid fine enough to be exact.
func TestResizeTakesWhatCoversMost(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		w, h := 1+random.IntN(13), 1+random.IntN(11)
		w2, h2 := 1+random.IntN(17), 1+random.IntN(9)
		m := blank(w, h, []Region{{Colour: basic['r']}, {Colour: basic['g']}, {Colour: basic['b']}})
		for i := range m.Labels {
			m.Labels[i] = uint8(random.IntN(3))
		}
		got := m.Resize(w2, h2)
		for y := range h2 {
			for x := range w2 {
				var cover [3]float64
				for v := range h {
					for u := range w {
						wide := math.Min(float64(x+1)/float64(w2), float64(u+1)/float64(w)) - math.Max(float64(x)/float64(w2), float64(u)/float64(w))
						high := math.Min(float64(y+1)/float64(h2), float64(v+1)/float64(h)) - math.Max(float64(y)/float64(h2), float64(v)/float64(h))
						if wide > 0 && high > 0 {
							cover[m.Labels[v*w+u]] += wide * high
						}
					}
				}
				l := got.Labels[y*w2+x]
				for other, c := range cover {
					if c > cover[l]+1e-12 {
						t.Fatalf("%dx%d to %dx%d at %d,%d: took %d (%v), but %d covers %v", w, h, w2, h2, x, y, l, cover[l], other, c)
					}
				}
			}
		}
	}
}

func TestSoftBordersAddUpToOne(t *testing.T) {
	p, _ := scene(47, 31, sceneColours)
	m, _, _ := FromPicture(p, "x.png")
	for _, radius := range []int{0, 1, 4, 60} {
		sum := make([]float64, len(m.Labels))
		for r := range m.Regions {
			soft := m.Soft(r, radius)
			want := make([]float64, len(soft)) // the mean over the square, pixel by pixel
			for y := range m.H {
				for x := range m.W {
					n, in := 0, 0
					for v := max(0, y-radius); v <= min(m.H-1, y+radius); v++ {
						for u := max(0, x-radius); u <= min(m.W-1, x+radius); u++ {
							n++
							if int(m.Labels[v*m.W+u]) == r {
								in++
							}
						}
					}
					want[y*m.W+x] = float64(in) / float64(n)
				}
			}
			testutil.Close(t, "soft", soft, want, 1e-6, 1e-6)
			for i, v := range soft {
				sum[i] += float64(v)
			}
		}
		for i, v := range sum {
			if math.Abs(v-1) > 1e-5 {
				t.Fatalf("radius %d: weights of pixel %d add up to %v", radius, i, v)
			}
		}
	}
}

func TestCoverageIsTheLargestBlockMean(t *testing.T) {
	p, _ := scene(61, 43, sceneColours)
	m, _, _ := FromPicture(p, "x.png")
	for _, n := range []int{1, 2, 8, 32, 100} {
		got := m.Coverage(n)
		for r := range m.Regions {
			want := 0.0
			for y := 0; y < m.H; y += n {
				for x := 0; x < m.W; x += n {
					in, all := 0.0, 0.0
					for v := y; v < min(y+n, m.H); v++ {
						for u := x; u < min(x+n, m.W); u++ {
							all++
							if int(m.Labels[v*m.W+u]) == r {
								in++
							}
						}
					}
					want = math.Max(want, in/all)
				}
			}
			if math.Abs(got[r]-want) > 1e-12 {
				t.Errorf("cells of %d, region %d: %v, want %v", n, r, got[r], want)
			}
		}
	}
}

func TestWidthIsTheLargestSquare(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		m := blank(1+random.IntN(12), 1+random.IntN(12), []Region{{}, {}})
		for i := range m.Labels {
			if random.IntN(4) == 0 {
				m.Labels[i] = 1
			}
		}
		want := []int{0, 0}
		for y := range m.H {
			for x := range m.W {
				for s := 1; x+s <= m.W && y+s <= m.H; s++ {
					same := true
					for v := y; v < y+s; v++ {
						for u := x; u < x+s; u++ {
							same = same && m.Labels[v*m.W+u] == m.Labels[y*m.W+x]
						}
					}
					if same {
						l := m.Labels[y*m.W+x]
						want[l] = max(want[l], s)
					}
				}
			}
		}
		if got := m.Width(); !slices.Equal(got, want) {
			t.Fatalf("%dx%d: widths %v, want %v", m.W, m.H, got, want)
		}
	}
}

func TestMergeSpecksLeavesNoneAndKeepsTheRest(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 1))
	p, truth := scene(90, 70, sceneColours)
	m, _, _ := FromPicture(p, "x.png")
	for range 120 { // dirt of one and two pixels
		i := random.IntN(len(m.Labels) - 1)
		m.Labels[i] = uint8(random.IntN(4))
		m.Labels[i+1] = m.Labels[i]
	}
	if m.MergeSpecks(12) == 0 {
		t.Error("nothing was merged")
	}
	pieces, _ := m.pieces()
	for _, p := range pieces {
		if p.pixels < 12 {
			t.Errorf("a piece of %d pixels is left", p.pixels)
		}
	}
	if got := agreement(m, truth, sceneColours); got < 0.98 {
		t.Errorf("%.4f of the pixels agree once the dirt is gone", got)
	}
	one := blank(3, 3, []Region{{Colour: basic['r']}})
	if one.MergeSpecks(100); len(one.Regions) != 1 || one.Regions[0].Pixels != 9 {
		t.Errorf("a map of one small piece became %+v", one.Regions)
	}
}

func TestRecolorMergeAndFind(t *testing.T) {
	p, _ := scene(60, 40, sceneColours)
	m, _, _ := FromPicture(p, "x.png")
	if err := m.ReadLegend(strings.NewReader("; our scene\n\n#0080ff sky\nyellow sun\n#123456 nowhere\n"), "x.txt"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]color.NRGBA{
		"sky": sceneColours[0], "SKY": sceneColours[0], "sun": sceneColours[2], "navy": sceneColours[1], "#000080": sceneColours[1],
		"0,130,250": sceneColours[0], "#c81e1e": sceneColours[3],
	} {
		if i, err := m.Find(text); err != nil || m.Regions[i].Colour != want {
			t.Errorf("%q is %v, %v", text, i, err)
		}
	}
	for text, hint := range map[string]string{"sku": "sky", "#ffffff": "", "navi": "navy"} {
		_, err := m.Find(text)
		e, ok := err.(*Error)
		if !ok || hint != "" && (len(e.Try()) == 0 || e.Try()[0] != fmt.Sprintf("did you mean %q?", hint)) {
			t.Errorf("%q: %v, want a hint at %q", text, err, hint)
		}
	}
	sky, _ := m.Find("sky")
	if err := m.Recolor(sky, rgb(250, 250, 0)); err == nil {
		t.Error("sky may take the sun's colour")
	}
	if err := m.Recolor(sky, rgb(255, 0, 255)); err != nil {
		t.Error(err)
	}
	sun, _ := m.Find("sun")
	area := m.Regions[sky].Pixels + m.Regions[sun].Pixels
	m.Merge([]int{sun, sky})
	if i, err := m.Find("sun"); err != nil || m.Regions[i].Pixels != area || len(m.Regions) != 3 {
		t.Errorf("merged: %s, %v", m.list(nil), err)
	}
	if err := m.ReadLegend(strings.NewReader("#0080ff\n"), "x.txt"); err == nil || !strings.Contains(err.Error(), "x.txt:1:") {
		t.Errorf("a line without a name: %v", err)
	}
}

func TestSharedJoinsNearColours(t *testing.T) {
	a := blank(2, 1, []Region{{Colour: rgb(255, 0, 0)}, {Colour: rgb(0, 255, 0)}})
	b := blank(2, 1, []Region{{Colour: rgb(0, 250, 5)}, {Colour: rgb(0, 0, 255)}, {Colour: rgb(250, 0, 0)}})
	table, fromA, fromB := Shared(a, b)
	if len(table) != 3 || !slices.Equal(fromA, []int{0, 1}) || !slices.Equal(fromB, []int{1, 2, 0}) {
		t.Errorf("table %v, %v, %v", table, fromA, fromB)
	}
}

func TestPaletteIsFarApart(t *testing.T) {
	for i, a := range Palette {
		for _, b := range Palette[:i] {
			if d, by := Distance(a.Colour, b.Colour), angle(a.Colour, b.Colour); d < 127 || by < 18 {
				t.Errorf("%s and %s are %.0f and %.1f degrees apart", a, b, d, by)
			}
		}
		if c, err := ParseColour(a.Name); err != nil || c != a.Colour || Word(c) != a.Name {
			t.Errorf("%s does not read back: %v", a, err)
		}
	}
}

// checkWhole fails unless every pixel of a map is one of its regions, of which
// none is empty, and the map can be checked, repaired and written.
func checkWhole(t *testing.T, m *Map, src *Source) {
	t.Helper()
	if len(m.Labels) != m.W*m.H || len(m.Regions) == 0 || len(m.Regions) > MaxRegions {
		t.Fatalf("%dx%d with %d labels of %d regions", m.W, m.H, len(m.Labels), len(m.Regions))
	}
	area := 0
	for i, r := range m.Regions {
		if r.Pixels == 0 {
			t.Errorf("region %d is empty", i)
		}
		area += r.Pixels
	}
	if area != len(m.Labels) {
		t.Errorf("regions cover %d of %d pixels", area, len(m.Labels))
	}
	for _, f := range Check(Side{Path: "fuzz.png", Map: m, Source: src}) {
		if f.Message == "" || f.Severity == Fault && len(f.Try) == 0 {
			t.Errorf("finding %+v", f)
		}
	}
	Repair(m, src)
	if _, err := m.Encode(); err != nil {
		t.Error(err)
	}
}

// The reader meets files from anywhere.
func FuzzDecode(f *testing.F) {
	for _, rows := range []string{"r", "rgb bgr kkk", "rrrrRRRRgggg rr--RRRRgggg", "kwkwkw wkwkwk"} {
		p := draw(f, rows, basic)
		for _, format := range []picture.Format{picture.PNG, picture.JPEG, picture.WebP} {
			var b bytes.Buffer
			if err := picture.Encode(&b, p, format, picture.WriteOptions{}); err != nil {
				f.Fatal(err)
			}
			f.Add(b.Bytes(), "#ff0000 sky\n")
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, legend string) {
		p, info, err := picture.Decode(bytes.NewReader(file), "fuzz.png", picture.ReadOptions{MaxPixels: 1 << 12})
		if err != nil {
			return
		}
		m, src, err := fromPicture(p, info)
		if err != nil {
			return
		}
		_ = m.ReadLegend(strings.NewReader(legend), "fuzz.txt")
		checkWhole(t, m, src)
	})
}

// Whatever was drawn, a byte a pixel: two bits of each channel and of alpha.
func FuzzFromPicture(f *testing.F) {
	f.Add(3, []byte("abcabcabc"))
	f.Add(7, bytes.Repeat([]byte{0xff, 0xfc, 0xf3}, 40))
	f.Fuzz(func(t *testing.T, w int, pixels []byte) {
		if w < 1 || w > 64 || len(pixels) < w || len(pixels) > 1<<12 {
			return
		}
		p := picture.New(w, len(pixels)/w)
		for i := range p.W * p.H {
			b := pixels[i]
			set(p, i%w, i/w, color.NRGBA{b >> 6 * 85, b >> 4 & 3 * 85, b >> 2 & 3 * 85, 255 - b&3*85})
		}
		if m, src, err := FromPicture(p, "fuzz.png"); err == nil {
			checkWhole(t, m, src)
		}
	})
}
