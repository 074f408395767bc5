package picture

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// TestRoundTripExact: what the lossless formats hold comes back to the code,
// for both depths, with and without alpha, odd sizes first.
func TestRoundTripExact(t *testing.T) {
	for _, f := range []struct {
		format Format
		depth  int
	}{{PNG, 8}, {PNG, 16}, {TIFF, 8}, {TIFF, 16}, {WebP, 8}} {
		for _, size := range [][2]int{{1, 1}, {1, 7}, {13, 1}, {17, 31}, {64, 48}} {
			for _, alpha := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s%d/%dx%d/alpha=%v", f.format, f.depth, size[0], size[1], alpha), func(t *testing.T) {
					p := noise(size[0], size[1], f.depth, alpha)
					q, info := mustDecode(t, mustEncode(t, p, f.format, WriteOptions{Depth: f.depth}))
					if q.W != p.W || q.H != p.H || q.Depth != f.depth || info.Format != f.format || len(info.Warnings) > 0 {
						t.Fatalf("got %dx%d depth %d %v %v", q.W, q.H, q.Depth, info.Format, info.Warnings)
					}
					if !alpha {
						testutil.Close(t, "pix", q.Pix, p.Pix, 0, 0)
					}
					testutil.Close(t, "alpha", q.Alpha, p.Alpha, 0, 0)
					for i, a := range q.Alpha { // where alpha is 0 a format may drop the colour
						if a > 0 {
							testutil.Close(t, "visible", q.Pix[3*i:3*i+3], p.Pix[3*i:3*i+3], 0, 0)
						}
					}
				})
			}
		}
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	p := noise(37, 41, 8, true)
	for _, f := range []Format{PNG, JPEG, TIFF, WebP} {
		if !bytes.Equal(mustEncode(t, p, f, WriteOptions{}), mustEncode(t, p, f, WriteOptions{})) {
			t.Errorf("%s: two encodings differ", f)
		}
	}
}

// TestPNGDefaultDepth also proves that a 16-bit picture is rounded, not cut.
func TestPNGDefaultDepth(t *testing.T) {
	p := New(2, 1)
	copy(p.Pix, []float32{100.4 / 255, 100.6 / 255, 1.5, -3, float32(math.NaN()), 0.5})
	q, _ := mustDecode(t, mustEncode(t, p, PNG, WriteOptions{}))
	testutil.Close(t, "codes", q.Pix, []float64{100. / 255, 101. / 255, 1, 0, 0, 128. / 255}, 1e-7, 0)
	if q.Depth != 8 {
		t.Errorf("depth %d, want 8", q.Depth)
	}
}

// TestJPEG444: the file is read by the standard library as an ordinary JPEG
// without subsampling, and strong colour changing from pixel to pixel survives.
func TestJPEG444(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 9}, {8, 8}, {16, 24}, {33, 17}, {100, 3}} {
		p := smooth(size[0], size[1])
		file := mustEncode(t, p, JPEG, WriteOptions{})
		img, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != size[0] || b.Dy() != size[1] {
			t.Fatalf("got %v, want %v", b, size)
		}
		q, _ := mustDecode(t, file)
		if psnr, _ := PSNR(p, q); psnr < 38 {
			t.Errorf("%v: gradient comes back at %.1f dB", size, psnr)
		}
	}
	stripes := New(32, 32) // red and blue columns: gone after subsampling
	for i := range 32 * 32 {
		stripes.Pix[3*i+2*(i%2)] = 1
	}
	q, _ := mustDecode(t, mustEncode(t, stripes, JPEG, WriteOptions{}))
	if psnr, _ := PSNR(stripes, q); psnr < 30 {
		t.Errorf("one-pixel stripes of red and blue come back at %.1f dB", psnr)
	}
}

func TestJPEGQualityAndAlpha(t *testing.T) {
	p := noise(40, 40, 8, false)
	low, high := mustEncode(t, p, JPEG, WriteOptions{Quality: 40}), mustEncode(t, p, JPEG, WriteOptions{Quality: 95})
	if len(low) >= len(high) {
		t.Errorf("quality 40 takes %d bytes, 95 takes %d", len(low), len(high))
	}
	clear := New(8, 8)
	clear.Alpha = make([]float32, 64)
	q, _ := mustDecode(t, mustEncode(t, clear, JPEG, WriteOptions{}))
	if q.Alpha != nil || q.Pix[0] < 0.99 {
		t.Errorf("a transparent picture becomes %v, want white", q.Pix[:3])
	}
}

func TestPNGChunks(t *testing.T) {
	file := mustEncode(t, smooth(3, 3), PNG, WriteOptions{Software: "Impasto 1", Recipe: `{"a":1}`})
	var kinds []string
	for _, c := range pngChunks(file) {
		kinds = append(kinds, c.kind)
	}
	if got := fmt.Sprint(kinds); got != "[IHDR sRGB iTXt iTXt IDAT IEND]" {
		t.Errorf("chunks %s", got)
	}
	if _, err := png.Decode(bytes.NewReader(file)); err != nil { // checks every checksum
		t.Error(err)
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		f    Format
		w, h int
		ok   bool
	}{
		{JPEG, 65535, 1, true}, {JPEG, 1, 65536, false},
		{WebP, 16384, 16384, true}, {WebP, 16385, 1, false},
		{TIFF, 20000, 20000, true}, {TIFF, 30000, 30000, false},
		{PNG, 100000, 100000, true},
	} {
		if err := c.f.Fits(c.w, c.h); (err == nil) != c.ok {
			t.Errorf("%s %dx%d: %v", c.f, c.w, c.h, err)
		}
	}
	wantError(t, JPEG.Fits(70000, 5), Output, "too_large",
		"70000x5 is too large for JPEG, whose sides end at 65535 pixels", "write a .png")
}
