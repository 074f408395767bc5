package maps

import (
	"fmt"
	"strconv"
)

// percent writes a share of 0..1 in percent, with few digits.
func percent(v float64) string {
	switch p := 100 * v; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return "under 0.1 %"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

func (l *linter) share(pixels int) string {
	return percent(float64(pixels) / float64(len(l.Map.Labels)))
}

// thousands writes 12345 as "12,345".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", thousands(n), what)
}

func channelWords(n int) string {
	return [...]string{"", "1 channel (grey)", "2 channels (grey and alpha)", "3 channels (RGB)", "4 channels (RGBA)"}[n]
}

func abs(n int) int { return max(n, -n) }
