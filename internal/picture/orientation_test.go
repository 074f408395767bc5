package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// exifBlock returns a TIFF structure whose only tag of interest is the
// orientation, after one that is longer than four bytes.
func exifBlock(order binary.AppendByteOrder, o uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 0x010f) // maker, ASCII
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(b, 6)
	b = order.AppendUint32(b, 38)
	b = order.AppendUint16(b, tagOrientation)
	b = order.AppendUint16(b, 3) // SHORT
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, o)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, 0) // no further directory
	return append(b, "Maker\x00"...)
}

// webpWith packs a lossless WebP into the extended format with one more chunk.
func webpWith(file []byte, w, h int, flag byte, kind string, data []byte) []byte {
	chunk := func(b []byte, kind string, data []byte) []byte {
		b = append(b, kind...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
		b = append(b, data...)
		return append(b, make([]byte, len(data)&1)...)
	}
	body := chunk([]byte("WEBP"), "VP8X", []byte{flag, 0, 0, 0, byte(w - 1), 0, 0, byte(h - 1), 0, 0})
	if kind == "ICCP" { // profiles stand before the pixels, EXIF after
		body = chunk(body, kind, data)
	}
	body = append(body, file[12:]...)
	if kind != "ICCP" {
		body = chunk(body, kind, data)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// TestOrientation stores the letter F in each of the eight ways and wants it
// back upright. How a file is stored is written as the EXIF standard defines
// it: which side of the scene row 0 and column 0 are.
func TestOrientation(t *testing.T) {
	scene := []string{
		"###.",
		"#...",
		"##..",
		"#...",
		"#..."} // 4 x 5
	dark := func(x, y int) float32 {
		if scene[y][x] == '#' {
			return 0
		}
		return 1
	}
	const w, h = 4, 5
	upright := New(w, h)
	for i := range w * h {
		for c := range 3 {
			upright.Pix[3*i+c] = dark(i%w, i/w)
		}
	}
	// at returns the scene's pixel that stands in row r, column c of the file.
	at := map[int]func(r, c int) (x, y int){
		1: func(r, c int) (int, int) { return c, r },                 // row 0 top, column 0 left
		2: func(r, c int) (int, int) { return w - 1 - c, r },         // top, right
		3: func(r, c int) (int, int) { return w - 1 - c, h - 1 - r }, // bottom, right
		4: func(r, c int) (int, int) { return c, h - 1 - r },         // bottom, left
		5: func(r, c int) (int, int) { return r, c },                 // left, top
		6: func(r, c int) (int, int) { return w - 1 - r, c },         // right, top
		7: func(r, c int) (int, int) { return w - 1 - r, h - 1 - c }, // right, bottom
		8: func(r, c int) (int, int) { return r, h - 1 - c },         // left, bottom
	}
	for o := 1; o <= 8; o++ {
		fw, fh := w, h
		if o >= 5 {
			fw, fh = h, w
		}
		stored := New(fw, fh)
		for r := range fh {
			for c := range fw {
				for k := range 3 {
					stored.Pix[3*(r*fw+c)+k] = dark(at[o](r, c))
				}
			}
		}
		little, big := exifBlock(binary.LittleEndian, uint16(o)), exifBlock(binary.BigEndian, uint16(o))
		jpegHead := []byte("Exif\x00\x00")
		files := map[string][]byte{
			"PNG":           splicePNG(mustEncode(t, stored, PNG, WriteOptions{}), "eXIf", big),
			"JPEG little":   spliceJPEG(mustEncode(t, stored, JPEG, WriteOptions{Quality: 100}), app1, append(jpegHead, little...)),
			"JPEG big":      spliceJPEG(mustEncode(t, stored, JPEG, WriteOptions{Quality: 100}), app1, append(jpegHead, big...)),
			"WebP":          webpWith(mustEncode(t, stored, WebP, WriteOptions{}), fw, fh, 8, "EXIF", little),
			"WebP, headed":  webpWith(mustEncode(t, stored, WebP, WriteOptions{}), fw, fh, 8, "EXIF", append(jpegHead, big...)),
			"TIFF":          tiffWithTag(t, stored, tagOrientation, 3, 1, []byte{byte(o), 0, 0, 0}),
			"PNG, alpha":    splicePNG(mustEncode(t, withAlphaOfRed(stored), PNG, WriteOptions{}), "eXIf", little),
			"PNG, no sense": splicePNG(mustEncode(t, upright, PNG, WriteOptions{}), "eXIf", exifBlock(binary.BigEndian, uint16(o+8))),
		}
		for name, file := range files {
			t.Run(fmt.Sprintf("%d/%s", o, name), func(t *testing.T) {
				p, _ := mustDecode(t, file)
				if p.W != w || p.H != h {
					t.Fatalf("got %dx%d, want %dx%d", p.W, p.H, w, h)
				}
				if p.Alpha == nil {
					testutil.Close(t, "pix", p.Pix, upright.Pix, 0.1, 0)
				}
				for i, a := range p.Alpha {
					testutil.Close(t, "alpha", []float32{a}, upright.Pix[3*i:3*i+1], 0, 0)
				}
			})
		}
	}
}

func withAlphaOfRed(p *Picture) *Picture {
	q := p.Clone()
	q.Alpha = make([]float32, p.W*p.H)
	for i := range q.Alpha {
		q.Alpha[i] = p.Pix[3*i]
	}
	return q
}

// tiffWithTag adds one entry to the directory of a TIFF file made here, which
// is little-endian and ends with its directory. value is the entry's last four
// bytes, or longer: then it goes to the end of the file.
func tiffWithTag(t *testing.T, p *Picture, tag, kind uint16, count uint32, value []byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	file := mustEncode(t, p, TIFF, WriteOptions{})
	at := le.Uint32(file[4:])
	n := uint32(le.Uint16(file[at:]))
	entries := file[at+2 : at+2+12*n]

	out := append([]byte(nil), file...)
	le.PutUint32(out[4:], uint32(len(out)))
	out = le.AppendUint16(out, uint16(n+1))
	entry := le.AppendUint16(nil, tag)
	entry = le.AppendUint16(entry, kind)
	entry = le.AppendUint32(entry, count)
	if len(value) > 4 {
		end := len(out) + 12*int(n+1) + 4
		entry = le.AppendUint32(entry, uint32(end))
	} else {
		entry = append(entry, value...)
	}
	for i := uint32(0); i <= n; i++ { // tags must ascend
		if entry != nil && (i == n || le.Uint16(entries[12*i:]) > tag) {
			out = append(out, entry...)
			entry = nil
		}
		if i < n {
			out = append(out, entries[12*i:12*i+12]...)
		}
	}
	out = le.AppendUint32(out, 0)
	if len(value) > 4 {
		out = append(out, value...)
	}
	return out
}

// TestOrientationOfHostileEXIF: whatever the tags say, the walk stays inside.
func TestOrientationOfHostileEXIF(t *testing.T) {
	good := exifBlock(binary.LittleEndian, 6)
	base := pngOf(t, image.NewNRGBA(image.Rect(0, 0, 2, 3)))
	for n := range good {
		p, _ := mustDecode(t, splicePNG(base, "eXIf", good[:n]))
		if p.W*p.H != 6 {
			t.Fatalf("cut at %d: %dx%d", n, p.W, p.H)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] = 0xff
		mustDecode(t, splicePNG(base, "eXIf", bad))
	}
}
