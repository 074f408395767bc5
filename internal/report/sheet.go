package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/impasto/impasto/internal/picture"
)

// Sheet is the contact sheet of a batch. For every picture it has a thumbnail, what
// distinguishes it from the others, and its result. Unlike a Page it links to the
// pictures, and may have thousands.
type Sheet struct {
	Title   string
	Lead    string
	Program string
	Flow    Flow // nothing is drawn where no job needs another
	// Cell returns cell i of Cells. As many calls run at once as there are
	// processors, so that no more pictures than that are in memory.
	Cells int
	Cell  func(i int) Cell
}

// Cell is one job of a sheet.
type Cell struct {
	Name    string
	State   string           // "done", "failed", "skipped", ...
	Fault   string           // why it is not done, "" for none
	Picture *picture.Picture // nil where there is none to show
	Link    string           // of the picture, a path relative to the sheet; "" for none
	Choices []Row            // what tells it from the others
	Facts   []Row            // size, time, losses
}

// thumbSide is the longest side of a thumbnail, in pixels.
const thumbSide = 288

// WriteSheet writes the sheet, cell by cell.
func WriteSheet(w io.Writer, s Sheet) error {
	out := bufio.NewWriter(w)
	writeHead(out, s.Title, s.Lead, cellSheet+flowSheet)
	s.Flow.write(out)
	fmt.Fprint(out, "<main class=\"cells\">\n")
	for first := 0; first < s.Cells; first += runtime.GOMAXPROCS(0) {
		cells := make([]bytes.Buffer, min(s.Cells-first, runtime.GOMAXPROCS(0)))
		errs := make([]error, len(cells))
		var wg sync.WaitGroup
		for i := range cells {
			wg.Go(func() { errs[i] = s.Cell(first + i).write(&cells[i]) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		for i := range cells {
			if _, err := cells[i].WriteTo(out); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(out, "</main>\n<footer>%s</footer>\n</body>\n</html>\n", html.EscapeString(s.Program))
	return out.Flush()
}

func (c Cell) write(b *bytes.Buffer) error {
	fmt.Fprintf(b, "<article class=\"%s\">", html.EscapeString(c.State))
	if c.Picture != nil {
		uri, wide, high, err := dataURI(c.Picture, thumbSide)
		if err != nil {
			return err
		}
		image := fmt.Sprintf("<img src=\"%s\" width=\"%d\" height=\"%d\" loading=\"lazy\" alt=\"%s\">", uri, wide, high, html.EscapeString(c.Name))
		if c.Link != "" {
			image = fmt.Sprintf("<a href=\"%s\">%s</a>", html.EscapeString(linkTo(c.Link)), image)
		}
		b.WriteString(image)
	}
	fmt.Fprintf(b, "<h2>%s</h2>", html.EscapeString(c.Name))
	if c.State != "done" {
		fmt.Fprintf(b, "<p class=\"fault\">%s</p>", html.EscapeString(strings.TrimSuffix(c.State+": "+c.Fault, ": ")))
	}
	for _, rows := range [][]Row{c.Choices, c.Facts} {
		if len(rows) == 0 {
			continue
		}
		b.WriteString("<dl>")
		for _, r := range rows {
			fmt.Fprintf(b, "<dt>%s</dt><dd>%s</dd>", html.EscapeString(r.Name), html.EscapeString(r.Value))
		}
		b.WriteString("</dl>")
	}
	b.WriteString("</article>\n")
	return nil
}

// linkTo converts a relative path to a URL, because a name may contain spaces,
// colons, # or ?.
func linkTo(path string) string {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "./" + strings.Join(parts, "/")
}

const cellSheet = `
.cells { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 18px; align-items: start; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px; }
article.failed { border-color: var(--style); }
article img { display: block; width: 100%; height: auto; border-radius: 3px; }
article h2 { font-size: 14px; margin: 8px 0 4px; overflow-wrap: anywhere; }
article dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 10px; margin: 4px 0 0; font-size: 12.5px; }
article dt { color: var(--faint); }
article dd { margin: 0; overflow-wrap: anywhere; }
article .fault { color: var(--style); font-size: 13px; margin: 4px 0; overflow-wrap: anywhere; }
article.skipped .fault { color: var(--faint); }
`
