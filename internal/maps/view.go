package maps

import (
	"github.com/impasto/impasto/internal/picture"
)

// Overlay shows a map over its picture, at the picture's size. It draws the picture
// in grey, the colours of the regions over it with the given opacity (0..1), and
// their borders as white lines.
func (m *Map) Overlay(p *picture.Picture, opacity float64) *picture.Picture {
	if m.W != p.W || m.H != p.H {
		m = m.Resize(p.W, p.H)
	}
	p = p.Flatten()
	out := picture.New(p.W, p.H)
	luma := p.Luma()
	a := float32(min(1, max(0, opacity)))
	for i, l := range m.Labels {
		c := m.Regions[l].Colour
		for k, v := range [3]uint8{c.R, c.G, c.B} {
			// Some of the picture's own colour remains where the opacity is low.
			ground := a*luma[i] + (1-a)*p.Pix[3*i+k]
			out.Pix[3*i+k] = (1-a)*ground + a*float32(v)/255
		}
	}
	thick := max(1, max(p.W, p.H)/400)
	for i, l := range m.Labels {
		x, y := i%m.W, i/m.W
		if x+thick < m.W && m.Labels[i+thick] != l || y+thick < m.H && m.Labels[i+thick*m.W] != l {
			out.Pix[3*i], out.Pix[3*i+1], out.Pix[3*i+2] = 1, 1, 1
		}
	}
	return out
}

// Row is one line of a map's legend.
type Row struct {
	Label  string  `json:"region"`
	Colour string  `json:"colour"`
	Pixels int     `json:"pixels"`
	Share  float64 `json:"share"`
	Pieces int     `json:"pieces"`
	Width  int     `json:"width"` // of the largest square in it
}

// Rows describe the regions in order.
func (m *Map) Rows() []Row {
	rows := make([]Row, len(m.Regions))
	width := m.Width()
	for i, r := range m.Regions {
		rows[i] = Row{Label: r.Label(), Colour: Hex(r.Colour), Pixels: r.Pixels, Share: m.Share(i), Width: width[i]}
	}
	pieces, _ := m.pieces()
	for _, p := range pieces {
		rows[p.label].Pieces++
	}
	return rows
}
