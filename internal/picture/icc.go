package picture

import (
	"encoding/binary"
	"errors"
	"math"
)

// ICC profiles of the matrix/TRC kind (ICC.1:2022, 8.3.3 and annex F): each
// channel goes through its tone curve to linear light, then
//
//	(X, Y, Z) = M (r, g, b)        M's columns: rXYZ, gXYZ, bXYZ, relative to D50
//
// and back through the inverse of sRGB's own M. This covers the working spaces
// photographs come in: Display P3, Adobe RGB, ProPhoto, and grey with a gamma.
// What lies outside sRGB is clipped.

// srgbToXYZ holds the primaries of sRGB adapted to D50 by Bradford, as profiles
// give them.
var srgbToXYZ = mat3{
	{0.4360747, 0.3850649, 0.1430804},
	{0.2225045, 0.7168786, 0.0606169},
	{0.0139322, 0.0971045, 0.7141733},
}

// profile is a parsed matrix/TRC profile.
type profile struct {
	grey  bool
	toXYZ mat3     // RGB only
	trc   [3]curve // all three are the same for grey
}

// A curve maps an encoded value to linear light, both 0..1.
type curve func(float64) float64

var (
	errProfileDamaged = errors.New("it is damaged")
	errProfileTables  = errors.New("it works by tables, not by primaries and curves")
)

// parseICC reads a profile.
func parseICC(data []byte) (*profile, error) {
	if len(data) < 132 || string(data[36:40]) != "acsp" {
		return nil, errProfileDamaged
	}
	tags, err := iccTags(data)
	if err != nil {
		return nil, err
	}
	p := &profile{}
	names := [3]string{"rTRC", "gTRC", "bTRC"}
	switch space := string(data[16:20]); space {
	case "GRAY":
		p.grey = true
		names = [3]string{"kTRC", "kTRC", "kTRC"}
	case "RGB ":
		// A profile may have both. Its tables then hold more detail than its
		// matrix, but for display profiles both describe the same space.
	case "CMYK":
		return nil, errors.New("it is for CMYK inks")
	default:
		return nil, errors.New("it is not for RGB or grey")
	}
	for c, name := range names {
		tag, ok := tags[name]
		if !ok {
			return nil, errProfileTables
		}
		if p.trc[c], err = parseCurve(tag); err != nil {
			return nil, err
		}
	}
	if p.grey {
		return p, nil
	}
	for c, name := range [3]string{"rXYZ", "gXYZ", "bXYZ"} {
		tag, ok := tags[name]
		if !ok {
			return nil, errProfileTables
		}
		if len(tag) < 20 || string(tag[:4]) != "XYZ " {
			return nil, errProfileDamaged
		}
		for r := range 3 {
			p.toXYZ[r][c] = s15Fixed16(tag[8+4*r:])
		}
	}
	return p, nil
}

// iccTags returns the profile's tag data by signature.
func iccTags(data []byte) (map[string][]byte, error) {
	n := binary.BigEndian.Uint32(data[128:])
	if n > 1000 || int(n)*12 > len(data)-132 {
		return nil, errProfileDamaged
	}
	tags := make(map[string][]byte, n)
	for i := range int(n) {
		e := data[132+12*i:]
		from, size := uint64(binary.BigEndian.Uint32(e[4:])), uint64(binary.BigEndian.Uint32(e[8:]))
		if from+size > uint64(len(data)) {
			return nil, errProfileDamaged
		}
		tags[string(e[:4])] = data[from : from+size]
	}
	return tags, nil
}

func s15Fixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// parseCurve reads a curveType or a parametricCurveType.
func parseCurve(tag []byte) (curve, error) {
	if len(tag) < 12 {
		return nil, errProfileDamaged
	}
	switch string(tag[:4]) {
	case "curv":
		return parseTable(binary.BigEndian.Uint32(tag[8:]), tag[12:])
	case "para":
		return parseParametric(binary.BigEndian.Uint16(tag[8:]), tag[12:])
	}
	return nil, errProfileDamaged
}

// parseTable reads n 16-bit values. No value is the identity, one value is a gamma
// in 1/256ths, and more values are a table over equal steps of 0..1.
func parseTable(n uint32, b []byte) (curve, error) {
	if uint64(n)*2 > uint64(len(b)) {
		return nil, errProfileDamaged
	}
	switch n {
	case 0:
		return func(v float64) float64 { return v }, nil
	case 1:
		gamma := float64(binary.BigEndian.Uint16(b)) / 256
		return func(v float64) float64 { return math.Pow(v, gamma) }, nil
	}
	table := make([]float64, n)
	for i := range table {
		table[i] = float64(binary.BigEndian.Uint16(b[2*i:])) / 65535
	}
	return func(v float64) float64 {
		x := v * float64(n-1)
		i := min(int(x), int(n)-2)
		f := x - float64(i)
		return table[i]*(1-f) + table[i+1]*f
	}, nil
}

// parseParametric reads g, a, b, c, d, e, f of the five functions of ICC.1:
//
//	0  v^g
//	1  (av+b)^g      v >= -b/a, else 0
//	2  (av+b)^g + c  v >= -b/a, else c
//	3  (av+b)^g      v >= d, else cv
//	4  (av+b)^g + e  v >= d, else cv + f
func parseParametric(kind uint16, b []byte) (curve, error) {
	counts := [5]int{1, 3, 4, 5, 7}
	if int(kind) >= len(counts) || len(b) < 4*counts[kind] {
		return nil, errProfileDamaged
	}
	p := [7]float64{1, 1, 0, 0, 0, 0, 0}
	for i := range counts[kind] {
		p[i] = s15Fixed16(b[4*i:])
	}
	g, a, bb, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	switch kind {
	case 0:
		d = math.Inf(-1)
	case 1, 2: // as kind 4 with a break at -b/a and a constant part below it
		if a == 0 {
			return nil, errProfileDamaged
		}
		d, e, f, c = -bb/a, c, c, 0
	}
	return func(v float64) float64 {
		if v >= d {
			return math.Pow(math.Max(a*v+bb, 0), g) + e
		}
		return c*v + f
	}, nil
}

// linear returns the curve at each of the 65536 codes of a 16-bit channel, clamped
// to 0..1. They include the 8-bit codes.
func (c curve) linear() []float32 {
	t := make([]float32, 65536)
	for i := range t {
		t[i] = clamp01(float32(c(float64(i) / 65535)))
	}
	return t
}

// isSRGB reports whether conversion would change every 8-bit code by less than half
// a step. Then the pixels are not converted.
func (p *profile) isSRGB() bool {
	for _, f := range p.trc {
		for k := range 256 {
			v := float64(k) / 255
			if math.Abs(srgbEncode(clamp64(f(v)))-v) >= 0.5/255 {
				return false
			}
		}
	}
	for r := range 3 {
		for c := range 3 {
			if !p.grey && math.Abs(p.toXYZ[r][c]-srgbToXYZ[r][c]) >= 0.001 {
				return false
			}
		}
	}
	return true
}

// toSRGB converts pix (n, 3) from the profile's space in place.
func (p *profile) toSRGB(q *Picture) {
	if p.isSRGB() {
		return
	}
	var tables [3][]float32
	for c := range tables {
		tables[c] = p.trc[c].linear()
	}
	m := mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	if !p.grey {
		m = srgbToXYZ.inverse().mul(p.toXYZ)
	}
	var k [3][3]float32
	for r := range 3 {
		for c := range 3 {
			k[r][c] = float32(m[r][c])
		}
	}
	codes := encodeTable()
	parallelRows(q.H, func(y int) {
		row := q.Pix[3*y*q.W : 3*(y+1)*q.W]
		for i := 0; i < len(row); i += 3 {
			r := tables[0][int(row[i]*65535+0.5)]
			g := tables[1][int(row[i+1]*65535+0.5)]
			b := tables[2][int(row[i+2]*65535+0.5)]
			for c := range 3 {
				row[i+c] = lookup(codes, k[c][0]*r+k[c][1]*g+k[c][2]*b)
			}
		}
	})
}

func clamp64(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, 1)
}
