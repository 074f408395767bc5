package preview

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"io"
	"sync"

	"github.com/mattn/go-sixel"
	"golang.org/x/image/draw"
)

// Screen is a terminal that shows a picture and lines of text. Text is written
// through it, so that it knows how far the cursor is below the picture and can
// redraw the picture in place.
type Screen struct {
	mu       sync.Mutex
	w        io.Writer
	protocol Protocol
	cols     int // of the terminal
	rows     int
	areaCols int // of the picture; 0 before Reserve
	areaRows int
	below    int // lines between the bottom of the picture and the cursor
}

// NewScreen returns a screen on a terminal of cols by rows cells.
func NewScreen(w io.Writer, protocol Protocol, cols, rows int) *Screen {
	return &Screen{w: w, protocol: protocol, cols: cols, rows: rows}
}

// Write passes text on and tracks the cursor. A line feed moves it down and "ESC [
// n A" moves it up.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\n':
			s.below++
		case p[i] == 0x1b && i+1 < len(p) && p[i+1] == '[':
			n, j := 0, i+2
			for ; j < len(p) && p[j] >= '0' && p[j] <= '9'; j++ {
				n = min(n*10+int(p[j]-'0'), 1<<20)
			}
			if j < len(p) && p[j] == 'A' {
				s.below -= max(n, 1)
			}
		}
	}
	return s.w.Write(p)
}

// Reserve makes space for a picture of w by h pixels, at most 72 cells wide and two
// thirds of the terminal high. A cell is assumed to be twice as high as wide.
func (s *Screen) Reserve(w, h int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.protocol == None || w <= 0 || h <= 0 || s.cols < 8 || s.rows < 8 {
		return
	}
	cols, rows := min(s.cols-2, 72), s.rows*2/3
	// The picture w:h is fitted into cols by rows cells of 1:2.
	if c := rows * 2 * w / h; c < cols {
		cols = max(c, 2)
	}
	s.areaCols, s.areaRows = cols, max(1, (cols*h/w+1)/2)
	s.w.Write(bytes.Repeat([]byte{'\n'}, s.areaRows))
	s.below = 0
}

// Show draws img in the reserved area. It does nothing if the area has scrolled out
// of reach.
func (s *Screen) Show(img image.Image) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.below + s.areaRows
	if s.areaRows == 0 || up >= s.rows {
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "\x1b7\x1b[%dA\r", up) // save the cursor, go to the top left
	if err := encode(&b, s.protocol, img, s.areaCols, s.areaRows); err != nil {
		return err
	}
	b.WriteString("\x1b8")
	_, err := s.w.Write(b.Bytes())
	return err
}

// encode writes img so that it fills cols by rows cells.
func encode(b *bytes.Buffer, p Protocol, img image.Image, cols, rows int) error {
	switch p {
	case Kitty:
		data, err := encodePNG(fit(img, cols*8, rows*16))
		if err != nil {
			return err
		}
		// i and p name the picture, so that the next one replaces it; C=1
		// leaves the cursor, q=2 asks for no answer.
		head := fmt.Sprintf("a=T,f=100,i=7713,p=1,c=%d,r=%d,C=1,q=2,", cols, rows)
		text := base64.StdEncoding.EncodeToString(data)
		for len(text) > 0 {
			n := min(4096, len(text))
			more := 0
			if n < len(text) {
				more = 1
			}
			fmt.Fprintf(b, "\x1b_G%sm=%d;%s\x1b\\", head, more, text[:n])
			head, text = "", text[n:]
		}
	case ITerm:
		data, err := encodePNG(fit(img, cols*8, rows*16))
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\x1b]1337;File=inline=1;width=%d;height=%d;preserveAspectRatio=1;size=%d:%s\a",
			cols, rows, len(data), base64.StdEncoding.EncodeToString(data))
	case Sixel:
		e := sixel.NewEncoder(b)
		e.Dither = true
		// A sixel band is 6 pixels; most terminals have cells of 10x20 or
		// more, so this stays inside the reserved rows.
		return e.Encode(fit(img, cols*10, rows*20-6))
	case Blocks:
		halfBlocks(b, fit(img, cols, rows*2))
	}
	return nil
}

// fit scales img into w by h pixels, keeping its proportions.
func fit(img image.Image, w, h int) *image.NRGBA {
	size := img.Bounds().Size()
	if size.X*h > w*size.Y {
		h = max(1, size.Y*w/size.X)
	} else {
		w = max(1, size.X*h/size.Y)
	}
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(dst, dst.Bounds(), img, img.Bounds(), draw.Src, nil)
	return dst
}

func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img)
	return b.Bytes(), err
}

// halfBlocks draws two pixels in each cell: the upper as the foreground of an
// upper half block, the lower as its background.
func halfBlocks(b *bytes.Buffer, img *image.NRGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := 0; y < h; y += 2 {
		for x := range w {
			t := img.NRGBAAt(x, y)
			if y+1 < h {
				l := img.NRGBAAt(x, y+1)
				fmt.Fprintf(b, "\x1b[38;2;%d;%d;%dm\x1b[48;2;%d;%d;%dm▀", t.R, t.G, t.B, l.R, l.G, l.B)
			} else {
				fmt.Fprintf(b, "\x1b[38;2;%d;%d;%dm\x1b[49m▀", t.R, t.G, t.B)
			}
		}
		b.WriteString("\x1b[0m")
		if y+2 < h {
			b.WriteString("\r\x1b[1B") // down without scrolling
		}
	}
}
