package explain

import (
	"bytes"
	"encoding/json"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// field is a correspondence over a canvas of w x h pixels at a layer with cells
// of 4 pixels, patches of 3 positions, and a painting of pw x ph; every canvas
// patch is matched with what choose returns.
func field(w, h, pw, ph int, choose func(x, y, cols, rows int) (col, row int)) *style.Correspondence {
	c := &style.Correspondence{Layer: "relu3_1", Size: 3, Stride: 1, Cell: 4, CanvasW: w, CanvasH: h, W: w/4 - 2, H: h/4 - 2}
	s := style.Source{Scale: 1, W: pw, H: ph, Cols: pw/4 - 2, Rows: ph/4 - 2, Stride: 1}
	c.Sources = []style.Source{s}
	for y := range c.H {
		for x := range c.W {
			col, row := choose(x, y, s.Cols, s.Rows)
			c.Index = append(c.Index, int32(row*s.Cols+col))
			c.Score = append(c.Score, float32(x)/float32(c.W))
		}
	}
	return c
}

func noisy(w, h int, seed uint64) *picture.Picture {
	random := rand.New(rand.NewPCG(seed, 1))
	p := picture.New(w, h)
	for i := range p.Pix {
		p.Pix[i] = float32(random.Float64())
	}
	return p
}

func same(x, y, _, _ int) (int, int) { return x, y }

// Patches that all came from their own place must give the painting back.
func TestReplayOfTheIdentityIsThePainting(t *testing.T) {
	p := noisy(64, 48, 3)
	got := Replay(field(64, 48, 64, 48, same), []*picture.Picture{p}, 64, 48)
	for i := range p.Pix {
		if math.Abs(float64(got.Pix[i]-p.Pix[i])) > 1e-5 {
			t.Fatalf("value %d is %v, want %v", i, got.Pix[i], p.Pix[i])
		}
	}
}

// A shift by whole cells must shift the picture, and at twice the size the
// larger scan's own pixels must come through.
func TestReplayFollowsShiftsAndSizes(t *testing.T) {
	shifted := func(x, y, _, _ int) (int, int) { return x + 5, y + 2 }
	c := field(64, 48, 96, 64, shifted)
	large := noisy(192, 128, 4)
	got := Replay(c, []*picture.Picture{large}, 128, 96)
	for y := range 96 {
		for x := range 128 {
			for k := range 3 {
				want := large.Pix[3*((y+16)*192+x+40)+k]
				if v := got.Pix[3*(y*128+x)+k]; math.Abs(float64(v-want)) > 1e-5 {
					t.Fatalf("at %d,%d: %v, want %v", x, y, v, want)
				}
			}
		}
	}
}

// A turned view's patches must land where the turning says: here a quarter, so
// that rows become columns exactly.
func TestPlaceUndoesTurning(t *testing.T) {
	c := field(64, 48, 64, 48, same)
	c.Sources = append(c.Sources, style.Source{Angle: 90, Scale: 0.5, W: 24, H: 32, First: 14 * 10, Cols: 4, Rows: 6, Stride: 1})
	g := newGeometry(c)
	// Patch 0 of the turned view, at its corner: 12 left and 16 above the
	// middle, twice that before it was shrunk; a quarter turn takes (x, y) to
	// (-y, x).
	p := g.place(140, 0, 0)
	if math.Abs(p.u-(0.5+32.0/64)) > 1e-9 || math.Abs(p.v-(0.5-24.0/48)) > 1e-9 {
		t.Errorf("the corner is at %v, %v", p.u, p.v)
	}
	if p := g.place(140, 12, 16); math.Abs(p.u-0.5) > 1e-9 || math.Abs(p.v-0.5) > 1e-9 {
		t.Errorf("the middle is at %v, %v", p.u, p.v)
	}
}

func halves(w, h int) *maps.Map {
	labels := make([]uint8, w*h)
	for i := range labels {
		if i%w >= w/2 {
			labels[i] = 1
		}
	}
	return maps.Of(w, h, labels, []maps.Region{{Colour: color.NRGBA{0, 128, 255, 255}, Name: "sky"}, {Colour: color.NRGBA{0, 255, 0, 255}, Name: "tree"}})
}

func TestLeaksCountWhatCameFromElsewhere(t *testing.T) {
	m := halves(64, 48)
	// One row in three of the left half's patches is taken from the right.
	crossed := func(x, y, cols, _ int) (int, int) {
		if x < 6 && y%3 == 0 {
			return cols - 1, y
		}
		return x, y
	}
	c := field(64, 48, 64, 48, crossed)
	e := Explain(Inputs{Patches: []style.Correspondence{*c}, Styles: []*picture.Picture{noisy(64, 48, 1)}, StyleMaps: []*maps.Map{m}, CanvasMap: m})
	l := e.Layers[0]
	if len(l.Leaks) != 2 || l.Leaks[0].Region != "sky" || len(l.Leaks[0].From) != 1 || l.Leaks[0].From[0].Region != "tree" {
		t.Fatalf("%+v", l.Leaks)
	}
	// Patches 0..6 of 14 a row have their middles left of pixel 32: 4x+6 < 32.
	want := 6.0 * 4 / (7 * 10)
	if got := l.Leaks[0].From[0].Share; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v of sky came from tree, want %v", got, want)
	}
	if l.Leaks[1].Own != 1 || l.Leaks[0].Patches != 70 || l.Leaks[1].Patches != 70 {
		t.Errorf("%+v", l.Leaks)
	}
	if len(l.Coverage) != 2 || l.Coverage[0].Canvas != 1 || l.Coverage[0].Style != 1 || len(e.Areas) != 2 {
		t.Errorf("coverage %+v, areas %+v", l.Coverage, e.Areas)
	}
	lines := strings.Join(e.Sentences(), "\n")
	if !strings.Contains(lines, "34 % of sky took patches from tree") {
		t.Errorf("sentences:\n%s", lines)
	}
}

func TestMeasureCountsReuse(t *testing.T) {
	one := field(64, 48, 64, 48, func(x, y, _, _ int) (int, int) { return 2, 3 })
	l := Explain(Inputs{Patches: []style.Correspondence{*one}}).Layers[0]
	if l.Patches != 140 || l.Distinct != 1 || l.MostUsed != 140 || math.Abs(l.Reuse-139.0/140) > 1e-12 || math.Abs(l.Used-1.0/140) > 1e-12 {
		t.Errorf("%+v", l)
	}
	each := Explain(Inputs{Patches: []style.Correspondence{*field(64, 48, 64, 48, same)}}).Layers[0]
	if each.Distinct != 140 || each.Reuse != 0 || each.Used != 1 || each.MostUsed != 1 {
		t.Errorf("%+v", each)
	}
	if each.Confidence.Least != 0 || each.Confidence.Most < 0.9 {
		t.Errorf("confidence %+v", each.Confidence)
	}
}

func TestPicturesShowPlaceAndScore(t *testing.T) {
	c := field(64, 48, 64, 48, same)
	o := Origin(c)
	if o.W != 64 || o.H != 48 {
		t.Fatalf("%dx%d", o.W, o.H)
	}
	left, right := o.Pix[3*(24*64+2)], o.Pix[3*(24*64+61)]
	top, low := o.Pix[3*(2*64+30)+1], o.Pix[3*(45*64+30)+1]
	if !(right > left+0.5) || !(low > top+0.5) {
		t.Errorf("across %v to %v, down %v to %v: places are not told apart", left, right, top, low)
	}
	hot := Heat(c)
	if !(hot.Pix[3*(24*64+62)] > hot.Pix[3*(24*64+1)]+0.4) {
		t.Error("the best match is not brighter than the worst")
	}
	used := Used(field(64, 48, 64, 48, func(x, y, _, _ int) (int, int) { return 0, 0 }), noisy(64, 48, 2), 0, 64)
	bright, dark := float32(0), float32(0)
	for y := range 12 {
		for x := range 12 {
			bright += used.Pix[3*(y*64+x)]
			dark += used.Pix[3*((47-y)*64+63-x)]
		}
	}
	if !(bright > 3*dark) {
		t.Errorf("the used corner sums to %v, the unused to %v", bright, dark)
	}
	if k := Key(noisy(200, 100, 5), 1, 64); k.W != 64 || k.H != 32 {
		t.Errorf("key is %dx%d", k.W, k.H)
	}
}

func TestMatchesSurviveTheFile(t *testing.T) {
	c := field(64, 48, 64, 48, same)
	m := NewMatches("test", []Painting{{"a.png", 64, 48, "00"}}, []style.Correspondence{*c})
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadMatches(bytes.NewReader(data), "m.json")
	if err != nil {
		t.Fatal(err)
	}
	p := noisy(64, 48, 9)
	a := Replay(c, []*picture.Picture{p}, 50, 40)
	b := Replay(back.Layers[0].Correspondence(), []*picture.Picture{p}, 50, 40)
	if !slices.Equal(a.Pix, b.Pix) {
		t.Error("the picture differs after a detour through the file")
	}
}

func TestBadMatchesAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(m *Matches){
		"matches patch 999 of 140":     func(m *Matches) { m.Layers[0].Index[3] = 999 },
		"but 2 matches":                func(m *Matches) { m.Layers[0].Index = m.Layers[0].Index[:2] },
		"has a size of 0":              func(m *Matches) { m.Layers[0].Cell = 0 },
		"from patch 7 on":              func(m *Matches) { m.Layers[0].Sources[0].First = 7 },
		"at scale 0":                   func(m *Matches) { m.Layers[0].Sources[0].Scale = 0 },
		"is of version 2":              func(m *Matches) { m.Version = 2 },
		"0 layers":                     func(m *Matches) { m.Layers = nil },
		"source of painting 4":         func(m *Matches) { m.Layers[0].Sources[0].Style = 4 },
		"larger than its canvas":       func(m *Matches) { m.Layers[0].Size = 40 },
		"has a source with a size of ": func(m *Matches) { m.Layers[0].Sources[0].Cols = -1 },
	} {
		m := NewMatches("test", []Painting{{Name: "a"}}, []style.Correspondence{*field(64, 48, 64, 48, same)})
		spoil(m)
		data, _ := json.Marshal(m)
		if _, err := ReadMatches(bytes.NewReader(data), "m.json"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadMatches(strings.NewReader("words"), "m.json"); err == nil || !strings.Contains(err.Error(), "holds no matches") {
		t.Errorf("words: %v", err)
	}
}

// Whatever a file says, it is refused or can be painted.
func FuzzReadMatches(f *testing.F) {
	data, _ := json.Marshal(NewMatches("test", []Painting{{Name: "a"}}, []style.Correspondence{*field(24, 24, 24, 24, same)}))
	f.Add(data)
	f.Add([]byte(`{"version":1}`))
	p := noisy(9, 7, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadMatches(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		for _, l := range m.Layers {
			large := l.CanvasW*l.CanvasH > 1<<16 || l.Size > 64
			for _, s := range l.Sources {
				large = large || s.W*s.H > 1<<16 || s.Scale < 0.1
			}
			if large {
				return
			}
			c := l.Correspondence()
			paintings := make([]*picture.Picture, len(m.Paintings))
			for i := range paintings {
				paintings[i] = p
			}
			Replay(c, paintings, 8, 8)
			Origin(c)
			Heat(c)
			Explain(Inputs{Patches: []style.Correspondence{*c}})
		}
	})
}
