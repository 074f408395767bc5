// Package report writes what happened in one render as a single HTML file that
// needs no other files. Pictures are embedded, curves are drawn as SVG, and the
// page is light or dark as the reader's system is. It imports internal/picture.
//
// The page is written with fmt and not with html/template. A template looks up
// methods by name, so that the linker cannot remove unused methods. That would add
// two megabytes to the program. Every text is escaped with html.EscapeString.
package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// Figure is a picture with a line below it.
type Figure struct {
	Caption string
	Picture *picture.Picture
}

// Row is one line of a table.
type Row struct{ Name, Value string }

// Page holds all that a report shows.
type Page struct {
	Title    string // the output's name
	Lead     string // one line: what was chosen and why
	Inputs   []Figure
	Output   Figure
	Frames   []Figure // on the way, in order
	Patches  []Figure // where patches came from; none without patches
	Matches  []Row    // and how well, by layer and region
	Curves   Chart
	Timings  []Row
	Sources  []Row // names and checksums of the inputs
	Settings []Row
	Recipe   string // JSON, "" for none
	Program  string
}

// These are the longest sides of embedded pictures, in pixels.
const (
	mainSide  = 1024
	frameSide = 256
	sheetSide = 512
)

// Write writes the page.
func Write(w io.Writer, p Page) error {
	var b bytes.Buffer
	writeHead(&b, p.Title, p.Lead, "")
	b.WriteString("<main>\n")

	b.WriteString("<section class=\"pictures\">\n")
	for _, f := range append(append([]Figure{}, p.Inputs...), p.Output) {
		class := "input"
		if f == p.Output {
			class = "output"
		}
		if err := figure(&b, f, class, mainSide); err != nil {
			return err
		}
	}
	b.WriteString("</section>\n")

	if err := figures(&b, "On the way", p.Frames, "frame", frameSide); err != nil {
		return err
	}
	if p.Curves.drawable() {
		b.WriteString("<section><h2>Loss</h2>\n")
		p.Curves.write(&b)
		b.WriteString("</section>\n")
	}
	if err := figures(&b, "Patches", p.Patches, "sheet", sheetSide); err != nil {
		return err
	}
	table(&b, "Matches", p.Matches)
	table(&b, "Timings", p.Timings)
	table(&b, "Inputs", p.Sources)
	table(&b, "Settings", p.Settings)
	if p.Recipe != "" {
		fmt.Fprintf(&b, "<section><details><summary>Recipe</summary><pre>%s</pre></details></section>\n", html.EscapeString(p.Recipe))
	}
	fmt.Fprintf(&b, "</main>\n<footer>%s</footer>\n</body>\n</html>\n", html.EscapeString(p.Program))
	_, err := w.Write(b.Bytes())
	return err
}

// writeHead begins a page, up to its heading. styles are added to the common styles
// of all pages.
func writeHead(w io.Writer, title, lead, styles string) {
	title = html.EscapeString(title)
	fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n",
		title, sheet+styles)
	fmt.Fprintf(w, "<header><h1>%s</h1><p>%s</p></header>\n", title, html.EscapeString(lead))
}

// figures writes a section of pictures, or nothing if there are none.
func figures(b *bytes.Buffer, title string, list []Figure, class string, side int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintf(b, "<section><h2>%s</h2><div class=\"%ss\">\n", title, class)
	for _, f := range list {
		if err := figure(b, f, class, side); err != nil {
			return err
		}
	}
	b.WriteString("</div></section>\n")
	return nil
}

func figure(b *bytes.Buffer, f Figure, class string, side int) error {
	uri, w, h, err := dataURI(f.Picture, side)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "<figure class=\"%s\"><img src=\"%s\" width=\"%d\" height=\"%d\" alt=\"%s\"><figcaption>%s</figcaption></figure>\n",
		class, uri, w, h, html.EscapeString(f.Caption), html.EscapeString(f.Caption))
	return nil
}

// dataURI embeds p, at most side pixels long: as JPEG, or PNG when it has alpha.
func dataURI(p *picture.Picture, side int) (uri string, w, h int, err error) {
	p = p.Within(side, picture.Lanczos3)
	format, kind := picture.JPEG, "jpeg"
	if p.Alpha != nil {
		format, kind = picture.PNG, "png"
	}
	var data bytes.Buffer
	if err := picture.Encode(&data, p, format, picture.WriteOptions{Quality: 88}); err != nil {
		return "", 0, 0, err
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(data.Bytes()), p.W, p.H, nil
}

func table(b *bytes.Buffer, title string, rows []Row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "<section><h2>%s</h2><table>\n", title)
	for _, r := range rows {
		fmt.Fprintf(b, "<tr><th>%s</th><td>%s</td></tr>\n", html.EscapeString(r.Name),
			strings.ReplaceAll(html.EscapeString(r.Value), ",", ",<wbr>"))
	}
	b.WriteString("</table></section>\n")
}

const sheet = `
:root { color-scheme: light dark; --paper: #faf9f6; --ink: #1f1d1a; --faint: #6f6a62; --line: #ddd8ce; --card: #fff;
  --total: #1f1d1a; --style: #b4481e; --content: #1f6f8b; --tv: #8a7a2f; --patch: #7a3f8f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #171614; --ink: #ece8e0; --faint: #a39c90; --line: #3a3732; --card: #211f1c;
    --total: #ece8e0; --style: #ef8354; --content: #5bb5d3; --tv: #cdb857; --patch: #c48fdb; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; } header p, footer { color: var(--faint); } header p { margin: 2px 0 18px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 32px 0 10px; }
figure { margin: 0; } figure img { display: block; width: 100%; height: auto; border-radius: 3px; }
figcaption { color: var(--faint); font-size: 13px; padding-top: 5px; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 18px; align-items: start; }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 10px; }
.sheets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); gap: 14px; }
svg { display: block; width: 100%; height: auto; background: var(--card); border: 1px solid var(--line); border-radius: 4px; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; } svg .grid { stroke: var(--line); stroke-width: 1; }
svg .mark { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 2 4; }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 500; color: var(--faint); width: 15em; } td { overflow-wrap: anywhere; }
pre { overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: 12px; font-size: 12px; }
summary { cursor: pointer; font-weight: 600; } footer { padding-top: 28px; padding-bottom: 36px; font-size: 13px; }
`
