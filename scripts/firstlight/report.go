package main

import (
	"encoding/json"
	"fmt"
	"html"
	"log"
	"os"
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
	// Head results are on the last screen too.
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
	fmt.Fprintf(&b, "<p>Started %s, %s. %s.</p>", html.EscapeString(r.Started), state, r.verdict())
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
