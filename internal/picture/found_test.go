package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/replace"
)

// Files as they come: each is made here, opened, and its pixels compared with
// those it was made of.

// opened decodes a file and returns what is said of it.
func opened(t *testing.T, name string, file []byte) (*Picture, string) {
	t.Helper()
	p, info, err := Decode(bytes.NewReader(file), name, ReadOptions{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p, strings.Join(info.Warnings, "; ")
}

// withChunk puts a chunk before the pixels of a PNG.
func withChunk(file []byte, kind string, data []byte) []byte {
	at := pngChunks(file)[0].to
	return append(appendPNGChunk(bytes.Clone(file[:at]), kind, data), file[at:]...)
}

func plain(r, g, b uint8) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, 4, 3))
	for i := 0; i < len(m.Pix); i += 4 {
		copy(m.Pix[i:], []uint8{r, g, b, 255})
	}
	return m
}

func rawPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// near reports whether all pixels are r, g, b, in codes of 8 bits.
func near(p *Picture, r, g, b, tolerance float64) bool {
	for i := range p.Pix {
		if math.Abs(float64(p.Pix[i])*255-[]float64{r, g, b}[i%3]) > tolerance {
			return false
		}
	}
	return true
}

func TestPNGColours(t *testing.T) {
	u32 := func(values ...uint32) (b []byte) {
		for _, v := range values {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return b
	}
	p3 := u32(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
	for _, c := range []struct {
		name    string
		pixel   [3]uint8
		kind    string
		data    []byte
		r, g, b float64
		note    string
	}{
		// 0.5 of linear light is sRGB's 187.5 (IEC 61966-2-1).
		{"linear gAMA", [3]uint8{128, 128, 128}, "gAMA", u32(100000), 188, 188, 188, ""},
		{"gAMA of 1/2.2", [3]uint8{128, 90, 7}, "gAMA", u32(45455), 128, 90, 7, ""},
		{"no gAMA at all", [3]uint8{128, 90, 7}, "gAMA", u32(0), 128, 90, 7, ""},
		// The red of sRGB is (0.917488, 0.200287, 0.138561) in Display P3 (CSS Color 4, 17).
		{"P3 by cHRM", [3]uint8{234, 51, 35}, "cHRM", p3, 255, 0, 0, ""},
		{"P3 by cICP", [3]uint8{234, 51, 35}, "cICP", []byte{12, 13, 0, 1}, 255, 0, 0, ""},
		// and 0.627404, 0.069097, 0.016391 of linear light in BT.2020 (ITU-R BT.2087).
		{"BT.2020, linear", [3]uint8{160, 18, 4}, "cICP", []byte{9, 8, 0, 1}, 255, 0, 0, ""},
		// PQ's code for 203 cd/m² is 0.58 (BT.2408): white.
		{"PQ white", [3]uint8{148, 148, 148}, "cICP", []byte{1, 16, 0, 1}, 255, 255, 255, "high dynamic range"},
		// HLG's code for 203 cd/m² on a display of 1000 is 0.75 (BT.2408): white.
		{"HLG white", [3]uint8{191, 191, 191}, "cICP", []byte{1, 18, 0, 1}, 255, 255, 255, "high dynamic range"},
		{"unknown cICP", [3]uint8{128, 90, 7}, "cICP", []byte{77, 13, 0, 1}, 128, 90, 7, "taken as sRGB"},
	} {
		p, said := opened(t, c.name, withChunk(rawPNG(t, plain(c.pixel[0], c.pixel[1], c.pixel[2])), c.kind, c.data))
		tolerance := 2.5
		if c.data[1] == 8 { // the darkest codes of linear light are far apart
			tolerance = 6
		}
		if !near(p, c.r, c.g, c.b, tolerance) || !strings.Contains(said, c.note) {
			t.Errorf("%s: %v, %q", c.name, []float32{p.Pix[0] * 255, p.Pix[1] * 255, p.Pix[2] * 255}, said)
		}
	}
	m, ok := primariesOf[1].toXYZ()
	for r := range 3 {
		for c := range 3 {
			if !ok || math.Abs(m[r][c]-srgbToXYZ[r][c]) > 5e-4 {
				t.Errorf("sRGB's primaries give %v", m)
			}
		}
	}
}

// spoiledPNG rebuilds a PNG with another stream of pixels.
func spoiledPNG(t *testing.T, file []byte, change func(stream []byte) []byte) []byte {
	t.Helper()
	out := []byte(pngSignature)
	for _, c := range pngChunks(file) {
		data := c.data
		if c.kind == "IDAT" {
			data = change(bytes.Clone(data))
		}
		out = appendPNGChunk(out, c.kind, data)
	}
	return out
}

func TestWhatBrowsersOpen(t *testing.T) {
	p := noise(30, 20, 8, false)
	taller := noise(30, 24, 8, false)
	copy(taller.Pix, p.Pix)
	file := rawPNG(t, p.Image(8))
	surplus := rawPNG(t, taller.Image(8))
	binary.BigEndian.PutUint32(surplus[8+8+4:], 20) // the height
	surplus = spoiledPNG(t, surplus, func(s []byte) []byte { return s })
	adler := spoiledPNG(t, file, func(s []byte) []byte { s[len(s)-1] ^= 1; return s })
	jpg := mustEncode(t, p, JPEG, WriteOptions{})
	whole, _ := opened(t, "whole.jpg", jpg)
	for _, c := range []struct {
		name string
		file []byte
		want *Picture
		note string
	}{
		{"surplus.png", surplus, p, "more pixels than its size says"},
		{"adler.png", adler, p, "checksum"},
		{"no-iend.png", file[:len(file)-12], p, "its end is missing"},
		{"after.png", append(bytes.Clone(file), "some bytes"...), p, "10 bytes after its end were ignored"},
		{"no-eoi.jpg", jpg[:len(jpg)-2], whole, "last two bytes are missing"},
		{"half-eoi.jpg", jpg[:len(jpg)-1], whole, "last two bytes are missing"},
	} {
		got, said := opened(t, c.name, c.file)
		if got.W != c.want.W || got.H != c.want.H || !strings.Contains(said, c.note) {
			t.Errorf("%s: %dx%d, %q", c.name, got.W, got.H, said)
			continue
		}
		for i, v := range got.Pix {
			if v != c.want.Pix[i] {
				t.Errorf("%s: value %d is %g, want %g", c.name, i, v, c.want.Pix[i])
				break
			}
		}
	}
}

// TestTheShareThatIsThere: what was really cut says how much is left.
func TestTheShareThatIsThere(t *testing.T) {
	p := noise(64, 64, 8, false)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p.Image(8), nil); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"a.png": rawPNG(t, p.Image(8)), "a.jpg": b.Bytes()} {
		_, _, err := Decode(bytes.NewReader(file[:len(file)*6/10]), name, ReadOptions{})
		share := 0
		if err == nil {
			t.Fatalf("%s opens", name)
		}
		if _, scanErr := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "about"):], "about %d %%", &share); scanErr != nil || share < 50 || share > 65 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPicturesThatMove(t *testing.T) {
	red, blue := plain(255, 0, 0), plain(0, 0, 255)
	var moving bytes.Buffer
	frames := &gif.GIF{Delay: []int{1, 1}, Config: image.Config{Width: 4, Height: 3}}
	for _, m := range []image.Image{red, blue} {
		q := image.NewPaletted(m.Bounds(), color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}})
		for i := range q.Pix {
			q.Pix[i] = uint8(q.Palette.Index(m.At(0, 0)))
		}
		frames.Image = append(frames.Image, q)
	}
	if err := gif.EncodeAll(&moving, frames); err != nil {
		t.Fatal(err)
	}
	apng := withChunk(rawPNG(t, red), "acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})
	webp := movingWebP(t, red, blue)
	for name, file := range map[string][]byte{"a.gif": moving.Bytes(), "a.png": apng, "a.webp": webp} {
		p, said := opened(t, name, file)
		if p.W != 4 || p.H != 3 || !near(p, 255, 0, 0, 0.5) || !strings.Contains(said, "the first of its 2 frames is taken") {
			t.Errorf("%s: %dx%d %v, %q", name, p.W, p.H, p.Pix[:3], said)
		}
	}
}

// movingWebP makes an animation of still pictures.
func movingWebP(t *testing.T, pictures ...image.Image) []byte {
	t.Helper()
	chunk := func(kind string, data []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
		b = append(b, data...)
		return append(b, make([]byte, len(data)&1)...)
	}
	body := append([]byte("WEBP"), chunk("VP8X", []byte{2, 0, 0, 0, 3, 0, 0, 2, 0, 0})...)
	body = append(body, chunk("ANIM", make([]byte, 6))...)
	for _, m := range pictures {
		still := mustEncode(t, FromImage(m), WebP, WriteOptions{})
		frame := []byte{0, 0, 0, 0, 0, 0, 3, 0, 0, 2, 0, 0, 1, 0, 0, 0}
		for _, c := range riffChunks(still) {
			if c.kind == "VP8L" {
				frame = append(frame, still[c.from:c.to]...)
			}
		}
		body = append(body, chunk("ANMF", append(frame, make([]byte, len(frame)&1)...))...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestWhatServersSend(t *testing.T) {
	for text, want := range map[string]string{
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n":                "a Git LFS pointer",
		"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">\n<html xmlns=\"x\"><p>404</p>": "a web page",
		"\xef\xbb\xbf{\"error\": \"not found\"}":                                              "JSON",
	} {
		_, _, err := Decode(strings.NewReader(text), "a.png", ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestMemoryIsDecidedFromTheHeader: a small file may be a picture of gigabytes.
func TestMemoryIsDecidedFromTheHeader(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 4000, 3000), color.Palette{color.Black, color.White})
	file := rawPNG(t, m)
	_, _, err := Decode(bytes.NewReader(file), "a.png", ReadOptions{MaxBytes: 100e6})
	e, ok := err.(*Error)
	if !ok || e.Kind != Memory || !strings.Contains(e.Error(), "0.24 GB") || !strings.Contains(e.Error(), "0.1 GB") || len(e.Try()) != 2 {
		t.Fatalf("%v", err)
	}
	if _, _, err := Decode(bytes.NewReader(file), "a.png", ReadOptions{MaxBytes: 240e6}); err != nil {
		t.Error(err)
	}
}

func TestLongestNames(t *testing.T) {
	dir := t.TempDir()
	for _, stem := range []string{strings.Repeat("a", 251), strings.Repeat("ä", 125)} {
		path := filepath.Join(dir, stem+".png")
		for range 2 {
			if err := Save(path, New(2, 2), WriteOptions{Recipe: "{}"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		if a, b := Sidecar(path), Sidecar(path[:len(path)-5]+"b.png"); a == b || len(filepath.Base(a)) > replace.LongestName {
			t.Errorf("%d and %d bytes: %v", len(filepath.Base(a)), len(filepath.Base(b)), a == b)
		}
	}
	if Sidecar("out.tif") != "out.tif.recipe.json" {
		t.Error(Sidecar("out.tif"))
	}
}
