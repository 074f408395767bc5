package picture

import (
	"bytes"
	"cmp"
	"image"
	"image/jpeg"
	"io"
)

// encodeJPEG writes a baseline JPEG without chroma subsampling (4:4:4).
//
// The encoder of the standard library halves the resolution of chroma, which costs
// up to 10 dB on small strokes of strong colour. But it keeps the resolution of a
// grey picture. So Y', Cb and Cr are encoded as three grey pictures, and their
// scans are joined under one frame header of three components. The result is a
// sequential JPEG with one scan for each component (ITU-T T.81, A.2.2), which every
// decoder reads. Chroma is quantised with the table of luma.
func encodeJPEG(w io.Writer, p *Picture, o WriteOptions) error {
	p = p.Flatten()
	var parts [3]greyJPEG
	for c, plane := range ycbcrPlanes(p) {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, plane, &jpeg.Options{Quality: cmp.Or(o.Quality, 95)}); err != nil {
			return err
		}
		parts[c] = splitGreyJPEG(file.Bytes())
	}
	head := []byte("\xff\xd8")
	head = appendJPEGSegment(head, app0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")) // pixels are square
	if packet := xmpPacket(o.Recipe, o.Software); packet != nil && len(packet) <= maxSegment {
		head = appendJPEGSegment(head, app1, packet)
	}
	head = appendJPEGSegment(head, app2, append([]byte(iccSegment+"\x01\x01"), srgbProfile()...))
	head = append(head, parts[0].tables...)
	head = appendJPEGSegment(head, sof0, []byte{
		8, byte(p.H >> 8), byte(p.H), byte(p.W >> 8), byte(p.W),
		3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, // number, sampling 1x1, table 0
	})
	for c, part := range parts {
		head = appendJPEGSegment(head, sos, []byte{1, byte(c + 1), 0, 0, 63, 0})
		head = append(head, part.scan...)
	}
	return writeAll(w, head, []byte("\xff\xd9"))
}

// ycbcrPlanes returns Y', Cb and Cr as JFIF defines them (ITU-R BT.601, full
// range).
func ycbcrPlanes(p *Picture) [3]*image.Gray {
	var planes [3]*image.Gray
	for c := range planes {
		planes[c] = image.NewGray(image.Rect(0, 0, p.W, p.H))
	}
	parallelRows(p.H, func(y int) {
		for i := y * p.W; i < (y+1)*p.W; i++ {
			r, g, b := clamp01(p.Pix[3*i]), clamp01(p.Pix[3*i+1]), clamp01(p.Pix[3*i+2])
			v := luma(r, g, b)
			planes[0].Pix[i] = uint8(255*v + 0.5)
			planes[1].Pix[i] = uint8(min(128+255*(b-v)/1.772+0.5, 255))
			planes[2].Pix[i] = uint8(min(128+255*(r-v)/1.402+0.5, 255))
		}
	})
	return planes
}

// greyJPEG holds the reused parts of a grey picture's file.
type greyJPEG struct {
	tables []byte // quantisation and Huffman segments
	scan   []byte // entropy-coded blocks
}

func splitGreyJPEG(file []byte) greyJPEG {
	var g greyJPEG
	at := 2
	for _, s := range jpegSegments(file) {
		if s.kind == dqt || s.kind == dht {
			g.tables = append(g.tables, file[s.from:s.to]...)
		}
		at = s.to
	}
	const scanHeader = 2 + 8 // marker; length, one component, spectral range
	g.scan = file[at+scanHeader : len(file)-2]
	return g
}

// maxSegment is the longest payload of a JPEG segment.
const maxSegment = 65533

func appendJPEGSegment(dst []byte, marker string, data []byte) []byte {
	n := len(data) + 2
	dst = append(append(dst, 0xff), marker...)
	dst = append(dst, byte(n>>8), byte(n))
	return append(dst, data...)
}
