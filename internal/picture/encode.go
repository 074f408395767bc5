package picture

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/HugoSmits86/nativewebp"
)

// WriteOptions say how a picture is written. The zero value is the default.
type WriteOptions struct {
	Depth    int    // bits a channel of PNG and TIFF: 8 or 16; 0: PNG 8, TIFF 16. JPEG and WebP always have 8
	Quality  int    // of JPEG, 1..100; 0: 95
	Fast     bool   // PNG: four times as fast and a little larger, for intermediate pictures
	Recipe   string // JSON that is written into the picture or beside it (metadata.go); "" for none
	Software string // name and version of the program; "" for none

	Progress func(rows, of int) // called as rows of PNG and TIFF are written; may be nil
}

func (o WriteOptions) report(rows, of int) {
	if o.Progress != nil {
		o.Progress(rows, of)
	}
}

// Encode writes p. PNG, TIFF (deflate) and WebP (lossless) hold exactly the rounded
// codes and alpha. JPEG is 4:4:4 and has no alpha, so transparency becomes white.
//
// TIFF and WebP do not contain the recipe. Save writes it beside them.
func Encode(w io.Writer, p *Picture, f Format, o WriteOptions) error {
	if err := f.Fits(p.W, p.H); err != nil {
		return err
	}
	switch f {
	case PNG:
		return encodePNG(w, p, o)
	case JPEG:
		return encodeJPEG(w, p, o)
	case TIFF:
		return encodeTIFF(w, p, o)
	case WebP:
		return nativewebp.Encode(w, p.Image(8), nil)
	}
	return errors.New("no format to encode to")
}

// Fits returns an error if the format cannot hold a picture of w x h pixels. So
// this is known before the picture is painted.
func (f Format) Fits(w, h int) error {
	longest, pixels := 1<<31-1, int64(1)<<62
	switch f {
	case JPEG:
		longest = 1<<16 - 1
	case WebP:
		longest = 1 << 14
	case TIFF: // 32-bit offsets, eight bytes a pixel before compression
		pixels = 500_000_000
	}
	if max(w, h) > longest {
		return outputError("too_large", "%dx%d is too large for %s, whose sides end at %d pixels", w, h, f, longest).
			Hint("write a .png")
	}
	if int64(w)*int64(h) > pixels {
		return outputError("too_large", "%dx%d is too large for %s, which ends at %s", w, h, f, megapixels(pixels)).
			Hint("write a .png")
	}
	return nil
}

func appendPNGChunk(dst []byte, kind string, data []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	from := len(dst)
	dst = append(append(dst, kind...), data...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[from:]))
}

func writeAll(w io.Writer, parts ...[]byte) error {
	for _, b := range parts {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
