package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"io"

	"golang.org/x/image/webp"
)

// Of an animated picture only the first frame is read, placed on its canvas.

// frameNote says that a picture has several frames, or returns "" if it has one.
func frameNote(file []byte, f Format, name string) string {
	frames := 0
	switch f {
	case PNG:
		for _, c := range pngChunks(file) {
			if c.kind == "acTL" && len(c.data) == 8 {
				frames = int(binary.BigEndian.Uint32(c.data))
			}
		}
	case WebP:
		for _, c := range riffChunks(file) {
			if c.kind == "ANMF" {
				frames++
			}
		}
	case GIF:
		frames = gifFrames(file)
	}
	if frames < 2 {
		return ""
	}
	return fmt.Sprintf("%q moves; the first of its %d frames is taken", name, frames)
}

// decodeWebP decodes a still WebP, or the first frame of an animated one.
func decodeWebP(r io.Reader) (image.Image, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	canvas, frame := firstANMF(file)
	if frame != nil {
		file = frame.still()
	}
	img, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	if frame == nil {
		return studioRange(img), nil
	}
	return onCanvas(studioRange(img), canvas, frame.at), nil
}

// configWebP is like webp.DecodeConfig, but also reads animated files.
func configWebP(r io.Reader) (image.Config, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return image.Config{}, err
	}
	if canvas, frame := firstANMF(file); frame != nil {
		return image.Config{Width: canvas.X, Height: canvas.Y}, nil
	}
	return webp.DecodeConfig(bytes.NewReader(file))
}

// anmf is a frame of an animated WebP.
type anmf struct {
	at   image.Point
	w, h int
	data []byte // its chunks: ALPH, VP8 or VP8L
}

// firstANMF returns the size of the canvas and the first frame. The frame is nil if
// the file is not animated.
func firstANMF(file []byte) (canvas image.Point, frame *anmf) {
	u24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	if len(file) < 12 {
		return canvas, nil
	}
	for _, c := range riffChunks(file) {
		switch {
		case c.kind == "VP8X" && len(c.data) >= 10:
			canvas = image.Pt(u24(c.data[4:])+1, u24(c.data[7:])+1)
		case c.kind == "ANMF" && len(c.data) > 16 && canvas.X > 0:
			return canvas, &anmf{at: image.Pt(2*u24(c.data), 2*u24(c.data[3:])), w: u24(c.data[6:]) + 1, h: u24(c.data[9:]) + 1, data: c.data[16:]}
		}
	}
	return canvas, nil
}

// still returns the frame as a WebP file of its own.
func (f *anmf) still() []byte {
	const alpha = 0x10
	flags := byte(0)
	for _, c := range riffChunks(append(make([]byte, 12), f.data...)) {
		if c.kind == "ALPH" {
			flags = alpha
		}
	}
	body := []byte("WEBP")
	if flags != 0 { // otherwise the frame's own header is complete
		head := []byte{flags, 0, 0, 0, byte(f.w - 1), byte((f.w - 1) >> 8), byte((f.w - 1) >> 16), byte(f.h - 1), byte((f.h - 1) >> 8), byte((f.h - 1) >> 16)}
		body = append(body, "VP8X\x0a\x00\x00\x00"...)
		body = append(body, head...)
	}
	body = append(body, f.data...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// onCanvas puts a frame on its canvas, which is transparent elsewhere.
func onCanvas(img image.Image, canvas, at image.Point) image.Image {
	if img.Bounds().Size() == canvas && at == (image.Point{}) {
		return img
	}
	whole := image.NewNRGBA(image.Rectangle{Max: canvas})
	draw.Draw(whole, img.Bounds().Sub(img.Bounds().Min).Add(at), img, img.Bounds().Min, draw.Src)
	return whole
}

// decodeGIF decodes the first frame of a GIF.
func decodeGIF(r io.Reader) (image.Image, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	cfg, err := gif.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	return onCanvas(img, image.Pt(cfg.Width, cfg.Height), img.Bounds().Min), nil
}

// gifFrames counts the frames in a GIF, as far as its blocks are intact.
func gifFrames(file []byte) (frames int) {
	skip := func(at int) int { // skips data blocks up to and including the empty one
		for at < len(file) && file[at] != 0 {
			at += 1 + int(file[at])
		}
		return at + 1
	}
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (1 + flags&7)
	}
	if len(file) < 13 {
		return 0
	}
	for at := 13 + table(file[10]); at < len(file); {
		switch file[at] {
		case 0x21:
			at = skip(at + 2)
		case 0x2c:
			if at+10 >= len(file) {
				return frames
			}
			frames++
			at = skip(at + 11 + table(file[at+9]))
		default:
			return frames
		}
	}
	return frames
}
