package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
)

// Document is a page of tables and bars in the style of all our pages. It is one
// file that needs no other files.
type Document struct {
	Title    string
	Lead     string
	Sections []Section
	Program  string
}

// Section is the content under one heading: notes, then a chart, then a table. Each
// may be missing.
type Section struct {
	Title string
	Notes []string
	Bars  *Bars
	Table *Table
}

// Table is rows under a head; the first column names them.
type Table struct {
	Head []string
	Rows [][]string
}

// WriteDocument writes the page.
func WriteDocument(w io.Writer, d Document) error {
	var b bytes.Buffer
	writeHead(&b, d.Title, d.Lead, documentSheet)
	b.WriteString("<main>\n")
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "<section><h2>%s</h2>\n", html.EscapeString(s.Title))
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "<p class=\"note\">%s</p>\n", html.EscapeString(n))
		}
		if s.Bars != nil {
			s.Bars.write(&b)
		}
		if s.Table != nil {
			s.Table.write(&b)
		}
		b.WriteString("</section>\n")
	}
	fmt.Fprintf(&b, "</main>\n<footer>%s</footer>\n</body>\n</html>\n", html.EscapeString(d.Program))
	_, err := w.Write(b.Bytes())
	return err
}

func (t *Table) write(b *bytes.Buffer) {
	if len(t.Rows) == 0 {
		return
	}
	b.WriteString("<div class=\"wide\"><table class=\"figures\">\n")
	row := func(cells []string, heads int) {
		b.WriteString("<tr>")
		for i, c := range cells {
			cell := "td"
			if i < heads {
				cell = "th"
			}
			fmt.Fprintf(b, "<%s>%s</%s>", cell, html.EscapeString(c), cell)
		}
		b.WriteString("</tr>\n")
	}
	if len(t.Head) > 0 {
		row(t.Head, len(t.Head))
	}
	for _, cells := range t.Rows {
		row(cells, 1)
	}
	b.WriteString("</table></div>\n")
}

const documentSheet = `
:root { --series0: #1f6f8b; --series1: #b4481e; --series2: #6d7f1f; --series3: #7a3f8f; --series4: #8a7a2f; --series5: #4a4a52; }
@media (prefers-color-scheme: dark) {
  :root { --series0: #5bb5d3; --series1: #ef8354; --series2: #b3c95a; --series3: #c48fdb; --series4: #cdb857; --series5: #b9b9c4; }
}
.note { color: var(--faint); margin: 0 0 10px; max-width: 60em; }
.wide { overflow-x: auto; margin-top: 12px; }
.figures td, .figures th { width: auto; padding-right: 16px; white-space: nowrap; overflow-wrap: normal; font-size: 14px; }
svg text.label { fill: var(--ink); } svg text.value { fill: var(--ink); font-weight: 600; }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; } svg .point { fill: var(--ink); opacity: .45; }
svg .unit { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 4 3; }
`
