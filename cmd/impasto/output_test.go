package main

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Every option must have a line in params, or it could be set by nobody, and
// its text must come back as it was.
func TestEveryOptionIsAParamAndComesBack(t *testing.T) {
	o := style.DefaultOptions(style.ModeArt, "cpu", "vgg19")
	o.StyleWeights = []float64{3, 0.5}
	for _, p := range params {
		if !p.option {
			continue
		}
		if o.Field(p.name) == nil {
			t.Errorf("param %s is no option of style", p.name)
			continue
		}
		text := optionText(&o, p.name)
		back := style.DefaultOptions(style.ModeTexture, "cuda", "mini")
		if err := setOption(&back, p.name, text); err != nil {
			t.Errorf("%s: its own text %q is refused: %v", p.name, text, err)
		}
		if got := optionText(&back, p.name); got != text {
			t.Errorf("%s: %q came back as %q", p.name, text, got)
		}
	}
	for _, name := range style.OptionNames() {
		if p, ok := findParam(name); name != "mode" && (!ok || !p.option) {
			t.Errorf("option %s can be set by nobody", name)
		}
	}
}

func TestErrorsOfPackagesBelow(t *testing.T) {
	f := ui.FaultsOf(&style.DivergedError{Scale: 2, Iteration: 41})[0]
	if f.Exit != ui.ExitDiverged || f.Code != "diverged" || !strings.Contains(f.Message, "scale 2, iteration 41") {
		t.Errorf("got %+v", f)
	}
}
