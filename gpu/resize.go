package gpu

// Resizer is a separable resizing from one size to another, prepared for use
// inside an iteration. Its weights are those of Resample.
type Resizer struct {
	To, From Shape // sizes of the result and of the source; their channels are ignored

	across, along []taps // of each column and each row of To
	device        deviceResizer
	back          *Resizer
}

// Back returns the transpose. It converts a gradient with respect to the result of r
// into one with respect to its source.
func (r *Resizer) Back() *Resizer { return r.back }

// ResizeOptions say which channels Resize reads and writes.
//
//	To, From  the first of them in dst and in src
//	Channels  their number; 0 means all of src's beginning with From
//	Scale     factor; 0 means 1
//	Add       add to the values of dst
type ResizeOptions struct {
	To, From, Channels int
	Scale              float64
	Add                bool
}

// NewResizer prepares the resizing of arrays of from's size to to's, and the
// transpose. Resize writes Scale times channels of src (h, w, C), resized by r, to
// channels of dst (H, W, C').

func (o ResizeOptions) withDefaults(src *Array) ResizeOptions {
	if o.Channels == 0 {
		o.Channels = src.Shape.C - o.From
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	return o
}

// newResizer computes the weights of both directions.
func newResizer(to, from Shape, filter ResampleFilter) *Resizer {
	if to.H < 1 || to.W < 1 || from.H < 1 || from.W < 1 {
		fail("NewResizer", "%v from %v", to, from)
	}
	r := &Resizer{To: to, From: from, across: tapsFor(to.W, from.W, filter), along: tapsFor(to.H, from.H, filter)}
	r.back = &Resizer{To: from, From: to, across: transposed(r.across, from.W), along: transposed(r.along, from.H), back: r}
	return r
}

// transposed returns the taps of the transpose: for each of n inputs, the consecutive
// outputs that use it.
func transposed(list []taps, n int) []taps {
	back := make([]taps, n)
	for i := range back {
		back[i].first = -1
	}
	for out, t := range list {
		for k, w := range t.weights {
			in := &back[t.first+k]
			if in.first < 0 {
				in.first = out
			}
			for in.first+len(in.weights) < out {
				in.weights = append(in.weights, 0) // an output in between that does not use it
			}
			in.weights = append(in.weights, w)
		}
	}
	for i := range back {
		back[i].first = max(back[i].first, 0)
	}
	return back
}

func checkResize(dst, src *Array, r *Resizer, o ResizeOptions) {
	d, s := dst.Shape, src.Shape
	if d.H != r.To.H || d.W != r.To.W || s.H != r.From.H || s.W != r.From.W {
		fail("Resize", "%v from %v by a resizer of %v from %v", d, s, r.To, r.From)
	}
	if o.To < 0 || o.From < 0 || o.Channels < 1 || o.To+o.Channels > d.C || o.From+o.Channels > s.C {
		fail("Resize", "%d channels from %d of %v to %d of %v", o.Channels, o.From, s, o.To, d)
	}
}
