package ui

import (
	"fmt"
	"strings"
	"unicode"
)

// Printable is text as it may go to a terminal: what comes from files and their
// names may hold control characters, which change the terminal's title, colours
// and clipboard. They are written as escapes. Line ends and tabs stay.
func Printable(text string) string {
	if strings.IndexFunc(text, commands) < 0 && strings.ToValidUTF8(text, "") == text {
		return text
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if commands(r) {
			fmt.Fprintf(&b, `\x%02x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// commands reports whether a terminal may obey r instead of showing it: C0, C1
// and the marks that turn the direction of text.
func commands(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}
