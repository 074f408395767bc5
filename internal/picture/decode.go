package picture

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"

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
	w, h, err := checkSize(file, name, format, o.MaxPixels)
	if err != nil {
		return nil, nil, err
	}
	p := readRows(file, format, w, h)
	if p == nil {
		img, err := codecs[format].decode(bytes.NewReader(file))
		if err != nil {
			return nil, nil, damaged(name, format, len(file), err)
		}
		if format == WebP {
			img = studioRange(img)
		}
		p = FromImage(img)
	}
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
	var all bytes.Buffer
	all.Grow(len(head) + bytes.MinRead)
	if f, ok := r.(*os.File); ok { // its size is known: no copies while it grows
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			all.Grow(int(min(st.Size(), most)) + bytes.MinRead)
		}
	}
	all.Write(head)
	if _, err := all.ReadFrom(io.LimitReader(r, most+1-int64(len(head)))); err != nil {
		return nil, unreadable(name, err)
	}
	file := all.Bytes()
	if int64(len(file)) > most {
		return nil, inputError("too_large", "%q is longer than %d MB, too long for a picture of %s",
			name, most>>20, megapixels(int64(maxPixels)))
	}
	return file, nil
}

// checkSize returns the size in the header if it is acceptable, before anything
// is allocated for it.
func checkSize(file []byte, name string, f Format, maxPixels int) (w, h int, err error) {
	cfg, err := codecs[f].config(bytes.NewReader(file))
	if err != nil {
		return 0, 0, damaged(name, f, len(file), err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return 0, 0, inputError("no_pixels", "%q has no pixels (%dx%d)", name, cfg.Width, cfg.Height)
	}
	if int64(cfg.Width)*int64(cfg.Height) > int64(maxPixels) {
		return 0, 0, inputError("too_large", "%q is %dx%d (%s), over the limit of %s", name, cfg.Width, cfg.Height,
			megapixels(int64(cfg.Width)*int64(cfg.Height)), megapixels(int64(maxPixels))).
			hint("--max-pixels %d", int64(cfg.Width)*int64(cfg.Height))
	}
	return cfg.Width, cfg.Height, nil
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
