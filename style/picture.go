package style

import (
	"fmt"
	"image"
	"io"

	"github.com/impasto/impasto/internal/picture"
)

// Picture is an RGB picture with sRGB primaries and transfer curve.
type Picture struct {
	W, H  int       // size in pixels
	Pix   []float32 // (H, W, 3), sRGB-encoded, 0..1
	Alpha []float32 // (H, W), 0..1, not multiplied into Pix; nil if opaque
	Depth int       // bits a channel of the file it came from: 8 or 16
}

// Image returns the picture as an *image.NRGBA (depth 8) or *image.NRGBA64 (16).
func (p *Picture) Image(depth int) image.Image { return (*picture.Picture)(p).Image(depth) }

// Clone returns a copy that shares nothing with p.
func (p *Picture) Clone() *Picture { return (*Picture)((*picture.Picture)(p).Clone()) }

// Flatten returns the picture over white. It returns p itself if that is opaque.
func (p *Picture) Flatten() *Picture { return (*Picture)((*picture.Picture)(p).Flatten()) }

// Resize returns the picture at another size, resampled in linear light.
func (p *Picture) Resize(w, h int) *Picture {
	return (*Picture)((*picture.Picture)(p).Resize(w, h, picture.Lanczos3))
}

// newPicture returns a black and opaque picture.
func newPicture(w, h int) *Picture { return (*Picture)(picture.New(w, h)) }

// FromImage converts any image. It treats the pixels as sRGB.
func FromImage(img image.Image) *Picture { return (*Picture)(picture.FromImage(img)) }

// Open reads a PNG, JPEG, TIFF or WebP file, upright and converted to sRGB.
func Open(path string) (*Picture, error) {
	p, _, err := picture.Read(path, picture.ReadOptions{})
	return (*Picture)(p), err
}

// Decode reads a PNG, JPEG, TIFF or WebP picture, upright and converted to sRGB.
func Decode(r io.Reader) (*Picture, error) {
	p, _, err := picture.Decode(r, "picture", picture.ReadOptions{})
	return (*Picture)(p), err
}

// Save writes a PNG, JPEG, TIFF or WebP file. The extension gives the format. An
// existing file is replaced only when the new one is complete.
func Save(path string, p *Picture) error {
	return picture.Save(path, (*picture.Picture)(p), picture.WriteOptions{})
}

// Encode writes p in a format: "png", "jpeg", "tiff" or "webp".
func Encode(w io.Writer, p *Picture, format string) error {
	f, err := picture.FormatOf("picture." + format)
	if err != nil {
		return fmt.Errorf("%q is not a picture format; there are png, jpeg, tiff and webp", format)
	}
	return picture.Encode(w, (*picture.Picture)(p), f, picture.WriteOptions{})
}
