package maps

import "github.com/impasto/impasto/internal/picture"

// Cells divide a picture into small pieces whose edges follow the picture's.
type Cells struct {
	W, H int
	Cell []uint16 // (H, W), numbers from 0
}

// Superpixels divides a picture into about n connected cells. The picture is shrunk
// to a long side of at most WorkSide first. In the studio, a brush fills a cell at
// a touch.
func Superpixels(p *picture.Picture, n int) *Cells {
	small := p.Flatten().Within(WorkSide, picture.Area)
	w, h := small.W, small.H
	of, _ := superpixels(lab(small), w, h, max(1, min(n, w*h/16)), compactness)
	c := &Cells{W: w, H: h, Cell: make([]uint16, len(of))}
	for i, k := range of {
		c.Cell[i] = uint16(k)
	}
	return c
}
