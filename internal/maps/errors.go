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
