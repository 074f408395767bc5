package picture

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/image/tiff"
)

// Kind says which part of the program an error belongs to. The command maps it to
// its exit code.
type Kind int

const (
	Input  Kind = iota // a picture, size or name given by the user cannot be used
	Output             // the result cannot be written
	Memory             // there is not enough memory for a picture
)

// Error is a message for the user. It says what is wrong, with the name and the
// number, and has up to three things to try.
type Error struct {
	Kind Kind
	Code string // stable, for machines: "not_found", "too_large", "unsupported", ...
	msg  string
	try  []string
	err  error
}

func (e *Error) Error() string { return e.msg }

// Try returns the hints. Each is a command or a flag that the user can type.
func (e *Error) Try() []string { return e.try }

// Unwrap returns the underlying error of the operating system or decoder, if any.
func (e *Error) Unwrap() error { return e.err }

// InputError returns an error about something that the user gave. code is its
// stable word.
func InputError(code, format string, args ...any) *Error {
	return &Error{Kind: Input, Code: code, msg: fmt.Sprintf(format, args...)}
}

func outputError(code, format string, args ...any) *Error {
	return &Error{Kind: Output, Code: code, msg: fmt.Sprintf(format, args...)}
}

// Hint adds something to try.
func (e *Error) Hint(format string, args ...any) *Error {
	e.try = append(e.try, fmt.Sprintf(format, args...))
	return e
}

func (e *Error) because(err error) *Error {
	e.err = err
	return e
}

func megapixels(n int64) string {
	if n < 100_000 {
		return fmt.Sprintf("%d pixels", n)
	}
	return fmt.Sprintf("%.4g MP", float64(n)/1e6)
}

// notRead returns the error for a picture of a kind that is not supported.
func notRead(name, kind string) error {
	e := InputError("unsupported", "%q is %s, which impasto cannot read", name, kind)
	switch kind {
	case "a ZIP archive", "XML":
		return e
	case "a Git LFS pointer":
		e.msg += ": the picture itself was not fetched"
		return e.Hint("git lfs pull --include %s", ShellWord(name))
	case "a web page", "JSON":
		e.msg += ": a server sent it in the picture's place"
		return e
	case "a video":
		return e.Hint("ffmpeg -i %s -frames:v 1 %s", ShellWord(name), ShellWord(FreePNG(name)))
	case "PDF", "PSD": // these have several pictures, pages or layers; take the first
		return e.Hint("%s", convert(name+"[0]", FreePNG(name)))
	}
	return e.Hint("%s", convert(name, FreePNG(name)))
}

// convert returns a command that makes a PNG of a picture of another kind. It uses
// an installed program, ImageMagick 7 or 6, or else the one that is usually
// installed.
func convert(from, to string) string {
	return ImageMagick() + " " + ShellWord(from) + " " + ShellWord(to)
}

// ImageMagick returns the name of the ImageMagick program on this machine: magick,
// or convert if only version 6 is installed.
func ImageMagick() string {
	program := "magick"
	if _, err := exec.LookPath(program); err != nil {
		if _, err := exec.LookPath("convert"); err == nil && runtime.GOOS != "windows" { // on Windows, convert is another program
			program = "convert"
		}
	}
	return program
}

// FreePNG returns the name of a PNG made from a file: its own name with another
// extension, with a number added if such a file exists.
func FreePNG(name string) string {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	for n := 1; ; n++ {
		free := stem + ".png"
		if n > 1 {
			free = fmt.Sprintf("%s-%d.png", stem, n)
		}
		if _, err := os.Lstat(free); free != name && err != nil {
			return free
		}
	}
}

// ShellWord quotes a word if a shell would not read it unchanged.
func ShellWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\"'`$&|;<>()[]{}*?!#~\\") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// damaged returns the error for a file that a decoder rejected.
func damaged(name string, f Format, size int, share float64, err error) error {
	what := err.Error()
	for _, prefix := range []string{"png: ", "jpeg: ", "tiff: ", "webp: ", "vp8l: ", "vp8: ", "riff: ", "invalid JPEG format: ", "invalid format: "} {
		what = strings.TrimPrefix(what, prefix)
	}
	var jpegUnsupported jpeg.UnsupportedError
	var pngUnsupported png.UnsupportedError
	var tiffUnsupported tiff.UnsupportedError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(what, "short"), strings.Contains(what, "not enough pixel data"), share > 0:
		if share > 0 {
			return InputError("truncated", "%q is cut short: about %.0f %% of it is there", name, 100*share).because(err)
		}
		return InputError("truncated", "%q is cut short: the %s data ends after %d bytes", name, f, size).because(err)
	case errors.As(err, &jpegUnsupported), errors.As(err, &pngUnsupported), errors.As(err, &tiffUnsupported):
		return InputError("unsupported", "%q is a %s of a kind impasto cannot read (%s)", name, f, what).because(err).
			Hint("%s", convert(name, FreePNG(name)))
	}
	return InputError("damaged", "%q is damaged: %s", name, what).because(err)
}

// address matches the beginning of a URL.
var address = regexp.MustCompile(`^(?i)(https?|ftp|s3|data):`)

func openError(path, role string, err error) error {
	switch {
	case address.MatchString(path) && !errors.Is(err, fs.ErrPermission):
		return InputError("address", "%s is an address; files are read, and nothing is fetched", called(role, path)).because(err).
			Hint("curl -fLO %s", ShellWord(path))
	case errors.Is(err, fs.ErrNotExist):
		e := InputError("not_found", "%s does not exist", called(role, path)).because(err)
		if near := nearest(path); near != "" {
			e.Hint("did you mean %q?", near)
		}
		return e
	case errors.Is(err, fs.ErrPermission):
		return InputError("unreadable", "%s may not be read: permission denied", called(role, path)).because(err)
	}
	return unreadable(path, err)
}

func isDirectory(path, role string) error {
	return InputError("directory", "%s is a directory, not a picture", called(role, path))
}

func unreadable(name string, err error) error {
	return InputError("unreadable", "%q cannot be read: %s", name, cause(err)).because(err)
}

// cause removes the operation and path from an error of the operating system.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

func called(role, path string) string {
	return strings.TrimSpace(fmt.Sprintf("%s %q", role, path))
}
