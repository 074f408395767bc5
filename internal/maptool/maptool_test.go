package maptool

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// halves writes a map whose left half is red and whose right half is blue.
func halves(t *testing.T, w, h int) string {
	t.Helper()
	p := picture.New(w, h)
	for i := range w * h {
		if i%w < w/2 {
			p.Pix[3*i] = 1
		} else {
			p.Pix[3*i+2] = 1
		}
	}
	path := filepath.Join(t.TempDir(), "halves.png")
	if err := picture.Save(path, p, picture.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a tool by the words after its name, as a job does.
func run(t *testing.T, name string, words ...string) (*Result, error) {
	t.Helper()
	tool, ok := Find(name)
	if !ok {
		t.Fatalf("there is no tool %q", name)
	}
	given, args, err := tool.Parse(words)
	if err != nil {
		t.Fatal(err)
	}
	return tool.Run(t.Context(), Input{Given: given, Args: args, OnlyNamed: true})
}

func read(t *testing.T, path string) *maps.Map {
	t.Helper()
	m, _, err := maps.Read(path, picture.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParse(t *testing.T) {
	tool, _ := Find("fit")
	given, args, err := tool.Parse(strings.Fields("m.png --to 64x48 -o out.png --crop --y=false -- -odd"))
	want := settings.Given{"to": {"64x48"}, "output": {"out.png"}, "crop": {"true"}, "y": {"false"}}
	if err != nil || !reflect.DeepEqual(given, want) || !slices.Equal(args, []string{"m.png", "-odd"}) {
		t.Errorf("got %v %q, %v", given, args, err)
	}
	_, _, err = tool.Parse(strings.Fields("m.png --sise 3 --to"))
	if got := ui.FaultsOf(err); len(got) != 2 || got[0].Code != "unknown_flag" || !strings.Contains(got[1].Message, "--to needs a value") {
		t.Errorf("got %v", err)
	}
}

// TestToolsAreComplete: help needs a text for each flag, and no two tools or
// flags of a tool have one name.
func TestToolsAreComplete(t *testing.T) {
	tools := map[string]bool{}
	for _, tool := range Tools {
		if tools[tool.Name] || tool.Help == "" || tool.Args == "" {
			t.Errorf("tool %q is there twice or says nothing", tool.Name)
		}
		tools[tool.Name] = true
		flags := map[string]bool{}
		for _, f := range tool.Flags {
			for _, n := range f.Names() {
				if flags[n] {
					t.Errorf("map %s: two flags are called %q", tool.Name, n)
				}
				flags[n] = true
			}
			if f.Help == "" || (f.Kind == settings.Switch) != (f.Value == "") {
				t.Errorf("map %s --%s: no help, or kind and placeholder do not agree", tool.Name, f.Name)
			}
		}
		if _, err := tool.Run(t.Context(), Input{}); err == nil {
			t.Errorf("map %s without arguments is no fault", tool.Name)
		}
	}
	if tool, _ := Find("recolor"); !tool.ReadsArg(0) || tool.ReadsArg(1) {
		t.Error("recolor reads its first argument and no other")
	}
	if tool, _ := Find("lint"); !tool.ReadsArg(7) {
		t.Error("lint reads all its arguments")
	}
}

func TestRecolorExchangesColours(t *testing.T) {
	in, out := halves(t, 16, 8), filepath.Join(t.TempDir(), "out.png")
	r, err := run(t, "recolor", in, "red=#0000ff", "blue=#ff0000", "-o", out)
	if err != nil || !slices.Equal(r.Outputs, []string{out}) {
		t.Fatalf("got %+v, %v", r, err)
	}
	m := read(t, out)
	left, right := m.Regions[m.Labels[0]], m.Regions[m.Labels[15]]
	if maps.Hex(left.Colour) != "#0000ff" || maps.Hex(right.Colour) != "#ff0000" {
		t.Errorf("left is %s, right is %s", maps.Hex(left.Colour), maps.Hex(right.Colour))
	}
	if _, err := run(t, "recolor", in, "red=#0000ff", "-o", filepath.Join(t.TempDir(), "same.png")); err == nil {
		t.Error("two regions have one colour")
	}
	if _, err := run(t, "recolor", in, "red=#00ff00"); err == nil {
		t.Error("the map was replaced without -y")
	}
}

func TestMerge(t *testing.T) {
	in := halves(t, 16, 8)
	_, err := run(t, "merge", in, "red", "blue", "-o", filepath.Join(t.TempDir(), "one.png"))
	if got := ui.FaultsOf(err); len(got) != 1 || got[0].Code != "map_merge" {
		t.Errorf("merging everything: %v", err)
	}
	_, err = run(t, "merge", in, "green", "violet")
	if got := ui.FaultsOf(err); len(got) < 3 { // two regions and a file that exists
		t.Errorf("not all faults are told: %v", err)
	}
}

func TestFit(t *testing.T) {
	in, dir := halves(t, 16, 8), t.TempDir()
	if _, err := run(t, "fit", in, "--to", "32x16", "-o", filepath.Join(dir, "a.png")); err != nil {
		t.Fatal(err)
	}
	if m := read(t, filepath.Join(dir, "a.png")); m.W != 32 || m.H != 16 || len(m.Regions) != 2 {
		t.Errorf("got %dx%d with %d regions", m.W, m.H, len(m.Regions))
	}
	_, err := run(t, "fit", in, "--to", "16x16", "-o", filepath.Join(dir, "b.png"))
	if got := ui.FaultsOf(err); len(got) != 1 || got[0].Code != "map_proportions" {
		t.Errorf("got %v", err)
	}
	for _, how := range []string{"--crop", "--stretch"} {
		out := filepath.Join(dir, how+".png")
		if _, err := run(t, "fit", in, "--to", "16x16", how, "-o", out); err != nil {
			t.Error(err)
		} else if m := read(t, out); m.W != 16 || m.H != 16 {
			t.Errorf("%s: %dx%d", how, m.W, m.H)
		}
	}
}

func TestMask(t *testing.T) {
	in, out := halves(t, 16, 8), filepath.Join(t.TempDir(), "mask.png")
	r, err := run(t, "mask", in, "blue", "-o", out)
	if err != nil || r.Facts["share"] != 0.5 {
		t.Fatalf("got %+v, %v", r, err)
	}
	p, _, err := picture.Read(out, picture.ReadOptions{})
	if err != nil || p.Pix[0] != 0 || p.Pix[3*15] != 1 {
		t.Errorf("the mask is %v, %v", p, err)
	}
	_, err = run(t, "mask", in, "green", "--soft", "-1", "-o", in)
	if got := ui.FaultsOf(err); len(got) < 3 {
		t.Errorf("not all faults are told: %v", err)
	}
}

func TestView(t *testing.T) {
	tool, _ := Find("view")
	var shown *picture.Picture
	r, err := tool.Run(t.Context(), Input{Args: []string{halves(t, 16, 8)}, OnlyNamed: true, Show: func(p *picture.Picture) error { shown = p; return nil }})
	if err != nil || len(r.Lines) != 2 || len(r.Outputs) > 0 || shown == nil || shown.W != 16 {
		t.Errorf("got %+v, %v; shown %v", r, err, shown)
	}
	if _, err := run(t, "view", halves(t, 16, 8), "--opacity", "2"); err == nil {
		t.Error("an opacity of 2 passed")
	}
}

func TestRepairAndLint(t *testing.T) {
	p := picture.New(32, 16)
	for i := range 32 * 16 {
		switch x := i % 32; {
		case x < 16:
			p.Pix[3*i] = 1
		case x == 16:
			p.Pix[3*i], p.Pix[3*i+2] = 0.5, 0.5 // a soft edge
		default:
			p.Pix[3*i+2] = 1
		}
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "soft.png"), filepath.Join(dir, "hard.png")
	if err := picture.Save(in, p, picture.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "repair", in); err == nil || !strings.Contains(err.Error(), "needs -o") {
		t.Errorf("without -o: %v", err)
	}
	if r, err := run(t, "repair", in, "-o", out); err != nil || !slices.Equal(r.Outputs, []string{out}) {
		t.Fatalf("got %+v, %v", r, err)
	}
	if m := read(t, out); len(m.Regions) != 2 {
		t.Errorf("the repaired map has %d regions", len(m.Regions))
	}
	if _, err := run(t, "lint", out, "--strict"); err != nil {
		t.Errorf("the repaired map has faults: %v", err)
	}
	if _, err := run(t, "lint", filepath.Join(dir, "none.png")); err == nil {
		t.Error("a map that does not exist has no faults")
	}
}

func TestDeriveAndApplyRefuseBadInput(t *testing.T) {
	in := halves(t, 16, 8)
	_, err := run(t, "derive", in, "--regions", "99", "--threads", "0", "--weights", "mini", "-o", in)
	if got := ui.FaultsOf(err); len(got) < 3 {
		t.Errorf("not all faults are told: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "matches.json")
	if err := os.WriteFile(bad, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{in}, {filepath.Join(t.TempDir(), "none.json"), in}, {bad, in}} {
		if _, err := run(t, "apply", append(words, "-o", filepath.Join(t.TempDir(), fmt.Sprint(len(words), ".png")))...); err == nil {
			t.Errorf("map apply %q passed", words)
		}
	}
}
