package gpu

// Grid describes positions of an array, in rows and columns Step apart, beginning at
// (Y, X).
type Grid struct{ Y, X, Step int }

// Sample writes the positions of src (H, W, C) that lie on the grid to dst
// (h, w, C). AddSample adds src (h, w, C) to those positions of dst (H, W, C).
//
// AddChannels adds a times m (1, C, 1) to every position of dst (H, W, C).

func checkSample(op string, few, all *Array, g Grid) {
	s, f := all.Shape, few.Shape
	if f.C != s.C || g.Step < 1 || g.Y < 0 || g.X < 0 || g.Y+(f.H-1)*g.Step >= s.H || g.X+(f.W-1)*g.Step >= s.W {
		fail(op, "%v on the grid %+v of %v", f, g, s)
	}
}

func checkAddChannels(dst, m *Array) {
	if m.Shape != Vector(dst.Shape.C) {
		fail("AddChannels", "%v to %v", m.Shape, dst.Shape)
	}
}
