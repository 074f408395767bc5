package picture

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/image/tiff"
)

// TestWritingHoldsNoCopy: writing takes a small part of the picture's memory,
// whatever its depth, and tells how far it is.
func TestWritingHoldsNoCopy(t *testing.T) {
	const w, h = 2500, 1500
	p := New(w, h)
	for i := range p.Pix {
		p.Pix[i] = float32(i%w) / w
	}
	for _, name := range []string{"a.png", "b.tif"} {
		for _, depth := range []int{8, 16} {
			told, last := 0, 0
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			path := filepath.Join(t.TempDir(), name)
			if err := Save(path, p, WriteOptions{Depth: depth, Fast: true, Progress: func(rows, of int) {
				if rows < last || of != h {
					t.Errorf("%s: %d of %d rows after %d", name, rows, of, last)
				}
				told, last = told+1, rows
			}}); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
				t.Errorf("%s with %d bits: writing %d MB took %d MB more", name, depth, 12*w*h>>20, took>>20)
			}
			if told < 10 || last != h {
				t.Errorf("%s: told %d times, in the end %d rows", name, told, last)
			}
		}
	}
}

// TestOtherReadersAgree: what is written by rows is what Go's own readers find,
// where the file can be gone back in and where it cannot.
func TestOtherReadersAgree(t *testing.T) {
	for _, depth := range []int{8, 16} {
		for _, alpha := range []bool{false, true} {
			p := noise(57, 33, depth, alpha)
			want := p.Image(depth)
			same := func(what string, got *Picture) {
				t.Helper()
				for y := range p.H {
					for x := range p.W {
						if got.Image(depth).At(x, y) != want.At(x, y) {
							t.Fatalf("%s, %d bits, alpha %v: pixel (%d, %d) differs", what, depth, alpha, x, y)
						}
					}
				}
			}
			img, err := png.Decode(bytes.NewReader(mustEncode(t, p, PNG, WriteOptions{Depth: depth})))
			if err != nil {
				t.Fatal(err)
			}
			same("PNG", FromImage(img))
			if img, err = tiff.Decode(bytes.NewReader(mustEncode(t, p, TIFF, WriteOptions{Depth: depth}))); err != nil {
				t.Fatal(err)
			}
			same("TIFF", FromImage(img))
			path := filepath.Join(t.TempDir(), "x.tif")
			if err := Save(path, p, WriteOptions{Depth: depth}); err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(file, mustEncode(t, p, TIFF, WriteOptions{Depth: depth})) {
				t.Error("a TIFF file differs from a TIFF stream")
			}
		}
	}
}
