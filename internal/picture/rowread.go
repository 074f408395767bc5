package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// The usual kinds of PNG and TIFF are read row by row into the picture. Go's
// readers make an image first, which takes a third more memory for a large picture.
// They read all other files, and every file with anything unusual or wrong in it.
// Their pixels are the same, and their errors are known.

// codeRows converts rows of codes to a picture.
type codeRows struct {
	p        *Picture
	channels int // grey, grey and alpha, RGB, RGBA
	order    binary.ByteOrder
	opaque   bool
}

// newCodeRows makes the picture. Alpha is kept only if some pixel is not opaque.
func newCodeRows(w, h, channels, depth int, order binary.ByteOrder) *codeRows {
	r := &codeRows{p: New(w, h), channels: channels, order: order, opaque: true}
	r.p.Depth = depth
	if channels%2 == 0 {
		r.p.Alpha = make([]float32, w*h)
	}
	return r
}

// size returns the number of bytes of a row.
func (r *codeRows) size() int { return r.p.W * r.channels * r.p.Depth / 8 }

// row converts row y.
func (r *codeRows) row(src []byte, y int) {
	value := func(i int) float32 { return unit8[src[i]] }
	if r.p.Depth == 16 {
		value = func(i int) float32 { return unit16(r.order.Uint16(src[2*i:])) }
	}
	for x := range r.p.W {
		at, i := x*r.channels, y*r.p.W+x
		pix := r.p.Pix[3*i : 3*i+3]
		pix[0] = value(at)
		if r.channels > 2 {
			pix[1], pix[2] = value(at+1), value(at+2)
		} else {
			pix[1], pix[2] = pix[0], pix[0]
		}
		if r.p.Alpha != nil {
			a := value(at + r.channels - 1)
			r.p.Alpha[i] = a
			r.opaque = r.opaque && a == 1
		}
	}
}

func (r *codeRows) picture() *Picture {
	if r.opaque {
		r.p.Alpha = nil
	}
	return r.p
}

// readRows reads the pixels of a file of w x h pixels. It returns nil if Go's
// readers have to read the file.
func readRows(file []byte, f Format, w, h int) *Picture {
	switch f {
	case PNG:
		return readPNGRows(file, w, h)
	case TIFF:
		return readTIFFRows(file, w, h)
	}
	return nil
}

// mostDeflated is the most bytes that one deflated byte can unpack to.
const mostDeflated = 1032

// readPNGRows reads PNGs of 8 and 16 bits without palette, transparent colour
// or interlacing.
func readPNGRows(file []byte, w, h int) *Picture {
	chunks := pngChunks(file)
	if len(chunks) < 3 || chunks[0].kind != "IHDR" || len(chunks[0].data) != 13 || chunks[len(chunks)-1].kind != "IEND" {
		return nil
	}
	var parts []io.Reader
	for _, c := range chunks {
		if binary.BigEndian.Uint32(file[c.to-4:]) != crc32.ChecksumIEEE(file[c.from+4:c.to-4]) || c.kind == "tRNS" || c.kind == "PLTE" {
			return nil
		}
		if c.kind == "IDAT" {
			parts = append(parts, bytes.NewReader(c.data))
		}
	}
	head := chunks[0].data
	channels := map[byte]int{0: 1, 2: 3, 4: 2, 6: 4}[head[9]]
	depth := int(head[8])
	if channels == 0 || depth != 8 && depth != 16 || head[10] != 0 || head[11] != 0 || head[12] != 0 {
		return nil
	}
	z, err := zlib.NewReader(io.MultiReader(parts...))
	if err != nil || int64(len(file))*mostDeflated < int64(w)*int64(h)*int64(channels*depth/8) {
		return nil
	}
	rows := newCodeRows(w, h, channels, depth, binary.BigEndian)
	row, above, bpp := make([]byte, 1+rows.size()), make([]byte, 1+rows.size()), channels*depth/8
	for y := range h {
		if _, err := io.ReadFull(z, row); err != nil || !unfilter(row, above[1:], bpp) {
			return nil
		}
		rows.row(row[1:], y)
		row, above = above, row
	}
	if n, err := z.Read(row[:1]); n != 0 || err != io.EOF { // the checksum is verified at the end
		return nil
	}
	return rows.picture()
}

// unfilter converts a row, which begins with its filter number, back to codes.
func unfilter(row, above []byte, bpp int) bool {
	kind, row := row[0], row[1:]
	switch kind {
	case 0:
	case 1:
		for i := bpp; i < len(row); i++ {
			row[i] += row[i-bpp]
		}
	case 2:
		for i, b := range above {
			row[i] += b
		}
	case 3:
		for i := range row {
			left := 0
			if i >= bpp {
				left = int(row[i-bpp])
			}
			row[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range row {
			var left, corner byte
			if i >= bpp {
				left, corner = row[i-bpp], above[i-bpp]
			}
			row[i] += predictor(left, above[i], corner)
		}
	default:
		return false
	}
	return true
}

// readTIFFRows reads TIFFs of 8 and 16 bits in strips, grey, RGB and RGBA,
// plain or deflated.
func readTIFFRows(file []byte, w, h int) *Picture {
	number := func(tag uint16, otherwise int) int {
		v, order, ok := tiffTag(file, tag)
		switch {
		case !ok && !hasTag(file, tag):
			return otherwise
		case len(v) == 2:
			return int(order.Uint16(v))
		case len(v) == 4:
			return int(order.Uint32(v))
		}
		return -1
	}
	channels := number(277, 1)
	compression, colour, predictor := number(259, 1), number(262, -1), number(317, 1)
	deflated := compression == 8 || compression == 32946
	switch {
	case number(256, 0) != w || number(257, 0) != h || !deflated && compression != 1:
		return nil
	case !(colour == 1 && channels == 1 || colour == 2 && (channels == 3 || channels == 4 && number(338, 0) == 2)):
		return nil
	case number(284, 1) != 1 || predictor != 1 && predictor != 2 || number(266, 1) != 1 || number(322, 0) != 0:
		return nil // planes, other predictors, reversed bits, tiles
	}
	depths, order, ok := tiffTag(file, 258)
	if !ok || len(depths) != 2*channels {
		return nil
	}
	depth := int(order.Uint16(depths))
	for i := range channels {
		if int(order.Uint16(depths[2*i:])) != depth {
			return nil
		}
	}
	if formats, _, ok := tiffTag(file, 339); depth != 8 && depth != 16 || ok != hasTag(file, 339) || !unsigned(formats, order) {
		return nil
	}
	perStrip := min(h, number(278, h))
	if perStrip < 1 {
		return nil
	}
	n := (h + perStrip - 1) / perStrip
	offsets, counts := tiffList(file, 273, n), tiffList(file, 279, n)
	if offsets == nil || counts == nil || int64(len(file))*mostDeflated < int64(w)*int64(h)*int64(channels*depth/8) {
		return nil
	}
	rows := newCodeRows(w, h, channels, depth, order)
	row := make([]byte, rows.size())
	for s := range n {
		if offsets[s] > len(file) || counts[s] > len(file)-offsets[s] {
			return nil
		}
		var in io.Reader = bytes.NewReader(file[offsets[s]:][:counts[s]])
		if deflated {
			z, err := zlib.NewReader(in)
			if err != nil {
				return nil
			}
			in = z
		}
		for y := s * perStrip; y < min(h, (s+1)*perStrip); y++ {
			if _, err := io.ReadFull(in, row); err != nil {
				return nil
			}
			if predictor == 2 {
				sums(row, channels, depth, order)
			}
			rows.row(row, y)
		}
		if n, err := in.Read(row[:1]); deflated && (n != 0 || err != io.EOF) { // the checksum is verified at the end
			return nil
		}
	}
	return rows.picture()
}

// hasTag reports whether the directory has a tag with any value.
func hasTag(file []byte, tag uint16) bool { entry, _ := tiffEntry(file, tag); return entry != nil }

// unsigned reports whether all sample formats are unsigned integers.
func unsigned(formats []byte, order binary.ByteOrder) bool {
	for i := 0; i+1 < len(formats); i += 2 {
		if order.Uint16(formats[i:]) != 1 {
			return false
		}
	}
	return true
}

// tiffList returns the n numbers of a tag, of type short or long. It returns nil if
// the tag has another number of values.
func tiffList(file []byte, tag uint16, n int) []int {
	v, order, ok := tiffTag(file, tag)
	if !ok || len(v) != 2*n && len(v) != 4*n {
		return nil
	}
	list := make([]int, n)
	for i := range list {
		if len(v) == 2*n {
			list[i] = int(order.Uint16(v[2*i:]))
		} else {
			list[i] = int(order.Uint32(v[4*i:]))
		}
	}
	return list
}

// sums replaces differences by the values that they are differences of.
func sums(row []byte, channels, depth int, order binary.ByteOrder) {
	if depth == 8 {
		for i := channels; i < len(row); i++ {
			row[i] += row[i-channels]
		}
		return
	}
	for i := 2 * channels; i < len(row); i += 2 {
		order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-2*channels:]))
	}
}
