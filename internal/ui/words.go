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

// Suggest returns the beginning of a line and the word that got was probably meant to
// be, nothing where none is near.
func Suggest(begin, got string, known []string) []string {
	if near := Nearest(got, known); near != "" {
		return []string{begin + near}
	}
	return nil
}

// Printable returns text as it may go to a terminal, as wording.Printable does.
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

// ImpastoCommand returns a command line of Impasto, given without the name of
// the program, as it is pasted into a shell.
func ImpastoCommand(line []string) string {
	return "impasto " + shellescape.QuoteCommand(line)
}

// ShellQuote returns a word in quotes if a shell would take it apart.
func ShellQuote(word string) string { return shellescape.Quote(word) }
