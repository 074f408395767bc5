package main

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/style"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"content": "cat", "style": "night", "w": "640"}
	for template, want := range map[string]string{
		"out.png":                    "out.png",
		"{content}__{style}_{w}.png": "cat__night_640.png",
		"a}b.png":                    "a}b.png",
	} {
		if got, err := expand(template, values); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", template, got, err, want)
		}
	}
	for template, want := range map[string]string{"{contnt}.png": "unknown field {contnt}", "{content.png": "without a }", "{}": "unknown field {}"} {
		if _, err := expand(template, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", template, err, want)
		}
	}
}

func TestFrameName(t *testing.T) {
	for _, c := range []struct{ output, dir, want string }{
		{"a/out.png", "", "a/out_00042.png"},
		{"a/out.jpg", "frames", "frames/out_00042.jpg"},
		{"-", "", "out_00042.png"},
	} {
		if got := frameName(c.output, c.dir, 42); got != c.want {
			t.Errorf("%s in %q: got %s, want %s", c.output, c.dir, got, c.want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"500MB": 500e6, "2GB": 2e9, "1.5g": 15e8, "1GiB": 1 << 30, "4096": 4096, "7k": 7000} {
		if got, ok := parseBytes(text); !ok || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "much", "-1GB", "0", "NaN", "1e300GB", "GB", "Inf"} {
		if got, ok := parseBytes(text); ok {
			t.Errorf("%q passed as %d", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"size", "seed", "style-weight", "style-layers"}
	for got, want := range map[string]string{
		"sise": "size", "style-wieght": "style-weight", "stileweight": "style-weight", "frobnicate": "", "SIZE": "size", "": "",
	} {
		if near := nearest(got, names); near != want {
			t.Errorf("%q: got %q, want %q", got, near, want)
		}
	}
	if d := editDistance("abcd", "abdc"); d != 1 {
		t.Errorf("a swap of neighbours counts %d", d)
	}
}

// Every option must have a line in params, or it could be set by nobody, and
// its text must come back as it was.
func TestEveryOptionIsAParamAndComesBack(t *testing.T) {
	o := style.DefaultOptions(style.ModeArt, "cpu", "vgg19")
	o.StyleWeights = []float64{3, 0.5}
	for _, p := range params {
		if !p.option {
			continue
		}
		if _, ok := optionField(&o, p.name); !ok {
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
	for _, name := range optionNames() {
		if p, ok := findParam(name); name != "mode" && (!ok || !p.option) {
			t.Errorf("option %s can be set by nobody", name)
		}
	}
}

func TestErrorsOfPackagesBelow(t *testing.T) {
	f := classify(&style.DivergedError{Scale: 2, Iteration: 41})
	if f.Exit != exitDiverged || f.Code != "diverged" || !strings.Contains(f.Message, "scale 2, iteration 41") {
		t.Errorf("got %+v", f)
	}
}
