package maps

import "github.com/impasto/impasto/internal/picture"

// Error is a message for the user: what is wrong, with the name and the
// number, and what to try.
type Error = picture.Error

func inputError(code, format string, args ...any) *Error {
	return picture.InputError("map_"+code, format, args...)
}
