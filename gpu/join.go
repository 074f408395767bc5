package gpu

// Join writes the features f (H, W, C) times scale, then the unchanged channels of m
// (H, W, K), to dst (H, W, C+K). The result is matched if maps guide the matching. m
// may be nil. With unit each pixel of f is first divided by its norm; a pixel of zeros
// stays zeros.
//
// If the features have length 1/k and the maps sqrt(w)/k, the product of two patches of
// k x k pixels is neural-doodle's score: the mean cosine of their features plus w times
// that of their maps (Champandard 2016).

func checkJoin(dst, f, m *Array) {
	c := f.Shape.C
	if m != nil {
		c += m.Shape.C
		if m.Shape.H != f.Shape.H || m.Shape.W != f.Shape.W {
			fail("Join", "f is %v, m %v", f.Shape, m.Shape)
		}
	}
	if dst.Shape != (Shape{f.Shape.H, f.Shape.W, c}) {
		fail("Join", "dst is %v for %d channels of %v", dst.Shape, c, f.Shape)
	}
}
