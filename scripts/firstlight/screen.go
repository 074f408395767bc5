package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// phrases say the values of a result in words, in the order of a line. All
// others follow, by name.
var phrases = []struct{ name, format string }{
	{"ms", "%s ms"}, {"floors x", "%s times the floor"}, {"floor ms", "floor %s ms"}, {"fastest ms", "fastest %s ms"},
	{"share x", "%s of all the time"}, {"psnr db", "%s dB"}, {"images an hour", "%s images an hour"}, {"s", "%s s"},
	{"iteration ms", "%s ms an iteration"}, {"tflops", "%s TFLOP/s"}, {"memory gb", "%s GB"},
	{"device gb", "%s GB on the device"}, {"shared kb of a block", "%s KB of shared memory a block"}, {"runs", "%s runs"},
	{"graph launches", "graph launches %s"}, {"waits", "waits %s"}, {"launches", "%s launches"},
}

// identical stands for the PSNR of two pictures of the same bytes.
const identical = 100

// numbers says the values of a result.
func (x result) numbers() string {
	var parts []string
	left := maps.Clone(x.Values)
	for _, p := range phrases {
		v, ok := left[p.name]
		delete(left, p.name)
		switch {
		case !ok:
		case p.name == "psnr db" && v >= identical:
			parts = append(parts, "the same bytes")
		default:
			parts = append(parts, fmt.Sprintf(p.format, fmt.Sprintf("%.4g", v)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if other, ok := strings.CutPrefix(name, "times of "); ok { // "times of Impasto half x"
			parts = append(parts, fmt.Sprintf("%.4g times as long as %s", left[name], strings.TrimSuffix(other, " x")))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %.4g", name, left[name]))
	}
	return strings.Join(parts, ", ")
}

// verdict is how many results are wrong, in words.
func (r *report) verdict() string {
	switch n := r.bad(); n {
	case 0:
		return "Nothing is wrong"
	case 1:
		return "One thing is wrong"
	default:
		return fmt.Sprintf("%d things are wrong", n)
	}
}

// screenLines and screenWidth are the size of the last screen.
const (
	screenLines = 30
	screenWidth = 118
)

// screen is the last screen: the verdict, what is wrong, what matters most, and
// what to do with it. Lines put figures before words, of which the last may be cut.
func (r *report) screen(folder string) string {
	line := func(kind string, x result) string {
		text := x.What
		for i, part := range []string{x.numbers(), x.Text} {
			if part != "" && (i == 0 || x.numbers() == "") {
				text += ": " + part
			} else if part != "" {
				text += "; " + part
			}
		}
		text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
		text = fmt.Sprintf("%-10s %s", kind, text)
		if short := []rune(text); len(short) > screenWidth {
			text = string(short[:screenWidth-1]) + "…"
		}
		return text
	}
	total := 0.0
	for _, s := range r.Seconds {
		total += s
	}
	took := (time.Duration(total) * time.Second).String()
	lines := []string{fmt.Sprintf("First light of Impasto, %d results in %s. %s.", len(r.Results), took, r.verdict())}
	if r.Toy {
		lines[0] += " Toy sizes: times mean nothing."
	}
	for _, x := range r.Results {
		if x.Bad && len(lines) < 9 {
			lines = append(lines, line("WRONG", result{What: x.Step + ", " + x.What, Text: x.Text, Values: x.Values}))
		}
	}
	for _, x := range r.Results {
		if x.Head && !x.Bad {
			lines = append(lines, line(x.Step, x))
		}
	}
	if most := screenLines - 1; len(lines) > most {
		lines = append(lines[:most-1], fmt.Sprintf("... and %d more in index.html", len(lines)-most+1))
	}
	return strings.Join(append(lines, "Please send us results.json, index.html and painted/ of "+folder+"."), "\n") + "\n"
}
