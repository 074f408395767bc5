package maptool

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// Parse reads the words after the name of a tool, as they stand in a job: flags
// ("--soft=8", "--soft 8", "-o out.png", "--fix") and arguments in any order.
// "--" ends the flags.
func (t Tool) Parse(words []string) (given settings.Given, args []string, err error) {
	given = settings.Given{}
	var bad ui.Faults
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			args = append(args, words[i+1:]...)
			break
		}
		if len(w) < 2 || w[0] != '-' {
			args = append(args, w)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(w, "-"), "=")
		at := slices.IndexFunc(t.Flags, func(f Flag) bool { return slices.Contains(f.Names(), name) })
		switch {
		case at < 0:
			bad.Add(ui.NewFault(ui.ExitUsage, "unknown_flag", "unknown flag "+w))
			continue
		case t.Flags[at].Kind == settings.Switch && !hasValue:
			value = "true"
		case !hasValue && i+1 == len(words):
			bad.Add(ui.UsageFault(fmt.Sprintf("%s needs a value", w)))
			continue
		case !hasValue:
			i++
			value = words[i]
		}
		given[t.Flags[at].Name] = append(given[t.Flags[at].Name], value)
	}
	return given, args, bad.Err()
}
