package main

import (
	"strings"
	"testing"
)

// TestList plants every mutant: each rule must still match the kernels once.
func TestList(t *testing.T) {
	list, err := readList("../../kernels/mutants.txt", "../../kernels")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Errorf("only %d mutants", len(list))
	}
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.String()] {
			t.Errorf("two mutants are called %q", m)
		}
		seen[m.String()] = true
	}
}

func TestPlant(t *testing.T) {
	const source = "a = b;\n\tc(d);\n\tc(e);\n"
	for _, c := range []struct{ was, now, want string }{
		{"b; c(d);", "f;", "a = f;\n\tc(e);\n"},
		{"a =", "", " b;\n\tc(d);\n\tc(e);\n"},
		{"c(", "g(", ""}, // twice
		{"h", "i", ""},
		{"", "i", ""},
	} {
		got, err := plant(source, c.was, c.now)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q => %q: %q, %v", c.was, c.now, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "times") {
			t.Error(err)
		}
	}
}
