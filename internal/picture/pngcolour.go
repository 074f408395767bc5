package picture

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A PNG without a profile may describe its colours in other chunks (PNG, third
// edition, 4.3). cICP takes precedence over iCCP, iCCP over sRGB, and sRGB over
// gAMA and cHRM.

// pngColours returns the profile of a file without an ICC profile, or nil for sRGB.
// note says what was assumed.
func pngColours(file []byte, name string) (p *profile, note string) {
	var gamma float64
	space := primariesOf[1]
	hasPrimaries := false
	for _, c := range pngChunks(file) {
		switch {
		case c.kind == "IDAT":
			return gammaProfile(gamma, space, hasPrimaries), ""
		case c.kind == "cICP" && len(c.data) == 4:
			p, err := codePoints(c.data)
			if err != nil {
				return nil, fmt.Sprintf("the colours of %q are taken as sRGB: %v", name, err)
			}
			if t := c.data[1]; t == transferPQ || t == transferHLG {
				note = fmt.Sprintf("%q has a high dynamic range; what is brighter than %g cd/m² is white", name, float64(paperWhite))
			}
			return p, note
		case c.kind == "sRGB":
			return nil, ""
		case c.kind == "gAMA" && len(c.data) == 4:
			gamma = float64(binary.BigEndian.Uint32(c.data)) / 1e5
		case c.kind == "cHRM" && len(c.data) == 32:
			var v [8]float64 // white, red, green, blue
			for i := range v {
				v[i] = float64(binary.BigEndian.Uint32(c.data[4*i:])) / 1e5
			}
			space, hasPrimaries = primaries{v[2], v[3], v[4], v[5], v[6], v[7], v[0], v[1]}, true
		}
	}
	return nil, ""
}

// usualGamma is 1/2.2, the closest that a gAMA chunk comes to sRGB.
const usualGamma = 0.45455

// gammaProfile returns the profile of gAMA and cHRM. It ignores invalid values.
func gammaProfile(gamma float64, space primaries, hasPrimaries bool) *profile {
	toXYZ, ok := space.toXYZ()
	usual := math.Abs(gamma-usualGamma) < 0.005
	if !ok || gamma < 0.01 && !hasPrimaries || usual && !hasPrimaries {
		return nil
	}
	f := curve(srgbDecode)
	if gamma >= 0.01 && !usual {
		f = func(v float64) float64 { return math.Pow(v, 1/gamma) }
	}
	return &profile{toXYZ: toXYZ, trc: [3]curve{f, f, f}}
}

// primaries are chromaticities (x, y) of red, green, blue and white.
type primaries struct{ rx, ry, gx, gy, bx, by, wx, wy float64 }

// primariesOf lists ColourPrimaries of ITU-T H.273, table 2.
var primariesOf = map[byte]primaries{
	1:  {0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290},     // BT.709, sRGB
	5:  {0.64, 0.33, 0.29, 0.60, 0.15, 0.06, 0.3127, 0.3290},     // BT.601, 625 lines
	6:  {0.63, 0.34, 0.31, 0.595, 0.155, 0.07, 0.3127, 0.3290},   // BT.601, 525 lines
	9:  {0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329}, // BT.2020
	11: {0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351},      // P3, cinema
	12: {0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.3290},    // P3, display
}

// toXYZ returns the matrix from linear light in these primaries to X, Y, Z relative
// to D50. Its columns are the primaries, scaled so that their sum is white. White
// is adapted to D50 by Bradford. ok is false if the primaries span no colours.
func (p primaries) toXYZ() (m mat3, ok bool) {
	for _, y := range []float64{p.ry, p.gy, p.by, p.wy} {
		if y < 1e-3 {
			return m, false
		}
	}
	for c, xy := range [3][2]float64{{p.rx, p.ry}, {p.gx, p.gy}, {p.bx, p.by}} {
		m[0][c], m[1][c], m[2][c] = xy[0]/xy[1], 1, (1-xy[0]-xy[1])/xy[1]
	}
	area := (p.gx-p.rx)*(p.by-p.ry) - (p.bx-p.rx)*(p.gy-p.ry)
	if math.Abs(area) < 1e-3 {
		return m, false
	}
	white := [3]float64{p.wx / p.wy, 1, (1 - p.wx - p.wy) / p.wy}
	scale := m.inverse().apply(white)
	for r := range 3 {
		for c := range 3 {
			m[r][c] *= scale[c]
		}
	}
	d50 := [3]float64{0.96422, 1, 0.82521}
	from, to := cones.apply(white), cones.apply(d50)
	var adapt mat3
	for c := range 3 {
		if from[c] < 1e-3 {
			return m, false
		}
		adapt[c][c] = to[c] / from[c]
	}
	return cones.inverse().mul(adapt).mul(cones).mul(m), true
}

// cones converts X, Y, Z to responses of the cones (ICC.1, annex E).
var cones = mat3{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}

func (a mat3) apply(v [3]float64) (out [3]float64) {
	for r := range 3 {
		for c := range 3 {
			out[r] += a[r][c] * v[c]
		}
	}
	return out
}

// TransferCharacteristics of ITU-T H.273, table 3.
const (
	transferPQ  = 16
	transferHLG = 18
)

// paperWhite is the brightness of white paper in a picture of high dynamic range,
// in cd/m² (ITU-R BT.2408). hlgPeak is the peak brightness of the display that HLG
// assumes.
const (
	paperWhite = 203.
	hlgPeak    = 1000.
)

// transferOf converts a code of 0..1 to linear light, which is 1 at white.
var transferOf = map[byte]curve{
	1: srgbDecode, 6: srgbDecode, 14: srgbDecode, 15: srgbDecode, // BT.709 and similar: shown as sRGB, as browsers do
	4:           func(v float64) float64 { return math.Pow(v, 2.2) },
	5:           func(v float64) float64 { return math.Pow(v, 2.8) },
	8:           func(v float64) float64 { return v },
	13:          srgbDecode,
	transferPQ:  pqDecode,
	transferHLG: hlgDecode,
}

// pqDecode is the EOTF of SMPTE ST 2084, divided by paperWhite.
func pqDecode(v float64) float64 {
	const m1, m2, c1, c2, c3 = 2610. / 16384, 128 * 2523. / 4096, 3424. / 4096, 32 * 2413. / 4096, 32 * 2392. / 4096
	e := math.Pow(v, 1/m2)
	return 10000 / paperWhite * math.Pow(math.Max(e-c1, 0)/(c2-c3*e), 1/m1)
}

// hlgDecode is the EOTF of ITU-R BT.2100 for a display of hlgPeak, divided by
// paperWhite. The system gamma of 1.2 is applied to each channel separately.
func hlgDecode(v float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	scene := v * v / 3
	if v > 0.5 {
		scene = (math.Exp((v-c)/a) + b) / 12
	}
	return hlgPeak / paperWhite * math.Pow(scene, 1.2)
}

// codePoints returns the profile of a cICP chunk, which holds primaries, transfer,
// matrix (0 for RGB) and whether the full range is used.
func codePoints(b []byte) (*profile, error) {
	space, known := primariesOf[b[0]]
	f, knownToo := transferOf[b[1]]
	if !known || !knownToo || b[2] != 0 || b[3] > 1 {
		return nil, fmt.Errorf("its cICP chunk says %d, %d, %d, %d, which is not known here", b[0], b[1], b[2], b[3])
	}
	if full := f; b[3] == 0 { // black is 16 of 255, white 235
		f = func(v float64) float64 { return full(clamp64((255*v - 16) / 219)) }
	}
	toXYZ, _ := space.toXYZ()
	return &profile{toXYZ: toXYZ, trc: [3]curve{f, f, f}}, nil
}
