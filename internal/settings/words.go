package settings

import (
	"fmt"
	"strings"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// ParseWords reads the words of a command that paints, as they are stored in a job:
// the command, then what ReadWords reads. "--no-box" means --box=false. Spellings
// of other programs are translated before a command line is stored, so they are not
// accepted here.
func ParseWords(words []string) (mode style.Mode, given Given, args []string, err error) {
	if len(words) == 0 {
		return "", nil, nil, ui.UsageFault("the command line is empty")
	}
	mode, ok := CommandMode(words[0])
	if !ok {
		return "", nil, nil, ui.UsageFault(fmt.Sprintf("%q is no command that paints", words[0]))
	}
	given, args, err = ReadWords(words[1:], func(name string) (Flag, bool) {
		s, on, ok := flagNamed(mode, strings.ReplaceAll(name, "_", "-"))
		return Flag{s.Name, s.Kind == Switch, on}, ok
	})
	return mode, given, args, err
}

// Flag is what ReadWords needs to know of a flag.
type Flag struct {
	Name   string
	Switch bool // takes no value
	On     bool // of a switch without a value: false for --no-NAME
}

// ReadWords reads flags ("--size=64", "--size 64", "-s 64", "--box") and arguments
// in any order. "--" ends the flags. find looks up flags by any of their names. All
// faults are returned together.
func ReadWords(words []string, find func(name string) (Flag, bool)) (given Given, args []string, err error) {
	given = Given{}
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
		flag, ok := find(name)
		switch {
		case !ok:
			bad.Add(ui.NewFault(ui.ExitUsage, "unknown_flag", "unknown flag "+w))
			continue
		case flag.Switch && !hasValue:
			value = fmt.Sprint(flag.On)
		case !hasValue && i+1 == len(words):
			bad.Add(ui.UsageFault(w + " needs a value"))
			continue
		case !hasValue:
			i++
			value = words[i]
		}
		given[flag.Name] = append(given[flag.Name], value)
	}
	return given, args, bad.Err()
}

// flagNamed finds the setting of a flag. on is false if the name is that of a
// switch after "no-".
func flagNamed(mode style.Mode, name string) (s Setting, on, ok bool) {
	if s, ok = findFlag(For(mode), name); ok {
		return s, true, true
	}
	positive, negated := strings.CutPrefix(name, "no-")
	s, ok = findFlag(For(mode), positive)
	return s, false, negated && ok && s.Kind == Switch
}
