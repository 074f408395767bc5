package main

import (
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/film"
)

// moment is a point of a film: a time in seconds, or the number of a frame.
type moment struct {
	seconds float64
	frame   int
	counted bool // frame, not seconds
}

// parseMoment reads "12.5", "1:02.5", "1:00:00" or "300f".
func parseMoment(text string) (moment, bool) {
	if n, ok := strings.CutSuffix(text, "f"); ok {
		frame, err := strconv.Atoi(n)
		return moment{frame: frame, counted: true}, err == nil && frame >= 0
	}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return moment{}, false
	}
	m := moment{}
	for i, p := range parts {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil || !(v >= 0) || v > 1e9 || i > 0 && v >= 60 {
			return moment{}, false
		}
		m.seconds = 60*m.seconds + v
	}
	return m, true
}

// at is the number of the frame shown then.
func (m moment) at(r film.Rate) int {
	if m.counted {
		return m.frame
	}
	return r.Frame(m.seconds)
}

// parseCut reads --cut; off is a threshold nothing exceeds.
func parseCut(text string) (threshold float64, ok bool) {
	if text == "off" {
		return 2, true
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= 0 && v <= 1
}
