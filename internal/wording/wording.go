// Package wording helps messages: the known word that a misspelt one is nearest to,
// and text that cannot command a terminal.
package wording

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hbollon/go-edlib"
)

// Nearest returns the word that got was probably meant to be, "" where none is
// near. The distance counts inserted, deleted and replaced letters and swaps of
// neighbours; one in three letters of the shorter word may differ.
func Nearest(got string, known []string) string {
	got = strings.ToLower(got)
	best, bestDistance := "", 0
	for _, w := range known {
		d := edlib.OSADamerauLevenshteinDistance(got, strings.ToLower(w))
		if best == "" || d < bestDistance {
			best, bestDistance = w, d
		}
	}
	if best == "" || bestDistance > max(1, min(len(got), len(best))/3) {
		return ""
	}
	return best
}

// Printable returns text as it may go to a terminal: what comes from files and
// their names may hold control characters, which change the terminal's title,
// colours and clipboard. They, bytes that are no UTF-8 and marks that turn the
// direction of text are written as escapes: \x1b. Line ends and tabs stay.
func Printable(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, commands) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !commands(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// commands reports whether a terminal may obey r instead of showing it: C0, C1
// and the marks that turn the direction of text.
func commands(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}
