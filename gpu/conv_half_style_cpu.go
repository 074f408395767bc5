package gpu

// In half precision ConvGrad adds the gradient of a style loss, D f(p) + shift, to its
// sums. It computes that in float32, so the sum is rounded once, and no gradient has to
// be stored before. Each block reads its features before it stores its gradients, so
// these may be stored over the features.

// StyleInPlace reports whether both arrays are stored in half precision.
func (b *CPU) StyleInPlace(dx, dy Shape) bool { return b.halves(dx) && b.halves(dy) }

// halfStyle is the style term of a halfConvTask.
type halfStyle struct {
	StyleTerm
	over   bool      // the gradient is stored over F
	panels []float32 // (n/NR; n + 1, NR): D and the shift
}

// set prepares the term for gradients dx.
func (s *halfStyle) set(b *CPU, dx *Array, term StyleTerm) {
	s.StyleTerm = term
	if s.over = term.F != nil && term.F == dx; term.F == nil {
		return
	}
	c, nr := dx.Shape.C, b.kernels.NR
	s.panels = grown(&b.packed, chunks(c, nr)*(c+1)*nr)
	for j := range chunks(c, nr) {
		panel := s.panels[j*(c+1)*nr:]
		pack(panel, term.D.data, c, c, j*nr, c, nr)
		if term.Shift != nil {
			pack(panel[c*nr:], term.Shift.data, 1, c, j*nr, c, nr)
		}
	}
}

// fill copies the features of a block.
func (s *halfStyle) fill(t *halfConvTask, w *halfWorker, a area) {
	if s.F == nil {
		return
	}
	n := a.columns * t.n
	for y := range a.rows {
		t.b.widen(w.styled[y*n:][:n], s.F.half[((a.y+y)*t.w+a.x)*t.n:][:n])
	}
}

// add adds the term to the sums of a block, 32 outputs from first on.
func (s *halfStyle) add(t *halfConvTask, w *halfWorker, a area, first int) {
	ks := t.b.kernels
	nr := ks.NR // which divides 32
	for c := first; c < min(first+halfOutputs, t.n); c += nr {
		panel := s.panels[c*(t.n+1):]
		for y := range a.rows {
			f, sums := w.styled[y*a.columns*t.n:], &w.sums[y*a.columns*halfOutputs+c-first]
			if s.Shift != nil {
				ks.Gemm(a.columns, 1, &one[0], 0, 0, &panel[t.n*nr], sums, halfOutputs, true, nil, 0)
			}
			for k := 0; k < t.n; k += productDepth {
				ks.Gemm(a.columns, min(productDepth, t.n-k), &f[k], t.n, 1, &panel[k*nr], sums, halfOutputs, true, nil, 0)
			}
		}
	}
}
