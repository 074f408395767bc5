package wording

import (
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain, ä, 画\n\tthere": "plain, ä, 画\n\tthere",
		"a\x1b]0;title\x07b":   `a\x1b]0;title\x07b`,
		"c\u009b31m":           `c\u009b31m`,
		"back\rwards\x08":      `back\x0dwards\x08`,
		"exe\u202egnp":         `exe\u202egnp`,
		"a\x00b":               `a\x00b`,
		"\ufffd":               "\ufffd",
		"cut \xff":             `cut \xff`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"gatys", "jj", "cnnmrf", "content", "out.png"}
	for got, want := range map[string]string{
		"gatis": "gatys", "GATYS": "gatys", "cnmnrf": "cnnmrf", "contnet": "content", "out.pgn": "out.png",
		"j": "jj", "gibberish": "", "": "",
	} {
		if near := Nearest(got, known); near != want {
			t.Errorf("%q: got %q, want %q", got, near, want)
		}
	}
	if near := Nearest("x", nil); near != "" {
		t.Errorf("of no words %q is nearest", near)
	}
}
