package picture

import (
	"bytes"
	"encoding/binary"
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
