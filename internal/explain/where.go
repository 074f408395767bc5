package explain

import "github.com/impasto/impasto/style"

// Where is the patch of a painting that a point of the canvas came from. Places and
// sizes are fractions of the painting's width and height.
type Where struct {
	Layer      string  `json:"layer"`
	Painting   int     `json:"painting"`
	X          float64 `json:"x"` // of the point
	Y          float64 `json:"y"`
	W          float64 `json:"width"` // of the patch
	H          float64 `json:"height"`
	Confidence float64 `json:"confidence"`
}

// At returns the source of the point u, v of the canvas, 0..1 each.
func At(c *style.Correspondence, u, v float64) Where {
	g := newGeometry(c)
	px := min(max(int(u*float64(c.CanvasW)), 0), c.CanvasW-1)
	py := min(max(int(v*float64(c.CanvasH)), 0), c.CanvasH-1)
	patch, dx, dy := g.nearest(px, py)
	p := g.place(c.Index[patch], dx, dy)
	base := g.base[p.style]
	return Where{Layer: c.Layer, Painting: p.style, X: p.u, Y: p.v,
		W: g.side / float64(base.W), H: g.side / float64(base.H), Confidence: float64(c.Score[patch])}
}
