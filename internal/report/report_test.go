package report

import (
	"bytes"
	"encoding/xml"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

func page() Page {
	big := picture.New(2000, 1000)
	clear := picture.New(30, 20)
	clear.Alpha = make([]float32, 600)
	y := []float64{1000, 100, math.NaN(), 10, 0.5}
	x := []float64{1, 2, 3, 4, 5}
	return Page{
		Title: `<out> & "x".png`, Lead: "cpu, 2 threads", Program: "Impasto",
		Inputs: []Figure{{"content a<b>.png", big}}, Output: Figure{"out", clear},
		Frames: []Figure{{"10", picture.New(7, 5)}},
		Curves: Chart{XLabel: "iteration", Series: []Series{{Name: "total", X: x, Y: y}, {Name: "tv", X: x, Y: make([]float64, 5)}},
			Marks: []Mark{{3, "128 <px>"}}},
		Settings: []Row{{"size", "<script>alert(1)</script>"}}, Recipe: `{"a":"</pre><script>"}`,
	}
}

func TestPageIsOneFileAndEscapesEverything(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(text, "<script") {
		t.Error("text of the user became an element")
	}
	if m := regexp.MustCompile(`(src|href|url)\s*[=(]\s*["']?(https?:|//)`).FindString(text); m != "" {
		t.Errorf("the page loads something: %s", m)
	}
	if n := strings.Count(text, "data:image/jpeg;base64,"); n != 2 {
		t.Errorf("%d JPEG pictures, want 2", n)
	}
	if n := strings.Count(text, "data:image/png;base64,"); n != 1 {
		t.Errorf("%d PNG pictures, want the one with alpha", n)
	}
	if !strings.Contains(text, `width="1024" height="512"`) {
		t.Error("the large picture was not made smaller")
	}
	// The chart must be well-formed: it is the part written with coordinates.
	svg := text[strings.Index(text, "<svg"):strings.Index(text, "</svg>")]
	d := xml.NewDecoder(strings.NewReader(svg + "</svg>"))
	for {
		if _, err := d.Token(); err != nil {
			if err.Error() != "EOF" {
				t.Error(err)
			}
			break
		}
	}
	if n := strings.Count(svg, "<polyline"); n != 2 {
		t.Errorf("%d polylines, want 2: a gap at NaN, nothing for a term that is 0", n)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("the chart has coordinates that are no numbers")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   []float64
	}{
		{0, 1, []float64{1, 2, 5, 10}},
		{-0.1, 0.4, []float64{1, 2}},
		{-2, 3, []float64{0.01, 0.1, 1, 10, 100, 1000}},
	} {
		got := logTicks(c.lo, c.hi)
		if len(got) != len(c.want) {
			t.Errorf("logTicks(%g, %g) = %v, want %v", c.lo, c.hi, got, c.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-9*c.want[i] {
				t.Errorf("logTicks(%g, %g) = %v, want %v", c.lo, c.hi, got, c.want)
			}
		}
	}
	for _, n := range []float64{2, 7, 60, 360, 1000, 12345} {
		if got := linearTicks(1, n); len(got) < 3 && n > 3 || len(got) > 11 {
			t.Errorf("linearTicks(1, %g) = %v", n, got)
		}
	}
}

func TestChartOfNothingIsNotDrawn(t *testing.T) {
	p := page()
	p.Curves = Chart{Series: []Series{{Name: "total", X: []float64{1}, Y: []float64{1}}}}
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<svg") {
		t.Error("a single point was drawn as a curve")
	}
}

// The chart of patch losses was drawn in a colour the sheet did not define, and
// so was not seen.
func TestEveryCurveHasAColour(t *testing.T) {
	p := page()
	p.Curves.Series = nil
	for _, name := range []string{"total", "style", "content", "tv", "patch"} {
		p.Curves.Series = append(p.Curves.Series, Series{Name: name, X: []float64{1, 2}, Y: []float64{2, 1}})
	}
	p.Patches = []Figure{{"where <from>", picture.New(6, 4)}}
	p.Matches = []Row{{"relu4_1 <sky>", "12 %"}}
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`var\((--[a-z]+)\)`).FindAllStringSubmatch(b.String(), -1) {
		if n := strings.Count(b.String(), m[1]+":"); n != 2 {
			t.Errorf("%s is defined %d times, want once for light and once for dark", m[1], n)
		}
	}
	for _, want := range []string{"where &lt;from&gt;", "relu4_1 &lt;sky&gt;"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}
