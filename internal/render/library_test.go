package render

import (
	"context"
	"fmt"
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

// TestLibrarySharesDepths: a painting that needs fewer layers than another holds
// no weights of its own, and is the picture that it is where nothing is shared.
func TestLibrarySharesDepths(t *testing.T) {
	dir := t.TempDir()
	l := &Library{}
	shared := Env{Library: l, Devices: NewDevices(l)}
	defer shared.Devices.Release()
	paint := func(name, layers string, env Env) []float32 {
		t.Helper()
		out := filepath.Join(dir, name+".png")
		p, err := Prepare(context.Background(), request(t, quick("-n=2", "--content-layers=relu2_1", "--style-layers="+layers, "-o", out)), env)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		painted, _, err := picture.Read(out, picture.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return painted.Pix
	}
	for i, layers := range []string{"relu3_1", "relu1_1,relu4_1", "relu2_1"} {
		if !slices.Equal(paint(fmt.Sprint("shared", i), layers, shared), paint(fmt.Sprint("alone", i), layers, Env{Library: &Library{pictures: l.pictures}})) {
			t.Errorf("with %s the picture differs where weights are shared", layers)
		}
	}
	maker, err := NewMapMaker(context.Background(), l, "mini", 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.networks) != 3 {
		t.Errorf("%d networks are held for three depths", len(l.networks))
	}
	weights := map[*float32]string{}
	for _, n := range l.networks {
		for _, layer := range n.Layers {
			weights[&layer.Weight[0]] = layer.Name
		}
	}
	if deepest := len(maker.network.Layers); len(weights) != deepest {
		t.Errorf("%d copies of %d layers are held", len(weights), deepest)
	}
}
