package maps

import (
	"cmp"
	"image/color"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// block fills a rectangle.
func block(p *picture.Picture, x, y, w, h int, c color.NRGBA) *picture.Picture {
	for v := y; v < y+h; v++ {
		for u := x; u < x+w; u++ {
			set(p, u, v, c)
		}
	}
	return p
}

// halves is a map of 64 x 64 pixels, red beside blue.
func halves() *picture.Picture {
	return block(block(picture.New(64, 64), 0, 0, 32, 64, basic['r']), 32, 0, 32, 64, basic['b'])
}

// TestCheck draws one fault into a good map at a time and expects that fault,
// and no other but those named.
func TestCheck(t *testing.T) {
	good := halves()
	for _, c := range []struct {
		name string
		p    *picture.Picture
		side Side
		want []string
		says string
	}{
		{"nothing", good, Side{}, nil, ""},
		{"size", good, Side{Picture: "x.jpg", W: 32, H: 32}, []string{"size"}, "64x64 but \"x.jpg\" is 32x32"},
		{"one pixel off", good, Side{Picture: "x.jpg", W: 64, H: 65}, []string{"size"}, "one pixel off"},
		{"proportions", good, Side{Picture: "x.jpg", W: 80, H: 64}, []string{"size"}, "differ by 20 %"},
		{"turned", block(picture.New(64, 32), 0, 0, 64, 32, basic['r']), Side{Picture: "x.jpg", W: 32, H: 64}, []string{"turned", "one_region"}, "turned by 90 degrees"},
		{"black", block(halves(), 0, 0, 16, 64, basic['k']), Side{}, []string{"black"}, "#000000 (25 %) is black"},
		{"one direction", block(halves(), 0, 0, 16, 64, rgb(128, 0, 0)), Side{}, []string{"same_direction"}, "little but brightness (0 degrees)"},
		{"near", block(halves(), 0, 0, 16, 64, basic['R']), Side{}, []string{"near_colours"}, "are read as one region"},
		{"transparent", block(halves(), 0, 0, 16, 64, color.NRGBA{}), Side{}, []string{"transparent"}, "1,024 pixels (25 %)"},
		{"thin", block(halves(), 10, 0, 2, 64, basic['g']), Side{}, []string{"vanishes"}, "25 % of one at most"},
		{"narrow", func() *picture.Picture { // four stripes of two pixels in one cell
			p := halves()
			for x := 8; x < 16; x += 3 {
				block(p, x, 0, 2, 64, basic['g'])
			}
			return p
		}(), Side{}, []string{"thin"}, "at most 2 pixels wide"},
		{"small", block(halves(), 8, 8, 8, 8, basic['g']), Side{}, []string{"vanishes_early"}, "a quarter of the size"},
		{"specks", block(block(halves(), 3, 3, 2, 2, basic['b']), 50, 50, 1, 1, basic['r']), Side{}, []string{"specks"}, "2 pieces of fewer than 12 pixels"},
		{"one region", picture.New(64, 64), Side{}, []string{"black", "one_region"}, "nothing to tell apart"},
		{"deep", func() *picture.Picture { p := halves(); p.Depth = 16; p.Pix[0] = 65500.0 / 65535; return p }(), Side{}, []string{"deep"}, "3 colours at 16 bits"},
	} {
		m, src, err := FromPicture(c.p, "x_sem.png")
		if err != nil {
			t.Fatal(err)
		}
		c.side.Path, c.side.Map, c.side.Source = "x_sem.png", m, src
		found := Check(c.side)
		var codes []string
		told := ""
		for _, f := range found {
			codes = append(codes, f.Code)
			told += f.Message + "\n"
			if f.Severity != Note && len(f.Try) == 0 {
				t.Errorf("%s: %q has no command that mends it", c.name, f.Message)
			}
			if f.File != "x_sem.png" {
				t.Errorf("%s: the file is %q", c.name, f.File)
			}
		}
		if !slices.Equal(codes, c.want) || !strings.Contains(told, c.says) {
			t.Errorf("%s: found %v, want %v with %q:\n%s", c.name, codes, c.want, c.says, told)
		}
	}
}

func TestManyRegionsAndPairs(t *testing.T) {
	p := picture.New(160, 160)
	for i := range 25 {
		block(p, i%5*32, i/5*32, 32, 32, rgb(uint8(60+i%5*48), uint8(60+i/5*48), 200))
	}
	m, src, _ := FromPicture(p, "x.png")
	if found := Check(Side{Path: "x.png", Map: m, Source: src}); !slices.ContainsFunc(found, func(f Finding) bool { return f.Code == "many_regions" }) {
		t.Errorf("25 regions: %+v", found)
	}

	side := func(path string, p *picture.Picture) Side {
		m, src, err := FromPicture(p, path)
		if err != nil {
			t.Fatal(err)
		}
		return Side{Path: path, Map: m, Source: src}
	}
	style := side("a_sem.png", block(halves(), 0, 0, 2, 2, rgb(0, 255, 0)))
	for _, c := range []struct {
		name string
		p    *picture.Picture
		want []string
	}{
		{"same", block(halves(), 0, 0, 2, 2, basic['g']), nil},
		{"only on the canvas", block(block(halves(), 0, 0, 2, 2, basic['g']), 0, 40, 64, 24, rgb(255, 255, 0)), []string{"canvas_only"}},
		{"only in the painting", halves(), []string{"style_only"}},
		{"rare", block(halves(), 0, 0, 64, 40, basic['g']), []string{"rare"}},
		{"channels", block(block(halves(), 0, 0, 2, 2, basic['g']), 0, 60, 64, 4, color.NRGBA{}), []string{"channels", "canvas_only"}},
	} {
		var codes []string
		for _, f := range CheckPair(style, side("b_sem.png", c.p)) {
			codes = append(codes, f.Code)
		}
		if !slices.Equal(codes, c.want) {
			t.Errorf("%s: found %v, want %v", c.name, codes, c.want)
		}
	}
}

func TestRepairAndSnap(t *testing.T) {
	p := block(block(halves(), 0, 0, 16, 64, color.NRGBA{}), 40, 40, 2, 2, basic['r'])
	m, src, _ := FromPicture(p, "x.png")
	done := Repair(m, src)
	if len(done) != 2 || len(m.Regions) != 2 || m.Regions[0].Pixels+m.Regions[1].Pixels != 64*64 {
		t.Errorf("%q left %s", done, m.list(nil))
	}
	if _, again, _ := FromPicture(m.Picture(), "x.png"); !again.Exact || again.Clear != 0 {
		t.Errorf("it reads back as %+v", again)
	}
	style := blank(1, 1, []Region{{Colour: rgb(255, 0, 0)}, {Colour: rgb(0, 0, 255)}, {Colour: rgb(255, 255, 255)}})
	canvas := blank(1, 1, []Region{{Colour: rgb(250, 10, 0)}, {Colour: rgb(0, 60, 220)}, {Colour: rgb(0, 255, 0)}})
	if n := canvas.Snap(style); n != 2 || canvas.Regions[0].Colour != basic['r'] || canvas.Regions[1].Colour != basic['b'] || canvas.Regions[2].Colour != basic['g'] {
		t.Errorf("%d snapped: %s", n, canvas.list(nil))
	}
}

// A map that was kept as JPEG has regions of colours that compression made.
// Repairing it leaves what was drawn, and nothing that Check calls an error.
func TestRepairMendsAJPEG(t *testing.T) {
	colours := [4]color.NRGBA{rgb(31, 58, 197), rgb(241, 221, 24), rgb(21, 158, 40), rgb(200, 40, 60)}
	for _, size := range [][2]int{{320, 240}, {401, 305}} {
		drawn, truth := scene(size[0], size[1], colours)
		for quality := 20; quality <= 95; quality += 15 {
			var sides []Side
			for _, name := range []string{"style.jpg", "canvas.jpg"} {
				m, src, err := FromPicture(recoded(t, drawn, quality), name)
				if err != nil {
					t.Fatal(err)
				}
				src.Format = picture.JPEG
				Repair(m, src)
				sides = append(sides, Side{Path: name, Map: m, Source: src})
				quality += 2 // the canvas is compressed otherwise
			}
			sides[1].Map.Snap(sides[0].Map)
			sides[1].Map.JoinLeftovers(sides[0].Map)
			for i, side := range sides {
				var err error
				if sides[i].Map, sides[i].Source, err = FromPicture(side.Map.Picture(), side.Path); err != nil {
					t.Fatal(err)
				}
				for _, f := range Check(sides[i]) {
					if f.Severity == Fault {
						t.Errorf("%v quality %d: %s", size, quality, f.Message)
					}
				}
				if same := resembling(sides[i].Map, truth, colours); same < 0.99 {
					t.Errorf("%v quality %d: %.3f of %s is as it was drawn", size, quality, same, side.Path)
				}
			}
			for _, f := range CheckPair(sides[0], sides[1]) {
				if f.Severity == Fault {
					t.Errorf("%v quality %d: %s", size, quality, f.Message)
				}
			}
		}
	}
}

// resembling is the share of pixels whose region has the colour, of those drawn
// the nearest, that was drawn there.
func resembling(m *Map, truth []uint8, colours [4]color.NRGBA) float64 {
	right := 0
	for i, l := range m.Labels {
		nearest := slices.MinFunc(colours[:], func(a, b color.NRGBA) int {
			return cmp.Compare(Distance(a, m.Regions[l].Colour), Distance(b, m.Regions[l].Colour))
		})
		if nearest == colours[truth[i]] {
			right++
		}
	}
	return float64(right) / float64(len(truth))
}

// What compression left is one error, whatever the number of its colours, and
// one command repairs it.
func TestLeftoversAreToldOnce(t *testing.T) {
	m := blank(64, 64, []Region{{Colour: rgb(255, 0, 0)}, {Colour: rgb(0, 0, 255)}, {Colour: rgb(0, 255, 0)}, {Colour: rgb(255, 255, 0)}})
	for i := range m.Labels {
		m.Labels[i] = uint8(i / (32 * 64))
	}
	m.Labels[5], m.Labels[64*40+9] = 2, 3
	m.count()
	canvas := Side{Path: "c.jpg", Map: m, Source: &Source{Channels: 3, EdgeColors: 9, Format: picture.JPEG}}
	plain, src, _ := FromPicture(m.Picture(), "s.png")
	plain.mergeVanishing()
	if len(plain.Regions) != 2 {
		t.Fatalf("%s stay", plain.list(nil))
	}
	told := map[string]int{}
	for _, f := range append(Check(canvas), CheckPair(Side{Path: "s.png", Map: plain, Source: src}, canvas)...) {
		told[f.Code]++
		if f.Severity == Fault && !strings.HasPrefix(f.Try[0], "impasto map repair ") {
			t.Errorf("%s: hints %q", f.Message, f.Try)
		}
	}
	if told["vanishes"] != 1 || told["canvas_only"] != 1 || told["edge_colours"] != 1 {
		t.Errorf("told %v", told)
	}
}
