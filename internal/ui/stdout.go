package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// Output is standard output that remembers its first error. Many commands print
// many lines, and a full disk must not look like success.
type Output struct {
	w        io.Writer
	terminal bool
	mu       sync.Mutex
	err      error
}

// NewOutput returns w as an Output.
func NewOutput(w io.Writer) *Output { return &Output{w: w, terminal: IsTerminal(w)} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	shown := p
	if o.terminal { // files and pipes get names unchanged
		shown = []byte(Printable(string(p)))
	}
	n, err := o.w.Write(shown)
	if err == nil {
		n = len(p)
	}
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = errors.Join(o.err, err)
	}
	return n, err
}

// File returns the underlying file, or nil if there is none.
func (o *Output) File() *os.File {
	f, _ := o.w.(*os.File)
	return f
}

// Fault returns the fault of the output, or nil if there is none.
func (o *Output) Fault() *Fault {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.err == nil:
		return nil
	case errors.Is(o.err, syscall.ENOSPC):
		return NewFault(ExitOutput, "disk_full", "standard output cannot be written: the disk is full")
	}
	return NewFault(ExitOutput, "unwritable", fmt.Sprintf("standard output cannot be written: %s", Reason(o.err)))
}
