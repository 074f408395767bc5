package main

import (
	"strings"
	"testing"
)

// TestDefaultTextNamesTheMethod: help shows what --method nnst puts in place of a
// default, where that command has the method.
func TestDefaultTextNamesTheMethod(t *testing.T) {
	for _, c := range []struct {
		command, flag string
		all           bool
		want          string
	}{
		{"art", "content-weight", false, "1.5; mini 2"},
		{"art", "tv-weight", false, "180; mini 700"},
		{"art", "content-weight", true, "1.5; mini 2; nnst 0.75"},
		{"art", "refine", true, "0; nnst 200"},
		{"art", "color-finish", true, "off; nnst on"},
		{"art", "content-layers", true, "relu4_2; nnst none"},
		{"art", "tv-weight", true, "180; mini 700; nnst 0"},
		{"art", "style-weight", true, "1"},
		{"art", "history", true, "10"},
		{"video", "content-weight", true, "1.5; mini 2"},
		{"patch", "optimizer", true, "lbfgs"},
	} {
		if got := defaultText(line{path: []string{c.command}, helpAll: c.all}, c.flag); got != c.want {
			t.Errorf("%s --%s: %q, want %q", c.command, c.flag, got, c.want)
		}
	}
	for _, long := range []string{"style-layers", "iterations"} {
		if got := defaultText(line{path: []string{"art"}}, long); strings.Contains(got, "nnst") {
			t.Errorf("the first screen has the default of --%s with a method: %q", long, got)
		}
	}
}
