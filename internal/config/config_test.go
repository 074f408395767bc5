package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func known(key string) (string, bool) {
	for _, k := range []string{"size", "style-weight", "style-layers", "box", "output", "lr"} {
		if k == key {
			return "", true
		}
	}
	if key == "style_weight" {
		return "style-weight", false
	}
	return "", false
}

func TestParseValues(t *testing.T) {
	entries, faults := Parse("c.yaml", []byte(`# mine
size: 512
style-weight: 1.50   # strong
style-layers: [relu1_1, relu2_1:0.5]
box: no
output: "{content}: {style}.png"
lr: -1e-3
`), known)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []Entry{
		{"size", "512", 2, 1}, {"style-weight", "1.50", 3, 1}, {"style-layers", "relu1_1,relu2_1:0.5", 4, 1},
		{"box", "no", 5, 1}, {"output", "{content}: {style}.png", 6, 1}, {"lr", "-1e-3", 7, 1},
	}
	if !reflect.DeepEqual(entries, want) {
		t.Errorf("got  %v\nwant %v", entries, want)
	}
}

func TestAllFaultsAreReportedWithTheirPlace(t *testing.T) {
	_, faults := Parse("c.yaml", []byte("size: 512\nstyle_weight: 5\nsize: 1\nlr:\nbox: {a: 1}\nstyle-layers: [[a]]\n"), known)
	want := []string{
		"c.yaml:2:1: unknown key \"style_weight\" (did you mean \"style-weight\"?)\n    1 | size: 512\n    2 | style_weight: 5\n      | ^",
		`c.yaml:3:1: key "size" is already set in line 1`,
		`c.yaml:4:1: key "lr" needs a value`,
		`c.yaml:5:1: key "box" needs a value`,
		`c.yaml:6:1: key "style-layers" needs a value`,
	}
	if len(faults) != len(want) {
		t.Fatalf("got %d faults, want %d: %v", len(faults), len(want), faults)
	}
	for i, w := range want {
		if !strings.HasPrefix(faults[i].Error(), w) {
			t.Errorf("got  %s\nwant %s", faults[i], w)
		}
	}
}

func TestOtherYAML(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "",
		"# nothing\n":          "",
		"---\n":                "",
		"just words\n":         `c.yaml:1:1: expected "flag: value" lines`,
		"- a\n- b\n":           `c.yaml:1:1: expected "flag: value" lines`,
		"size: [1, 2\n":        "c.yaml:1:",
		"size: \"open\nbox: 1": "c.yaml:",
	} {
		entries, faults := Parse("c.yaml", []byte(text), known)
		switch {
		case want == "" && (len(faults) > 0 || len(entries) > 0):
			t.Errorf("%q: got %v, %v", text, entries, faults)
		case want != "" && (len(faults) == 0 || !strings.HasPrefix(faults[0].Error(), want)):
			t.Errorf("%q: got %v, want %s", text, faults, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if entries, faults := Load(filepath.Join(dir, "none.yaml"), known); entries != nil || faults != nil {
		t.Errorf("a file that does not exist: got %v, %v", entries, faults)
	}
	if _, faults := Load(dir, known); len(faults) != 1 || !strings.Contains(faults[0].Error(), "cannot be read") {
		t.Errorf("a directory: got %v", faults)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, maxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, faults := Load(big, known); len(faults) != 1 || !strings.Contains(faults[0].Error(), "over 1 MiB") {
		t.Errorf("a large file: got %v", faults)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"size: 512\n", "a: &a [1]\nb: *a\n", "? x\n: y\n", "size: |\n  text\n", "<<: {}\n", "!!binary x: y\n",
		"size: [1, [2]]", "\xef\xbb\xbfsize: 1", "size: .nan", "{size: 1, box: true}", "a: \"\\x", "--- x\n...\n--- y",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, faults := Parse("c.yaml", data, known)
		for _, e := range entries {
			if _, ok := known(e.Key); !ok {
				t.Errorf("unknown key %q passed", e.Key)
			}
		}
		for _, e := range faults {
			if e.Error() == "" {
				t.Error("a fault without words")
			}
		}
	})
}
