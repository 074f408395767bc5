package picture

import (
	"bytes"
)

// Orientation is numbered as in EXIF tag 0x0112. It says which corner of the scene
// the first row and column of the file are.
//
//	1 upright             2 mirrored left-right
//	3 turned by 180       4 mirrored top-bottom
//	5 transposed          6 to be turned 90 clockwise
//	7 anti-transposed     8 to be turned 90 anticlockwise

// orientation reads the tag from any of the four formats. It returns 1 if the tag
// is missing or invalid. It is the only EXIF tag that changes the picture, so the
// package reads no others.
func orientation(file []byte, f Format) int {
	tiff := exif(file, f)
	value, order, ok := tiffTag(tiff, tagOrientation)
	if !ok || len(value) < 2 {
		return 1
	}
	if o := int(order.Uint16(value)); o >= 1 && o <= 8 {
		return o
	}
	return 1
}

// exif returns the TIFF structure that holds the picture's tags, or nil.
func exif(file []byte, f Format) []byte {
	exifHeader := []byte("Exif\x00\x00")
	switch f {
	case TIFF:
		return file
	case JPEG:
		for _, s := range jpegSegments(file) {
			if s.kind == app1 && bytes.HasPrefix(s.data, exifHeader) {
				return s.data[len(exifHeader):]
			}
		}
	case PNG:
		return find(pngChunks(file), "eXIf")
	case WebP:
		return bytes.TrimPrefix(find(riffChunks(file), "EXIF"), exifHeader) // some writers keep JPEG's header
	}
	return nil
}

// orient returns p turned upright.
func (p *Picture) orient(o int) *Picture {
	if o <= 1 || o > 8 {
		return p
	}
	w, h := p.W, p.H
	if o >= 5 {
		w, h = h, w
	}
	q := &Picture{W: w, H: h, Depth: p.Depth, Pix: make([]float32, len(p.Pix))}
	if p.Alpha != nil {
		q.Alpha = make([]float32, len(p.Alpha))
	}
	parallelRows(h, func(y int) {
		for x := range w {
			sx, sy := x, y
			if o >= 5 {
				sx, sy = y, x
			}
			switch o {
			case 2, 3, 7, 8:
				sx = p.W - 1 - sx
			}
			switch o {
			case 3, 4, 6, 7:
				sy = p.H - 1 - sy
			}
			to, from := y*w+x, sy*p.W+sx
			copy(q.Pix[3*to:3*to+3], p.Pix[3*from:])
			if p.Alpha != nil {
				q.Alpha[to] = p.Alpha[from]
			}
		}
	})
	return q
}
