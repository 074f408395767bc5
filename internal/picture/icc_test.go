package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// The reference is colorimetry from first principles: chromaticities to a
// matrix, Bradford adaptation between white points, and sRGB relative to D65,
// its own white, where the product works relative to D50, as profiles do.

type space struct {
	name          string
	r, g, b       [2]float64 // xy
	white         [2]float64
	linear        func(float64) float64
	curve         []byte // tag
	wantRedInSRGB [3]float64
}

var (
	d65 = [2]float64{0.3127, 0.3290}
	d50 = [2]float64{0.3457, 0.3585}
)

func curveGamma(g float64) []byte {
	b := append([]byte("curv\x00\x00\x00\x00"), 0, 0, 0, 1)
	return binary.BigEndian.AppendUint16(b, uint16(math.Round(g*256)))
}

func curveTable(n int, f func(float64) float64) []byte {
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(n))
	for i := range n {
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(65535*f(float64(i)/float64(n-1)))))
	}
	return b
}

func curveParametric(kind byte, params ...float64) []byte {
	b := append([]byte("para\x00\x00\x00\x00"), 0, kind, 0, 0)
	for _, v := range params {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}

func refSRGBLinear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func refSRGBCode(l float64) float64 {
	l = math.Min(math.Max(l, 0), 1)
	if l <= 0.0031308 {
		return 12.92 * l
	}
	return 1.055*math.Pow(l, 1/2.4) - 0.055
}

// Red's place in linear sRGB is as published (Lindbloom's matrices, and the
// P3 matrix of CSS Color 4), which keeps the reference itself honest.
var spaces = []space{
	{"Display P3, parametric", [2]float64{.680, .320}, [2]float64{.265, .690}, [2]float64{.150, .060}, d65, refSRGBLinear,
		curveParametric(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045), [3]float64{1.2249, -0.0420, -0.0196}},
	{"Display P3, table", [2]float64{.680, .320}, [2]float64{.265, .690}, [2]float64{.150, .060}, d65, refSRGBLinear,
		curveTable(1024, refSRGBLinear), [3]float64{1.2249, -0.0420, -0.0196}},
	{"Adobe RGB", [2]float64{.640, .330}, [2]float64{.210, .710}, [2]float64{.150, .060}, d65, func(v float64) float64 { return math.Pow(v, 563./256) },
		curveGamma(563. / 256), [3]float64{1.3983, 0, 0}},
	{"ProPhoto", [2]float64{.7347, .2653}, [2]float64{.1596, .8404}, [2]float64{.0366, .0001}, d50, func(v float64) float64 { return math.Pow(v, 1.8) },
		curveParametric(0, 1.8), [3]float64{2.0344, -0.2288, -0.0086}},
	{"linear sRGB", [2]float64{.640, .330}, [2]float64{.300, .600}, [2]float64{.150, .060}, d65, func(v float64) float64 { return v },
		[]byte("curv\x00\x00\x00\x00\x00\x00\x00\x00"), [3]float64{1, 0, 0}},
}

func xyz(c [2]float64) [3]float64 { return [3]float64{c[0] / c[1], 1, (1 - c[0] - c[1]) / c[1]} }

func times(m mat3, v [3]float64) (out [3]float64) {
	for r := range 3 {
		for c := range 3 {
			out[r] += m[r][c] * v[c]
		}
	}
	return out
}

// refInverse solves by Gauss-Jordan elimination, unlike the product.
func refInverse(a mat3) mat3 {
	m := mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for i := range 3 {
		pivot := i
		for r := i; r < 3; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[pivot][i]) {
				pivot = r
			}
		}
		a[i], a[pivot], m[i], m[pivot] = a[pivot], a[i], m[pivot], m[i]
		d := a[i][i]
		for c := range 3 {
			a[i][c] /= d
			m[i][c] /= d
		}
		for r := range 3 {
			if f := a[r][i]; r != i {
				for c := range 3 {
					a[r][c] -= f * a[i][c]
					m[r][c] -= f * m[i][c]
				}
			}
		}
	}
	return m
}

// refToXYZ is the space's matrix relative to its own white.
func (s space) refToXYZ() mat3 {
	var m mat3
	for c, p := range [3][2]float64{s.r, s.g, s.b} {
		for r, v := range xyz(p) {
			m[r][c] = v
		}
	}
	k := times(refInverse(m), xyz(s.white))
	for r := range 3 {
		for c := range 3 {
			m[r][c] *= k[c]
		}
	}
	return m
}

// bradford adapts XYZ from one white to another.
func bradford(from, to [2]float64) mat3 {
	cone := mat3{{.8951, .2664, -.1614}, {-.7502, 1.7135, .0367}, {.0389, -.0685, 1.0296}}
	a, b := times(cone, xyz(from)), times(cone, xyz(to))
	scale := mat3{{b[0] / a[0], 0, 0}, {0, b[1] / a[1], 0}, {0, 0, b[2] / a[2]}}
	return refInverse(cone).mul(scale.mul(cone))
}

// refLinearSRGB takes codes of the space to linear sRGB by way of D65.
func (s space) refLinearSRGB(rgb [3]float64) [3]float64 {
	for c := range rgb {
		rgb[c] = s.linear(rgb[c])
	}
	srgb := spaces[len(spaces)-1]
	v := times(bradford(s.white, d65), times(s.refToXYZ(), rgb))
	return times(refInverse(srgb.refToXYZ()), v)
}

// profileBytes builds an ICC profile from tags.
func profileBytes(colourSpace string, tags map[string][]byte) []byte {
	b := make([]byte, 128)
	copy(b[16:], colourSpace)
	copy(b[36:], "acsp")
	b = binary.BigEndian.AppendUint32(b, uint32(len(tags)))
	at := 132 + 12*len(tags)
	var body []byte
	for name, data := range tags {
		b = append(b, name...)
		b = binary.BigEndian.AppendUint32(b, uint32(at+len(body)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		body = append(body, data...)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func (s space) profile() []byte {
	m := bradford(s.white, d50).mul(s.refToXYZ())
	tags := map[string][]byte{"rTRC": s.curve, "gTRC": s.curve, "bTRC": s.curve}
	for c, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		tags[name] = iccXYZ(m[0][c], m[1][c], m[2][c])
	}
	return profileBytes("RGB ", tags)
}

// containers puts a profile where each format keeps it.
func containers(t *testing.T, p *Picture, icc []byte) map[string][]byte {
	img := p.Image(16)
	head := []byte(iccSegment)
	half := len(icc) / 2
	jpegFile := mustEncode(t, p, JPEG, WriteOptions{Quality: 100})
	for _, s := range jpegSegments(jpegFile) { // without the profile Encode writes
		if s.kind == app2 {
			jpegFile = append(append([]byte(nil), jpegFile[:s.from]...), jpegFile[s.to:]...)
		}
	}
	return map[string][]byte{
		"PNG": splicePNG(pngOf(t, img), "iCCP", append([]byte("a name\x00\x00"), deflated(icc)...)),
		"JPEG in two segments, second first": spliceJPEG(jpegFile, app2,
			append(append(bytes.Clone(head), 2, 2), icc[half:]...), append(append(bytes.Clone(head), 1, 2), icc[:half]...)),
		"TIFF": tiffWithTag(t, p, tagICC, 7, uint32(len(icc)), icc),
		"WebP": webpWith(mustEncode(t, p, WebP, WriteOptions{}), p.W, p.H, 0x20, "ICCP", icc),
	}
}

func TestReferenceColorimetry(t *testing.T) {
	for _, s := range spaces {
		got := s.refLinearSRGB([3]float64{1, 0, 0})
		testutil.Close(t, s.name+" red", got[:], s.wantRedInSRGB[:], 6e-4, 0)
	}
}

// TestProfiles decodes a colour cube in each space from each container.
func TestProfiles(t *testing.T) {
	const n = 6
	cube := New(n*n, n)
	cube.Depth = 16
	for i := range cube.W * cube.H {
		for c, k := range [3]int{i % n, i / n % n, i / n / n} {
			cube.Pix[3*i+c] = float32(k) * 51 / 255 // exact in 8 bits and in 16
		}
	}
	for _, s := range spaces {
		for name, file := range containers(t, cube, s.profile()) {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				p, info := mustDecode(t, file)
				if len(info.Warnings) > 0 {
					t.Fatal(info.Warnings)
				}
				if strings.HasPrefix(name, "JPEG") {
					// Noise of the codec, up to a few codes: enough to tell that the profile was found.
					if psnr, _ := PSNR(p, cube); psnr > 35 && s.name != "linear sRGB" {
						t.Errorf("nothing was converted (%.1f dB)", psnr)
					}
					return
				}
				var want []float64
				for i := range cube.W * cube.H {
					v := s.refLinearSRGB([3]float64{float64(cube.Pix[3*i]), float64(cube.Pix[3*i+1]), float64(cube.Pix[3*i+2])})
					for _, l := range v {
						want = append(want, refSRGBCode(l))
					}
				}
				testutil.Close(t, "sRGB", p.Pix, want, 1./255, 0)
				var off float64
				for i, v := range p.Pix {
					off += math.Abs(float64(v) - want[i])
				}
				if mean := off / float64(len(want)); mean > 0.1/255 {
					t.Errorf("off by %.3f codes in the mean", mean*255)
				}
			})
		}
	}
}

func TestGreyProfile(t *testing.T) {
	icc := profileBytes("GRAY", map[string][]byte{"kTRC": curveGamma(1)})
	for name, file := range containers(t, FromImage(uniform(3, 2, color.Gray16{Y: 0x8080})), icc) {
		p, _ := mustDecode(t, file)
		want := refSRGBCode(128. / 255)
		if got := float64(p.Pix[4]); math.Abs(got-want) > 1.5/255 {
			t.Errorf("%s: linear grey 0.502 becomes %.4f, want %.4f", name, got, want)
		}
	}
}

// TestParametricCurves takes each kind against its formula at both sides of
// its break.
func TestParametricCurves(t *testing.T) {
	p := func(base, g float64) float64 { return math.Pow(base, g) }
	for _, c := range []struct {
		tag  []byte
		want func(v float64) float64
	}{
		{curveParametric(0, 2.2), func(v float64) float64 { return p(v, 2.2) }},
		{curveParametric(1, 2, 1.25, -0.25), func(v float64) float64 {
			if v >= 0.2 {
				return p(1.25*v-0.25, 2)
			}
			return 0
		}},
		{curveParametric(2, 2, 1.25, -0.25, 0.125), func(v float64) float64 {
			if v >= 0.2 {
				return p(1.25*v-0.25, 2) + 0.125
			}
			return 0.125
		}},
		{curveParametric(3, 2, 0.75, 0.25, 0.5, 0.25), func(v float64) float64 {
			if v >= 0.25 {
				return p(0.75*v+0.25, 2)
			}
			return 0.5 * v
		}},
		{curveParametric(4, 2, 0.75, 0.25, 0.5, 0.25, -0.0625, 0.03125), func(v float64) float64 {
			if v >= 0.25 {
				return p(0.75*v+0.25, 2) - 0.0625
			}
			return 0.5*v + 0.03125
		}},
		{curveTable(3, func(v float64) float64 { return v * v }), func(v float64) float64 {
			return math.Max(v/2, 1.5*v-0.5)
		}},
	} {
		f, err := parseCurve(c.tag)
		if err != nil {
			t.Fatal(err)
		}
		for v := 0.0; v <= 1; v += 1. / 64 {
			if got := f(v); math.Abs(got-c.want(v)) > 3e-5 {
				t.Errorf("%q at %.4f: got %.6f, want %.6f", c.tag[:10], v, got, c.want(v))
			}
		}
	}
}

// TestOwnProfile reads the profile Encode puts into JPEGs: it must be sRGB, to
// the point that it changes no code, and short.
func TestOwnProfile(t *testing.T) {
	p, err := parseICC(srgbProfile())
	if err != nil {
		t.Fatal(err)
	}
	if !p.isSRGB() {
		t.Error("it is not taken for sRGB")
	}
	for k := range 256 {
		v := float64(k) / 255
		if got := refSRGBCode(p.trc[0](v)); math.Abs(got-v) > 0.1/255 {
			t.Errorf("code %d becomes %.3f", k, got*255)
		}
	}
	want := bradford(d65, d50).mul(spaces[len(spaces)-1].refToXYZ())
	for r := range 3 {
		testutil.Close(t, fmt.Sprintf("row %d", r), p.toXYZ[r][:], want[r][:], 2e-4, 0)
	}
	if n := len(srgbProfile()); n > 800 {
		t.Errorf("%d bytes", n)
	}
}

// TestProfilesNotApplied: a profile that cannot be used is a warning, and the
// picture comes as it stands.
func TestProfilesNotApplied(t *testing.T) {
	gamma := curveGamma(1.8)
	for want, icc := range map[string][]byte{
		"it is for CMYK inks":                                 profileBytes("CMYK", map[string][]byte{"A2B0": make([]byte, 50)}),
		"it works by tables, not by primaries and curves":     profileBytes("RGB ", map[string][]byte{"A2B0": make([]byte, 50)}),
		"it is not for RGB or grey":                           profileBytes("Lab ", nil),
		"it is damaged":                                       []byte("not a profile"),
		"it is damaged\x00":                                   profileBytes("GRAY", map[string][]byte{"kTRC": gamma[:11]}),
		"it works by tables, not by primaries and curves\x00": profileBytes("RGB ", map[string][]byte{"rTRC": gamma, "gTRC": gamma, "bTRC": gamma}),
	} {
		p := noise(5, 4, 8, false)
		want = strings.TrimSuffix(want, "\x00")
		q, info := mustDecode(t, containers(t, p, icc)["PNG"])
		if len(info.Warnings) != 1 || info.Warnings[0] !=
			fmt.Sprintf("the colour profile of \"test\" was not applied: %s; its colours are taken as sRGB", want) {
			t.Errorf("warnings %q, want %q", info.Warnings, want)
		}
		testutil.Close(t, "pix", q.Pix, p.Pix, 0, 0)
	}
}
