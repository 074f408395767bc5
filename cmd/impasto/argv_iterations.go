package main

import (
	"fmt"
	"strings"

	"github.com/impasto/impasto/internal/foreign"
	"github.com/impasto/impasto/internal/ui"
)

// looksLikeNumber reports whether a word after -n was meant as a number of
// iterations, but is not a valid one: "2.5", "-2", "nan", "1,2,x".
func looksLikeNumber(w string) bool {
	if strings.EqualFold(w, "nan") || strings.EqualFold(w, "inf") || isNumber(w) {
		return true
	}
	first, _, isList := strings.Cut(w, ",")
	return w != "" && w[0] >= '0' && w[0] <= '9' && (isList && foreign.IsNumberList(first) || strings.Trim(w, "0123456789.eE+-") == "" && !strings.HasSuffix(w, "."))
}

// notIterations returns the fault of such a word.
func notIterations(w string) error {
	return ui.UsageFault(fmt.Sprintf("-n %s: iterations are a whole number from 0, or one for each scale between commas", w), "-n 500", "-n 500,200")
}
