package film

import "fmt"

// Error is a message for the user: one sentence and things to try.
type Error struct {
	code   string
	output bool // the fault lies in what is written, not in what is read
	msg    string
	try    []string
}

func (e *Error) Error() string { return e.msg }

// Try returns up to three things to try.
func (e *Error) Try() []string { return e.try }

// Code returns the stable word for this error in machine-readable output.
func (e *Error) Code() string { return e.code }

// ExitCode returns the command's exit status for this error.
func (e *Error) ExitCode() int {
	if e.output {
		return 5
	}
	return 4
}

func inputError(code, format string, args ...any) *Error {
	return &Error{code: code, msg: fmt.Sprintf(format, args...)}
}

func outputError(code, format string, args ...any) *Error {
	return &Error{code: code, output: true, msg: fmt.Sprintf(format, args...)}
}

func (e *Error) hint(tries ...string) *Error {
	e.try = append(e.try, tries...)
	return e
}
