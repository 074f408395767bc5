package picture

import "bytes"

// embeddedICC returns the profile stored in the file, or nil.
func embeddedICC(file []byte, f Format) []byte {
	switch f {
	case PNG:
		return unpackICCP(find(pngChunks(file), "iCCP"))
	case JPEG:
		return joinAPP2(jpegSegments(file))
	case TIFF:
		if value, _, ok := tiffTag(file, tagICC); ok {
			return value
		}
	case WebP:
		return find(riffChunks(file), "ICCP")
	}
	return nil
}

// unpackICCP reads a PNG iCCP chunk: name, 0, method 0, zlib data.
func unpackICCP(data []byte) []byte {
	_, rest, ok := bytes.Cut(data, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return nil
	}
	icc, _ := inflate(rest[1:])
	return icc
}

const iccSegment = "ICC_PROFILE\x00"

// joinAPP2 joins the segments of a JPEG's profile. Each segment has its number and
// the count, both from 1 (ICC.1 annex B.4).
func joinAPP2(segments []segment) []byte {
	parts := map[byte][]byte{}
	var count byte
	for _, s := range segments {
		if s.kind == app2 && bytes.HasPrefix(s.data, []byte(iccSegment)) && len(s.data) >= 14 {
			parts[s.data[12]] = s.data[14:]
			count = s.data[13]
		}
	}
	var icc []byte
	for i := range int(count) {
		part, ok := parts[byte(i+1)]
		if !ok {
			return nil
		}
		icc = append(icc, part...)
	}
	return icc
}
