package settings

import (
	"errors"
	"strings"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// locate adds the place of a bad value to an error, unless it is on the command
// line.
func locate(err error, origin string) error {
	if err == nil || origin == OriginFlag || strings.HasPrefix(origin, "-") {
		return err
	}
	all := ui.FaultsOf(err)
	for i, f := range all {
		f.Message = origin + ": " + strings.TrimPrefix(f.Message, "--")
		if i == 0 && strings.HasPrefix(origin, variablePrefix) {
			f.Try = append([]string{"unset " + origin}, f.Try...)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// Locate adds to a fault the place of the bad value, if that is a variable or a
// place in a file.
func (v *Values) Locate(name string, err error) error {
	origin := v.Origin(name)
	if strings.HasPrefix(origin, variablePrefix) || strings.Contains(origin, ":") {
		return locate(err, origin)
	}
	return err
}

// LocateOptions does the same as Locate for all faults that style finds in options.
func (v *Values) LocateOptions(err error) (bad ui.Faults) {
	all := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		all = several.Unwrap()
	}
	for _, err := range all {
		if option, ok := errors.AsType[*style.OptionError](err); ok {
			err = v.Locate(option.Option, err)
		}
		bad.Add(err)
	}
	return bad
}

// otherVariables are variables that are read but are not settings.
var otherVariables = []string{vgg.Environment, film.Environment, "IMPASTO_SIMD", "IMPASTO_STATE", "IMPASTO_QUEUE", "IMPASTO_CUDA"}

// Unread returns a sentence for each variable of an environment that looks like one
// of Impasto's but is not read. Its name is nearly that of another variable, or
// that of a flag that no variable sets. isFlag reports whether a command has a flag
// of that name.
func Unread(environment []string, isFlag func(name string) bool) (warnings []string) {
	known := map[string]bool{}
	var words []string // without the prefix, which would make all names similar
	for _, v := range otherVariables {
		known[v] = true
		words = append(words, strings.TrimPrefix(v, variablePrefix))
	}
	for _, key := range ConfigKeys() {
		known[Variable(key)] = true
		words = append(words, strings.TrimPrefix(Variable(key), variablePrefix))
	}
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		word, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || known[name] {
			continue
		}
		flag := strings.ToLower(strings.ReplaceAll(word, "_", "-"))
		if near := ui.Nearest(word, words); near != "" && !isFlag(flag) {
			warnings = append(warnings, "the variable "+name+" is not read; "+variablePrefix+near+" is")
		} else if isFlag(flag) {
			warnings = append(warnings, "the variable "+name+" is not read; --"+flag+" is said on the command line alone")
		}
	}
	return warnings
}
