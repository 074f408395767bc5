package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/ui"
)

// LeastMemory is the least amount of memory that makes sense. A number that was
// given without its unit is in bytes and is below it.
const LeastMemory = 1_000_000

// BadValue returns the fault of a value of the wrong kind. want describes the right
// one.
func BadValue(name, text, want string) *ui.Fault {
	return ui.UsageFault(fmt.Sprintf("--%s takes %s, got %q", name, want, text))
}

// Check checks the text of a setting that is not an option of style.
func Check(name, text string) error {
	s, _ := Find(name, "")
	return s.check(text)
}

// check checks the text of a setting that is not an option of style.
func (s Setting) check(text string) error {
	want, ok := "", true
	switch s.Kind {
	case Switch:
		_, ok = ParseSwitch(text)
		want = "yes or no"
	case Word:
		return s.checkWord(text)
	case Count:
		n, err := strconv.Atoi(text)
		want, ok = fmt.Sprintf("a whole number from %d", s.Least), err == nil && n >= s.Least
		if s.Most > 0 {
			want, ok = fmt.Sprintf("%s to %d", want, s.Most), ok && n <= s.Most
		}
	case Bytes:
		var n int64
		n, ok = ui.ParseBytes(text)
		want = "an amount such as 500MB or 2GB"
		if ok && n < LeastMemory {
			f := BadValue(s.Name, text, "an amount from 1MB, such as 500MB or 2GB")
			f.Message += ", which is " + ui.Count(int(n), "byte")
			if _, err := strconv.Atoi(text); err == nil && n <= 1024 {
				f.Try = []string{"--" + s.Name + " " + text + "GB"}
			}
			return f
		}
	case Interval:
		_, _, ok = ParseInterval(text)
		want = "a time such as 30s or 5m, or off"
	case Threshold:
		_, ok = ParseThreshold(text)
		want = "a number from 0 to 1, or off"
	case Rate:
		_, err := film.ParseRate(text)
		want, ok = "frames a second, such as 25 or 30000/1001", err == nil
	case Time:
		_, ok = ParseMoment(text)
		want = "a time such as 12.5 or 1:02.5, or a frame such as 300f"
	}
	if !ok {
		return BadValue(s.Name, text, want)
	}
	return nil
}

func (s Setting) checkWord(text string) error {
	if slices.Contains(s.Choices, text) {
		return nil
	}
	return ui.UsageFault(fmt.Sprintf("--%s %q is not one of %s", s.Name, text, strings.Join(s.Choices, ", ")), ui.Suggest("--"+s.Name+" ", text, s.Choices)...)
}

// ParseSwitch reads the value of a switch.
func ParseSwitch(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, true
	case "false", "no", "off", "0":
		return false, true
	}
	return false, false
}

// ParseInterval reads a duration such as "30s"; off is true for "off".
func ParseInterval(text string) (every time.Duration, off, ok bool) {
	if on, ok := ParseSwitch(text); ok && !on {
		return 0, true, true
	}
	every, err := time.ParseDuration(text)
	return every, false, err == nil && every > 0
}

// ParseThreshold reads a number from 0 to 1. "off" is a threshold that no value
// exceeds.
func ParseThreshold(text string) (threshold float64, ok bool) {
	if text == "off" {
		return 2, true
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= 0 && v <= 1
}

// Moment is a point of a film: a time in seconds, or the number of a frame.
type Moment struct {
	seconds float64
	frame   int
	counted bool // a frame number, not seconds
}

// ParseMoment reads "12.5", "1:02.5", "1:00:00" or "300f".
func ParseMoment(text string) (Moment, bool) {
	if n, ok := strings.CutSuffix(text, "f"); ok {
		frame, err := strconv.Atoi(n)
		return Moment{frame: frame, counted: true}, err == nil && frame >= 0
	}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return Moment{}, false
	}
	m := Moment{}
	for i, p := range parts {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil || !(v >= 0) || v > 1e9 || i > 0 && v >= 60 {
			return Moment{}, false
		}
		m.seconds = 60*m.seconds + v
	}
	return m, true
}

// Frame returns the number of the frame that is shown at that moment.
func (m Moment) Frame(r film.Rate) int {
	if m.counted {
		return m.frame
	}
	return r.Frame(m.seconds)
}
