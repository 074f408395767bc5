package main

import (
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/ui"
)

// What a "try:" line offers is made of facts that were checked, so that it can
// be pasted: the command line as it was given, with what is to change.

// flagChange is one flag of a command line: its name and value; "" where it is a switch.
type flagChange struct{ name, value string }

// again is the command line given, with changes in place of what it says of
// the same flags.
func (s *session) again(changes ...flagChange) string {
	words := slices.Clone(s.args[1:])
	for _, c := range changes {
		words = withoutFlag(words, c.name)
	}
	at := len(words)
	if i := slices.Index(words, "--"); i >= 0 {
		at = i // what follows is arguments
	}
	var said []string
	for _, c := range changes {
		word := "--" + c.name
		if len(c.name) == 1 {
			word = "-" + c.name
		}
		said = append(said, word)
		if c.value != "" {
			said = append(said, c.value)
		}
	}
	return ui.ImpastoCommand(slices.Insert(words, at, said...))
}

// withoutFlag leaves a flag out under all its names, other programs' too.
func withoutFlag(words []string, flag string) []string {
	names := []string{flag}
	if p, ok := findParam(longName(flag)); ok {
		names = append(names, p.name, p.short, p.aka)
	}
	for old, l := range legacyNames {
		if l.flag == longName(flag) {
			names = append(names, old)
		}
	}
	var kept []string
	for i := 0; i < len(words); i++ {
		name, _, hasValue := flagWord(words[i])
		if words[i] == "--" {
			return append(kept, words[i:]...)
		}
		if name == "" || !slices.Contains(names, name) {
			kept = append(kept, words[i])
			continue
		}
		if p, ok := findParam(longName(flag)); ok && p.value != "" && !hasValue {
			i++
		}
	}
	return kept
}

// longName is the name of a setting whose short name is given.
func longName(name string) string {
	for _, p := range params {
		if name != "" && (p.short == name || p.aka == name) {
			return p.name
		}
	}
	return strings.TrimLeft(name, "-")
}
