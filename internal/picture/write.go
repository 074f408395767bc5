package picture

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

// WriteFile replaces the content of the file at path. After an error or a panic,
// the file has its old content. The new content is written to a temporary file
// beside it, flushed to the disk and renamed. A link is followed. A device or pipe
// is written directly.
func WriteFile(path string, write func(io.Writer) error) (err error) {
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
	tmp, err := createBeside(target, mode)
	if err != nil {
		return unwritable(path, err)
	}
	defer func() {
		if tmp != nil { // not renamed: an error, or a panic on its way up
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return unwritable(path, err)
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return unwritable(path, err)
	}
	if err := os.Rename(tmp.Name(), target); err != nil {
		return unwritable(path, err)
	}
	tmp = nil
	syncDir(filepath.Dir(target))
	return nil
}

// longestName is the longest name of a file that file systems allow, in bytes.
const longestName = 255

// Beside returns the path of a file beside path: path with the suffix added. If the
// name would be longer than file systems allow, it is the beginning of the name, a
// checksum and the suffix.
func Beside(path, suffix string) string {
	dir, base := filepath.Split(path)
	if len(base)+len(suffix) <= longestName {
		return path + suffix
	}
	sum := sha256.Sum256([]byte(base))
	mark := "-" + hex.EncodeToString(sum[:4]) + suffix
	return dir + strings.ToValidUTF8(base[:max(0, min(len(base), longestName-len(mark)))], "") + mark
}

// createBeside opens path.tmp-XXXXXXXX, which must not exist yet.
func createBeside(path string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(Beside(path, ".tmp-"+strings.ToLower(rand.Text()[:8])), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
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

// syncDir makes a renaming survive a power failure. Not every system supports this,
// but the file itself is safe already.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
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
	probe, err := createBeside(path, 0o600)
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
