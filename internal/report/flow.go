package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// Flow draws which jobs need which. Its boxes stand in columns, each to the right
// of the boxes that it needs, with a curve from each of them.
type Flow struct {
	Boxes []Box // each after those that it needs
}

// Box is an entry of a manifest: a job, or all jobs that it expands to.
type Box struct {
	Name  string
	Text  string // "done", "20 jobs: 18 done, 2 failed"
	State string // "done", "failed" or another, for its colour
	Needs []int  // places of boxes
}

// Sizes of the drawing, in its own units.
const (
	boxW, boxH       = 200, 46
	boxAcross        = 70 // between columns
	boxDown          = 14 // between rows
	boxMargin        = 4
	boxLetters       = 26 // of a line that fits
	mostBoxes        = 300
	boxText, boxNote = 18, 36 // baselines
)

// write draws the flow if any box needs another.
func (f Flow) write(w io.Writer) {
	needs := 0
	for _, b := range f.Boxes {
		needs += len(b.Needs)
	}
	switch {
	case needs == 0:
		return
	case len(f.Boxes) > mostBoxes:
		fmt.Fprintf(w, "<p class=\"flow\">%d entries need each other, too many to draw.</p>\n", len(f.Boxes))
		return
	}
	x, y, width, height := f.places()
	fmt.Fprintf(w, "<svg class=\"flow\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"which jobs need which\">\n", width, height, width, height)
	for i, b := range f.Boxes {
		for _, k := range b.Needs {
			x0, y0, x1, y1 := x[k]+boxW, y[k]+boxH/2, x[i], y[i]+boxH/2
			bend := (x1 - x0) / 2
			fmt.Fprintf(w, "<path d=\"M%d %dC%d %d %d %d %d %d\"/>\n", x0, y0, x0+bend, y0, x1-bend, y1, x1, y1)
		}
	}
	for i, b := range f.Boxes {
		fmt.Fprintf(w, "<g class=\"%s\"><title>%s: %s</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/>",
			html.EscapeString(b.State), html.EscapeString(b.Name), html.EscapeString(b.Text), x[i], y[i], boxW, boxH)
		fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\">%s</text><text class=\"note\" x=\"%d\" y=\"%d\">%s</text></g>\n",
			x[i]+10, y[i]+boxText, html.EscapeString(shortened(b.Name)), x[i]+10, y[i]+boxNote, html.EscapeString(shortened(b.Text)))
	}
	fmt.Fprintln(w, "</svg>")
}

// places returns the positions of the boxes. A box stands in the column after the
// last of those that it needs, below the boxes already in that column.
func (f Flow) places() (x, y []int, width, height int) {
	column := make([]int, len(f.Boxes))
	var rows []int
	for i, b := range f.Boxes {
		for _, k := range b.Needs {
			column[i] = max(column[i], column[k]+1)
		}
		for len(rows) <= column[i] {
			rows = append(rows, 0)
		}
		x = append(x, boxMargin+column[i]*(boxW+boxAcross))
		y = append(y, boxMargin+rows[column[i]]*(boxH+boxDown))
		rows[column[i]]++
		width, height = max(width, x[i]+boxW+boxMargin), max(height, y[i]+boxH+boxMargin)
	}
	return x, y, width, height
}

// shortened cuts a text to the width of a box.
func shortened(text string) string {
	letters := []rune(strings.TrimSpace(text))
	if len(letters) <= boxLetters {
		return string(letters)
	}
	return string(letters[:boxLetters-1]) + "…"
}

const flowSheet = `
svg.flow { width: auto; max-width: calc(100% - 40px); margin: 0 20px 24px; border: 0; background: none; }
svg.flow rect { fill: var(--card); stroke: var(--line); }
svg.flow path { fill: none; stroke: var(--faint); }
svg.flow g.done rect { stroke: var(--content); }
svg.flow g.failed rect { stroke: var(--style); }
svg.flow text { font-size: 13px; fill: var(--ink); }
svg.flow text.note { font-size: 11.5px; fill: var(--faint); }
`
