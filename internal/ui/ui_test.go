package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// oddError is an error of another package that describes itself.
type oddError struct{ error }

func (oddError) Try() []string { return []string{"again"} }
func (oddError) Code() string  { return "odd" }
func (oddError) ExitCode() int { return 7 }

func TestReport(t *testing.T) {
	silent := NewFault(ExitSomeFailed, "failed", "printed before")
	silent.Silent = true
	var none Faults
	for _, c := range []struct {
		err    error
		json   bool
		exit   int
		stdout string
		stderr string
	}{
		{nil, false, 0, "", ""},
		{none.Err(), false, 0, "", ""},
		{UsageFault("no such thing", "another", "a third"), false, 2, "", "impasto: no such thing\n  try: another\n  try: a third\n"},
		{fmt.Errorf("round: %w", NewFault(5, "full", "disk full")), false, 5, "", "impasto: disk full\n"},
		{errors.Join(NewFault(4, "a", "first"), errors.New("second")), false, 4, "", "impasto: first\nimpasto: second\n"},
		{errors.New("plain"), false, 1, "", "impasto: plain\n"},
		{oddError{errors.New("odd thing")}, false, 7, "", "impasto: odd thing\n  try: again\n"},
		{oddError{errors.New("odd thing")}, true, 7, `{"type":"error","code":"odd","exit":7,"message":"odd thing","try":["again"]}` + "\n", ""},
		{fmt.Errorf("deep: %w", context.Canceled), false, 130, "", "impasto: interrupted\n"},
		{silent, false, 3, "", ""},
	} {
		var stdout, stderr strings.Builder
		exit := Report(&stdout, &stderr, c.json, c.err)
		if exit != c.exit || stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("%v: got exit %d, stdout %q, stderr %q", c.err, exit, stdout.String(), stderr.String())
		}
	}
}

func TestExitCodesAreListedOnceInOrder(t *testing.T) {
	for i, e := range ExitCodes[1:] {
		if e.Code <= ExitCodes[i].Code {
			t.Errorf("%d stands behind %d", e.Code, ExitCodes[i].Code)
		}
	}
}

func TestReasons(t *testing.T) {
	deep := fmt.Errorf("outer: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist})
	want := []string{"outer: open x: file does not exist", "open x: file does not exist", "file does not exist"}
	if got := Reasons(deep); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q", got)
	}
	if got := Reason(deep); got != "file does not exist" {
		t.Errorf("got %q", got)
	}
}

func TestImpastoCommand(t *testing.T) {
	got := ImpastoCommand([]string{"art", "my photo.jpg", "it's.png", "--size=512", "-o", "{content}.png"})
	if want := `impasto art 'my photo.jpg' 'it'"'"'s.png' --size=512 -o '{content}.png'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFrameName(t *testing.T) {
	for _, c := range []struct{ output, dir, want string }{
		{"a/out.png", "", "a/out_00042.png"},
		{"a/out.jpg", "frames", "frames/out_00042.jpg"},
		{"-", "", "out_00042.png"},
	} {
		if got := FrameName(c.output, c.dir, 42); got != c.want {
			t.Errorf("%s in %q: got %s, want %s", c.output, c.dir, got, c.want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"500MB": 500e6, "2GB": 2e9, "1.5g": 15e8, "1GiB": 1 << 30, "4096": 4096, "7k": 7000} {
		if got, ok := ParseBytes(text); !ok || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "much", "-1GB", "0", "NaN", "1e300GB", "GB", "Inf"} {
		if got, ok := ParseBytes(text); ok {
			t.Errorf("%q passed as %d", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"size", "seed", "style-weight", "style-layers"}
	for got, want := range map[string]string{
		"sise": "size", "style-wieght": "style-weight", "stileweight": "style-weight", "frobnicate": "", "SIZE": "size", "": "", "esed": "seed",
	} {
		if near := Nearest(got, names); near != want {
			t.Errorf("%q: got %q, want %q", got, near, want)
		}
	}
}

func TestExpand(t *testing.T) {
	values := map[string]string{"content": "cat", "style": "night", "w": "640"}
	for template, want := range map[string]string{
		"out.png":                    "out.png",
		"{content}__{style}_{w}.png": "cat__night_640.png",
		"a}b.png":                    "a}b.png",
	} {
		if got, err := Expand(template, values); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", template, got, err, want)
		}
	}
	for template, want := range map[string]string{"{contnt}.png": "unknown field {contnt}", "{content.png": "without a }", "{}": "unknown field {}"} {
		if _, err := Expand(template, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", template, err, want)
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
