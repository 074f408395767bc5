package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// TestSourceKinds: grey, grey with alpha, palettes and 16 bits become RGB.
func TestSourceKinds(t *testing.T) {
	rect := image.Rect(0, 0, 3, 1)
	grey := &image.Gray{Pix: []uint8{0, 100, 255}, Stride: 3, Rect: rect}
	grey16 := &image.Gray16{Pix: []uint8{0, 0, 0x12, 0x34, 0xff, 0xff}, Stride: 6, Rect: rect}
	palette := image.NewPaletted(rect, color.Palette{
		color.NRGBA{10, 20, 30, 255}, color.NRGBA{40, 50, 60, 255}, color.NRGBA{200, 100, 50, 128}})
	palette.Pix = []uint8{0, 1, 2}
	// Grey with alpha, PNG colour type 4, which the encoder does not write.
	greyAlpha := greyAlphaPNG(t, []byte{0, 255, 100, 51, 255, 0})
	for _, c := range []struct {
		name  string
		file  []byte
		depth int
		pix   []float64
		alpha []float64
	}{
		{"grey", pngOf(t, grey), 8, []float64{0, 0, 0, 100. / 255, 100. / 255, 100. / 255, 1, 1, 1}, nil},
		{"grey 16", pngOf(t, grey16), 16, []float64{0, 0, 0, 0x1234 / 65535., 0x1234 / 65535., 0x1234 / 65535., 1, 1, 1}, nil},
		{"palette", pngOf(t, palette), 8, []float64{10. / 255, 20. / 255, 30. / 255, 40. / 255, 50. / 255, 60. / 255, 200. / 255, 100. / 255, 50. / 255},
			[]float64{1, 1, 128. / 255}},
		{"grey and alpha", greyAlpha, 8, []float64{0, 0, 0, 100. / 255, 100. / 255, 100. / 255, 1, 1, 1}, []float64{1, 0.2, 0}},
	} {
		p, _ := mustDecode(t, c.file)
		testutil.Close(t, c.name, p.Pix, c.pix, 1e-7, 0)
		testutil.Close(t, c.name+" alpha", p.Alpha, c.alpha, 1e-7, 0)
		if p.Depth != c.depth {
			t.Errorf("%s: depth %d, want %d", c.name, p.Depth, c.depth)
		}
	}
}

// greyAlphaPNG makes a PNG of one row of (grey, alpha) pairs.
func greyAlphaPNG(t *testing.T, row []byte) []byte {
	file := pngOf(t, image.NewGray(image.Rect(0, 0, len(row)/2, 1)))
	ihdr := bytes.Clone(pngChunks(file)[0].data)
	ihdr[9] = 4 // colour type: grey with alpha
	out := appendPNGChunk([]byte(pngSignature), "IHDR", ihdr)
	out = appendPNGChunk(out, "IDAT", deflated(append([]byte{0}, row...)))
	return appendPNGChunk(out, "IEND", nil)
}

// TestCMYKJPEG makes a four-component JPEG as Photoshop does (Adobe marker,
// inverted inks) out of grey scans, and wants R = 255 - C - K and so on.
func TestCMYKJPEG(t *testing.T) {
	inks := [4]uint8{10, 60, 0, 20} // C, M, Y, K of 255
	out := []byte("\xff\xd8")
	out = appendJPEGSegment(out, "\xee", []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))
	sof := []byte{8, 0, 8, 0, 8, 4}
	var scans []byte
	for c, ink := range inks {
		var file bytes.Buffer
		grey := image.NewGray(image.Rect(0, 0, 8, 8))
		for i := range grey.Pix {
			grey.Pix[i] = 255 - ink
		}
		if err := jpeg.Encode(&file, grey, &jpeg.Options{Quality: 100}); err != nil {
			t.Fatal(err)
		}
		part := splitGreyJPEG(file.Bytes())
		if c == 0 {
			out = append(out, part.tables...)
		}
		sof = append(sof, byte(c+1), 0x11, 0)
		scans = appendJPEGSegment(scans, sos, []byte{1, byte(c + 1), 0, 0, 63, 0})
		scans = append(scans, part.scan...)
	}
	out = append(appendJPEGSegment(out, sof0, sof), scans...)
	p, _ := mustDecode(t, append(out, 0xff, 0xd9))
	want := []float64{}
	for _, ink := range inks[:3] {
		want = append(want, (1-float64(ink)/255)*(1-float64(inks[3])/255))
	}
	testutil.Close(t, "rgb", p.Pix[:3], want, 2./255, 0)
}

// TestStudioRange decodes what libwebp's formula says of black, white and
// red: luma 16 is black, 235 white.
func TestStudioRange(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 3, 1), image.YCbCrSubsampleRatio444)
	copy(m.Y, []uint8{16, 235, 82})
	copy(m.Cb, []uint8{128, 128, 90})
	copy(m.Cr, []uint8{128, 128, 240})
	p := FromImage(studioRange(m))
	testutil.Close(t, "black, white, red", p.Pix, []float64{0, 0, 0, 1, 1, 1, 1, 0, 0}, 1.5/255, 0)
}

// TestExtensionDoesNotMatter also reads from standard input.
func TestExtensionDoesNotMatter(t *testing.T) {
	dir := t.TempDir()
	p := smooth(9, 7)
	for _, f := range []Format{PNG, JPEG, TIFF, WebP} {
		file := mustEncode(t, p, f, WriteOptions{})
		path := filepath.Join(dir, "photo.dat")
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		q, info, err := Read(path, ReadOptions{})
		if err != nil || info.Format != f || q.W != 9 {
			t.Errorf("%s: %v %+v", f, err, info)
		}
		q, info, err = Read("-", ReadOptions{Stdin: bytes.NewReader(file)})
		if err != nil || info.Name != "stdin" || q.H != 7 || info.Bytes != int64(len(file)) {
			t.Errorf("%s from stdin: %v %+v", f, err, info)
		}
	}
}

// TestNotPictures: one clear message each.
func TestNotPictures(t *testing.T) {
	decode := func(name, content string) error {
		_, _, err := Decode(strings.NewReader(content), name, ReadOptions{})
		return err
	}
	wantError(t, decode("a.heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), Input, "unsupported",
		`"a.heic" is HEIF, which impasto cannot read`, convert("a.heic", "a.png"))
	wantError(t, decode("a.png", "8BPS........"), Input, "unsupported",
		`"a.png" is PSD, which impasto cannot read`, convert("a.png[0]", "a-2.png"))
	wantError(t, decode("my cat's.avif", "\x00\x00\x00\x18ftypavif"), Input, "unsupported",
		`"my cat's.avif" is AVIF, which impasto cannot read`, convert("my cat's.avif", "my cat's.png"))
	wantError(t, decode("dir/a.nef", "II*\x00\x08\x00\x00\x00"), Input, "unsupported",
		`"dir/a.nef" is RAW, which impasto cannot read`, convert("dir/a.nef", "dir/a.png"))
	wantError(t, decode("a.mp4", "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00"), Input, "unsupported",
		`"a.mp4" is a video, which impasto cannot read`, "ffmpeg -i a.mp4 -frames:v 1 a.png")
	wantError(t, decode("a.jpg", "hello, world"), Input, "not_a_picture",
		`"a.jpg" is not a picture impasto can read: no PNG, JPEG, TIFF, WebP or GIF`)
	wantError(t, decode("a.jpg", ""), Input, "empty", `"a.jpg" is empty (0 bytes)`)
	for begin, kind := range map[string]string{
		"\x00\x00\x00\x1cftypavif": "AVIF", "8BPS\x00\x01": "PSD", "%PDF-1.7": "PDF", "BM......": "BMP",
		"<?xml version=\"1.0\"?>\n<svg width='1'/>": "SVG", "<svg/>": "SVG", "<!DOCTYPE html><p>404": "a web page",
		"\x00\x00\x00\x0cJXL \r\n\x87\n": "JPEG XL", "\x00\x00\x00\x18ftypcrx ": "RAW", "PK\x03\x04": "a ZIP archive",
	} {
		if err := decode("x", begin); err == nil || !strings.HasPrefix(err.Error(), `"x" is `+kind+`, which impasto cannot read`) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"starry.jpg", "cat.png", "other.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	read := func(path, role string) error {
		_, _, err := Read(path, ReadOptions{Role: role})
		return err
	}
	wantError(t, read("stary.jpg", "style image"), Input, "not_found",
		`style image "stary.jpg" does not exist`, `did you mean "starry.jpg"?`)
	wantError(t, read(filepath.Join(dir, "Cat.PNG"), ""), Input, "not_found",
		`"`+filepath.Join(dir, "Cat.PNG")+`" does not exist`, `did you mean "`+filepath.Join(dir, "cat.png")+`"?`)
	wantError(t, read("https://example.org/a.jpg", "style image"), Input, "address",
		`style image "https://example.org/a.jpg" is an address; files are read, and nothing is fetched`, "curl -fLO https://example.org/a.jpg")
	wantError(t, read("photograph.jpg", ""), Input, "not_found", `"photograph.jpg" does not exist`)
	wantError(t, read("no/such/place.jpg", ""), Input, "not_found", `"no/such/place.jpg" does not exist`)
	wantError(t, read(".", "content image"), Input, "directory", `content image "." is a directory, not a picture`)
}

// TestCutShort cuts each format at many places; none may pass, save for the
// few last bytes a format does not need.
func TestCutShort(t *testing.T) {
	p := noise(30, 20, 8, false)
	for _, f := range []Format{PNG, JPEG, TIFF, WebP} {
		file := mustEncode(t, p, f, WriteOptions{})
		for n := 1; n < len(file)*9/10; n += 1 + len(file)/97 {
			_, _, err := Decode(bytes.NewReader(file[:n]), "cut", ReadOptions{})
			if err == nil {
				t.Errorf("%s: %d of %d bytes pass", f, n, len(file))
			}
		}
		_, _, err := Decode(bytes.NewReader(file[:len(file)/2]), "cut", ReadOptions{})
		t.Logf("%s: %v", f, err)
	}
	file := mustEncode(t, p, PNG, WriteOptions{})
	_, _, err := Decode(bytes.NewReader(file[:500]), "a.png", ReadOptions{})
	wantError(t, err, Input, "truncated", `"a.png" is cut short: about 24 % of it is there`)
}

// progressiveJPEG is a grey picture of w x h blocks, all of them even, in three
// scans of one bit a block: the upper bits of the means, everything else, the
// lowest bit of the means. It returns where each scan's bits begin and end.
func progressiveJPEG(w, h int) (file []byte, scans [][2]int) {
	file = []byte("\xff\xd8")
	file = appendJPEGSegment(file, dqt, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...))
	file = appendJPEGSegment(file, sof2, []byte{8, byte(h >> 5), byte(h << 3), byte(w >> 5), byte(w << 3), 1, 1, 0x11, 0})
	for _, class := range []byte{0x00, 0x10} { // one code of one bit: no difference, end of block
		file = appendJPEGSegment(file, dht, append(append([]byte{class, 1}, make([]byte, 15)...), 0))
	}
	for _, s := range [][3]byte{{0, 0, 0x01}, {1, 63, 0x00}, {0, 0, 0x10}} {
		file = appendJPEGSegment(file, sos, []byte{1, 1, 0, s[0], s[1], s[2]})
		from := len(file)
		file = append(file, make([]byte, w*h/8)...)
		scans = append(scans, [2]int{from, len(file)})
	}
	return append(file, 0xff, 0xd9), scans
}

// TestShareOfCutJPEG cuts a progressive JPEG within its scans and between them,
// where what is there decodes, and one in a scan a component.
func TestShareOfCutJPEG(t *testing.T) {
	file, scans := progressiveJPEG(8, 80)
	decoded := func(file []byte) error {
		_, _, err := Decode(bytes.NewReader(file), "a.jpg", ReadOptions{})
		return err
	}
	if err := decoded(file); err != nil {
		t.Fatal(err)
	}
	if err := decoded(file[:len(file)-2]); err != nil { // only the end is missing
		t.Error(err)
	}
	ac, dc := 0., 7.
	for k := 1; k < 64; k++ {
		ac += 8 / (1 + float64(k))
	}
	for at, want := range map[int]float64{
		(scans[0][0] + scans[0][1]) / 2: dc / 2,
		scans[0][1]:                     dc,
		(scans[1][0] + scans[1][1]) / 2: dc + ac/2,
		scans[1][1]:                     dc + ac,
	} {
		err := decoded(file[:at])
		var share float64
		if _, scanErr := fmt.Sscanf(fmt.Sprint(err), `"a.jpg" is cut short: about %f %%`, &share); scanErr != nil || math.Abs(share-100*want/(8+ac)) > 1.5 {
			t.Errorf("cut at %d: %v, want %.0f %%", at, err, 100*want/(8+ac))
		}
	}
	ours := mustEncode(t, noise(64, 64, 8, false), JPEG, WriteOptions{})
	second := bytes.Index(ours, []byte("\xff\xda\x00\x08\x01\x02"))
	if err := decoded(ours[:second]); err == nil || !strings.Contains(err.Error(), "about 33 % of it is there") {
		t.Errorf("without two of three colours: %v", err)
	}
}

// TestMaxPixels: the header alone decides, before anything is allocated.
func TestMaxPixels(t *testing.T) {
	file := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	ihdr := bytes.Clone(pngChunks(file)[0].data)
	binary.BigEndian.PutUint32(ihdr, 60000)
	binary.BigEndian.PutUint32(ihdr[4:], 60000)
	huge := appendPNGChunk([]byte(pngSignature), "IHDR", ihdr)
	huge = append(huge, file[8+25:]...)

	jpegFile := mustEncode(t, New(8, 8), JPEG, WriteOptions{})
	at := bytes.Index(jpegFile, []byte("\xff\xc0"))
	binary.BigEndian.PutUint16(jpegFile[at+5:], 60000)
	binary.BigEndian.PutUint16(jpegFile[at+7:], 60000)

	for name, file := range map[string][]byte{"huge.png": huge, "huge.jpg": jpegFile} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Decode(bytes.NewReader(file), name, ReadOptions{})
		runtime.ReadMemStats(&after)
		wantError(t, err, Input, "too_large", `"`+name+`" is 60000x60000 (3600 MP), over the limit of 400 MP`, "--max-pixels 3600000000")
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
	small := mustEncode(t, New(10, 10), PNG, WriteOptions{})
	if _, _, err := Decode(bytes.NewReader(small), "a", ReadOptions{MaxPixels: 100}); err != nil {
		t.Error(err)
	}
	if _, _, err := Decode(bytes.NewReader(small), "a", ReadOptions{MaxPixels: 99}); err == nil {
		t.Error("100 pixels pass a limit of 99")
	}
}

// TestEndlessStream: a pipe that never ends is given up.
func TestEndlessStream(t *testing.T) {
	_, _, err := Decode(io.MultiReader(strings.NewReader(pngSignature), zeros{}), "stdin", ReadOptions{MaxPixels: 1})
	wantError(t, err, Input, "too_large", `"stdin" is longer than 64 MB, too long for a picture of 1 pixels`)
	_, _, err = Decode(zeros{}, "stdin", ReadOptions{})
	wantError(t, err, Input, "not_a_picture", `"stdin" is not a picture impasto can read: no PNG, JPEG, TIFF, WebP or GIF`)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestFromImageSubImage: bounds need not begin at 0.
func TestFromImageSubImage(t *testing.T) {
	for _, m := range []interface {
		image.Image
		SubImage(image.Rectangle) image.Image
	}{
		image.NewNRGBA(image.Rect(0, 0, 8, 8)), image.NewNRGBA64(image.Rect(0, 0, 8, 8)),
		image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), image.NewRGBA(image.Rect(0, 0, 8, 8)),
	} {
		if d, ok := m.(interface{ Set(x, y int, c color.Color) }); ok {
			d.Set(5, 6, color.White)
		} else {
			y := m.(*image.YCbCr)
			for i := range y.Cb {
				y.Cb[i], y.Cr[i] = 128, 128
			}
			y.Y[y.YOffset(5, 6)] = 255
		}
		p := FromImage(m.SubImage(image.Rect(3, 4, 7, 8)))
		for i, v := range p.Pix {
			if want := float32(0); i/3 == 2*4+2 {
				want = 1
				if v != want {
					t.Errorf("%T: pixel (2, 2) is %v", m, p.Pix[i])
				}
			} else if v != want {
				t.Errorf("%T: value %d is %v", m, i, v)
			}
		}
	}
}

func TestSharedPictures(t *testing.T) {
	dir := filepath.Join(testutil.SharedDir(t), "images")
	for name, size := range map[string][2]int{
		"astronaut.jpg": {512, 512}, "chelsea.png": {451, 300}, "coffee.png": {600, 400},
		"shipwreck.jpg": {960, 662}, "starry_night.jpg": {1024, 640}, "wave.jpg": {640, 480},
	} {
		p, info, err := Read(filepath.Join(dir, name), ReadOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if p.W != size[0] || p.H != size[1] || p.Alpha != nil || p.Depth != 8 || len(info.Warnings) > 0 {
			t.Errorf("%s: %dx%d alpha %v depth %d %v", name, p.W, p.H, p.Alpha != nil, p.Depth, info.Warnings)
		}
		var mean float64
		for _, v := range p.Luma() {
			mean += float64(v) / float64(p.W*p.H)
		}
		if math.Abs(mean-0.45) > 0.25 {
			t.Errorf("%s: mean luma %.2f", name, mean)
		}
	}
}
