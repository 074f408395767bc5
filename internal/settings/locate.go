package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// locate says where a bad value stands unless it is on the command line.
func locate(err error, origin string) error {
	if err == nil || origin == OriginFlag || strings.HasPrefix(origin, "-") {
		return err
	}
	f := ui.FaultsOf(err)[0]
	f.Message = origin + ": " + strings.TrimPrefix(f.Message, "--")
	if strings.HasPrefix(origin, variablePrefix) {
		f.Try = append([]string{"unset " + origin}, f.Try...)
	}
	return f
}

// Locate says of a fault in the value of a setting where the value stands, if
// that is a variable or a place in a file.
func (v *Values) Locate(name string, err error) error {
	origin := v.Origin(name)
	if strings.HasPrefix(origin, variablePrefix) || strings.Contains(origin, ":") {
		return locate(err, origin)
	}
	return err
}

// LocateOptions is Locate for all that style says about options.
func (v *Values) LocateOptions(err error) (bad ui.Faults) {
	all := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		all = several.Unwrap()
	}
	for _, err := range all {
		var option *style.OptionError
		if errors.As(err, &option) {
			err = v.Locate(option.Option, err)
		}
		bad.Add(err)
	}
	return bad
}

// otherVariables are read, but are no settings.
var otherVariables = []string{vgg.Environment, film.Environment, "IMPASTO_SIMD", "IMPASTO_STATE", "IMPASTO_QUEUE", "IMPASTO_CUDA"}

// Misspelt returns the variables of an environment that nothing reads although
// their names are nearly those of others, and what was perhaps meant.
func Misspelt(environment []string) (names, meant []string) {
	known := slices.Clone(otherVariables)
	for _, key := range ConfigKeys() {
		known = append(known, Variable(key))
	}
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(known, name) {
			continue
		}
		if near := ui.Nearest(name, known); near != "" {
			names, meant = append(names, name), append(meant, near)
		}
	}
	return names, meant
}
