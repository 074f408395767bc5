package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func document(t *testing.T, d Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteDocument(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1) {
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("a chart is no XML: %v\n%s", err, svg)
			}
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error("a coordinate is no number")
	}
}

func TestDocumentIsOneFileAndEscapesEverything(t *testing.T) {
	bad := `<script>alert("1")</script>`
	text := document(t, Document{Title: bad, Lead: bad, Program: bad, Sections: []Section{
		{Title: bad, Notes: []string{bad}, Table: &Table{Head: []string{bad, bad}, Rows: [][]string{{bad, bad}}},
			Bars: &Bars{Label: bad, Series: []string{bad, bad}, Groups: []BarGroup{{Name: bad, Bars: []Bar{{Value: 1, Text: bad}}}}}},
		{Title: "no rows", Table: &Table{Head: []string{"only a head"}}},
	}})
	if strings.Contains(text, "<script") {
		t.Error("text became an element")
	}
	if strings.Contains(text, "only a head") {
		t.Error("a table without rows has a head")
	}
	if m := regexp.MustCompile(`(src|href|url|@import)\s*[=(]?\s*["']?(https?:|//)`).FindString(text); m != "" {
		t.Errorf("the page loads something: %s", m)
	}
	wellFormed(t, text)
}

func TestBarsOfNothingOneAndMany(t *testing.T) {
	page := func(c *Bars) string { return document(t, Document{Sections: []Section{{Bars: c}}}) }

	none := page(&Bars{Groups: []BarGroup{{Name: "empty"}, {Bars: []Bar{{Value: 0}, {Value: math.NaN()}, {Value: math.Inf(1)}, {Value: -1}, {Value: 1, Max: math.Inf(1)}}}}})
	if strings.Contains(none, "<svg") || !strings.Contains(none, "nothing to draw") {
		t.Error("a chart of nothing was drawn")
	}

	one := page(&Bars{Label: "things", Series: []string{"alone"}, Groups: []BarGroup{{Name: "x", Bars: []Bar{{Value: 3, Text: "three"}}}}})
	wellFormed(t, one)
	if n := strings.Count(one, "<rect"); n != 1 || strings.Contains(one, "alone") || strings.Contains(one, `class="whisker"`) || !strings.Contains(one, ">three<") {
		t.Errorf("one bar: %d rectangles\n%s", n, one)
	}

	many := &Bars{Series: []string{"a", "b", "c", "d", "e", "f", "g"}}
	for i := range 40 {
		g := BarGroup{Name: fmt.Sprint("thing ", i)}
		for j := range many.Series {
			v := float64(1 + i*j)
			g.Bars = append(g.Bars, Bar{Series: j, Value: v, Min: v * 0.9, Max: v * 1.1, Points: []float64{v * 0.9, v, v * 1.1}, Text: fmt.Sprint(v)})
		}
		many.Groups = append(many.Groups, g)
	}
	for _, ratio := range []bool{false, true} {
		many.Ratio = ratio
		text := page(many)
		wellFormed(t, text)
		if n := strings.Count(text, `class="value"`); n != 280 {
			t.Errorf("%d values, want 280", n)
		}
		if n := strings.Count(text, `class="whisker"`); n != 280 {
			t.Errorf("%d whiskers, want 280", n)
		}
		if n := strings.Count(text, `class="point"`); n != 840 {
			t.Errorf("%d points, want 840", n)
		}
		for _, m := range regexp.MustCompile(`cx="([0-9.-]+)"`).FindAllStringSubmatch(text, -1) {
			if x, _ := strconv.ParseFloat(m[1], 64); x < barsLeft || x > barsW-barsRight+1 {
				t.Fatalf("a point at %g is outside %d..%d", x, barsLeft, barsW-barsRight)
			}
		}
	}
}

// A ratio and its inverse are as far from 1, and equal speeds lie on the line.
func TestRatiosAreSymmetric(t *testing.T) {
	c := &Bars{Ratio: true, Groups: []BarGroup{{Bars: []Bar{{Value: 0.5}, {Value: 1}, {Value: 2}}}}}
	px, ticks := c.axis(c.groups())
	if a, b := px(1)-px(0.5), px(2)-px(1); math.Abs(a-b) > 1e-9 || a <= 0 {
		t.Errorf("0.5 is %g from 1, 2 is %g", a, b)
	}
	if len(ticks) < 3 {
		t.Errorf("ticks %v", ticks)
	}
	c.Groups[0].Bars[2].Value = 300 // a GPU beside a processor
	if _, ticks = c.axis(c.groups()); !slices.Contains(ticks, 100) || len(ticks) > 12 {
		t.Errorf("ticks up to 300: %v", ticks)
	}
	c.Groups[0].Bars = c.Groups[0].Bars[1:2]
	if px, _ = c.axis(c.groups()); px(1.1) <= px(1) || px(1.1) > barsW {
		t.Errorf("alone, 1.1 is at %g and 1 at %g", px(1.1), px(1))
	}
}

func TestEverySeriesHasAColour(t *testing.T) {
	for i := range seriesCount {
		if n := strings.Count(documentSheet, fmt.Sprintf("--series%d:", i)); n != 2 {
			t.Errorf("--series%d is defined %d times, want once for light and once for dark", i, n)
		}
	}
}
