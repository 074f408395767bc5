package picture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// The parsers meet files from anywhere: none may panic, run on for ever, or
// allocate more than the file and the pixel limit account for.

// fuzzSeeds are small files of every format with everything the package reads
// in them.
func fuzzSeeds(f *testing.F) [][]byte {
	p := smooth(5, 4)
	o := WriteOptions{Recipe: `{"a":"ü"}`, Software: "Impasto 0.1"}
	alpha := noise(4, 3, 8, true)
	exifData := exifBlock(binary.BigEndian, 6)
	icc := append([]byte("p\x00\x00"), deflated(spaces[0].profile())...)
	return [][]byte{
		mustEncode(f, p, PNG, o), mustEncode(f, p, JPEG, o), mustEncode(f, p, TIFF, o), mustEncode(f, p, WebP, o),
		mustEncode(f, alpha, PNG, WriteOptions{Depth: 16}), mustEncode(f, alpha, WebP, o),
		splicePNG(splicePNG(mustEncode(f, p, PNG, o), "eXIf", exifData), "iCCP", icc),
		spliceJPEG(mustEncode(f, p, JPEG, o), app1, append([]byte("Exif\x00\x00"), exifData...)),
		webpWith(mustEncode(f, p, WebP, o), 5, 4, 8, "EXIF", exifData),
		webpWith(mustEncode(f, p, WebP, o), 5, 4, 0x20, "ICCP", spaces[2].profile()),
	}
}

func FuzzDecode(f *testing.F) {
	for _, file := range fuzzSeeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		const limit = 1 << 16
		p, info, err := Decode(bytes.NewReader(file), "fuzz", ReadOptions{MaxPixels: limit})
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without a message")
			}
			return
		}
		if p.W < 1 || p.H < 1 || p.W*p.H > limit || len(p.Pix) != 3*p.W*p.H || p.Alpha != nil && len(p.Alpha) != p.W*p.H {
			t.Fatalf("%s: %dx%d with %d values and %d of alpha", info.Format, p.W, p.H, len(p.Pix), len(p.Alpha))
		}
		for i, v := range p.Pix {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("value %d is %v", i, v)
			}
		}
	})
}

func FuzzICC(f *testing.F) {
	for _, s := range spaces {
		f.Add(s.profile())
	}
	f.Add(srgbProfile())
	f.Add(profileBytes("GRAY", map[string][]byte{"kTRC": curveParametric(4, 2, .75, .25, .5, .25, 0, 0)}))
	f.Fuzz(func(t *testing.T, icc []byte) {
		prof, err := parseICC(icc)
		if err != nil {
			return
		}
		p := smooth(3, 3)
		prof.toSRGB(p)
		for i, v := range p.Pix {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("value %d is %v", i, v)
			}
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(exifBlock(binary.LittleEndian, 3))
	f.Add(exifBlock(binary.BigEndian, 8))
	for _, file := range fuzzSeeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, format := range []Format{PNG, JPEG, TIFF, WebP} {
			if o := orientation(file, format); o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
	})
}

// FuzzMetadata also wants that what is stripped stays stripped, and that
// stripping takes nothing away from a file without a recipe.
func FuzzMetadata(f *testing.F) {
	for _, file := range fuzzSeeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, has := embeddedRecipe(file)
		bare := withoutRecipe(file)
		if has == (len(bare) == len(file)) && has {
			t.Fatal("a recipe was found but not taken out")
		}
		if again := withoutRecipe(bare); !bytes.Equal(again, bare) {
			t.Fatal("a second stripping takes out more")
		}
		for _, format := range []Format{PNG, JPEG, TIFF, WebP} {
			embeddedICC(file, format)
		}
	})
}

// FuzzRows holds the readers by rows to Go's: what they read has the same pixels.
func FuzzRows(f *testing.F) {
	for _, file := range fuzzSeeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		format, ok := sniff(file)
		if !ok || format != PNG && format != TIFF {
			return
		}
		w, h, err := checkSize(file, "fuzz", format, ReadOptions{MaxPixels: 1 << 14})
		if err != nil {
			return
		}
		p := readRows(file, format, w, h)
		if p == nil {
			return
		}
		img, err := codecs[format].decode(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("read by rows, but not by Go's reader: %v", err)
		}
		q := FromImage(img)
		if p.W != q.W || p.H != q.H || !slices.Equal(p.Pix, q.Pix) || !slices.Equal(p.Alpha, q.Alpha) {
			t.Fatalf("%s of %dx%d differs from Go's reader", format, w, h)
		}
	})
}

// FuzzMend cuts files and spoils a byte: a mended file says what was wrong with
// it, and one that is not has a share.
func FuzzMend(f *testing.F) {
	for _, file := range fuzzSeeds(f) {
		f.Add(file, uint16(len(file)/2), uint16(40), byte(1))
	}
	progressive, scans := progressiveJPEG(8, 8)
	f.Add(progressive, uint16(scans[1][0]+2), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, file []byte, size, at uint16, flip byte) {
		file = bytes.Clone(file[:min(len(file), int(size))])
		if int(at) < len(file) {
			file[at] ^= flip
		}
		format, ok := sniff(file)
		if !ok {
			return
		}
		w, h, err := checkSize(file, "fuzz", format, ReadOptions{MaxPixels: 1 << 14})
		if err != nil {
			return
		}
		fixed, what, share := mend(file, format, w, h)
		if !(share >= 0 && share <= 1) || (fixed != nil) != (what != "") {
			t.Fatalf("%s: %q, share %v, %d bytes mended", format, what, share, len(fixed))
		}
		after(file, format)
	})
}

// FuzzFrames walks the blocks of pictures that move, and of whatever says it is one.
func FuzzFrames(f *testing.F) {
	for _, file := range fuzzSeeds(f) {
		f.Add(file)
	}
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if n := gifFrames(file); n < 0 || n > len(file) {
			t.Fatalf("%d frames in %d bytes", n, len(file))
		}
		if canvas, frame := firstANMF(file); frame != nil {
			if canvas.X < 1 || canvas.Y < 1 {
				t.Fatalf("a frame on a canvas of %v", canvas)
			}
			if still := frame.still(); !bytes.HasPrefix(still, []byte("RIFF")) {
				t.Fatal("a frame that is no file")
			}
		}
		for _, format := range []Format{PNG, WebP, GIF} {
			frameNote(file, format, "fuzz")
		}
		recognise(file, "fuzz.png")
		pngColours(file, "fuzz.png")
	})
}
