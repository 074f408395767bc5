package main

import (
	"slices"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// What a "try:" line offers is made of facts that were checked, so that it can
// be pasted: the command line as it was given, with what is to change.

// again is the command line given, with changes in place of what it gives for
// the same flags.
func (s *session) again(changes ...render.Change) string {
	words := slices.Clone(s.args[1:])
	for _, c := range changes {
		words = withoutFlag(words, c.Flag)
	}
	at := len(words)
	if i := slices.Index(words, "--"); i >= 0 {
		at = i // what follows is arguments
	}
	var flags []string
	for _, c := range changes {
		if c.Drop {
			continue
		}
		word := "--" + c.Flag
		if len(c.Flag) == 1 {
			word = "-" + c.Flag
		}
		flags = append(flags, word)
		if c.Value != "" {
			flags = append(flags, c.Value)
		}
	}
	return ui.ImpastoCommand(slices.Insert(words, at, flags...))
}

// withoutFlag leaves a flag out under all its names, other programs' too.
func withoutFlag(words []string, flag string) []string {
	row, isSetting := settings.FindFlag(flag)
	names := append(row.Names(), flag)
	for old, l := range legacyNames {
		if isSetting && l.flag == row.Name {
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
		if isSetting && row.TakesValue() && !hasValue {
			i++
		}
	}
	return kept
}
