package ui

import (
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/dustin/go-humanize"
	"github.com/hbollon/go-edlib"
)

// Nearest returns the word that got was probably meant to be, "" where none is
// near. The distance counts inserted, deleted and replaced letters and swaps of
// neighbours; one in three letters of the shorter word may differ.
func Nearest(got string, words []string) string {
	got = strings.ToLower(got)
	best, bestDistance := "", 0
	for _, w := range words {
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

// Count returns "1 job" or "3 jobs". The plural of noun takes an s.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ParseBytes reads a positive number of bytes: "500MB", "2 GB", "1.5g", "3GiB"
// or a plain number.
func ParseBytes(text string) (int64, bool) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > 1<<60 {
		return 0, false
	}
	return int64(n), true
}

// ImpastoCommand returns a command line of Impasto, given without the name of
// the program, as it is pasted into a shell.
func ImpastoCommand(words []string) string {
	return "impasto " + shellescape.QuoteCommand(words)
}

// ShellQuote returns a word in quotes if a shell would take it apart.
func ShellQuote(word string) string { return shellescape.Quote(word) }
