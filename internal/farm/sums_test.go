package farm

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSumsNoticeChanges: a file that was written anew has its new sum, though
// its size is the same, and its time as well if that was just now.
func TestSumsNoticeChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	known := &Sums{}
	check := func(what string) {
		t.Helper()
		want, err := SumOf(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := known.Of(path); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", what, got, err, want)
		}
	}
	now := time.Now()
	write("one", now)
	check("new")
	write("two", now)
	check("at once again")
	write("old", now.Add(-time.Hour))
	check("long ago")
	if len(known.files) != 1 {
		t.Errorf("%d sums are remembered, want 1", len(known.files))
	}
	check("from memory")
	write("new", now.Add(-time.Minute))
	check("changed since")
	later := now.Add(-time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	known.touched(path)
	if st, err := os.Stat(path); err != nil || !known.files[path].changed.Equal(st.ModTime()) {
		t.Errorf("touched: remembered as of %v (%v)", known.files[path].changed, err)
	}
	check("touched")
	write("longer", now.Add(-time.Minute))
	check("longer")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := known.Of(path); !os.IsNotExist(err) {
		t.Errorf("gone: %v", err)
	}
}
