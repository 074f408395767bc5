package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// This file parses the four containers only as far as needed to find what the
// decoders of the standard library skip: profiles, orientation and text. Every walk
// stops at the first invalid part and returns what it has found. The decoder of the
// pixels reports damage.

const pngSignature = "\x89PNG\r\n\x1a\n"

// segment is a PNG or RIFF chunk, a JPEG segment, or the value of a TIFF tag.
type segment struct {
	kind     string // "iTXt", "EXIF", "\xe1" (a JPEG marker)
	data     []byte // payload, shared with the file
	from, to int    // extent of the whole segment in the file
}

// find returns the payload of the first segment of a kind, or nil if there is none.
func find(list []segment, kind string) []byte {
	for _, s := range list {
		if s.kind == kind {
			return s.data
		}
	}
	return nil
}

// pngChunks returns the chunks of a PNG file.
func pngChunks(file []byte) []segment {
	var out []segment
	if !bytes.HasPrefix(file, []byte(pngSignature)) {
		return nil
	}
	for at := len(pngSignature); len(file)-at >= 12; {
		n := int64(binary.BigEndian.Uint32(file[at:]))
		if n > int64(len(file)-at-12) {
			break
		}
		end := at + 12 + int(n)
		out = append(out, segment{string(file[at+4 : at+8]), file[at+8 : end-4], at, end})
		at = end
	}
	return out
}

// riffChunks returns the chunks of a WebP file.
func riffChunks(file []byte) []segment {
	var out []segment
	for at := 12; len(file)-at >= 8; {
		n := int64(binary.LittleEndian.Uint32(file[at+4:]))
		if n > int64(len(file)-at-8) {
			break
		}
		end := at + 8 + int(n)
		out = append(out, segment{string(file[at : at+4]), file[at+8 : end], at, end})
		at = end + int(n&1) // chunks start at even offsets
	}
	return out
}

// jpegSegments returns the segments of a JPEG file before its first scan.
func jpegSegments(file []byte) []segment {
	var out []segment
	if !bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
		return nil
	}
	for at := 2; len(file)-at >= 4 && file[at] == 0xff; {
		marker := file[at+1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		n := int(binary.BigEndian.Uint16(file[at+2:]))
		if marker == 0xda || n < 2 || n > len(file)-at-2 {
			break
		}
		end := at + 2 + n
		out = append(out, segment{string(file[at+1 : at+2]), file[at+4 : end], at, end})
		at = end
	}
	return out
}

// JPEG markers: EXIF and XMP are in APP1, the colour profile in APP2.
const (
	app0 = "\xe0"
	app1 = "\xe1"
	app2 = "\xe2"
	dqt  = "\xdb"
	dht  = "\xc4"
	sof0 = "\xc0"
	sof2 = "\xc2"
	sos  = "\xda"
)

// TIFF tags.
const (
	tagOrientation = 274
	tagICC         = 34675
)

// tiffEntry returns the twelve bytes of a tag in the first directory of a TIFF
// structure (EXIF data is one too), or nil if it has none, and the byte order.
func tiffEntry(tiff []byte, tag uint16) (entry []byte, order binary.ByteOrder) {
	if len(tiff) < 8 {
		return nil, nil
	}
	order = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at, size := int64(order.Uint32(tiff[4:])), int64(len(tiff))
	if at > size-2 {
		return nil, nil
	}
	entries := int64(order.Uint16(tiff[at:]))
	for e := at + 2; entries > 0 && e+12 <= size; e, entries = e+12, entries-1 {
		if order.Uint16(tiff[e:]) == tag {
			return tiff[e : e+12], order
		}
	}
	return nil, nil
}

// tiffTag returns the bytes of a tag's value, and their byte order. The value is at
// most as long as the structure.
func tiffTag(tiff []byte, tag uint16) ([]byte, binary.ByteOrder, bool) {
	entry, order := tiffEntry(tiff, tag)
	if entry == nil {
		return nil, nil, false
	}
	n := int64(order.Uint32(entry[4:])) * tiffWidth(order.Uint16(entry[2:]))
	if n > 0 && n <= 4 { // the value is stored in the entry itself
		return entry[8 : 8+n], order, true
	}
	from := int64(order.Uint32(entry[8:]))
	if n == 0 || from+n > int64(len(tiff)) {
		return nil, nil, false
	}
	return tiff[from : from+n], order, true
}

// tiffWidth returns the number of bytes of one value of a TIFF field type.
func tiffWidth(fieldType uint16) int64 {
	switch fieldType {
	case 1, 2, 6, 7: // byte, ascii, signed byte, undefined
		return 1
	case 3, 8: // short
		return 2
	case 4, 9, 11: // long, float
		return 4
	case 5, 10, 12: // rational, double
		return 8
	}
	return 0
}

// maxInflated is the most bytes that a compressed chunk may unpack to. The largest
// chunks in practice, profiles of printing presses, have a few megabytes.
const maxInflated = 16 << 20

// inflate unpacks a zlib stream.
func inflate(data []byte) ([]byte, bool) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	out, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	return out, err == nil && len(out) <= maxInflated
}
