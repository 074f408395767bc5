package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain, ä, 画\n\tthere": "plain, ä, 画\n\tthere",
		"a\x1b]0;title\x07b":   `a\x1b]0;title\x07b`,
		"c\u009b31m":           `c\x9b31m`,
		"back\rwards\x08":      `back\x0dwards\x08`,
		"exe\u202egnp":         `exe\x202egnp`,
		"cut \xff":             "cut \uFFFD",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestReportsAreNotCommands: faults are printed, not obeyed.
func TestReportsAreNotCommands(t *testing.T) {
	var out bytes.Buffer
	Report(&out, &out, false, errors.Join(UsageFault("layer \x1b]0;x\x07", "--size \x1b[2J"), errors.New("\x1b[31m")))
	if strings.ContainsAny(out.String(), "\x1b\x07") {
		t.Errorf("%q", out.String())
	}
}
