package main

import (
	"slices"
	"testing"
)

func TestAlternatives(t *testing.T) {
	got := alternatives("^TestA$/emu-half|^TestB/(x|y)|^Test[C|D]|E")
	want := []string{"^TestA$/emu-half", "^TestB/(x|y)", "(^Test[C|D])/emu", "(E)/emu"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
