package gpu

import "math"

// A chunk computes the gradient of its own rows from all terms that touch them,
// and the value of the terms that start in them, so no chunk writes another's.

const tvRows = 16

type tvTask struct {
	b      *CPU
	dx, x  *Array
	weight []float32 // of each pixel's term; nil: 1
	kind   TVKind
	coef   float64
	part   []float64
}

// TV writes coef times the total variation of image x (H, W, 3) to slot and adds
// its gradient to dx, which may be nil; see TVKind for the formulas. weight
// (H, W, 1) multiplies the term of each pixel; nil: 1.
func (b *CPU) TV(dx, x, weight *Array, kind TVKind, coef float64, slot int) {
	checkTV(dx, x, weight, kind, slot)
	n := chunks(x.Shape.H, tvRows)
	b.tv = tvTask{b: b, dx: dx, x: x, kind: kind, coef: coef, part: b.partials(n)}
	if weight != nil {
		b.tv.weight = weight.data
	}
	b.workers.run(n, &b.tv)
	b.status.Loss[slot] = coef * sum(b.tv.part)
}

func (t *tvTask) chunk(worker, i int) {
	y0, y1 := i*tvRows, min(t.x.Shape.H, (i+1)*tvRows)
	if t.kind == TVStencil {
		t.part[i] = t.stencil(y0, y1)
		return
	}
	c, n := t.x.Shape.C, t.x.Shape.W*t.x.Shape.C
	mem := t.b.scratchFor(worker, 3*n)
	gx, gy, above := mem[:n], mem[n:2*n], mem[2*n:3*n]
	clear(above)
	if y0 > 0 {
		t.slopes(y0-1, gx, above)
	}
	value := 0.0
	for y := y0; y < y1; y++ {
		value += t.slopes(y, gx, gy)
		if t.dx != nil {
			k, out := float32(t.coef), t.dx.data[y*n:][:n]
			for j := range out {
				out[j] += k * (above[j] - gx[j] - gy[j])
			}
			for j, left := range gx[:n-c] {
				out[c+j] += k * left
			}
		}
		above, gy = gy, above
	}
	t.part[i] = value
}

// slopes writes the derivatives of row y's terms with respect to their
// differences to the right and below, and returns the terms' sum.
func (t *tvTask) slopes(y int, gx, gy []float32) (value float64) {
	c, n := t.x.Shape.C, len(gx)
	v := t.x.data[y*n:]
	for j := range gx[:n-c] {
		gx[j] = v[c+j] - v[j]
	}
	clear(gx[n-c:])
	if y < t.x.Shape.H-1 {
		for j := range gy {
			gy[j] = v[n+j] - v[j]
		}
	} else {
		clear(gy)
	}
	if t.weight != nil {
		return t.weighted(y, gx, gy)
	}
	last := y == t.x.Shape.H-1
	value = t.terms(0, gx[:n-c], gy[:n-c], last)
	return t.terms(value, gx[n-c:], gy[n-c:], true)
}

// weighted does what terms does for row y, with each pixel's term times its weight.
func (t *tvTask) weighted(y int, gx, gy []float32) (value float64) {
	w, c := t.x.Shape.W, t.x.Shape.C
	for x, weight := range t.weight[y*w:][:w] {
		gx, gy := gx[x*c:][:c], gy[x*c:][:c]
		value += float64(weight) * t.terms(0, gx, gy, x == w-1 || y == t.x.Shape.H-1)
		for j := range gx {
			gx[j] *= weight
			gy[j] *= weight
		}
	}
	return value
}

// terms replaces the differences to the right, gx, and below, gy, by the derivatives of
// their terms. It returns value plus the terms. border says that a neighbour is
// missing.
func (t *tvTask) terms(value float64, gx, gy []float32, border bool) float64 {
	for j, dx := range gx {
		dy := gy[j]
		switch t.kind {
		case TVL1:
			value += math.Abs(float64(dx)) + math.Abs(float64(dy))
			gx[j], gy[j] = sign(dx), sign(dy)
		case TVL2:
			value += float64(dx*dx) + float64(dy*dy)
			gx[j], gy[j] = 2*dx, 2*dy
		default:
			if t.kind == TVInner && border {
				gx[j], gy[j] = 0, 0
				continue
			}
			e := float64(dx)*float64(dx) + float64(dy)*float64(dy)
			root := math.Sqrt(math.Sqrt(e))
			value += e * root // e^1.25
			k := float32(2 * tvPower * root)
			gx[j], gy[j] = k*dx, k*dy
		}
	}
	return value
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

// stencil handles rows y0 to y1 of the nine-point form: pixels of the border
// one by one, the others in a plain loop.
func (t *tvTask) stencil(y0, y1 int) (value float64) {
	h, w, c := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C
	for y := y0; y < y1; y++ {
		if y == 0 || y == h-1 || w < 3 {
			for x := range w {
				value += t.borderPixel(y, x)
			}
			continue
		}
		value += t.borderPixel(y, 0) + t.innerRow(y, c, (w-1)*c) + t.borderPixel(y, w-1)
	}
	return value
}

// weights returns the weights of the squared differences along the axes and along the
// diagonals.
func (t *tvTask) weights() (axis, diag float64) {
	h, w := t.x.Shape.H, t.x.Shape.W
	return 2.0 / 3, 1.0 / 6 * float64(h*w) / float64((h+1)*(w+1))
}

// innerRow handles elements from..to of row y, whose neighbours all exist.
func (t *tvTask) innerRow(y, from, to int) (value float64) {
	c, n := t.x.Shape.C, t.x.Shape.W*t.x.Shape.C
	up, v, down := t.x.data[(y-1)*n:][:n], t.x.data[y*n:][:n], t.x.data[(y+1)*n:][:n]
	axis, diag := t.weights()
	ka, kd := float32(2*t.coef*axis), float32(2*t.coef*diag)
	straight, slanted := 0.0, 0.0
	for j := from; j < to; j++ {
		e := v[j]
		r, d, dl, dr := v[j+c]-e, down[j]-e, down[j-c]-e, down[j+c]-e
		straight += float64(r*r) + float64(d*d)
		slanted += float64(dl*dl) + float64(dr*dr)
		if t.dx != nil {
			t.dx.data[y*n+j] -= ka*(r+d+(v[j-c]-e)+(up[j]-e)) + kd*(dl+dr+(up[j-c]-e)+(up[j+c]-e))
		}
	}
	return axis*straight + diag*slanted
}

// borderPixel handles one pixel by the definition. With replicated padding the
// outer diagonals join border pixels to their neighbours along the border, so
// the sum over all 2(H+1)(W+1) diagonals of the padded image is taken through
// clamped coordinates, from each place of the padded image that shows this pixel.
func (t *tvTask) borderPixel(y, x int) (value float64) {
	h, w, c := t.x.Shape.H, t.x.Shape.W, t.x.Shape.C
	v := t.x.data
	axis, diag := t.weights()
	for ch := range c {
		at := func(y, x int) float64 { return float64(v[(min(max(y, 0), h-1)*w+min(max(x, 0), w-1))*c+ch]) }
		e := at(y, x)
		right, below := at(y, x+1)-e, at(y+1, x)-e
		value += axis * (right*right + below*below)
		g := -axis * (right + below + at(y, x-1) - e + at(y-1, x) - e)
		for py := y - edge(y == 0); py <= y+edge(y == h-1); py++ {
			for px := x - edge(x == 0); px <= x+edge(x == w-1); px++ {
				for _, o := range [4][2]int{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
					qy, qx := py+o[0], px+o[1]
					if qy < -1 || qy > h || qx < -1 || qx > w {
						continue
					}
					d := e - at(qy, qx)
					g += diag * d
					if o[0] == 1 {
						value += diag * d * d
					}
				}
			}
		}
		if t.dx != nil {
			t.dx.data[(y*w+x)*c+ch] += float32(2 * t.coef * g)
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
