package gpu

import "math"

// PatchSource is a painting with patches: its features F (H, W, C), where patches are
// Stride apart (0 means 1) and numbered from First. Sources are listed in the order of
// their numbers.
type PatchSource struct {
	F      *Array
	Stride int
	First  int
}

// PatchOptions describe the patches of the canvas.
//
//	Size    side of a patch, 1 to 5; 0 means 3
//	Stride  distance of neighbouring patches; 0 means 1
//	Least   patches with a lower score are left out; 0: none is
//	Average each position counts once, however many patches cover it
type PatchOptions struct {
	Size, Stride int
	Least        float64
	Average      bool
}

// PatchLoss is the MRF loss of Li & Wand (2016). With S the source's patch that
// is matched to the patch at p of f (H, W, C), position r of f compared with
// every patch that covers it:
//
//	slot = coef * sum over r of omega(r) * sum over d < Size^2 of |f(r) - S_p(d)|^2,    p = r - d
//	dx(r) += 2 * coef * omega(r) * (n(r) f(r) - sum over d of S_p(d))
//
// where n(r) patches cover r and omega is 1, or 1/n(r) with Average: CNNMRF's
// gradient. No patch is ever copied out. dx may be nil.
//
// Vote writes what the matches say of each position: the mean of the S_p(d), and
// zeros where no patch covers it.

func (o PatchOptions) withDefaults() PatchOptions {
	if o.Size == 0 {
		o.Size = 3
	}
	if o.Stride == 0 {
		o.Stride = 1
	}
	if o.Least == 0 {
		o.Least = math.Inf(-1)
	}
	return o
}

func checkPatches(op string, f *Array, m *Matches, from []PatchSource, o PatchOptions) {
	if want := grid(f.Shape, o.Size, o.Stride); m.Shape != want {
		fail(op, "matches are %v, want %v", m.Shape, want)
	}
	next := 0
	for i, s := range from {
		g := grid(s.F.Shape, o.Size, max(1, s.Stride))
		if s.F.Shape.C != f.Shape.C || s.First != next || g.H < 1 || g.W < 1 {
			fail(op, "source %d is %v from patch %d, want %d channels from %d", i, s.F.Shape, s.First, f.Shape.C, next)
		}
		next += g.Len()
	}
}
