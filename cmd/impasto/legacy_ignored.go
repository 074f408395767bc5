package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// ignoredFlag is a flag of another program that changes nothing here.
type ignoredFlag struct {
	takesValue bool
	why        string
}

// ignoredFlags are accepted, so that a command line from the documentation of
// neural-style and neural-style-pt runs, with a line that says why they do nothing.
var ignoredFlags = map[string]ignoredFlag{
	"normalize-gradients":  {false, "gradients need no normalisation: losses do not grow with the picture"},
	"normalize-weights":    {false, "losses are divided by the size of their layers already"},
	"cudnn-autotune":       {false, "cuDNN is not used"},
	"disable-check":        {false, "weights are checked by their layers"},
	"multidevice-strategy": {true, "a picture is cut into tiles, not the network into parts"},
}

// readIgnored accepts a flag that changes nothing, and returns the words left.
func (r *flagReader) readIgnored(name, w string, hasValue bool, rest []string) ([]string, bool) {
	f, ok := ignoredFlags[name]
	if !ok || !r.set.has("weights") || !r.set.has("size") || r.isOurs(name, w, hasValue, rest) {
		return rest, false
	}
	shown, _, _ := strings.Cut(w, "=")
	r.old.say("%s has no effect here: %s", shown, f.why)
	if f.takesValue && !hasValue && len(rest) > 0 {
		rest = rest[1:]
	}
	return rest, true
}

// isOurs reports whether a switch of another program is meant as the flag with
// a value that has the same name here: it has a value that fits, or is spelled
// as ours is ("--normalize-gradients", theirs being "-normalize_gradients") and
// has any.
func (r *flagReader) isOurs(name, w string, hasValue bool, rest []string) bool {
	if !r.set.has(name) {
		return false
	}
	if hasValue {
		return true
	}
	if len(rest) == 0 || !r.set.canBeValue(rest[0]) {
		return false
	}
	return w == "--"+name || takesWord(name, rest[0])
}

// takesWord reports whether word is one of the choices of a setting.
func takesWord(name, word string) bool {
	return slices.ContainsFunc(settings.All(), func(s settings.Setting) bool {
		return s.Name == name && slices.Contains(s.Choices, word)
	})
}

// looksLikeNumber reports whether a word after -n was meant as a number of
// iterations, though it is none: "2.5", "-2", "nan", "1,2,x".
func looksLikeNumber(w string) bool {
	if strings.EqualFold(w, "nan") || strings.EqualFold(w, "inf") || isNumber(w) {
		return true
	}
	first, _, isList := strings.Cut(w, ",")
	return w != "" && w[0] >= '0' && w[0] <= '9' && (isList && isNumberList(first) || strings.Trim(w, "0123456789.eE+-") == "" && !strings.HasSuffix(w, "."))
}

// notIterations is the fault of such a word.
func notIterations(w string) error {
	return ui.UsageFault(fmt.Sprintf("-n %s: iterations are a whole number from 1, or one for each scale between commas", w), "-n 500", "-n 500,200")
}
