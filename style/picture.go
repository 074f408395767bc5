package style

import (
	"image"

	"github.com/impasto/impasto/internal/picture"
)

// Picture is an RGB picture: Pix is (H, W, 3), sRGB-encoded, 0..1.
type Picture = picture.Picture

// FromImage converts any image; its pixels are taken to be sRGB.
func FromImage(img image.Image) *Picture { return picture.FromImage(img) }

// Open reads a PNG, JPEG, TIFF or WebP file, upright and converted to sRGB.
func Open(path string) (*Picture, error) {
	p, _, err := picture.Read(path, picture.ReadOptions{})
	return p, err
}

// Save writes a PNG, JPEG, TIFF or WebP file, by its extension; an existing
// file is replaced only once the new one is whole.
func Save(path string, p *Picture) error { return picture.Save(path, p, picture.WriteOptions{}) }
