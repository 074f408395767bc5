package style

// Correspondence says where the patches of one layer came from when they were last
// matched. An explanation of the picture is made from it.
type Correspondence struct {
	Layer  string
	W, H   int // patches of the canvas, row by row
	Size   int // side of a patch, in positions of the layer
	Stride int // positions between neighbouring patches
	Cell   int // pixels to a side of a position: patch (x, y) begins at pixel (x*Stride*Cell, y*Stride*Cell)

	CanvasW, CanvasH int // the canvas, in pixels
	Index            []int32
	Score            []float32 // cosine of the features; with --match pixel the guides' part is added
	Sources          []Source  // in the order of their patches' numbers
	Skipped          float64   // share of the products that were skipped because of the maps
}

// Source is one view of a painting. Its patches are numbered row by row from First.
type Source struct {
	Style  int     // number of the painting
	Angle  float64 // angle by which it was turned, in degrees
	Scale  float64 // factor by which it was resized, relative to the painting at this size
	W, H   int     // of the view, in pixels
	First  int
	Cols   int // patches in a row
	Rows   int
	Stride int
}

// At returns the source of a patch number and the patch's column and row there.
func (c *Correspondence) At(index int32) (s *Source, col, row int) {
	i := len(c.Sources) - 1
	for c.Sources[i].First > int(index) {
		i--
	}
	s = &c.Sources[i]
	q := int(index) - s.First
	return s, q % s.Cols, q / s.Cols
}

// correspondences reads the matches from the backend.
func (ob *objective) correspondences(block func(layer string) int) []Correspondence {
	var list []Correspondence
	for _, t := range ob.patches {
		g := t.matches.Shape
		c := Correspondence{
			Layer: t.layer, W: g.W, H: g.H, Size: t.o.Size, Stride: t.stride, Cell: 1 << (block(t.layer) - 1),
			CanvasW: ob.x.Shape.W, CanvasH: ob.x.Shape.H,
			Index: make([]int32, g.Len()), Score: make([]float32, g.Len()),
		}
		ob.b.DownloadMatches(c.Index, c.Score, t.matches)
		for i, s := range t.sources {
			grid := s.bank.Grid()
			c.Sources = append(c.Sources, Source{
				Style: s.style, Angle: s.angle, Scale: s.scale, W: s.w, H: s.h,
				First: t.from[i].First, Cols: grid.W, Rows: grid.H, Stride: t.from[i].Stride,
			})
			if s.prune != nil {
				c.Skipped += s.prune.Skipped * float64(grid.Len())
			}
		}
		last := c.Sources[len(c.Sources)-1]
		c.Skipped /= float64(last.First + last.Cols*last.Rows)
		list = append(list, c)
	}
	return list
}
