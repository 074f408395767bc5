package render

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func TestSamplesAreWrittenOrNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "samples")
	var written []string
	write := func(rule string) error {
		written = nil
		return Samples{Folder: dir, Size: "48", Rule: rule}.Write(func(path string) error { written = append(written, filepath.Base(path)); return nil })
	}
	if err := write("fail"); err != nil || len(written) != 2*len(sample.Names()) || !slices.Contains(written, "valley_sem.png") {
		t.Fatalf("wrote %q, %v", written, err)
	}
	p, _, err := picture.Read(filepath.Join(dir, "valley.png"), picture.ReadOptions{})
	if err != nil || p.W != 48 || p.H != 32 {
		t.Errorf("valley.png is %v, %v", p, err)
	}
	if m, _, err := (Env{}).ReadMap(filepath.Join(dir, "valley_sem.png"), "map"); err != nil || m.Regions[0].Name == "" {
		t.Errorf("the map has no legend: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "valley.png")); err != nil {
		t.Fatal(err)
	}
	if err := write("fail"); err == nil || len(written) > 0 {
		t.Errorf("although files exist %q were written, %v", written, err)
	}
	if err := write("skip"); err != nil || !slices.Equal(written, []string{"valley.png"}) {
		t.Errorf("wrote %q, %v", written, err)
	}
	if got := ui.FaultsOf(Samples{Folder: dir, Size: "wide", Rule: "maybe"}.Write(nil)); len(got) != 2 || got[0].Exit != ui.ExitUsage {
		t.Errorf("got %v", got)
	}
}

func TestDemo(t *testing.T) {
	r, title, err := Demo{}.Request(settings.Given{"size": {"64"}})
	if err != nil || r.Inputs.Content != "sample:lighthouse" || !slices.Equal(r.Inputs.Styles, []string{"sample:woodblock"}) || r.Values.Options.Size != "64" {
		t.Errorf("got %+v, %v", r.Inputs, err)
	}
	if !strings.Contains(title, "lighthouse (") || !strings.Contains(title, ", after woodblock (") {
		t.Errorf("the title is %q", title)
	}
	r, _, err = Demo{Content: "still-life", Style: "mosaic", Doodle: true}.Request(nil)
	if err != nil || r.Mode != style.ModeDoodle || r.Inputs.Content != "" || !slices.Equal(r.Inputs.Maps, []string{"sample:still-life_sem"}) {
		t.Errorf("got %+v, %v", r.Inputs, err)
	}
	if usual := settings.Defaults(style.ModeDoodle, "mini", "cpu"); r.Values.Options.MinScale != usual.MinScale {
		t.Errorf("a map is painted from %d pixels, not from %d", r.Values.Options.MinScale, usual.MinScale)
	}
	_, _, err = Demo{Content: "mosaic", Style: "mosiac"}.Request(settings.Given{"lr": {"x"}})
	got := ui.FaultsOf(err)
	if len(got) != 3 || !slices.Equal(got[2].Try, []string{`did you mean "mosaic"?`}) {
		t.Errorf("got %v", err)
	}
}
