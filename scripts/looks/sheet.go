package main

import (
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// cell is the long side of a picture on a contact sheet, in pixels; between two
// lie gap pixels of white.
const (
	cell = 320
	gap  = 6
)

// fit brings p to w x h pixels.
func fit(p *style.Picture, w, h int) *style.Picture {
	return (*style.Picture)((*picture.Picture)(p).Flatten().Resize(w, h, picture.Lanczos3))
}

// long brings p to a long side of n pixels.
func long(p *style.Picture, n int) *style.Picture {
	side := float64(max(p.W, p.H))
	scale := func(v int) int { return max(1, int(float64(v)*float64(n)/side+0.5)) }
	return fit(p, scale(p.W), scale(p.H))
}

// contactSheet sets pictures side by side, a line of them below the other.
func contactSheet(lines [][]*style.Picture) *style.Picture {
	w, h := 0, 0
	for _, line := range lines {
		w, h = max(w, len(line)*(cell+gap)-gap), h+cell+gap
	}
	sheet := picture.New(w, max(h-gap, 1))
	for i := range sheet.Pix {
		sheet.Pix[i] = 1
	}
	for i, line := range lines {
		for j, p := range line {
			p = long(p, cell)
			x, y := j*(cell+gap)+(cell-p.W)/2, i*(cell+gap)+(cell-p.H)/2
			for row := range p.H {
				copy(sheet.Pix[((y+row)*w+x)*3:], p.Pix[row*p.W*3:][:p.W*3])
			}
		}
	}
	return (*style.Picture)(sheet)
}
