package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"io/fs"

	"github.com/impasto/impasto/internal/picture"
)

// codes are the bytes of a picture as a lossless file would hold them: RGBA of
// 8 bits, or of 16 bits big-endian.
func codes(p *picture.Picture, depth int) []byte {
	switch img := p.Image(depth).(type) {
	case *image.NRGBA:
		return img.Pix
	case *image.NRGBA64:
		return img.Pix
	}
	return nil
}

// osReason strips operation and path from an error of the operating system.
func osReason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// sumOf is the SHA-256 of a file's bytes in hex.
func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
