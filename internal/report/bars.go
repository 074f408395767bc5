package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// Bars is a chart of horizontal bars. Each bar is a median with its range. There is
// one group for each thing measured, with one bar for each series.
type Bars struct {
	Label  string   // what is drawn, with its unit
	Series []string // the meaning of the colours; shown above the chart if there are two or more
	Groups []BarGroup
	Ratio  bool // values are ratios: a logarithmic axis about 1, points in place of bars
}

// BarGroup is the bars of one thing.
type BarGroup struct {
	Name string
	Bars []Bar
}

// Bar is one median. A bar whose value is not finite and positive is omitted.
type Bar struct {
	Series   int       // whose colour it has
	Value    float64   // where it ends
	Min, Max float64   // of its whisker; both 0 for none
	Points   []float64 // single measurements, as dots on it
	Text     string    // the value, for people
}

// These are the sizes of the drawing, in its own units. The page scales it.
const (
	barsW        = 960
	barsLeft     = 220
	barsRight    = 130 // for the text behind the longest
	barsVerdict  = 70  // and more of it behind a ratio
	barsTop      = 30
	barsRow      = 20
	barsGap      = 12 // between groups
	barsBottom   = 30
	seriesCount  = 6 // colours in the sheet
	legendHeight = 20
)

func (v Bar) drawn() bool {
	return v.Value > 0 && !math.IsInf(v.Value, 0) && !math.IsInf(v.Max, 0) && v.Max-v.Max == 0 && v.Min-v.Min == 0
}

// whisker reports whether the bar has a range.
func (v Bar) whisker() bool { return v.Max > v.Min && v.Min > 0 }

// groups returns the groups that have something to draw.
func (c *Bars) groups() []BarGroup {
	var all []BarGroup
	for _, g := range c.Groups {
		g.Bars = slices.DeleteFunc(slices.Clone(g.Bars), func(v Bar) bool { return !v.drawn() })
		if len(g.Bars) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// axis maps values to x, and returns the values at which lines are drawn.
func (c *Bars) axis(groups []BarGroup) (px func(float64) float64, ticks []float64) {
	lo, hi := math.Inf(1), 0.0
	for _, g := range groups {
		for _, v := range g.Bars {
			lo, hi = min(lo, v.Value), max(hi, v.Value)
			if v.whisker() {
				lo, hi = min(lo, v.Min), max(hi, v.Max)
			}
		}
	}
	width := float64(barsW - barsLeft - barsRight)
	if c.Ratio {
		width -= barsVerdict
	}
	if !c.Ratio {
		return func(v float64) float64 { return barsLeft + v/hi*width }, linearTicks(0, hi)
	}
	// The axis reaches as far below 1 as above, and at least a tenth, so that noise
	// looks small.
	reach := max(math.Log(1.1), math.Log(hi), -math.Log(lo)) * 1.05
	if reach > math.Log(3) {
		ticks = logTicks(-reach/math.Ln10, reach/math.Ln10)
	} else {
		for _, t := range []float64{0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2} {
			if math.Abs(math.Log(t)) <= reach {
				ticks = append(ticks, t)
			}
		}
	}
	return func(v float64) float64 { return barsLeft + (math.Log(v)/reach+1)/2*width }, ticks
}

// write draws the chart, or a note that there is nothing to draw.
func (c *Bars) write(b *bytes.Buffer) {
	groups := c.groups()
	if len(groups) == 0 {
		b.WriteString("<p class=\"note\">nothing to draw</p>\n")
		return
	}
	top := barsTop
	if len(c.Series) > 1 {
		top += legendHeight * ((len(c.Series) + 1) / 2)
	}
	height := top + barsBottom
	for _, g := range groups {
		height += len(g.Bars)*barsRow + barsGap
	}
	px, ticks := c.axis(groups)
	fmt.Fprintf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", barsW, height, html.EscapeString(c.Label))
	fmt.Fprintf(b, "<text x=\"%d\" y=\"18\">%s</text>\n", barsLeft, html.EscapeString(c.Label))
	c.legend(b)
	for _, t := range ticks {
		class := "grid"
		if c.Ratio && t == 1 {
			class = "unit"
		}
		fmt.Fprintf(b, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n",
			class, px(t), px(t), top, height-barsBottom, px(t), height-barsBottom+18, t)
	}
	y := top + barsGap/2
	for _, g := range groups {
		fmt.Fprintf(b, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
			barsLeft-10, y+len(g.Bars)*barsRow/2+4, html.EscapeString(g.Name))
		for _, v := range g.Bars {
			c.bar(b, v, y, px)
			y += barsRow
		}
		y += barsGap
	}
	b.WriteString("</svg>\n")
}

// legend draws the names of the series, two in a row.
func (c *Bars) legend(b *bytes.Buffer) {
	if len(c.Series) < 2 {
		return
	}
	for i, name := range c.Series {
		x, y := barsLeft+i%2*(barsW-barsLeft)/2, 28+i/2*legendHeight
		fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"11\" height=\"11\" style=\"fill:var(--series%d)\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			x, y, i%seriesCount, x+17, y+10, html.EscapeString(name))
	}
}

func (c *Bars) bar(b *bytes.Buffer, v Bar, y int, px func(float64) float64) {
	mid, end := y+barsRow/2, px(v.Value)
	colour := v.Series % seriesCount
	if c.Ratio {
		fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" style=\"fill:var(--series%d)\"/>", end, mid, colour)
	} else {
		fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" style=\"fill:var(--series%d)\"/>", barsLeft, y+2, end-barsLeft, barsRow-4, colour)
	}
	if v.whisker() {
		fmt.Fprintf(b, "<path class=\"whisker\" fill=\"none\" d=\"M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8\"/>",
			px(v.Min), mid, px(v.Max), px(v.Min), mid-4, px(v.Max), mid-4)
		end = max(end, px(v.Max))
	}
	for _, p := range v.Points {
		if p > 0 && !math.IsInf(p, 0) {
			fmt.Fprintf(b, "<circle class=\"point\" cx=\"%.1f\" cy=\"%d\" r=\"2\"/>", px(p), mid)
		}
	}
	fmt.Fprintf(b, "<text class=\"value\" x=\"%.1f\" y=\"%d\">%s</text>\n", end+9, mid+4, html.EscapeString(v.Text))
}
