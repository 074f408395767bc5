package picture

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

const recipe = `{"mode":"art","note":"ü <&> \"quoted\" \n Größe 語"}`

func TestRecipeRoundTrip(t *testing.T) {
	dir := t.TempDir()
	p := smooth(12, 9)
	for _, ext := range []string{".png", ".jpg", ".tif", ".webp"} {
		path := filepath.Join(dir, "out"+ext)
		o := WriteOptions{Recipe: recipe, Software: "Impasto 0.1"}
		if err := Save(path, p, o); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadRecipe(path); err != nil || got != recipe {
			t.Errorf("%s: got %q (%v)", ext, got, err)
		}
		_, statErr := os.Stat(Sidecar(path))
		if beside := statErr == nil; beside != (ext == ".tif" || ext == ".webp") {
			t.Errorf("%s: a file beside: %v", ext, beside)
		}
		with, _, err := Read(path, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := StripRecipe(path); err != nil {
			t.Fatal(err)
		}
		_, err = ReadRecipe(path)
		wantError(t, err, Input, "no_recipe", `"`+path+`" carries no recipe`)
		if _, err := os.Stat(Sidecar(path)); err == nil {
			t.Errorf("%s: the file beside is still there", ext)
		}
		// Stripping is lossless: what is left is the file made without texts.
		stripped, _ := os.ReadFile(path)
		format, _ := FormatOf(path)
		if !bytes.Equal(stripped, mustEncode(t, p, format, WriteOptions{})) {
			t.Errorf("%s: stripped, the file differs from one made without a recipe", ext)
		}
		without, _ := mustDecode(t, stripped)
		testutil.Close(t, ext, without.Pix, with.Pix, 0, 0)
	}
}

// TestStaleSidecar: a new picture does not inherit the recipe of the old.
func TestStaleSidecar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.webp")
	for _, r := range []string{recipe, ""} {
		if err := Save(path, New(2, 2), WriteOptions{Recipe: r}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(Sidecar(path)); err == nil {
		t.Error("the old recipe is still there")
	}
}

// TestLongRecipe: what does not fit a JPEG segment goes beside.
func TestLongRecipe(t *testing.T) {
	long := `{"x":"` + strings.Repeat("y", 70000) + `"}`
	for _, ext := range []string{".jpg", ".png"} {
		path := filepath.Join(t.TempDir(), "out"+ext)
		if err := Save(path, New(8, 8), WriteOptions{Recipe: long}); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadRecipe(path); err != nil || got != long {
			t.Errorf("%s: %d bytes (%v), want %d", ext, len(got), err, len(long))
		}
	}
}

// TestForeignTexts: other programs' texts stay, and recipes that other
// programs have moved into other chunks are found.
func TestForeignTexts(t *testing.T) {
	base := mustEncode(t, New(3, 3), PNG, WriteOptions{})
	foreign := splicePNG(base, "tEXt", []byte("Comment\x00keep me"))
	foreign = splicePNG(foreign, "tEXt", []byte("Software\x00GIMP"))
	if !bytes.Equal(withoutRecipe(foreign), foreign) {
		t.Error("other programs' texts were taken out")
	}
	packed := deflated([]byte(recipe))
	for kind, data := range map[string][]byte{
		"tEXt": append([]byte("impasto:recipe\x00"), recipe...),
		"zTXt": append([]byte("impasto:recipe\x00\x00"), packed...),
		"iTXt": append([]byte("impasto:recipe\x00\x01\x00en\x00Rezept\x00"), packed...),
	} {
		file := splicePNG(foreign, kind, data)
		if got, ok := embeddedRecipe(file); !ok || got != recipe {
			t.Errorf("%s: got %q", kind, got)
		}
		if !bytes.Equal(withoutRecipe(file), foreign) {
			t.Errorf("%s: not stripped cleanly", kind)
		}
	}
	bomb := append([]byte("impasto:recipe\x00\x00"), deflated(make([]byte, maxInflated+1))...)
	if _, ok := embeddedRecipe(splicePNG(base, "zTXt", bomb)); ok {
		t.Error("a text of 16 MiB unpacked")
	}

	jpegBase := mustEncode(t, New(8, 8), JPEG, WriteOptions{})
	xmp := func(body string) []byte {
		return spliceJPEG(jpegBase, app1, []byte(xmpHeader+`<x:xmpmeta xmlns:x="adobe:ns:meta/">`+body+`</x:xmpmeta>`))
	}
	if got, ok := embeddedRecipe(xmp(`<d xmlns:z="` + xmpNamespace + `" z:recipe="{&quot;a&quot;:1}"/>`)); !ok || got != `{"a":1}` {
		t.Errorf("attribute: got %q", got)
	}
	other := xmp(`<d xmlns:z="http://example.com/" z:recipe="soup"/>`)
	if _, ok := embeddedRecipe(other); ok || !bytes.Equal(withoutRecipe(other), other) {
		t.Error("another program's recipe was taken for ours")
	}
}
