package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
)

// Chart draws curves over a common x axis with a logarithmic y axis. Losses fall by
// orders of magnitude, so that on a linear axis everything after the start would
// look like a flat line.
type Chart struct {
	XLabel string
	Series []Series
	Marks  []Mark
}

// Series is one curve. Values without a logarithm leave a gap.
type Series struct {
	Name string // also its colour: "total", "style", "content", "tv" or "patch"
	X, Y []float64
}

// Mark is a vertical line with a word, where a scale begins.
type Mark struct {
	X     float64
	Label string
}

// These are the sizes of the drawing, in its own units. The page scales it.
const (
	chartW, chartH = 960, 340
	left, right    = 64, 76
	top, bottom    = 22, 42
)

// decades is how many decades below the largest value the axis reaches. It is
// limited because the content loss of a picture that starts as the photograph
// begins at rounding errors.
const decades = 4

// bounds returns the bounds of the points that can be drawn.
func (c Chart) bounds() (x0, x1, y0, y1 float64, ok bool) {
	x0, y0 = math.Inf(1), math.Inf(1)
	x1, y1 = math.Inf(-1), math.Inf(-1)
	for _, s := range c.Series {
		for i, y := range s.Y {
			if drawn(y) {
				x0, x1 = min(x0, s.X[i]), max(x1, s.X[i])
				y0, y1 = min(y0, y), max(y1, y)
			}
		}
	}
	return x0, x1, y0, y1, x1 > x0
}

func drawn(y float64) bool { return y > 0 && !math.IsInf(y, 0) }

func (c Chart) drawable() bool { _, _, _, _, ok := c.bounds(); return ok }

func (c Chart) write(b *bytes.Buffer) {
	x0, x1, y0, y1, _ := c.bounds()
	lo, hi := math.Log10(y0), math.Log10(y1)
	lo = max(lo, hi-decades)
	if hi-lo < 0.2 { // nearly constant: still show which decade it is in
		lo, hi = lo-0.1, hi+0.1
	}
	px := func(x float64) float64 { return left + (x-x0)/(x1-x0)*(chartW-left-right) }
	py := func(y float64) float64 { return top + (hi-max(lo, math.Log10(y)))/(hi-lo)*(chartH-top-bottom) }

	fmt.Fprintf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"loss by iteration, logarithmic\">\n", chartW, chartH)
	for _, y := range logTicks(lo, hi) {
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			left, chartW-right, py(y), py(y), left-8, py(y)+4, strconv.FormatFloat(y, 'g', 3, 64))
	}
	for _, x := range linearTicks(x0, x1) {
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", px(x), chartH-bottom+18, x)
	}
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (left+chartW-right)/2, chartH-6, html.EscapeString(c.XLabel))
	for _, m := range c.Marks {
		fmt.Fprintf(b, "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" y=\"%d\">%s</text>\n",
			px(m.X), px(m.X), top-6, chartH-bottom, px(m.X)+4, top-8, html.EscapeString(m.Label))
	}
	labels := map[int]bool{}
	for _, s := range c.Series {
		s.write(b, px, py)
		s.label(b, px, py, labels)
	}
	b.WriteString("</svg>\n")
}

// write draws the curve, interrupted where it has no value.
func (s Series) write(b *bytes.Buffer, px, py func(float64) float64) {
	open := false
	for i, y := range s.Y {
		switch {
		case drawn(y) && !open:
			fmt.Fprintf(b, "<polyline style=\"stroke:var(--%s)\" points=\"", html.EscapeString(s.Name))
			open = true
			fallthrough
		case drawn(y):
			fmt.Fprintf(b, "%.1f,%.1f ", px(s.X[i]), py(y))
		case open:
			b.WriteString("\"/>\n")
			open = false
		}
	}
	if open {
		fmt.Fprintf(b, "\"><title>%s</title></polyline>\n", html.EscapeString(s.Name))
	}
}

// label writes the curve's name at its end. It moves the name down if another name
// is there.
func (s Series) label(b *bytes.Buffer, px, py func(float64) float64, taken map[int]bool) {
	for i := len(s.Y) - 1; i >= 0; i-- {
		if !drawn(s.Y[i]) {
			continue
		}
		row := int(py(s.Y[i])+4) / 14
		for taken[row] {
			row++
		}
		taken[row] = true
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" style=\"fill:var(--%s);font-weight:600\">%s</text>\n",
			px(s.X[i])+8, row*14+6, html.EscapeString(s.Name), html.EscapeString(s.Name))
		return
	}
}

// logTicks returns 1, 2 and 5 of each decade from 10^lo to 10^hi, or only the
// decades if there are many.
func logTicks(lo, hi float64) []float64 {
	var ticks []float64
	steps := []float64{1, 2, 5}
	if hi-lo > 3 {
		steps = steps[:1]
	}
	every := int(math.Max(1, math.Ceil((hi-lo)/8)))
	for d := int(math.Floor(lo)); d <= int(math.Ceil(hi)); d++ {
		if d%every != 0 && hi-lo > 3 {
			continue
		}
		for _, s := range steps {
			v := s * math.Pow(10, float64(d))
			if l := math.Log10(v); l >= lo-1e-9 && l <= hi+1e-9 {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// linearTicks returns about eight round numbers from a to b.
func linearTicks(a, b float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((b-a)/4)))
	for _, m := range []float64{5, 2} {
		if (b-a)/(step*m) >= 4 {
			step *= m
			break
		}
	}
	var ticks []float64
	for x := math.Ceil(a/step) * step; x <= b+step*1e-9; x += step {
		ticks = append(ticks, x)
	}
	return ticks
}
