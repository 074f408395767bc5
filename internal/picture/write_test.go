package picture

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// wantFiles fails unless dir holds exactly these names.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files %q, want %q", got, want)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { return writeAll(w, []byte(s)) }
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.png")
	for _, s := range []string{"first", "second"} {
		if err := WriteFile(path, text(s)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
	wantFiles(t, dir, "out.png")
}

// TestWriteFileFailing: an error, a full disk or a panic half way leave the
// old content and nothing beside it.
func TestWriteFileFailing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.png")
	if err := WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, func(w io.Writer) error {
		w.Write([]byte("half"))
		return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	})
	wantError(t, err, Output, "disk_full", `"`+path+`" cannot be written: the disk is full`)
	err = WriteFile(path, func(w io.Writer) error { return errors.New("the moon is in the wrong place") })
	wantError(t, err, Output, "unwritable", `"`+path+`" cannot be written: the moon is in the wrong place`)
	func() {
		defer func() { recover() }()
		WriteFile(path, func(w io.Writer) error { w.Write([]byte("half")); panic("oh") })
	}()
	wantFiles(t, dir, "out.png")
	if got := content(t, path); got != "old" {
		t.Errorf("content is %q", got)
	}
}

func TestWriteFileDevice(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	err := WriteFile("/dev/full", text("x"))
	wantError(t, err, Output, "disk_full", `"/dev/full" cannot be written: the disk is full`)
	if err := WriteFile("/dev/null", text("x")); err != nil {
		t.Error(err)
	}
	if list, _ := filepath.Glob("/dev/*.tmp-*"); len(list) > 0 {
		t.Errorf("left behind: %q", list)
	}
}

func TestWriteFilePlaces(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "no", "out.png")
	wantError(t, WriteFile(missing, text("x")), Output, "unwritable",
		`"`+missing+`" cannot be written: there is no directory "`+filepath.Dir(missing)+`"`, "mkdir -p "+filepath.Dir(missing))
	wantError(t, WriteFile(dir, text("x")), Output, "directory", `"`+dir+`" is a directory`, filepath.Join(dir, "out.png"))
	file := filepath.Join(dir, "file")
	if err := WriteFile(file, text("x")); err != nil {
		t.Fatal(err)
	}
	under := filepath.Join(file, "out.png")
	if runtime.GOOS != "windows" {
		wantError(t, WriteFile(under, text("x")), Output, "unwritable", `"`+under+`" cannot be written: not a directory`)
	}
	wantFiles(t, dir, "file")
}

// TestWriteFileLinkAndMode: a link stays a link, and permissions stay.
func TestWriteFileLinkAndMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and modes of Unix")
	}
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.png"), filepath.Join(dir, "link.png")
	if err := os.WriteFile(real, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.png", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, text("new")); err != nil {
		t.Fatal(err)
	}
	st, err := os.Lstat(link)
	if err != nil || st.Mode()&os.ModeSymlink == 0 || content(t, real) != "new" {
		t.Errorf("link %v (%v), content %q", st.Mode(), err, content(t, real))
	}
	if st, _ := os.Stat(real); st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, want 0640", st.Mode())
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "out.png")
	want := `"` + path + `" cannot be written: permission denied`
	wantError(t, WriteFile(path, text("x")), Output, "unwritable", want)
	_, _, err := Destination(path, Fail)
	wantError(t, err, Output, "unwritable", want)
}

// TestUnwritableWords covers what root cannot bring about.
func TestUnwritableWords(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.EACCES: "permission denied",
		syscall.EROFS:  "the disk is read-only",
		syscall.ENOSPC: "the disk is full",
		syscall.EIO:    syscall.EIO.Error(),
	} {
		err := unwritable("out.png", &os.PathError{Op: "open", Path: "out.png.tmp-x", Err: cause})
		if got := err.Error(); got != `"out.png" cannot be written: `+want {
			t.Errorf("%v: %s", cause, got)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%v cannot be unwrapped", cause)
		}
	}
}

func TestDestination(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.png")
	for _, o := range []Overwrite{Fail, Replace, Number, Skip} {
		if dest, skip, err := Destination(path, o); dest != path || skip || err != nil {
			t.Errorf("nothing there, rule %d: %q %v %v", o, dest, skip, err)
		}
	}
	wantFiles(t, dir)
	for _, name := range []string{"out.png", "out-2.png"} {
		if err := WriteFile(filepath.Join(dir, name), text("x")); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := Destination(path, Fail)
	wantError(t, err, Output, "exists", `"`+path+`" exists`, "-y   (replaces it)", "--overwrite number   (keeps both)")
	if dest, skip, err := Destination(path, Replace); dest != path || skip || err != nil {
		t.Errorf("replace: %q %v %v", dest, skip, err)
	}
	if dest, skip, err := Destination(path, Number); dest != filepath.Join(dir, "out-3.png") || skip || err != nil {
		t.Errorf("number: %q %v %v", dest, skip, err)
	}
	if _, skip, err := Destination(path, Skip); !skip || err != nil {
		t.Errorf("skip: %v %v", skip, err)
	}
	_, _, err = Destination(dir, Replace)
	wantError(t, err, Output, "directory", `"`+dir+`" is a directory`, filepath.Join(dir, "out.png"))
	missing := filepath.Join(dir, "no", "out.png")
	if _, _, err := Destination(missing, Fail); err == nil {
		t.Error("a missing directory is accepted")
	}
	wantFiles(t, dir, "out-2.png", "out.png")
}

func TestParseOverwrite(t *testing.T) {
	for s, want := range map[string]Overwrite{"fail": Fail, "replace": Replace, "number": Number, "skip": Skip} {
		if got, err := ParseOverwrite(s); got != want || err != nil {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	_, err := ParseOverwrite("maybe")
	wantError(t, err, Input, "overwrite", `"maybe" is not a rule for existing files`, "--overwrite number", "--overwrite replace   (or fail, skip)")
}

func TestSaveErrors(t *testing.T) {
	dir := t.TempDir()
	p := New(2, 2)
	gif := filepath.Join(dir, "out.gif")
	wantError(t, Save(gif, p, WriteOptions{}), Output, "format", `"`+gif+`": impasto does not write .gif files`,
		filepath.Join(dir, "out.png"))
	bare := filepath.Join(dir, "out")
	wantError(t, Save(bare, p, WriteOptions{}), Output, "format", `"`+bare+`" has no extension to say what format it should be`, bare+".png")
	wantError(t, Save(filepath.Join(dir, "a.webp"), New(20000, 1), WriteOptions{}), Output, "too_large",
		"20000x1 is too large for WebP, whose sides end at 16384 pixels", "write a .png")
	wantFiles(t, dir)
}
