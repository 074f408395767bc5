package picture

import (
	"bytes"
	"compress/zlib"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"
)

// noise returns a picture whose values are exact codes of its depth.
func noise(w, h, depth int, alpha bool) *Picture {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	p := New(w, h)
	p.Depth = depth
	top := 1<<depth - 1
	for i := range p.Pix {
		p.Pix[i] = float32(r.IntN(top+1)) / float32(top)
	}
	if alpha {
		p.Alpha = make([]float32, w*h)
		for i := range p.Alpha {
			p.Alpha[i] = float32(r.IntN(top+1)) / float32(top)
		}
		p.Alpha[0] = 0.2
	}
	return p
}

// smooth returns a picture of gentle gradients, kind to lossy formats.
func smooth(w, h int) *Picture {
	p := New(w, h)
	for y := range h {
		for x := range w {
			i := 3 * (y*w + x)
			p.Pix[i] = float32(x+1) / float32(w+1)
			p.Pix[i+1] = float32(y+1) / float32(h+1)
			p.Pix[i+2] = 1 - p.Pix[i]*p.Pix[i+1]
		}
	}
	return p
}

func mustEncode(t testing.TB, p *Picture, f Format, o WriteOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, p, f, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mustDecode(t testing.TB, file []byte) (*Picture, *Info) {
	t.Helper()
	p, info, err := Decode(bytes.NewReader(file), "test", ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p, info
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// splicePNG puts a chunk behind IHDR.
func splicePNG(file []byte, kind string, data []byte) []byte {
	const header = 8 + 25
	out := appendPNGChunk(append([]byte(nil), file[:header]...), kind, data)
	return append(out, file[header:]...)
}

// spliceJPEG puts segments behind SOI.
func spliceJPEG(file []byte, marker string, data ...[]byte) []byte {
	out := append([]byte(nil), file[:2]...)
	for _, d := range data {
		out = appendJPEGSegment(out, marker, d)
	}
	return append(out, file[2:]...)
}

// uniform returns an image of one colour.
func uniform(w, h int, c color.Color) *image.NRGBA64 {
	m := image.NewNRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	return m
}

// wantError fails unless err is an *Error with this code and message.
func wantError(t *testing.T, err error, kind Kind, code, message string, try ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error saying %s", err, message)
	}
	if e.Kind != kind || e.Code != code || e.Error() != message {
		t.Errorf("got  kind %d code %q %s\nwant kind %d code %q %s", e.Kind, e.Code, e.Error(), kind, code, message)
	}
	if len(e.Try()) != len(try) {
		t.Fatalf("got hints %q, want %q", e.Try(), try)
	}
	for i, hint := range try {
		if e.Try()[i] != hint {
			t.Errorf("hint %d: got %q, want %q", i, e.Try()[i], hint)
		}
	}
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}
