package ui

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestOutputRemembersItsFault(t *testing.T) {
	o := NewOutput(io.Discard)
	fmt.Fprintln(o, "a line")
	if f := o.Fault(); f != nil {
		t.Error(f)
	}
	for err, want := range map[error]string{syscall.ENOSPC: "the disk is full", io.ErrClosedPipe: "closed pipe"} {
		o := NewOutput(failing{err})
		fmt.Fprintln(o, "a line") // nobody looks at the error
		fmt.Fprintln(o, "another")
		if f := o.Fault(); f == nil || f.Exit != ExitOutput || !strings.Contains(f.Message, want) {
			t.Errorf("%v: %v", err, f)
		}
	}
}
