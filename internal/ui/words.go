package ui

import (
	"fmt"

	"al.essio.dev/pkg/shellescape"
	"github.com/dustin/go-humanize"

	"github.com/impasto/impasto/internal/wording"
)

// Nearest returns the word that got was probably meant to be, as wording.Nearest
// does.
func Nearest(got string, known []string) string { return wording.Nearest(got, known) }

// Suggest returns begin followed by the known word that got was probably meant to
// be. It returns nothing if no known word is near.
func Suggest(begin, got string, known []string) []string {
	if near := Nearest(got, known); near != "" {
		return []string{begin + near}
	}
	return nil
}

// Printable returns text that is safe to print to a terminal, as wording.Printable
// does.
func Printable(text string) string { return wording.Printable(text) }

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

// ImpastoCommand returns a command line of Impasto that can be pasted into a shell.
// line does not include the name of the program.
func ImpastoCommand(line []string) string {
	return "impasto " + shellescape.QuoteCommand(line)
}

// ShellQuote returns a word in quotes if a shell would split or expand it.
func ShellQuote(word string) string { return shellescape.Quote(word) }
