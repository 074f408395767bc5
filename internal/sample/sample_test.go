package sample

import (
	"bytes"
	"image"
	"math"
	"testing"
)

func TestEverySampleDrawsAtOddSizes(t *testing.T) {
	for _, info := range Names() {
		for _, size := range [][2]int{{1, 1}, {7, 5}, {97, 61}, {1, 40}} {
			im, err := Draw(info.Name, size[0], size[1])
			if err != nil {
				t.Fatal(err)
			}
			if im.Rect != image.Rect(0, 0, size[0], size[1]) {
				t.Errorf("%s at %v has bounds %v", info.Name, size, im.Rect)
			}
			for i := 3; i < len(im.Pix); i += 4 {
				if im.Pix[i] != 255 {
					t.Fatalf("%s at %v is not opaque at pixel %d", info.Name, size, i/4)
				}
			}
		}
	}
}

func TestSamplesRepeat(t *testing.T) {
	for _, info := range Names() {
		a, _ := Draw(info.Name, 61, 47)
		b, _ := Draw(info.Name, 61, 47)
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%s differs from one drawing to the next", info.Name)
		}
	}
}

func TestSamplesAreRich(t *testing.T) {
	for _, info := range Names() {
		im, _ := Draw(info.Name, 96, 64)
		colours := map[[3]uint8]bool{}
		for i := 0; i < len(im.Pix); i += 4 {
			colours[[3]uint8{im.Pix[i] >> 3, im.Pix[i+1] >> 3, im.Pix[i+2] >> 3}] = true
		}
		if len(colours) < 150 {
			t.Errorf("%s has %d colours of five bits a channel; a picture has hundreds", info.Name, len(colours))
		}
	}
}

func TestSceneIsTheSameAtEverySize(t *testing.T) {
	for _, info := range Names() {
		large, _ := Draw(info.Name, 320, 256)
		small, _ := Draw(info.Name, 160, 128)
		if r := correlation(halved(large), greys(small)); r < 0.85 {
			t.Errorf("%s: drawn at half the size it correlates %.3f with itself scaled down, want 0.85", info.Name, r)
		}
	}
}

func TestSamplesDiffer(t *testing.T) {
	for i, a := range Names() {
		for _, b := range Names()[:i] {
			x, _ := Draw(a.Name, 60, 48)
			y, _ := Draw(b.Name, 60, 48)
			if r := correlation(greys(x), greys(y)); math.Abs(r) > 0.9 {
				t.Errorf("%s and %s correlate %.3f", a.Name, b.Name, r)
			}
		}
	}
}

func TestMapsHoldTheColoursOfTheirLegend(t *testing.T) {
	palette := map[string][4]uint8{}
	for _, info := range Names() {
		for _, size := range [][2]int{{1, 1}, {7, 5}, {97, 61}, {160, 120}} {
			im, legend, err := Map(info.Name, size[0], size[1])
			if err != nil {
				t.Fatal(err)
			}
			named, seen := map[[4]uint8]string{}, map[string]bool{}
			for name, c := range legend {
				key := [4]uint8{c.R, c.G, c.B, c.A}
				if other, ok := palette[name]; ok && other != key {
					t.Errorf("%s: %q is %v here and %v elsewhere", info.Name, name, key, other)
				}
				palette[name], named[key] = key, name
			}
			for i := 0; i < len(im.Pix); i += 4 {
				name, ok := named[[4]uint8(im.Pix[i:i+4])]
				if !ok {
					t.Fatalf("%s at %v: pixel %d has colour %v, not in the legend", info.Name, size, i/4, im.Pix[i:i+4])
				}
				seen[name] = true
			}
			if size[0] == 160 && len(seen) != len(legend) {
				t.Errorf("%s: the map shows %v of the legend's %d regions", info.Name, seen, len(legend))
			}
		}
	}
	for a, x := range palette {
		for b, y := range palette {
			far := 0
			for i := range 3 {
				far = max(far, max(int(x[i]), int(y[i]))-min(int(x[i]), int(y[i])))
			}
			if a != b && far < 64 {
				t.Errorf("%q and %q are only %d apart", a, b, far)
			}
			var dot, xx, yy float64
			for i := range 3 {
				dot += float64(x[i]) * float64(y[i])
				xx += float64(x[i]) * float64(x[i])
				yy += float64(y[i]) * float64(y[i])
			}
			if degrees := math.Acos(dot/math.Sqrt(xx*yy)) * 180 / math.Pi; a != b && degrees < 15 {
				t.Errorf("%q and %q differ by only %.0f degrees in direction", a, b, degrees)
			}
		}
	}
}

func TestScenesAndPaintingsShareRegions(t *testing.T) {
	for _, a := range pictures {
		shared := false
		for _, b := range pictures {
			if a.Kind != b.Kind {
				for _, l := range b.regions {
					for _, k := range a.regions {
						shared = shared || l == k
					}
				}
			}
		}
		if !shared && a.Name != "still-life" {
			t.Errorf("no picture of the other kind has a region of %s", a.Name)
		}
	}
}

func TestUnknownNamesAndSizesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		w, h       int
	}{
		{"sunset", `unknown sample "sunset"; there are valley, lighthouse, still-life, strokes, woodblock, mosaic`, 8, 8},
		{"valley", "sample size 0x8 is not within 1x1 to 16384x16384", 0, 8},
		{"valley", "sample size 8x-1 is not within 1x1 to 16384x16384", 8, -1},
		{"mosaic", "sample size 8x16385 is not within 1x1 to 16384x16384", 8, 16385},
	} {
		if _, err := Draw(c.name, c.w, c.h); err == nil || err.Error() != c.want {
			t.Errorf("Draw(%q, %d, %d): %v, want %s", c.name, c.w, c.h, err, c.want)
		}
		if _, _, err := Map(c.name, c.w, c.h); err == nil || err.Error() != c.want {
			t.Errorf("Map(%q, %d, %d): %v, want %s", c.name, c.w, c.h, err, c.want)
		}
	}
}

func greys(im *image.NRGBA) []float64 {
	g := make([]float64, len(im.Pix)/4)
	for i := range g {
		g[i] = 0.2126*float64(im.Pix[4*i]) + 0.7152*float64(im.Pix[4*i+1]) + 0.0722*float64(im.Pix[4*i+2])
	}
	return g
}

// halved averages 2x2 pixels.
func halved(im *image.NRGBA) []float64 {
	g, w, h := greys(im), im.Rect.Dx(), im.Rect.Dy()
	out := make([]float64, 0, w*h/4)
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			out = append(out, (g[y*w+x]+g[y*w+x+1]+g[(y+1)*w+x]+g[(y+1)*w+x+1])/4)
		}
	}
	return out
}

func correlation(a, b []float64) float64 {
	var ma, mb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func BenchmarkDraw(b *testing.B) {
	for _, info := range Names() {
		b.Run(info.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Draw(info.Name, 512, 512); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
