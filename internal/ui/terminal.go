package ui

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether a stream is a terminal that can redraw a line. A
// terminal with TERM=dumb cannot.
func IsTerminal(stream any) bool {
	if o, ok := stream.(*Output); ok {
		stream = o.File()
	}
	f, ok := stream.(*os.File)
	return ok && f != nil && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// TerminalSize returns the columns and rows of a terminal, or 80 by 24 if they are
// unknown.
func TerminalSize(stream any) (cols, rows int) {
	if f, ok := stream.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}
