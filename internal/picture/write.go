package picture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/impasto/impasto/internal/replace"
)

// Save writes p to path in the format of its extension, atomically, with the recipe
// in it or beside it. Errors are of type *Error.
func Save(path string, p *Picture, o WriteOptions) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	if err := f.Fits(p.W, p.H); err != nil {
		return err
	}
	if err := WriteFile(path, func(w io.Writer) error { return Encode(w, p, f, o) }); err != nil {
		return err
	}
	beside := f == TIFF || f == WebP || f == JPEG && len(xmpPacket(o.Recipe, o.Software)) > maxSegment
	if beside && o.Recipe != "" {
		return WriteFile(Sidecar(path), func(w io.Writer) error { return writeAll(w, []byte(o.Recipe)) })
	}
	// An existing recipe file belongs to the picture that was just replaced.
	if err := os.Remove(Sidecar(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(Sidecar(path), err)
	}
	return nil
}

// WriteFile replaces the content of the file at path as replace.File does. A link is
// followed. A device or pipe is written directly.
func WriteFile(path string, write func(io.Writer) error) error {
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	mode := fs.FileMode(0o666)
	if st, err := os.Stat(target); err == nil {
		switch {
		case st.IsDir():
			return outputError("directory", "%q is a directory", path).Hint("%s", filepath.Join(path, "out.png"))
		case !st.Mode().IsRegular():
			return writeDevice(path, write)
		}
		mode = st.Mode().Perm()
	}
	if err := replace.File(target, mode, write); err != nil {
		return unwritable(path, err)
	}
	return nil
}

func writeDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return unwritable(path, err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return unwritable(path, err)
	}
	return nil
}

// unwritable returns an error with a message for the user. It returns an *Error
// unchanged.
func unwritable(path string, err error) error {
	var own *Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return outputError("disk_full", "%q cannot be written: the disk is full", path).because(err)
	case errors.Is(err, fs.ErrPermission):
		return outputError("unwritable", "%q cannot be written: permission denied", path).because(err)
	case errors.Is(err, syscall.EROFS):
		return outputError("unwritable", "%q cannot be written: the disk is read-only", path).because(err)
	case errors.Is(err, fs.ErrNotExist):
		return outputError("unwritable", "%q cannot be written: there is no directory %q", path, filepath.Dir(path)).
			because(err).Hint("mkdir -p %s", filepath.Dir(path))
	}
	return outputError("unwritable", "%q cannot be written: %s", path, cause(err)).because(err)
}

// Overwrite says what happens to an existing file. Only the command asks the user.
// It then passes Replace or Fail.
type Overwrite int

const (
	Fail    Overwrite = iota // refuse
	Replace                  // write over it
	Number                   // write out-2.png, out-3.png, ...
	Skip                     // leave it and do nothing
)

// ParseOverwrite reads "fail", "replace", "number" or "skip".
func ParseOverwrite(s string) (Overwrite, error) {
	if i := slices.Index([]string{"fail", "replace", "number", "skip"}, s); i >= 0 {
		return Overwrite(i), nil
	}
	return 0, InputError("overwrite", "%q is not a rule for existing files", s).Hint("--overwrite number").Hint("--overwrite replace   (or fail, skip)")
}

// Destination returns the file to write for the given path, or skip = true if
// nothing is to be written. It also tests whether a file can be created there, so
// that a long run does not fail at its end.
func Destination(path string, o Overwrite) (dest string, skip bool, err error) {
	st, err := os.Stat(path)
	if err == nil {
		switch {
		case st.IsDir():
			return "", false, outputError("directory", "%q is a directory", path).Hint("%s", filepath.Join(path, "out.png"))
		case !st.Mode().IsRegular():
			return path, false, nil
		case o == Fail:
			return "", false, outputError("exists", "%q exists", path).
				Hint("-y   (replaces it)").Hint("--overwrite number   (keeps both)")
		case o == Skip:
			return "", true, nil
		case o == Number:
			path = numbered(path)
		}
	}
	probe, err := replace.CreateBeside(path, 0o600)
	if err != nil {
		return "", false, unwritable(path, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	return path, false, nil
}

// numbered returns the first of out-2.png, out-3.png, ... that is free.
func numbered(path string) string {
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(path, ext)
	for n := 2; ; n++ {
		next := fmt.Sprintf("%s-%d%s", stem, n, ext)
		if _, err := os.Lstat(next); errors.Is(err, fs.ErrNotExist) {
			return next
		}
	}
}
