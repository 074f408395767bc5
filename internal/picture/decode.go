package picture

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// DefaultMaxPixels is the largest picture read unless asked otherwise: 400
// million pixels, 4.8 GB once decoded.
const DefaultMaxPixels = 400_000_000

// ReadOptions say how a picture is read. The zero value is the default.
type ReadOptions struct {
	Role      string    // "content image", "style image": names a missing file in messages
	MaxPixels int       // refuse larger pictures before allocating; 0: DefaultMaxPixels
	Stdin     io.Reader // what "-" reads; nil: os.Stdin
}

// Info is what was found beside the pixels.
type Info struct {
	Name     string // as given; "stdin" for "-"
	Format   Format // by content, whatever the extension says
	Bytes    int64
	SHA256   [32]byte // of the file's bytes
	Warnings []string // sentences for the user: a profile that was not applied, ...
}

// Read reads the picture in a PNG, JPEG, TIFF or WebP file; "-" is standard
// input. The picture comes upright (EXIF orientation applied) and in sRGB
// (matrix colour profiles converted). Errors are of type *Error.
func Read(path string, o ReadOptions) (*Picture, *Info, error) {
	if path == "-" {
		in := o.Stdin
		if in == nil {
			in = os.Stdin
		}
		return Decode(in, "stdin", o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, openError(path, o.Role, err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, nil, isDirectory(path, o.Role)
	}
	return Decode(f, path, o)
}

// Decode is Read from a stream. name is used in messages, and its extension to
// tell camera raw files from TIFF.
func Decode(r io.Reader, name string, o ReadOptions) (*Picture, *Info, error) {
	if o.MaxPixels <= 0 {
		o.MaxPixels = DefaultMaxPixels
	}
	file, err := slurp(r, name, o.MaxPixels)
	if err != nil {
		return nil, nil, err
	}
	format, _ := sniff(file)
	info := &Info{Name: name, Format: format, Bytes: int64(len(file)), SHA256: sha256.Sum256(file)}
	img, err := decodePixels(file, name, format, o.MaxPixels)
	if err != nil {
		return nil, nil, err
	}
	if format == WebP {
		img = studioRange(img)
	}
	p := FromImage(img)
	if icc := embeddedICC(file, format); icc != nil {
		if prof, err := parseICC(icc); err != nil {
			info.Warnings = append(info.Warnings, fmt.Sprintf(
				"the colour profile of %q was not applied: %v; its colours are taken as sRGB", name, err))
		} else {
			prof.toSRGB(p)
		}
	}
	return p.orient(orientation(file, format)), info, nil
}

// slurp reads the whole file once its first bytes are those of a picture. It
// gives up on an endless stream: no picture within the limit needs more than
// eight bytes a pixel, and 64 MiB are left for everything else.
func slurp(r io.Reader, name string, maxPixels int) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unreadable(name, err)
	}
	if n == 0 {
		return nil, inputError("empty", "%q is empty (0 bytes)", name)
	}
	if kind := recognise(head, name); kind != "" {
		return nil, notRead(name, kind)
	}
	if _, ok := sniff(head); !ok {
		return nil, inputError("not_a_picture", "%q is not a picture impasto can read", name).
			hint("a PNG, JPEG, TIFF or WebP file")
	}
	most := int64(maxPixels)*8 + 64<<20
	file, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head), r), most+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if int64(len(file)) > most {
		return nil, inputError("too_large", "%q is longer than %d MB, too long for a picture of %s",
			name, most>>20, megapixels(int64(maxPixels)))
	}
	return file, nil
}

// decodePixels decodes after the size in the header has been found acceptable.
func decodePixels(file []byte, name string, f Format, maxPixels int) (image.Image, error) {
	codec := codecs[f]
	cfg, err := codec.config(bytes.NewReader(file))
	if err != nil {
		return nil, damaged(name, f, len(file), err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return nil, inputError("no_pixels", "%q has no pixels (%dx%d)", name, cfg.Width, cfg.Height)
	}
	if int64(cfg.Width)*int64(cfg.Height) > int64(maxPixels) {
		return nil, inputError("too_large", "%q is %dx%d (%s), over the limit of %s", name, cfg.Width, cfg.Height,
			megapixels(int64(cfg.Width)*int64(cfg.Height)), megapixels(int64(maxPixels))).
			hint("--max-pixels %d", int64(cfg.Width)*int64(cfg.Height))
	}
	img, err := codec.decode(bytes.NewReader(file))
	if err != nil {
		return nil, damaged(name, f, len(file), err)
	}
	return img, nil
}

var codecs = map[Format]struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	PNG:  {png.DecodeConfig, png.Decode},
	JPEG: {jpeg.DecodeConfig, jpeg.Decode},
	TIFF: {tiff.DecodeConfig, tiff.Decode},
	WebP: {webp.DecodeConfig, webp.Decode},
}

func megapixels(n int64) string {
	if n < 100_000 {
		return fmt.Sprintf("%d pixels", n)
	}
	return fmt.Sprintf("%.4g MP", float64(n)/1e6)
}

// notRead says that the file is a picture of a kind that is not read.
func notRead(name, kind string) error {
	e := inputError("unsupported", "%q is %s, which impasto cannot read", name, kind)
	switch kind {
	case "a ZIP archive", "a web page":
		return e.hint("a PNG, JPEG, TIFF or WebP file")
	case "a video":
		return e.hint("ffmpeg -i %s -frames:v 1 %s", shellWord(name), shellWord(asPNG(name)))
	case "GIF", "PDF", "PSD": // of several pictures, pages or layers, the first
		return e.hint("magick %s %s", shellWord(name+"[0]"), shellWord(asPNG(name)))
	}
	return e.hint("magick %s %s", shellWord(name), shellWord(asPNG(name)))
}

// asPNG proposes a name to convert a file to.
func asPNG(name string) string {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	if stem+".png" == name {
		stem += "-1"
	}
	return stem + ".png"
}

// shellWord quotes a name if a shell would not take it as it stands.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t\"'`$&|;<>()[]{}*?!#~\\") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// damaged turns a decoder's complaint into words.
func damaged(name string, f Format, size int, err error) error {
	what := err.Error()
	for _, prefix := range []string{"png: ", "jpeg: ", "tiff: ", "webp: ", "vp8l: ", "vp8: ", "riff: ", "invalid JPEG format: ", "invalid format: "} {
		what = strings.TrimPrefix(what, prefix)
	}
	var jpegUnsupported jpeg.UnsupportedError
	var pngUnsupported png.UnsupportedError
	var tiffUnsupported tiff.UnsupportedError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(what, "short"), strings.Contains(what, "not enough pixel data"):
		return inputError("truncated", "%q is cut short: the %s data ends after %d bytes", name, f, size).because(err)
	case errors.As(err, &jpegUnsupported), errors.As(err, &pngUnsupported), errors.As(err, &tiffUnsupported):
		return inputError("unsupported", "%q is a %s of a kind impasto cannot read (%s)", name, f, what).because(err).
			hint("magick %s %s", shellWord(name), shellWord(asPNG(name)))
	}
	return inputError("damaged", "%q is damaged: %s", name, what).because(err)
}

func openError(path, role string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e := inputError("not_found", "%s does not exist", called(role, path)).because(err)
		if near := nearest(path); near != "" {
			e.hint("did you mean %q?", near)
		}
		return e
	case errors.Is(err, fs.ErrPermission):
		return inputError("unreadable", "%s may not be read: permission denied", called(role, path)).because(err)
	}
	return unreadable(path, err)
}

func isDirectory(path, role string) error {
	return inputError("directory", "%s is a directory, not a picture", called(role, path))
}

func unreadable(name string, err error) error {
	return inputError("unreadable", "%q cannot be read: %s", name, cause(err)).because(err)
}

// cause strips the operation and path from an error of the operating system.
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

// nearest returns the path of the file beside the missing one whose name is
// closest to it, if it is close: at most a third of the letters differ.
func nearest(path string) string {
	dir, want := filepath.Split(path)
	list, err := os.ReadDir(filepath.Clean("./" + dir))
	if filepath.IsAbs(path) {
		list, err = os.ReadDir(dir)
	}
	if err != nil {
		return ""
	}
	best, most := "", len(want)/3+1
	for _, e := range list {
		if e.IsDir() || len(e.Name()) > 255 {
			continue
		}
		if d := editDistance(strings.ToLower(want), strings.ToLower(e.Name())); d < most {
			best, most = e.Name(), d
		}
	}
	if best == "" {
		return ""
	}
	return dir + best
}

// editDistance counts insertions, deletions, replacements (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
