package picture

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"strings"

	"golang.org/x/image/tiff"
)

// DefaultMaxPixels is the default limit of a picture's size: 400 million pixels,
// 4.8 GB when decoded.
const DefaultMaxPixels = 400_000_000

// ReadOptions say how a picture is read. The zero value is the default.
type ReadOptions struct {
	Role      string    // "content image", "style image": names a missing file in messages
	MaxPixels int       // refuse larger pictures before allocating memory; 0: DefaultMaxPixels
	MaxBytes  int64     // refuse pictures that take more memory when decoded; 0: no limit
	Stdin     io.Reader // what "-" reads; nil: os.Stdin
}

// Info describes a picture file apart from its pixels.
type Info struct {
	Name     string // as given; "stdin" for "-"
	Format   Format // by content, independent of the extension
	Bytes    int64
	SHA256   [32]byte // of the file's bytes
	Warnings []string // sentences for the user: a profile that was not applied, ...
}

// Read reads the picture in a PNG, JPEG, TIFF, WebP or GIF file. "-" is standard
// input. The picture is upright (EXIF orientation is applied) and in sRGB (matrix
// colour profiles are converted). Errors are of type *Error.
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

// Decode is like Read, for a stream. name is used in messages. Its extension
// distinguishes camera raw files from TIFF.
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
	w, h, err := checkSize(file, name, format, o)
	if err != nil {
		return nil, nil, err
	}
	p := readRows(file, format, w, h)
	if p == nil {
		img, err := codecs[format].decode(bytes.NewReader(file))
		if err != nil {
			fixed, what, share := mend(file, format, w, h)
			if fixed != nil {
				img, err = codecs[format].decode(bytes.NewReader(fixed))
			}
			if err != nil {
				return nil, nil, damaged(name, format, len(file), share, err)
			}
			info.Warnings = append(info.Warnings, fmt.Sprintf("%q is damaged: %s", name, what))
		}
		p = FromImage(img)
	}
	if what := after(file, format); what != "" {
		info.Warnings = append(info.Warnings, fmt.Sprintf("%q: %s", name, what))
	}
	if note := frameNote(file, format, name); note != "" {
		info.Warnings = append(info.Warnings, note)
	}
	if format == PNG && (find(pngChunks(file), "cICP") != nil || embeddedICC(file, format) == nil) {
		prof, note := pngColours(file, name)
		if note != "" {
			info.Warnings = append(info.Warnings, note)
		}
		if prof != nil {
			prof.toSRGB(p)
		}
	} else if icc := embeddedICC(file, format); icc != nil {
		if prof, err := parseICC(icc); err != nil {
			info.Warnings = append(info.Warnings, fmt.Sprintf(
				"the colour profile of %q was not applied: %v; its colours are taken as sRGB", name, err))
		} else {
			prof.toSRGB(p)
		}
	}
	return p.orient(orientation(file, format)), info, nil
}

// slurp reads the whole file if its first bytes are those of a picture. It stops
// reading an endless stream: a picture within the limit needs at most eight bytes a
// pixel, and 64 MiB are allowed for everything else.
func slurp(r io.Reader, name string, maxPixels int) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unreadable(name, err)
	}
	if n == 0 {
		return nil, InputError("empty", "%q is empty (0 bytes)", name)
	}
	if kind := recognise(head, name); kind != "" {
		return nil, notRead(name, kind)
	}
	if _, ok := sniff(head); !ok {
		return nil, InputError("not_a_picture", "%q is not a picture impasto can read: no PNG, JPEG, TIFF, WebP or GIF", name)
	}
	most := int64(maxPixels)*8 + 64<<20
	var all bytes.Buffer
	all.Grow(len(head) + bytes.MinRead)
	if f, ok := r.(*os.File); ok { // its size is known, so the buffer need not grow
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
		return nil, InputError("too_large", "%q is longer than %d MB, too long for a picture of %s",
			name, most>>20, megapixels(int64(maxPixels)))
	}
	return file, nil
}

// checkSize returns the size in the header if it is allowed, before memory is
// allocated for the picture.
func checkSize(file []byte, name string, f Format, o ReadOptions) (w, h int, err error) {
	cfg, err := codecs[f].config(bytes.NewReader(file))
	if err != nil {
		return 0, 0, damaged(name, f, len(file), 0, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return 0, 0, InputError("no_pixels", "%q has no pixels (%dx%d)", name, cfg.Width, cfg.Height)
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	if pixels > int64(o.MaxPixels) {
		return 0, 0, InputError("too_large", "%q is %dx%d (%s), over the limit of %s", name, cfg.Width, cfg.Height,
			megapixels(pixels), megapixels(int64(o.MaxPixels))).
			Hint("--max-pixels %d", pixels)
	}
	if need := pixels * bytesAPixel; o.MaxBytes > 0 && need > o.MaxBytes {
		return 0, 0, tooMuch(name, cfg.Width, cfg.Height, need, o.MaxBytes)
	}
	return cfg.Width, cfg.Height, nil
}

// bytesAPixel is the memory that a pixel takes while a picture is read: three
// channels and alpha as float32, and the codes that they are made of.
const bytesAPixel = 4*4 + 4

// tooMuch returns the error for a picture that needs more memory than allowed. It
// proposes a command that makes the picture half as large as the limit.
func tooMuch(name string, w, h int, need, most int64) error {
	gigabytes := func(n int64) string { return fmt.Sprintf("%.2g GB", float64(n)/1e9) }
	e := InputError("memory", "%q is %dx%d (%s), which takes %s to read, over the limit of %s", name, w, h,
		megapixels(int64(w)*int64(h)), gigabytes(need), gigabytes(most))
	e.Kind = Memory
	shrink := math.Sqrt(float64(most) / float64(need) / 2)
	size := fmt.Sprintf(" -resize %dx%d ", max(1, int(shrink*float64(w))), max(1, int(shrink*float64(h))))
	from := ShellWord(name)
	return e.Hint("%s", strings.Replace(convert(name, FreePNG(name)), " "+from+" ", " "+from+size, 1)).
		Hint("--max-memory %dGB   (where there is so much)", need/1e9+1)
}

var codecs = map[Format]struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	PNG:  {png.DecodeConfig, png.Decode},
	JPEG: {jpeg.DecodeConfig, jpeg.Decode},
	TIFF: {tiff.DecodeConfig, tiff.Decode},
	WebP: {configWebP, decodeWebP},
	GIF:  {gif.DecodeConfig, decodeGIF},
}
