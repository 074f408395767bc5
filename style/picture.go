package style

import (
	"fmt"
	"image"
	"io"

	"github.com/impasto/impasto/internal/picture"
)

// Picture is an RGB picture with sRGB primaries and transfer curve. Its fields:
//
//	W, H  int        size in pixels
//	Pix   []float32  (H, W, 3), sRGB-encoded, 0..1
//	Alpha []float32  (H, W), 0..1, not multiplied into Pix; nil where opaque
//	Depth int        bits a channel of the file it came from: 8 or 16
//
// Image(depth) converts it to an *image.NRGBA (depth 8) or an *image.NRGBA64
// (16), Clone copies it, and Flatten puts it over white.
type Picture = picture.Picture

// FromImage converts any image; its pixels are taken to be sRGB.
func FromImage(img image.Image) *Picture { return picture.FromImage(img) }

// Open reads a PNG, JPEG, TIFF or WebP file, upright and converted to sRGB.
func Open(path string) (*Picture, error) {
	p, _, err := picture.Read(path, picture.ReadOptions{})
	return p, err
}

// Decode reads a PNG, JPEG, TIFF or WebP picture, upright and converted to sRGB.
func Decode(r io.Reader) (*Picture, error) {
	p, _, err := picture.Decode(r, "picture", picture.ReadOptions{})
	return p, err
}

// Save writes a PNG, JPEG, TIFF or WebP file, by its extension; an existing
// file is replaced only once the new one is whole.
func Save(path string, p *Picture) error { return picture.Save(path, p, picture.WriteOptions{}) }

// Encode writes p in a format: "png", "jpeg", "tiff" or "webp".
func Encode(w io.Writer, p *Picture, format string) error {
	f, err := picture.FormatOf("picture." + format)
	if err != nil {
		return fmt.Errorf("%q is not a picture format; there are png, jpeg, tiff and webp", format)
	}
	return picture.Encode(w, p, f, picture.WriteOptions{})
}
