package main

import (
	"os"

	"golang.org/x/term"
)

// terminal reports whether a file is one. TERM=dumb counts as none: it cannot
// redraw a line.
func terminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// terminalSize returns columns and rows, 80 by 24 where they are unknown.
func terminalSize(stream any) (cols, rows int) {
	if f, ok := stream.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}
