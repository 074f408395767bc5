package overwrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnOutputIsNoInput(t *testing.T) {
	dir := t.TempDir()
	photo := write(t, filepath.Join(dir, "photo.png"), "a picture")
	soft, hard, linked := filepath.Join(dir, "soft.png"), filepath.Join(dir, "hard.png"), filepath.Join(dir, "sub")
	for _, err := range []error{os.Symlink(photo, soft), os.Link(photo, hard), os.Symlink(dir, linked)} {
		if err != nil {
			t.Skip(err)
		}
	}
	t.Chdir(dir)
	for _, path := range []string{photo, "photo.png", "./x/../photo.png", soft, hard, filepath.Join(linked, "photo.png"), "sub/hard.png"} {
		for _, rule := range []picture.Overwrite{picture.Fail, picture.Replace, picture.Number, picture.Skip} {
			s := New(rule, false)
			s.Reads("the content image", photo)
			_, _, err := s.Choose("report", "--report", path)
			f, ok := err.(*ui.Fault)
			if !ok || f.Code != "same_file" || f.Exit != 5 || !strings.Contains(f.Error(), "is also the content image") {
				t.Errorf("%s, rule %d: %v", path, rule, err)
			}
		}
	}
}

func TestOutputsAreApart(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "not-yet.png"), filepath.Join(dir, "to.png")); err != nil {
		t.Skip(err)
	}
	s := New(picture.Replace, false)
	for _, path := range []string{"not-yet.png", "other.png"} {
		if _, _, err := s.Choose("output", "-o", filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"not-yet.png", "to.png", "new/../other.png"} {
		if err := s.Writes("preview", "--preview", filepath.Join(dir, path)); err == nil || !strings.Contains(err.Error(), "is where output is written") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTheRuleHoldsForEveryOutput(t *testing.T) {
	dir := t.TempDir()
	old := write(t, filepath.Join(dir, "old.html"), "a page")
	choose := func(rule picture.Overwrite, ask bool) (*Set, string, bool, error) {
		s := New(rule, ask)
		chosen, skip, err := s.Choose("report", "--report", old)
		return s, filepath.Base(chosen), skip, err
	}
	if _, _, _, err := choose(picture.Fail, false); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("fail: %v", err)
	} else if try := err.(*ui.Fault).Try; len(try) < 2 || !strings.HasSuffix(try[1], "old-2.html") {
		t.Errorf("fail hints %q", try)
	}
	if _, name, _, err := choose(picture.Number, false); err != nil || name != "old-2.html" {
		t.Errorf("number: %s, %v", name, err)
	}
	if _, _, skip, err := choose(picture.Skip, false); err != nil || !skip {
		t.Errorf("skip: %t, %v", skip, err)
	}
	if s, _, _, err := choose(picture.Fail, true); err != nil || len(s.Existing) != 1 {
		t.Errorf("ask: %v, %v", s.Existing, err)
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "a page" {
		t.Errorf("the file now holds %q, %v", text, err)
	}
}

// A file system that does not tell cases apart is stood in for by what was
// found out about the directory.
func TestCaseIsFoldedWhereTheFileSystemDoes(t *testing.T) {
	dir := t.TempDir()
	s := New(picture.Fail, false)
	s.names.folds[s.names.realDir(dir)] = true
	if err := s.Writes("output", "-o", filepath.Join(dir, "Out.PNG")); err != nil {
		t.Fatal(err)
	}
	if err := s.Writes("preview", "--preview", filepath.Join(dir, "out.png")); err == nil {
		t.Error("Out.PNG and out.png were taken for two files")
	}
}

func TestStreamsThatAreFiles(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "photo.png"), "a picture")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(picture.Fail, false)
	s.Reads("the content image", path)
	if err := s.Holds("--progress-fd 3", info); err == nil {
		t.Error("progress may go over the content image")
	}
}

func TestFreeNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "out-2.png"), "x")
	s := New(picture.Fail, false)
	if got := filepath.Base(s.Free(filepath.Join(dir, "out.png"))); got != "out-3.png" {
		t.Error(got)
	}
}

func TestClashesOfABatch(t *testing.T) {
	dir := t.TempDir()
	p3 := write(t, filepath.Join(dir, "p3.png"), "a picture")
	linked := filepath.Join(dir, "linked.png")
	if err := os.Link(p3, linked); err != nil {
		t.Skip(err)
	}
	reads := []Use{{p3, "second", 1}, {filepath.Join(dir, "jobs.yaml"), "", -1}}
	for _, c := range []struct {
		writes []Use
		want   int
	}{
		{[]Use{{filepath.Join(dir, "a.png"), "first", 0}, {filepath.Join(dir, "b.png"), "second", 1}}, 0},
		{[]Use{{p3, "first", 0}}, 1},
		{[]Use{{p3, "second", 1}}, 1}, // over its own input
		{[]Use{{linked, "first", 0}}, 1},
		{[]Use{{filepath.Join(dir, "jobs.yaml"), "first", 0}}, 1},
		{[]Use{{filepath.Join(dir, "a.png"), "first", 0}, {filepath.Join(dir, "x", "..", "a.png"), "second", 1}}, 1},
		{[]Use{{filepath.Join(dir, "a.png"), "first", 0}, {filepath.Join(dir, "a.png"), "first", 0}}, 0}, // two steps
	} {
		if got := Clashes(reads, c.writes); len(got) != c.want {
			t.Errorf("%v: %v", c.writes, got)
		}
	}
}
