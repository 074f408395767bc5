package gpu

// In half precision ConvGrad adds the gradient of a style loss, D f(p) + shift, to its
// sums, so the sum is rounded once, and no gradient has to be stored before. Each block
// reads its features before it stores its gradients, so these may be stored over the
// features.

// StyleInPlace reports whether both arrays are stored in half precision.
func (b *CPU) StyleInPlace(dx, dy Shape) bool { return b.halves(dx) && b.halves(dy) }

// halfStyle is the style term of a halfConvTask.
type halfStyle struct {
	StyleTerm
	over  bool // the gradient is stored over F
	pixel int  // distance of pixels in the copied features
	matrixPanels
}

// set prepares the term for gradients dx.
func (s *halfStyle) set(b *CPU, dx *Array, term StyleTerm) {
	s.StyleTerm = term
	if s.over = term.F != nil && term.F == dx; term.F == nil {
		return
	}
	s.pixel = halfPixel(dx.Shape.C)
	s.matrixPanels.set(b, term.D.data, dx.Shape.C)
}

// fill copies the features of a block.
func (s *halfStyle) fill(t *halfConvTask, w *halfWorker, a area) {
	if s.F == nil {
		return
	}
	for y := range a.rows {
		copyPixels(w.styled[y*a.columns*s.pixel:], s.pixel, s.F.half[((a.y+y)*t.w+a.x)*t.n:][:a.columns*t.n], t.n)
	}
}

// add adds the term of copied pixels to their sums, n outputs from first on.
func (s *halfStyle) add(pixels []uint16, first, n int, sums []float32) {
	if s.Shift != nil {
		s.b.addRow(sums, s.Shift.data[first:first+n])
	}
	s.multiply(pixels, s.pixel, first/halfOutputs, sums)
}
