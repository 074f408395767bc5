package picture

import (
	"encoding/binary"
	"math"
	"sync"
)

// srgbProfile returns an ICC version 2.1 display profile of sRGB that is small
// enough to put into every JPEG. It has the primaries, and the transfer curve as a
// table of 128 values with an error below a tenth of an 8-bit code.
var srgbProfile = sync.OnceValue(func() []byte {
	const points = 128
	curve := iccType("curv")
	curve = binary.BigEndian.AppendUint32(curve, points)
	for i := range points {
		l := srgbDecode(float64(i) / (points - 1))
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(l*65535)))
	}
	name := "sRGB\x00"
	description := iccType("desc")
	description = binary.BigEndian.AppendUint32(description, uint32(len(name)))
	description = append(description, name...)
	description = append(description, make([]byte, 78)...) // no Unicode, no ScriptCode name

	tags := []struct {
		names []string // tags that share the data
		data  []byte
	}{
		{[]string{"desc"}, description},
		{[]string{"cprt"}, append(iccType("text"), "CC0\x00"...)},
		{[]string{"wtpt"}, iccXYZ(0.9642, 1, 0.8249)}, // D50
		{[]string{"rXYZ"}, iccXYZ(srgbToXYZ[0][0], srgbToXYZ[1][0], srgbToXYZ[2][0])},
		{[]string{"gXYZ"}, iccXYZ(srgbToXYZ[0][1], srgbToXYZ[1][1], srgbToXYZ[2][1])},
		{[]string{"bXYZ"}, iccXYZ(srgbToXYZ[0][2], srgbToXYZ[1][2], srgbToXYZ[2][2])},
		{[]string{"rTRC", "gTRC", "bTRC"}, curve},
	}
	const count = 9
	header := make([]byte, 128)
	copy(header[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	copy(header[24:], "\x07\xea\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00") // 2026-01-01
	copy(header[36:], "acsp")
	copy(header[68:], iccXYZ(0.9642, 1, 0.8249)[8:]) // the connection space's white

	table := binary.BigEndian.AppendUint32(nil, count)
	var body []byte
	base := len(header) + 4 + 12*count
	for _, t := range tags {
		for _, name := range t.names {
			table = append(table, name...)
			table = binary.BigEndian.AppendUint32(table, uint32(base+len(body)))
			table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		}
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...) // tags start at multiples of four
	}
	profile := append(append(header, table...), body...)
	binary.BigEndian.PutUint32(profile, uint32(len(profile)))
	return profile
})

// iccType returns the beginning of a tag: its type and four reserved bytes.
func iccType(name string) []byte { return append([]byte(name), 0, 0, 0, 0) }

func iccXYZ(x, y, z float64) []byte {
	b := iccType("XYZ ")
	for _, v := range [3]float64{x, y, z} {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}
