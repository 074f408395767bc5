package main

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func TestErrorsOfPackagesBelow(t *testing.T) {
	f := ui.FaultsOf(&style.DivergedError{Scale: 2, Iteration: 41})[0]
	if f.Exit != ui.ExitDiverged || f.Code != "diverged" || !strings.Contains(f.Message, "scale 2, iteration 41") {
		t.Errorf("got %+v", f)
	}
}
