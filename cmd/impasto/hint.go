package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/foreign"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// A "try:" line contains only checked facts, so that it can be pasted: the command
// line as it was given, with the necessary changes.

// again returns the given command line with changes, which replace its values for
// the same flags.
func (s *session) again(changes ...render.Change) string {
	words := slices.Clone(s.args[1:])
	for _, c := range changes {
		words = withoutFlag(words, c.Flag)
	}
	at := len(words)
	if i := slices.Index(words, "--"); i >= 0 {
		at = i // the rest are arguments
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

// withoutFlag removes a flag under all its names, including those of other
// programs.
func withoutFlag(words []string, flag string) []string {
	row, isSetting := settings.FindFlag(flag)
	names := append(row.Names(), flag)
	for _, f := range foreign.All() {
		if isSetting && f.Ours == row.Name {
			names = append(names, f.Name)
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

// meant begins the suggestion of a word in messages of packages that do not know
// the command line.
const meant = "did you mean "

// completed replaces suggestions of a word by hints with the corrected command
// line.
func (s *session) completed(err error) error {
	if err == nil || len(s.args) == 0 {
		return err
	}
	all := ui.FaultsOf(err)
	printed := map[string]bool{}
	kept := all[:0:0]
	for _, f := range all {
		if printed[f.Message] {
			continue // the same file may occur twice on the line
		}
		printed[f.Message] = true
		var tries []string
		if words := s.args[1:]; strings.HasSuffix(f.Message, "is a video, which impasto cannot read") && slices.Contains(words, "art") {
			words = slices.Clone(words)
			words[slices.Index(words, "art")] = "video"
			tries = append(tries, ui.ImpastoCommand(words))
		}
		for _, t := range f.Try {
			if rest, ok := strings.CutPrefix(t, meant); ok {
				word, err := strconv.Unquote(strings.TrimSuffix(rest, "?"))
				if t = s.corrected(firstQuoted(f.Message), word); err != nil || t == "" {
					continue
				}
			}
			if t != "" && !slices.Contains(tries, t) {
				tries = append(tries, t)
			}
		}
		f.Try = tries
		kept = append(kept, f)
	}
	return kept
}

// firstQuoted returns the first quoted text in a message, which is the wrong word.
func firstQuoted(message string) string {
	at := strings.IndexByte(message, '"')
	if at < 0 {
		return ""
	}
	quoted, err := strconv.QuotedPrefix(message[at:])
	if err != nil {
		return ""
	}
	word, _ := strconv.Unquote(quoted) // what QuotedPrefix returns is always valid
	return word
}

// corrected returns the command line with a word replaced, alone or on either side
// of an equals sign. It returns "" if the word does not occur or nothing would
// change.
func (s *session) corrected(wrong, right string) string {
	if wrong == "" || wrong == right {
		return ""
	}
	words := slices.Clone(s.args[1:])
	for i, w := range words {
		left, value, _ := strings.Cut(w, "=")
		switch wrong {
		case w:
			words[i] = right
		case value:
			words[i] = left + "=" + right
		case left:
			words[i] = right + "=" + value
		default:
			continue
		}
		return ui.ImpastoCommand(words)
	}
	return ""
}
