package maps

import (
	"fmt"
	"strings"
)

// exitInput is the command's exit status for an input that cannot be used.
const exitInput = 4

// Error is a message for the user: what is wrong, with the name and the
// number, and what to try.
type Error struct {
	code string
	msg  string
	try  []string
}

func (e *Error) Error() string { return e.msg }

// Try returns the hints, each a command or a word the user can type.
func (e *Error) Try() []string { return e.try }

// Code returns the stable word for this error in machine-readable output.
func (e *Error) Code() string { return e.code }

// ExitCode returns the command's exit status for this error.
func (e *Error) ExitCode() int { return exitInput }

func inputError(code, format string, args ...any) *Error {
	return &Error{code: "map_" + code, msg: fmt.Sprintf(format, args...)}
}

func (e *Error) hint(format string, args ...any) *Error {
	e.try = append(e.try, fmt.Sprintf(format, args...))
	return e
}

// shellWord quotes a word if a shell would not take it as it stands.
func shellWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\"'`$&|;<>()[]{}*?!#~\\") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// nearestWord returns the word that differs from got in at most a third of its
// letters, or "".
func nearestWord(got string, list []string) string {
	best, most := "", len(got)/3+1
	for _, w := range list {
		if d := editDistance(got, strings.ToLower(w)); d < most {
			best, most = w, d
		}
	}
	return best
}

// editDistance counts insertions, deletions and replacements (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
