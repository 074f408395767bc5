package gpu

import "math"

// A chunk computes the gradient of its own rows from all terms that touch them,
// and the value of the terms that start in them, so no chunk writes another's.

const tvRows = 16

type tvTask struct {
	dx, x *Array
	kind  TVKind
	coef  float64
	part  []float64
}

func (b *CPU) TV(dx, x *Array, kind TVKind, coef float64, slot int) {
	checkTV(dx, x, slot)
	n := chunks(x.Shape.H, tvRows)
	b.tv = tvTask{dx, x, kind, coef, b.partials(n)}
	b.workers.run(n, &b.tv)
	b.status.Loss[slot] = coef * sum(b.tv.part)
}

func (t *tvTask) chunk(_, i int) {
	s := 0.0
	for y := i * tvRows; y < min(t.x.Shape.H, (i+1)*tvRows); y++ {
		if t.kind == TVStencil {
			s += t.stencilRow(y)
		} else {
			s += t.row(y)
		}
	}
	t.part[i] = s
}

// row handles the terms made of the differences to the right and below.
func (t *tvTask) row(y int) (value float64) {
	h, w, c := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C
	v := t.x.data
	for x := range w {
		for ch := range c {
			p := (y*w+x)*c + ch
			dx, dy := t.diffs(p, x < w-1, y < h-1)
			value += t.value(dx, dy)
			if t.dx == nil {
				continue
			}
			gx, gy := t.slope(dx, dy)
			g := -gx - gy
			if x > 0 {
				// The term of the left neighbour, by its own two differences.
				var down float32
				if y < h-1 {
					down = v[p-c+w*c] - v[p-c]
				}
				gl, _ := t.slope(v[p]-v[p-c], down)
				g += gl
			}
			if y > 0 {
				var right float32
				if x < w-1 {
					right = v[p-w*c+c] - v[p-w*c]
				}
				_, gu := t.slope(right, v[p]-v[p-w*c])
				g += gu
			}
			t.dx.data[p] += float32(t.coef) * g
		}
	}
	return value
}

func (t *tvTask) diffs(p int, right, below bool) (dx, dy float32) {
	v, c := t.x.data, t.x.Shape.C
	if right {
		dx = v[p+c] - v[p]
	}
	if below {
		dy = v[p+t.x.Shape.W*c] - v[p]
	}
	return dx, dy
}

func (t *tvTask) value(dx, dy float32) float64 {
	x, y := float64(dx), float64(dy)
	switch t.kind {
	case TVL1:
		return math.Abs(x) + math.Abs(y)
	case TVL2:
		return x*x + y*y
	}
	e := x*x + y*y
	return e * math.Sqrt(math.Sqrt(e)) // e^1.25
}

// slope is the derivative of value with respect to dx and dy.
func (t *tvTask) slope(dx, dy float32) (gx, gy float32) {
	switch t.kind {
	case TVL1:
		return sign(dx), sign(dy)
	case TVL2:
		return 2 * dx, 2 * dy
	}
	e := float64(dx)*float64(dx) + float64(dy)*float64(dy)
	k := float32(2 * tvPower * math.Sqrt(math.Sqrt(e)))
	return k * dx, k * dy
}

func sign(v float32) float32 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v // keeps NaN
}

// stencilRow adds up the nine-point form. With replicated padding the outer
// diagonals join border pixels to their neighbours along the border, so the
// sum over all 2(H+1)(W+1) diagonals of the padded image is taken pixel by
// pixel through clamped coordinates.
func (t *tvTask) stencilRow(y int) (value float64) {
	h, w, c := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C
	v := t.x.data
	axis := 2.0 / 3
	diag := 1.0 / 6 * float64(h*w) / float64((h+1)*(w+1))
	at := func(y, x int) int { return (min(max(y, 0), h-1)*w + min(max(x, 0), w-1)) * c }
	for x := range w {
		for ch := range c {
			p := (y*w+x)*c + ch
			dx, dy := t.diffs(p, x < w-1, y < h-1)
			value += axis * (float64(dx)*float64(dx) + float64(dy)*float64(dy))
			g := -2 * axis * float64(dx+dy)
			if x > 0 {
				g += 2 * axis * float64(v[p]-v[p-c])
			}
			if y > 0 {
				g += 2 * axis * float64(v[p]-v[p-w*c])
			}
			// Places of the padded image that show this pixel: itself, and
			// beside it where it is on the border.
			for py := y - edge(y == 0); py <= y+edge(y == h-1); py++ {
				for px := x - edge(x == 0); px <= x+edge(x == w-1); px++ {
					for _, o := range [4][2]int{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
						qy, qx := py+o[0], px+o[1]
						if qy < -1 || qy > h || qx < -1 || qx > w {
							continue
						}
						d := float64(v[p] - v[at(qy, qx)+ch])
						g += 2 * diag * d
						if o[0] == 1 {
							value += diag * d * d
						}
					}
				}
			}
			if t.dx != nil {
				t.dx.data[p] += float32(t.coef * g)
			}
		}
	}
	return value
}

func edge(on bool) int {
	if on {
		return 1
	}
	return 0
}
