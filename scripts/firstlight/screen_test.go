package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestScreen reads the last screen as its user does: at most 30 lines that fit,
// what is wrong before all else, figures with their units, and what to do next.
func TestScreen(t *testing.T) {
	r := &report{Seconds: map[string]float64{"facts": 1.2, "paint": 100}}
	for i := range 40 {
		r.Results = append(r.Results, result{Step: "times", What: fmt.Sprint("kernel ", i), Head: true, Text: strings.Repeat("words ", 30),
			Values: map[string]float64{"ms": 12.345, "floors x": 1.25, "floor ms": 9.876, "launches": 8}})
	}
	r.Results = append(r.Results, result{Step: "paint", What: "art half", Bad: true, Text: "at least 40 dB wanted\nmore", Values: map[string]float64{"psnr db": 31}})
	text := r.screen("/tmp/first-light")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, want := range map[int]string{
		0:              "First light of Impasto, 41 results in 1m41s. One thing is wrong.",
		1:              "WRONG      paint, art half: 31 dB; at least 40 dB wanted",
		2:              "times      kernel 0: 12.35 ms, 1.25 times the floor, floor 9.876 ms, 8 launches; words",
		len(lines) - 2: "... and 14 more in index.html",
		len(lines) - 1: "Please send us results.json, index.html and painted/ of /tmp/first-light.",
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], want)
		}
	}
	if len(lines) != screenLines {
		t.Errorf("%d lines, want %d", len(lines), screenLines)
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > screenWidth {
			t.Errorf("%d characters: %s", n, l)
		}
	}
}

// TestNumbers says values in words.
func TestNumbers(t *testing.T) {
	for want, values := range map[string]map[string]float64{
		"the same bytes":                           {"psnr db": identical},
		"3 ms, 2 times as long as Impasto half":    {"ms": 3, "times of Impasto half x": 2},
		"graph launches 1, waits 0, allocations 0": {"allocations": 0, "graph launches": 1, "waits": 0},
	} {
		if got := (result{Values: values}).numbers(); got != want {
			t.Errorf("%v is %q, want %q", values, got, want)
		}
	}
	if r := (&report{Toy: true}); !strings.Contains(r.screen("."), "Nothing is wrong. Toy sizes: times mean nothing.") {
		t.Error("toy sizes are not said to be ones")
	}
}
