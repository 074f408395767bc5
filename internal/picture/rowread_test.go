package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/image/tiff"
)

// kinds are images of every type that files are made of, w x h, of noise.
func kinds(w, h int) map[string]image.Image {
	r := rand.New(rand.NewPCG(1, uint64(w*h)))
	fill := func(pix []byte) {
		for i := range pix {
			pix[i] = byte(r.Uint32())
		}
	}
	b := image.Rect(0, 0, w, h)
	gray, gray16, rgba, nrgba, nrgba64 := image.NewGray(b), image.NewGray16(b), image.NewRGBA(b), image.NewNRGBA(b), image.NewNRGBA64(b)
	for _, pix := range [][]byte{gray.Pix, gray16.Pix, rgba.Pix, nrgba.Pix, nrgba64.Pix} {
		fill(pix)
	}
	for i := 3; i < len(rgba.Pix); i += 4 {
		rgba.Pix[i] = 255
	}
	opaque64 := image.NewNRGBA64(b)
	fill(opaque64.Pix)
	for i := 6; i < len(opaque64.Pix); i += 8 {
		opaque64.Pix[i], opaque64.Pix[i+1] = 255, 255
	}
	palette := image.NewPaletted(b, color.Palette{color.Black, color.White, color.NRGBA{9, 8, 7, 255}})
	for i := range palette.Pix {
		palette.Pix[i] = byte(r.IntN(3))
	}
	return map[string]image.Image{"grey": gray, "grey 16": gray16, "rgb": rgba, "rgba": nrgba, "rgba 16": nrgba64, "rgb 16": opaque64, "palette": palette}
}

// TestRowsAreWhatGoReads: the pixels read by rows are those of Go's readers to
// the bit, and the usual kinds are read so.
func TestRowsAreWhatGoReads(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 7}, {61, 45}, {300, 70}} {
		for name, img := range kinds(size[0], size[1]) {
			files := map[string][]byte{}
			var file bytes.Buffer
			if err := png.Encode(&file, img); err != nil {
				t.Fatal(err)
			}
			files["PNG"] = bytes.Clone(file.Bytes())
			for _, o := range []tiff.Options{{}, {Compression: tiff.Deflate}, {Compression: tiff.Deflate, Predictor: true}} {
				file.Reset()
				if err := tiff.Encode(&file, img, &o); err != nil {
					t.Fatal(err)
				}
				files[fmt.Sprintf("TIFF %+v", o)] = bytes.Clone(file.Bytes())
			}
			for kind, data := range files {
				f, _ := sniff(data)
				read, err := codecs[f].decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				want, got := FromImage(read), readRows(data, f, size[0], size[1])
				if got == nil {
					if name != "palette" && !(name == "rgb" && f == TIFF) { // which Go writes with its alpha multiplied in
						t.Errorf("%s %s is not read by rows", kind, name)
					}
					continue
				}
				if got.Depth != want.Depth || !slices.Equal(got.Pix, want.Pix) || !slices.Equal(got.Alpha, want.Alpha) {
					t.Errorf("%s %s %v: other pixels", kind, name, size)
				}
			}
		}
	}
}

// TestSpoiltRows: whatever byte is wrong, what is read by rows is what Go's
// readers read, or left to them.
func TestSpoiltRows(t *testing.T) {
	p := noise(7, 9, 8, true)
	for _, f := range []Format{PNG, TIFF} {
		whole := mustEncode(t, p, f, WriteOptions{Depth: 8})
		for i := range whole {
			for _, bit := range []byte{1, 128} {
				data := bytes.Clone(whole)
				data[i] ^= bit
				w, h, err := checkSize(data, "x", f, ReadOptions{MaxPixels: 1 << 16})
				if err != nil {
					continue
				}
				got := readRows(data, f, w, h)
				if got == nil {
					continue
				}
				img, err := codecs[f].decode(bytes.NewReader(data))
				if err != nil {
					t.Errorf("%s: byte %d spoilt: rows were read, Go's reader says %v", f, i, err)
				} else if want := FromImage(img); !slices.Equal(got.Pix, want.Pix) || !slices.Equal(got.Alpha, want.Alpha) {
					t.Errorf("%s: byte %d spoilt: other pixels than Go's reader's", f, i)
				}
			}
		}
	}
}
