package picture

import (
	"image"
)

// studioRange converts the Y'CbCr of a lossy WebP file. VP8 codes luma in
// 16..235 and chroma in 16..240 (RFC 6386, 9.2; ITU-R BT.601), which Go's
// image.YCbCr, full range as JPEG's, has no way to say: read as it stands,
// black would be dark grey and every colour a sixth too pale.
//
//	R = 1.164 (Y-16) + 1.596 (Cr-128)
//	G = 1.164 (Y-16) - 0.392 (Cb-128) - 0.813 (Cr-128)
//	B = 1.164 (Y-16) + 2.017 (Cb-128)
func studioRange(img image.Image) image.Image {
	var m *image.YCbCr
	var alpha func(x, y int) uint8
	switch src := img.(type) {
	case *image.YCbCr:
		m, alpha = src, func(x, y int) uint8 { return 255 }
	case *image.NYCbCrA:
		m, alpha = &src.YCbCr, func(x, y int) uint8 { return src.A[src.AOffset(x, y)] }
	default:
		return img // lossless: RGB
	}
	r := m.Rect
	out := image.NewNRGBA(r)
	parallelRows(r.Dy(), func(row int) {
		y := r.Min.Y + row
		for x := r.Min.X; x < r.Max.X; x++ {
			yi, ci := m.YOffset(x, y), m.COffset(x, y)
			luma := 255. / 219 * (float32(m.Y[yi]) - 16)
			cb, cr := 255./224*(float32(m.Cb[ci])-128), 255./224*(float32(m.Cr[ci])-128)
			px := out.Pix[out.PixOffset(x, y):]
			px[0] = code8(luma + 1.402*cr)
			px[1] = code8(luma - 0.114*1.772/0.587*cb - 0.299*1.402/0.587*cr)
			px[2] = code8(luma + 1.772*cb)
			px[3] = alpha(x, y)
		}
	})
	return out
}

// code8 rounds v, on a scale of 0..255.
func code8(v float32) uint8 { return uint8(clamp01(v/255)*255 + 0.5) }
