package main

import (
	"encoding/json"
	"fmt"
	"html"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// result is one thing that a step found.
type result struct {
	Step   string             `json:"step,omitempty"`
	What   string             `json:"what"`
	Bad    bool               `json:"bad,omitempty"`
	Text   string             `json:"text,omitempty"`
	Values map[string]float64 `json:"values,omitempty"` // the name ends in the unit: ms, s, gb, x, db
	Files  []string           `json:"files,omitempty"`  // pictures beside the page
	// Head is said on the last screen too.
	Head bool `json:"head,omitempty"`
}

// report is results.json.
type report struct {
	Started string             `json:"started"`
	Toy     bool               `json:"toy,omitempty"`
	Done    bool               `json:"done"`
	Seconds map[string]float64 `json:"seconds,omitempty"` // that each step took
	Results []result           `json:"results"`
}

func (r *report) add(x result) {
	r.Results = append(r.Results, x)
	r.write()
}

func (r *report) took(step string, d time.Duration) {
	if r.Seconds == nil {
		r.Seconds = map[string]float64{}
	}
	r.Seconds[step] = d.Seconds()
	r.write()
}

func (r *report) finish() {
	r.Done = true
	r.write()
}

func (r *report) bad() (n int) {
	for _, x := range r.Results {
		if x.Bad {
			n++
		}
	}
	return n
}

// write puts results.json and index.html in the place of those before.
func (r *report) write() {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string][]byte{"results.json": text, "index.html": []byte(r.page())} {
		if err := os.WriteFile(name+".new", content, 0o644); err != nil {
			log.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			log.Fatal(err)
		}
	}
}

// foremost are the values that are named first, in this order.
var foremost = []string{"ms", "floors x", "floor ms", "psnr db", "images an hour", "iteration ms", "graph launches", "waits"}

// numbers writes values, the foremost first and the others in order of name.
func (x result) numbers() string {
	rank := func(name string) int {
		if i := slices.Index(foremost, name); i >= 0 {
			return i
		}
		return len(foremost)
	}
	names := slices.Sorted(maps.Keys(x.Values))
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%s %.4g", n, x.Values[n]))
	}
	return strings.Join(list, ", ")
}

func (r *report) page() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><title>Impasto: first light</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse}td{border-top:1px solid #ddd;padding:.2em .8em .2em 0;vertical-align:top;white-space:pre-wrap}
.bad{color:#b00020;font-weight:600}img{max-height:18em;margin:.3em}</style><h1>Impasto: first light</h1>`)
	state := "still running"
	if r.Done {
		state = "done"
	}
	fmt.Fprintf(&b, "<p>Started %s, %s. %d things are wrong.</p>", html.EscapeString(r.Started), state, r.bad())
	for _, s := range steps {
		var rows strings.Builder
		for _, x := range r.Results {
			if x.Step != s.name {
				continue
			}
			class := ""
			if x.Bad {
				class = ` class="bad"`
			}
			fmt.Fprintf(&rows, "<tr><td%s>%s</td><td>%s</td><td>", class, html.EscapeString(x.What), html.EscapeString(x.Text))
			rows.WriteString(html.EscapeString(x.numbers()))
			for _, f := range x.Files {
				fmt.Fprintf(&rows, `<img src="%s" alt="%s" title="%s">`, html.EscapeString(f), html.EscapeString(f), html.EscapeString(f))
			}
			rows.WriteString("</td></tr>\n")
		}
		if rows.Len() > 0 {
			fmt.Fprintf(&b, "<h2>%s: %s</h2><p>%.0f s</p><table>\n%s</table>\n", s.name, html.EscapeString(s.what), r.Seconds[s.name], rows.String())
		}
	}
	return b.String()
}

// screenLines is the height of the last screen.
const screenLines = 30

// screen is the last screen: what is wrong, then what matters most.
func (r *report) screen() string {
	var lines []string
	clip := func(format string, a ...any) {
		line, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprintf(format, a...)), "\n")
		if short := []rune(line); len(short) > 118 {
			line = string(short[:117]) + "…"
		}
		lines = append(lines, line)
	}
	total := 0.0
	for _, s := range r.Seconds {
		total += s
	}
	clip("Impasto, first light: %d results in %.0f s, %d wrong. results.json and index.html have all.", len(r.Results), total, r.bad())
	wrong := 0
	for _, x := range r.Results {
		if x.Bad {
			if wrong++; wrong <= 8 {
				clip("WRONG  %-10s %s: %s %s", x.Step, x.What, x.Text, x.numbers())
			}
		}
	}
	for _, x := range r.Results {
		if x.Head && !x.Bad {
			clip("%-10s %s: %s %s", x.Step, x.What, x.Text, x.numbers())
		}
	}
	if len(lines) > screenLines {
		lines = append(lines[:screenLines-1], fmt.Sprintf("... and %d more in results.json", len(lines)-screenLines+1))
	}
	return strings.Join(lines, "\n") + "\n"
}
