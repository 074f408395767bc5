package picture

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"io"
)

// Files that browsers open and the readers of the standard library refuse: all
// pixels are there, and something around them is not as it should be.

// mend returns a file with the same pixels that can be read, and what was wrong
// with it. Where pixels are missing it returns nil and the share that is there.
func mend(file []byte, f Format, w, h int) (fixed []byte, what string, share float64) {
	switch f {
	case PNG:
		return mendPNG(file, w, h)
	case JPEG:
		return mendJPEG(file, h)
	}
	return nil, "", 0
}

// mendPNG unpacks as many pixels as the header promises, whatever follows them,
// and packs them again.
func mendPNG(file []byte, w, h int) (fixed []byte, what string, share float64) {
	chunks := pngChunks(file)
	if len(chunks) == 0 || chunks[0].kind != "IHDR" || len(chunks[0].data) != 13 {
		return nil, "", 0
	}
	var parts []io.Reader
	fixed = append(fixed, pngSignature...)
	for _, c := range chunks {
		whole := binary.BigEndian.Uint32(file[c.to-4:]) == crc32.ChecksumIEEE(file[c.from+4:c.to-4])
		critical := c.kind[0] < 'a'
		switch {
		case c.kind == "IEND":
		case critical && !whole:
			return nil, "", 0
		case c.kind == "IDAT":
			parts = append(parts, bytes.NewReader(c.data))
		case whole && parts == nil: // what follows the pixels says nothing of them
			fixed = append(fixed, file[c.from:c.to]...)
		}
	}
	// The last chunk may be cut off.
	if n := len(chunks); n > 0 && chunks[n-1].to+8 <= len(file) && string(file[chunks[n-1].to+4:chunks[n-1].to+8]) == "IDAT" {
		parts = append(parts, bytes.NewReader(file[chunks[n-1].to+8:]))
	}
	need := pngBytes(chunks[0].data, w, h)
	in := io.MultiReader(parts...)
	if _, err := io.ReadFull(in, make([]byte, 2)); err != nil || need <= 0 || need > int64(len(file))*mostDeflated {
		return nil, "", 0
	}
	z := flate.NewReader(in) // without the checksum at its end
	raw := bytes.NewBuffer(make([]byte, 0, min(need, 64<<20)))
	got, err := io.CopyN(raw, z, need)
	if err != nil {
		return nil, "", float64(got) / float64(need)
	}
	what = "its end is missing"
	if n, _ := io.ReadFull(z, make([]byte, 1)); n > 0 {
		what = "it holds more pixels than its size says, and they were ignored"
	} else if chunks[len(chunks)-1].kind == "IEND" {
		what = "the checksum of its pixels does not fit, some may be damaged"
	}
	var packed bytes.Buffer
	pack, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed) // a level there is
	if _, err := pack.Write(raw.Bytes()); err != nil || pack.Close() != nil {
		return nil, "", 0
	}
	fixed = appendPNGChunk(fixed, "IDAT", packed.Bytes())
	return appendPNGChunk(fixed, "IEND", nil), what, 1
}

// pngBytes is how many bytes the pixels of a PNG unpack to, its rows' filter
// numbers included; 0 for a header that makes no sense.
func pngBytes(header []byte, w, h int) int64 {
	channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[9]]
	bits := channels * int64(header[8])
	rows := func(w, h int64) int64 {
		if w <= 0 || h <= 0 {
			return 0
		}
		return h * (1 + (w*bits+7)/8)
	}
	if header[12] == 0 {
		return rows(int64(w), int64(h))
	}
	total := int64(0)
	for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		total += rows(int64((w-p[0]+p[2]-1)/p[2]), int64((h-p[1]+p[3]-1)/p[3]))
	}
	return total
}

// mendJPEG adds the two bytes at the end of a picture that is there up to them.
func mendJPEG(file []byte, h int) (fixed []byte, what string, share float64) {
	bare := bytes.TrimSuffix(file, []byte{0xff})
	ended := append(bare[:len(bare):len(bare)], 0xff, 0xd9)
	if _, err := jpeg.Decode(bytes.NewReader(ended)); err == nil {
		return ended, "its last two bytes are missing", 1
	}
	return nil, "", jpegShare(ended, h)
}

// jpegShare is about how much of a cut JPEG's rows can be decoded: a header that
// promises fewer rows is looked for, by halves. 0 where that cannot be known, as
// of a progressive picture, whose scans each cover all rows.
func jpegShare(file []byte, h int) float64 {
	at := -1
	for _, s := range jpegSegments(file) {
		if s.kind == sof0 && len(s.data) >= 6 {
			at = s.from + 5 // marker, length, depth
		}
	}
	if at < 0 {
		return 0
	}
	cut := bytes.Clone(file)
	low, high := 0, h
	for range 7 { // to a hundredth
		middle := (low + high) / 2
		if middle == low {
			break
		}
		binary.BigEndian.PutUint16(cut[at:], uint16(middle))
		if _, err := jpeg.Decode(bytes.NewReader(cut)); err == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return float64(low) / float64(h)
}

// after is what lies behind the end of a PNG.
func after(file []byte, f Format) string {
	if f != PNG {
		return ""
	}
	for _, c := range pngChunks(file) {
		if c.kind == "IEND" && c.to < len(file) {
			return fmt.Sprintf("%d bytes after its end were ignored", len(file)-c.to)
		}
	}
	return ""
}
