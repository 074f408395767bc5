package vgg

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vggLike writes weights of the first layers of a VGG network, in a file that
// calls them vgg19. The values do not matter.
func vggLike(t *testing.T, name string, depths []int, upTo int) string {
	t.Helper()
	n := &Network{Name: "vgg19", Pool: PoolMax, Meta: Provenance{Layout: LayoutRGB}}
	for _, s := range topology(depths, vggWidths)[:upTo] {
		n.Layers = append(n.Layers, Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out,
			Weight: make([]float32, s.out*s.in*9), Bias: make([]float32, s.out)})
	}
	path := filepath.Join(t.TempDir(), name)
	if _, _, err := n.Write(path, true); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNetworksAreToldApartByTheirLayers: neither the file's name nor the name
// asked for makes VGG-16 of VGG-19.
func TestNetworksAreToldApartByTheirLayers(t *testing.T) {
	store := &Store{Dir: t.TempDir()}
	sixteen := vggLike(t, "vgg19.safetensors", []int{2, 2, 3, 3, 3}, 8)
	_, err := store.Import(context.Background(), sixteen, ImportOptions{Name: "vgg19"})
	if e, ok := err.(*Error); !ok || e.ExitCode() != 10 || !strings.Contains(e.Error(), "VGG-16") || !strings.Contains(e.Error(), "VGG-19") {
		t.Fatalf("VGG-16 as vgg19: %v", err)
	}
	if list, err := store.List(); err != nil || len(list) != 0 {
		t.Fatalf("%v is installed, %v", list, err)
	}
	w, err := store.Import(context.Background(), sixteen, ImportOptions{})
	if err != nil || w.Name != "vgg16" {
		t.Fatalf("without a name it is %q, %v", w.Name, err)
	}
	// One that was installed under a wrong name by an older version is refused too.
	if err := os.Rename(filepath.Join(store.Dir, "vgg16.safetensors"), filepath.Join(store.Dir, "vgg19.safetensors")); err != nil {
		t.Fatal(err)
	}
	w.Name, w.File = "vgg19", "vgg19.safetensors"
	if err := store.writeIndex([]Installed{w}); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(context.Background(), "vgg19", LoadOptions{Store: store}); err == nil || !strings.Contains(err.Error(), "VGG-16") {
		t.Fatalf("installed VGG-16 as vgg19: %v", err)
	}
}

func TestOtherNetworksGetTheirSentence(t *testing.T) {
	if _, err := LoadFile(context.Background(), vggLike(t, "a.safetensors", []int{2, 2, 2, 2, 2}, 7), LoadOptions{}); err == nil || !strings.Contains(err.Error(), "VGG-13") {
		t.Errorf("VGG-13: %v", err)
	}
	var entries []entry
	for range 16 {
		entries = append(entries, entry{name: "features.1.running_mean"})
	}
	if err := (&archive{entries: entries}).nameLayers(); err == nil || !strings.Contains(err.Error(), "VGG-19 with batch normalisation") {
		t.Errorf("normalised: %v", err)
	}
	if err := checkName("vgg19-mine", topology([]int{2, 2, 4}, vggWidths)); err != nil {
		t.Errorf("the beginning of VGG-19: %v", err)
	}
	if err := checkName("sketches", topology([]int{1, 1}, []int{8, 16})); err != nil {
		t.Errorf("a name that claims nothing: %v", err)
	}
}

func TestMissingFolderOfWeights(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	t.Setenv(Environment, dir)
	if _, err := Resolve(""); err == nil || !strings.Contains(err.Error(), "does not exist") || err.(*Error).ExitCode() != 10 {
		t.Fatalf("use: %v", err)
	}
	if _, err := DefaultStore().Import(context.Background(), vggLike(t, "a.safetensors", []int{2, 2, 4, 4, 4}, 3), ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if s, err := Resolve(""); err != nil || s.Path != filepath.Join(dir, "vgg19.safetensors") {
		t.Fatalf("after the import: %+v, %v", s, err)
	}
}
