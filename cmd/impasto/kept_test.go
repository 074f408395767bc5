package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// TestKeptMakesRoom: what is kept for other jobs goes where a job's plan leaves
// no room for it, and comes back with the next that does; no picture changes.
func TestKeptMakesRoom(t *testing.T) {
	dir := t.TempDir()
	k := (&session{}).keeper()
	paint := func(name string, more ...string) []float32 {
		t.Helper()
		out := filepath.Join(dir, name)
		var stdout, stderr bytes.Buffer
		words := append([]string{"impasto", "patch", "sample:lighthouse", "sample:woodblock", "--weights", "mini", "-q", "-s", "48", "-n", "2", "-o", out}, more...)
		s := &session{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, args: words, kept: k}
		if code := s.run(); code != ui.ExitOK {
			t.Fatalf("%v: exit code %d, %s", words, code, stderr.String())
		}
		p, _, err := picture.Read(out, picture.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Pix
	}
	roomy := paint("roomy.png", "--max-memory", "4GB")
	had := k.paintings.Bytes()
	if had == 0 || len(k.pictures) == 0 {
		t.Errorf("%d bytes of paintings and %d pictures are kept where there is room", had, len(k.pictures))
	}
	pictures := len(k.pictures)
	dry := &session{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, kept: k,
		args: []string{"impasto", "patch", "sample:lighthouse", "sample:woodblock", "--weights", "mini", "-s", "48", "--max-memory", "500MB", "--dry-run"}}
	if code := dry.run(); code != ui.ExitOK || k.paintings.Bytes() != had || len(k.pictures) != pictures {
		t.Errorf("exit code %d; planning alone left %d of %d bytes of paintings", code, k.paintings.Bytes(), had)
	}
	tight := paint("tight.png", "--max-memory", "500MB")
	if k.paintings.Bytes() != 0 || len(k.pictures) != 0 {
		t.Errorf("%d bytes of paintings and %d pictures are kept where there is no room", k.paintings.Bytes(), len(k.pictures))
	}
	if again := paint("again.png", "--max-memory", "4GB"); !slices.Equal(again, roomy) || !slices.Equal(tight, roomy) {
		t.Error("the pictures differ")
	}
	if k.paintings.Bytes() != had {
		t.Errorf("%d bytes of paintings are kept, %d the first time", k.paintings.Bytes(), had)
	}
}
