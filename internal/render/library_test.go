package render

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// TestLibraryMakesRoom: what is kept for other renders goes where a render's plan
// leaves no room for it, and comes back with the next that does; no picture
// changes.
func TestLibraryMakesRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: paints three pictures by patches, two minutes under -race")
	}
	dir := t.TempDir()
	l := &Library{}
	env := Env{Library: l, Devices: NewDevices(l)}
	prepare := func(name, memory string) *Prepared {
		t.Helper()
		req, err := ParseCommandLine([]string{"patch", "sample:lighthouse", "sample:woodblock", "--weights=mini", "-s", "48", "-n", "2",
			"--overwrite=replace", "--max-memory=" + memory, "-o", filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Prepare(context.Background(), req, env)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	paint := func(name, memory string) []float32 {
		t.Helper()
		p := prepare(name, memory)
		if _, err := p.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		painted, _, err := picture.Read(p.Path(), picture.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return painted.Pix
	}
	roomy := paint("roomy.png", "4GB")
	had, pictures := l.paintings.Bytes(), len(l.pictures)
	if had == 0 || pictures == 0 {
		t.Errorf("%d bytes of paintings and %d pictures are kept where there is room", had, pictures)
	}
	prepare("plan.png", "500MB")
	if l.paintings.Bytes() != had || len(l.pictures) != pictures {
		t.Errorf("planning alone left %d of %d bytes of paintings", l.paintings.Bytes(), had)
	}
	tight := paint("tight.png", "500MB")
	if l.paintings.Bytes() != 0 || len(l.pictures) != 0 {
		t.Errorf("%d bytes of paintings and %d pictures are kept where there is no room", l.paintings.Bytes(), len(l.pictures))
	}
	if again := paint("again.png", "4GB"); !slices.Equal(again, roomy) || !slices.Equal(tight, roomy) {
		t.Error("the pictures differ")
	}
	if l.paintings.Bytes() != had {
		t.Errorf("%d bytes of paintings are kept, %d the first time", l.paintings.Bytes(), had)
	}
}
