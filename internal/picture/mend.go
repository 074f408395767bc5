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

// This file repairs files that browsers open and the readers of the standard
// library refuse. All their pixels are there, but something around them is wrong.

// mend returns a readable file with the same pixels, and what was wrong with the
// original. If pixels are missing, it returns nil and the share of pixels that are
// there.
func mend(file []byte, f Format, w, h int) (fixed []byte, what string, share float64) {
	switch f {
	case PNG:
		return mendPNG(file, w, h)
	case JPEG:
		return mendJPEG(file, h)
	}
	return nil, "", 0
}

// mendPNG unpacks as many pixels as the header announces, ignores what follows, and
// packs the pixels again.
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
		case whole && parts == nil: // chunks after the pixels do not describe them
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

// pngBytes returns how many bytes the pixels of a PNG unpack to, including the
// filter number of each row. It returns 0 for an invalid header.
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

// mendJPEG adds the missing two-byte end marker to a JPEG that is otherwise
// complete.
func mendJPEG(file []byte, h int) (fixed []byte, what string, share float64) {
	bare := bytes.TrimSuffix(file, []byte{0xff})
	ended := append(bare[:len(bare):len(bare)], 0xff, 0xd9)
	share = jpegShare(ended, h)
	if _, err := jpeg.Decode(bytes.NewReader(ended)); err == nil && share == 1 {
		return ended, "its last two bytes are missing", 1
	}
	return nil, "", share
}

// jpegShare returns about how much of a cut JPEG is there. The scan that is cut
// counts with the share of its rows. Missing scans, such as the last ones of a
// progressive picture, count with none of their bits.
func jpegShare(file []byte, h int) float64 {
	var frame segment
	for _, s := range jpegSegments(file) {
		if (s.kind == sof0 || s.kind == sof2) && len(s.data) >= 6 {
			frame = s
		}
	}
	if frame.data == nil || h <= 0 {
		return 0
	}
	scans, total := jpegScans(file, frame.data)
	bits := 0.
	for i, n := range scans {
		if i == len(scans)-1 {
			n *= jpegRows(file, frame.from+5, h) // the height follows the marker, length and depth
		}
		bits += n
	}
	return min(1, bits/max(1, total))
}

// jpegRows returns the share of rows that can be decoded. It finds it by a binary
// search for the largest height that can be decoded. at is the offset of the height
// in the header.
func jpegRows(file []byte, at, h int) float64 {
	if _, err := jpeg.Decode(bytes.NewReader(file)); err == nil {
		return 1
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

// jpegScans returns the weight of each scan of a JPEG, and that of a whole picture.
// A scan names components, coefficients from ss to se, and the lowest bit. The
// first time, it adds all bits of 8 down to that one, and each time after one bit
// (ITU-T T.81, G.1.1.1). A component has the weight of its sampling, and
// coefficient k has the weight 1/(1+k), because high frequencies are mostly zeros.
func jpegScans(file, frame []byte) (scans []float64, total float64) {
	const bits = 8
	sampling := map[byte]float64{}
	for c := frame[6:]; len(c) >= 3; c = c[3:] {
		sampling[c[0]] = float64(c[1]>>4) * float64(c[1]&15)
		total += sampling[c[0]] * bits * jpegBand(0, 63)
	}
	for at := 2; at+4 <= len(file); {
		if file[at] != 0xff || file[at+1] == 0 || file[at+1] >= 0xd0 && file[at+1] <= 0xd9 || file[at+1] == 0xff {
			at++ // inside a scan
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if end > len(file) {
			break
		}
		data := file[at+4 : max(end, at+4)]
		if file[at+1] == sos[0] && len(data) >= 4 && len(data) >= 4+2*int(data[0]) {
			n := int(data[0])
			ss, se, high, low := data[1+2*n], data[2+2*n], data[3+2*n]>>4, data[3+2*n]&15
			brings := 0.
			for c := range n {
				brings += sampling[data[1+2*c]]
			}
			planes := 1.
			if high == 0 {
				planes = float64(bits - min(low, bits))
			}
			scans = append(scans, brings*planes*jpegBand(int(ss), int(se)))
		}
		at = max(end, at+2)
	}
	return scans, total
}

// jpegBand returns the weight of the coefficients first to last together.
func jpegBand(first, last int) (sum float64) {
	for k := first; k <= min(last, 63); k++ {
		sum += 1 / float64(1+k)
	}
	return sum
}

// after says that something follows the end of a PNG, or returns "" if nothing
// does.
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
