package picture

import "fmt"

// Kind says which side of the program an error belongs to; the command maps it
// to its exit code.
type Kind int

const (
	Input  Kind = iota // a picture, size or name given by the user cannot be used
	Output             // the result cannot be written
)

// Error is a message for the user: what is wrong, with the name and the
// number, and up to three things to try.
type Error struct {
	Kind Kind
	Code string // stable, for machines: "not_found", "too_large", "unsupported", ...
	msg  string
	try  []string
	err  error
}

func (e *Error) Error() string { return e.msg }

// Try returns the hints, each a command or a flag the user can type.
func (e *Error) Try() []string { return e.try }

// Unwrap returns the error of the operating system or decoder below, if any.
func (e *Error) Unwrap() error { return e.err }

func inputError(code, format string, args ...any) *Error {
	return &Error{Kind: Input, Code: code, msg: fmt.Sprintf(format, args...)}
}

func outputError(code, format string, args ...any) *Error {
	return &Error{Kind: Output, Code: code, msg: fmt.Sprintf(format, args...)}
}

func (e *Error) hint(format string, args ...any) *Error {
	e.try = append(e.try, fmt.Sprintf(format, args...))
	return e
}

func (e *Error) because(err error) *Error {
	e.err = err
	return e
}
