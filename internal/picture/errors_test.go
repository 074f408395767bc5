package picture

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestImageMagickThatIsThere: the hint names the program that this machine has.
func TestImageMagickThatIsThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: convert is another program on Windows")
	}
	for _, c := range []struct{ programs, want string }{
		{"magick convert", "magick "}, {"convert", "convert "}, {"", "magick "},
	} {
		dir := t.TempDir()
		for _, name := range strings.Fields(c.programs) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", dir)
		_, _, err := Decode(strings.NewReader("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "a.heic", ReadOptions{})
		e, ok := err.(*Error)
		if !ok || len(e.Try()) == 0 || !strings.HasPrefix(e.Try()[0], c.want) {
			t.Errorf("with %q there: %v", c.programs, err)
		} else if _, rest, _ := strings.Cut(e.Try()[0], " "); !strings.HasPrefix(rest, "a.heic a.png") {
			t.Errorf("with %q there the hint is %q", c.programs, e.Try()[0])
		}
	}
}
