package picture

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// refKernel gives the weight of the source pixel with centre at distance d of
// the output's centre, in source pixels, for a ratio of sizes.
func refKernel(f Filter, d, ratio float64) float64 {
	s := math.Max(ratio, 1)
	x := math.Abs(d / s)
	switch f {
	case Area: // overlap of two intervals of lengths 1 and ratio
		return math.Max(0, math.Min(math.Min(1, ratio), (1+ratio)/2-math.Abs(d)))
	case Bilinear:
		return math.Max(0, 1-x)
	}
	if x == 0 {
		return 1
	}
	if x >= 3 {
		return 0
	}
	return 3 * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/3) / (math.Pi * math.Pi * x * x)
}

// refResample goes over all pixels of the source for each of the result, in
// float64.
func refResample(src []float64, w, h, c, w2, h2 int, f Filter) []float64 {
	rx, ry := float64(w)/float64(w2), float64(h)/float64(h2)
	dst := make([]float64, w2*h2*c)
	for y2 := range h2 {
		for x2 := range w2 {
			cx, cy := (float64(x2)+0.5)*rx, (float64(y2)+0.5)*ry
			var total float64
			sum := make([]float64, c)
			for y := range h {
				for x := range w {
					var k float64
					if f == Nearest {
						if x == int(cx) && y == int(cy) {
							k = 1
						}
					} else {
						k = refKernel(f, float64(x)+0.5-cx, rx) * refKernel(f, float64(y)+0.5-cy, ry)
					}
					total += k
					for ch := range c {
						sum[ch] += k * src[(y*w+x)*c+ch]
					}
				}
			}
			for ch := range c {
				dst[(y2*w2+x2)*c+ch] = sum[ch] / total
			}
		}
	}
	return dst
}

var filterNames = map[Filter]string{Lanczos3: "lanczos3", Area: "area", Bilinear: "bilinear", Nearest: "nearest"}

var resizeCases = [][4]int{
	{1, 1, 1, 1}, {1, 1, 5, 3}, {7, 5, 1, 1}, {7, 5, 3, 2}, {7, 5, 13, 11}, {13, 17, 13, 5},
	{13, 17, 4, 17}, {16, 16, 8, 8}, {8, 8, 16, 16}, {31, 9, 10, 27}, {40, 3, 7, 1},
}

func TestResampleAgainstNaive(t *testing.T) {
	for f, name := range filterNames {
		for _, s := range resizeCases {
			p := noise(s[0], s[1], 16, false)
			src := make([]float64, len(p.Pix))
			for i, v := range p.Pix {
				src[i] = float64(v)
			}
			testutil.Close(t, fmt.Sprint(name, s), Resample(p.Pix, s[0], s[1], 3, s[2], s[3], f),
				refResample(src, s[0], s[1], 3, s[2], s[3], f), 2e-6, 0)
		}
	}
}

// TestResizeAgainstNaive is the whole way: decode, multiply by alpha, filter,
// divide, encode.
func TestResizeAgainstNaive(t *testing.T) {
	for f, name := range filterNames {
		if f == Nearest {
			continue
		}
		for _, s := range resizeCases {
			for _, alpha := range []bool{false, true} {
				p := noise(s[0], s[1], 16, alpha)
				src := make([]float64, 4*s[0]*s[1])
				for i := range s[0] * s[1] {
					a := 1.0
					if alpha {
						p.Alpha[i] = 0.5 + p.Alpha[i]/2 // dividing by little magnifies float32's error
						a = float64(p.Alpha[i])
					}
					for c := range 3 {
						src[4*i+c] = a * refSRGBLinear(float64(p.Pix[3*i+c]))
					}
					src[4*i+3] = a
				}
				got := p.Resize(s[2], s[3], f)
				ref := refResample(src, s[0], s[1], 4, s[2], s[3], f)
				var pix, al []float64
				for i := range s[2] * s[3] {
					a := math.Min(ref[4*i+3], 1) // ringing is clamped
					al = append(al, a)
					for c := range 3 {
						pix = append(pix, refSRGBCode(ref[4*i+c]/a))
					}
				}
				what := fmt.Sprint(name, s, " alpha=", alpha)
				testutil.Close(t, what, got.Pix, pix, 3e-5, 0)
				if alpha {
					testutil.Close(t, what+" alpha", got.Alpha, al, 1e-5, 0)
				}
			}
		}
	}
}

// TestConstantStaysConstant, to the 16-bit code, at every small size.
func TestConstantStaysConstant(t *testing.T) {
	for f, name := range filterNames {
		for _, code := range []int{0, 1, 300, 1285, 30000, 65534, 65535} {
			for _, from := range []int{1, 2, 5, 9} {
				for to := 1; to <= 20; to++ {
					p := New(from, from+2)
					for i := range p.Pix {
						p.Pix[i] = float32(code) / 65535
					}
					for i, v := range p.Resize(to, 21-to, f).Pix {
						if int(v*65535+0.5) != code {
							t.Fatalf("%s %d to %d: code %d becomes %v at %d", name, from, to, code, v*65535, i)
						}
					}
				}
			}
		}
	}
}

// TestLinearLight: black and white pixels seen from afar are half the light,
// which is sRGB code 188, not 128.
func TestLinearLight(t *testing.T) {
	p := New(16, 16)
	for i := range 256 {
		if (i%16+i/16)%2 == 0 {
			p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = 1, 1, 1
		}
	}
	for _, f := range []Filter{Area, Bilinear, Lanczos3} {
		q := p.Resize(1, 1, f)
		if code := int(q.Pix[0]*255 + 0.5); code != 188 {
			t.Errorf("%s: code %d, want 188", filterNames[f], code)
		}
	}
}

// TestInvisibleColoursDoNotBleed: the colour behind alpha 0 does not reach
// the visible pixels beside it.
func TestInvisibleColoursDoNotBleed(t *testing.T) {
	p := New(4, 1)
	copy(p.Pix, []float32{0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0}) // blue, then invisible red
	p.Alpha = []float32{1, 1, 0, 0}
	q := p.Resize(3, 1, Area)
	testutil.Close(t, "pix", q.Pix, []float64{0, 0, 1, 0, 0, 1, 0, 0, 0}, 1e-6, 0)
	testutil.Close(t, "alpha", q.Alpha, []float64{1, 0.5, 0}, 1e-6, 0)
}

func TestResizeKeepsLabels(t *testing.T) {
	p := noise(11, 7, 8, true)
	q := p.Resize(29, 3, Nearest)
	for i := range q.W * q.H {
		x, y := (2*(i%29)+1)*11/58, (2*(i/29)+1)*7/6
		testutil.Close(t, "pix", q.Pix[3*i:3*i+3], p.Pix[3*(y*11+x):3*(y*11+x)+3], 0, 0)
		testutil.Close(t, "alpha", q.Alpha[i:i+1], p.Alpha[y*11+x:y*11+x+1], 0, 0)
	}
}

// TestResizeThreads: the same bytes with one thread and with three.
func TestResizeThreads(t *testing.T) {
	p := noise(301, 207, 16, true)
	var files [][]byte
	for _, n := range []int{1, 3} {
		old := runtime.GOMAXPROCS(n)
		files = append(files, mustEncode(t, p.Resize(97, 151, Lanczos3), PNG, WriteOptions{Depth: 16, Fast: true}))
		runtime.GOMAXPROCS(old)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the result depends on the number of threads")
	}
}

func BenchmarkResize(b *testing.B) {
	p := noise(1920, 1280, 8, false)
	for f, name := range filterNames {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.Resize(640, 427, f)
			}
		})
	}
}
