package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/impasto/impasto/style"
)

func example() Recipe {
	return Recipe{
		Version: Version, Program: "0.1", Mode: "art",
		Options: style.DefaultOptions("art", "cpu", "vgg19"),
		Inputs: []Input{
			{"content", "cat <&> \u00e9.png", strings.Repeat("a", 64), 10},
			{"style", "night.jpg", strings.Repeat("b", 64), 20},
		},
		Weights: Weights{"vgg19", strings.Repeat("c", 64)}, Device: "cpu", Precision: "f32",
		Output: Output{"png", 8},
		Result: Result{W: 384, H: 256, Iterations: 360, Planned: 360, Loss: Finite(1.0 / 3), PixelSHA256: strings.Repeat("d", 64)},
	}
}

func TestCanonicalIsStableAndComesBack(t *testing.T) {
	r := example()
	text, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, back) {
		t.Errorf("got  %+v\nwant %+v", back, r)
	}
	again, err := back.Canonical()
	if err != nil || again != text {
		t.Errorf("the second writing differs:\n%s\n%s", again, text)
	}
	for _, want := range []string{`{"device":"cpu","impasto":`, `"cat <&> ` + "\u00e9" + `.png"`, `"loss":0.3333333333333333`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
}

func TestHashKnowsWhatDecidesThePicture(t *testing.T) {
	base := example().Hash()
	same := map[string]func(*Recipe){
		"result":  func(r *Recipe) { r.Result.Loss = nil; r.Result.Iterations = 1 },
		"name":    func(r *Recipe) { r.Inputs[0].Name = "dog.png" },
		"program": func(r *Recipe) { r.Program = "0.2" },
		"format":  func(r *Recipe) { r.Output.Format = "jpg" },
	}
	for what, change := range same {
		r := example()
		change(&r)
		if r.Hash() != base {
			t.Errorf("the %s changes the hash", what)
		}
	}
	other := map[string]func(*Recipe){
		"seed":    func(r *Recipe) { r.Options.Seed++ },
		"weight":  func(r *Recipe) { r.Options.StyleWeight *= 1 + 1e-15 },
		"content": func(r *Recipe) { r.Inputs[0].SHA256 = strings.Repeat("e", 64) },
		"order":   func(r *Recipe) { r.Inputs[0], r.Inputs[1] = r.Inputs[1], r.Inputs[0] },
		"network": func(r *Recipe) { r.Weights.SHA256 = strings.Repeat("e", 64) },
		"device":  func(r *Recipe) { r.Device = "cuda" },
	}
	for what, change := range other {
		r := example()
		change(&r)
		if r.Hash() == base {
			t.Errorf("the %s does not change the hash", what)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	text, _ := example().Canonical()
	for _, c := range []struct{ text, want string }{
		{"", "no valid JSON"},
		{"[1]", "is a array"},
		{text[:len(text)/2], "JSON"},
		{text + "{}", "JSON"},
		{strings.Replace(text, `"recipe":1`, `"recipe":9`, 1), "version 9"},
		{strings.Replace(text, `"recipe":1`, `"recipe":1,"new":2`, 1), `unknown field "new"`},
		{strings.Replace(text, strings.Repeat("a", 64), "a", 1), "no checksum"},
		{strings.Repeat(" ", maxBytes+1), "over 1 MiB"},
	} {
		if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestDiff(t *testing.T) {
	a, b := example(), example()
	b.Options.StyleWeight = 2
	b.Inputs[1].Name = "day.jpg"
	b.Result.Stopped = "interrupted"
	got, err := Diff(a, b)
	want := []Change{
		{"inputs.1.name", "night.jpg", "day.jpg"},
		{"options.style-weight", "1", "2"},
		{"result.stopped", "", "interrupted"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestFindByNameThenByContent(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sum := sha256.Sum256([]byte("right"))
	in := Input{"content", "cat.png", hex.EncodeToString(sum[:]), 5}
	write(one, "cat.png", "wrong") // same name and size, another picture
	if got := Find(in, []string{one, two}); got != "" {
		t.Errorf("found %q", got)
	}
	renamed := write(two, "renamed.png", "right")
	if got := Find(in, []string{one, two}); got != renamed {
		t.Errorf("got %q, want %q", got, renamed)
	}
	named := write(two, "cat.png", "right")
	if got := Find(in, []string{one, two}); got != named {
		t.Errorf("got %q, want %q", got, named)
	}
}

func TestFiniteAndPixelHash(t *testing.T) {
	if Finite(math.NaN()) != nil || Finite(math.Inf(1)) != nil || *Finite(2) != 2 {
		t.Error("Finite keeps what JSON cannot say")
	}
	black := func(w io.Writer) { _, _ = w.Write(make([]byte, 18)) }
	if PixelHash(2, 3, black) == PixelHash(3, 2, black) {
		t.Error("PixelHash does not know the shape")
	}
}

func FuzzParse(f *testing.F) {
	text, _ := example().Canonical()
	f.Add(text)
	f.Add(`{"recipe":1,"options":{"style-layers":["relu1_1:x"]}}`)
	f.Add(`{"recipe":1e9}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		if _, err := r.Canonical(); err != nil {
			t.Errorf("parsed but not written: %v", err)
		}
		r.Hash()
	})
}

func TestIndentedIsTheSameRecipe(t *testing.T) {
	r := example()
	text, err := r.Indented()
	if err != nil || !strings.Contains(text, "\n  \"mode\": ") {
		t.Fatalf("got %q, %v", text, err)
	}
	if back, err := Parse(text); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("got %+v, %v", back, err)
	}
	if changes, err := Diff(r, r); changes == nil || len(changes) > 0 || err != nil {
		t.Errorf("a recipe differs from itself: %v, %v", changes, err)
	}
}
