package gpu

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
)

func TestDoubleContent(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const coef = 0.375
		for _, n := range []int{3, 1024, 4099} {
			f, target, want := ragged(500, n), ragged(501, n), 0.0
			for i := range f {
				d := float64(f[i] - target[i])
				want += coef * d * d
			}
			s := Shape{1, n, 1}
			b.ContentLoss(nil, upload(b, s, f), upload(b, s, target), coef, 4)
			sameDouble(t, "loss", lossOf(b, 4), want)
			b.ContentLoss(b.NewArray(s), upload(b, s, f), upload(b, s, target), coef, 4)
			sameDouble(t, "loss beside the gradient", lossOf(b, 4), want)
		}
	})
}

func TestDoubleTV(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{19, 31, 3}
		const coef = float64(float32(0.3))
		x := whole(502, s.Len(), 1<<18)
		for i := range x {
			x[i] /= 1024
		}
		for _, kind := range []TVKind{TVL1, TVStencil} { // their terms are exact
			b.TV(nil, upload(b, s, x), nil, kind, coef, 4)
			sameDouble(t, kind.String(), lossOf(b, 4), coef*refTV(wide(x), nil, s, kind))
		}
		// The stencil's gradient, term by term, each of two pixels.
		gradient, at := make([]float64, s.Len()), func(y, xx, c int) int {
			return (min(max(y, 0), s.H-1)*s.W+min(max(xx, 0), s.W-1))*s.C + c
		}
		term := func(weight float64, p, q int) {
			d := 2 * weight * (float64(x[p]) - float64(x[q]))
			gradient[p] += d
			gradient[q] -= d
		}
		diagonal := 1.0 / 6 * float64(s.H*s.W) / float64((s.H+1)*(s.W+1))
		for c := range s.C {
			for y := range s.H + 1 {
				for xx := range s.W + 1 {
					if y < s.H && xx < s.W {
						term(2.0/3, at(y, xx, c), at(y, xx+1, c))
						term(2.0/3, at(y, xx, c), at(y+1, xx, c))
					}
					term(diagonal, at(y, xx, c), at(y-1, xx-1, c))
					term(diagonal, at(y, xx-1, c), at(y-1, xx, c))
				}
			}
		}
		for i := range gradient {
			gradient[i] *= coef
		}
		sloped := b.NewArray(s)
		b.TV(sloped, upload(b, s, x), nil, TVStencil, coef, 4)
		sameFloats(t, "stencil's gradient", download(b, sloped), gradient)

		// On a steep slope the terms of a gradient cancel to what the noise says.
		s = Shape{5, 5, 3}
		x = whole(503, s.Len(), 7)
		for i := range x {
			x[i] += float32(3000001 * (i / 3 % s.W))
			x[i] += float32(1000003 * (i / 3 / s.W))
		}
		dx := b.NewArray(s)
		b.TV(dx, upload(b, s, x), nil, TVStencil, coef, 4)
		loss := func(x []float64) float64 { return coef * refTV(x, nil, s, TVStencil) }
		want := slopes(loss, wide(x), 1<<20) // exact for a quadratic
		for i, v := range download(b, dx) {
			if e := math.Abs(float64(v) - want[i]); e > 1e-6*math.Abs(want[i])+1e-3 {
				t.Errorf("gradient %d is %g, want %g", i, v, want[i])
			}
		}
		// A pixel far from its neighbours left and right, and from its corners, by as
		// much: what is left is the small step below.
		const far, step = 1 << 20, 0x1p-9
		s = Shape{3, 3, 3}
		for i := range s.Len() {
			x[i] = float32(far * (i/3%3 - 1))
			if i/3 == 7 {
				x[i] = step
			}
		}
		dx = b.NewArray(s)
		b.TV(dx, upload(b, s, x[:s.Len()]), nil, TVStencil, coef, 4)
		want = slopes(loss, wide(x[:s.Len()]), 1<<20)
		for c, v := range download(b, dx)[4*3 : 5*3] {
			if math.Abs(float64(v)-want[4*3+c]) > 1e-3*step {
				t.Errorf("gradient in the middle is %g, want %g", v, want[4*3+c])
			}
		}
	})
}

func TestDoubleSelfSim(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const n, c, coef = 37, 300, float32(0.3)
		f, place := ragged(540, n*c), make([]byte, 4*n)
		for i := range n {
			binary.LittleEndian.PutUint32(place[4*i:], uint32(i))
		}
		places := b.alloc(4 * n)
		b.upload(places, place)
		length, unit := make([]float64, n), make([]float64, n*c)
		for i := range n {
			for _, v := range f[i*c:][:c] {
				length[i] += float64(v) * float64(v)
			}
			length[i] = math.Sqrt(length[i])
			for k, v := range f[i*c:][:c] {
				unit[i*c+k] = float64(v / float32(length[i]))
			}
		}
		rows := Shape{1, n, c}
		u, l := b.NewArray(rows), b.NewArray(Vector(n))
		b.launchSelfsimGather(cuda.Dim3{X: n}, upload(b, rows, f).at, places, u.at, l.at, c)
		sameFloats(t, "length", download(b, l), length)
		sameFloats(t, "unit", download(b, u), unit)

		// The first value of each thread is so large that a float32 loses the others.
		const many = 1024
		steep, far := ragged(544, n*many), make([]float64, n)
		for i := range steep {
			if i%many < 256 {
				steep[i] += 4096
			}
			far[i/many] += float64(steep[i]) * float64(steep[i])
		}
		for i := range far {
			far[i] = math.Sqrt(far[i])
		}
		b.launchSelfsimGather(cuda.Dim3{X: n}, upload(b, Shape{1, n, many}, steep).at, places, b.NewArray(Shape{1, n, many}).at, l.at, many)
		sameFloats(t, "length of many", download(b, l), far)
		l = upload(b, Vector(n), narrow(length))

		distances, target := ragged(541, n*n), ragged(542, n*n)
		loss, slope, shares := make([]float64, n), make([]float64, n*n), make([]float64, n*n)
		for i := range n {
			total, mean := 0.0, 0.0
			for j := range n {
				at := i*n + j
				distances[at] = float32(math.Abs(float64(distances[at])))
				total += float64(distances[at])
			}
			for j := range n {
				at := i*n + j
				share := float32(float64(distances[at]) / total)
				target[at] = share + float32(0.001*float64(target[at]))
				shares[at] = float64(share)
				d := float64(share - target[at])
				loss[i] += math.Abs(d)
				mean += math.Copysign(float64(share), d)
			}
			loss[i] *= float64(coef)
			for j := range n {
				at := i*n + j
				e := math.Copysign(1, float64(float32(shares[at])-target[at]))
				slope[at] = float64(coef) * (e - mean) / total
			}
		}
		p, part := upload(b, Matrix(n), distances), b.alloc(8*n)
		b.launchSelfsimShares(cuda.Dim3{X: n}, p.at, 0, 0, n, 0, 0)
		sameFloats(t, "shares", download(b, p), shares)
		p = upload(b, Matrix(n), distances)
		b.launchSelfsimShares(cuda.Dim3{X: n}, p.at, upload(b, Matrix(n), target).at, part, n, coef, 1)
		for i, v := range doubles(b, part, n) {
			sameDouble(t, "loss", v, loss[i])
		}
		sameFloats(t, "slope", download(b, p), slope)

		along, want := ragged(543, n*c), make([]float64, n*c)
		for i := range n { // nearly along the features, so that little is left of it
			dot := 0.0
			for k := i * c; k < (i+1)*c; k++ {
				along[k] = 1000*float32(unit[k]) + along[k]/256
				dot += float64(along[k]) * unit[k]
			}
			for k := i * c; k < (i+1)*c; k++ {
				want[k] = (float64(along[k]) - dot*unit[k]) / float64(float32(length[i]))
			}
		}
		dx := b.NewArray(rows)
		b.launchSelfsimScatter(cuda.Dim3{X: n}, dx.at, upload(b, rows, along).at, u.at, l.at, places, c)
		for i, v := range download(b, dx) { // its terms cancel: float64 itself is off by a last place
			if math.Abs(float64(v)-want[i]) > 1e-7*math.Abs(want[i])+1e-12 {
				t.Errorf("gradient %d is %g, want %g", i, v, want[i])
			}
		}
	})
}

func TestDoubleCosine(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 21, 76}
		const coef = float32(0.3)
		x, target := ragged(558, s.Len()), ragged(559, s.Len())
		loss, want := 0.0, make([]float64, s.Len())
		for p := 0; p < len(x); p += s.C {
			var xx, tt, xt float64
			for i := p; i < p+s.C; i++ {
				target[i] = x[i] + target[i]/64 // close, so that 1 - cos is small
				u, v := float64(x[i]), float64(target[i])
				xx, tt, xt = xx+u*u, tt+v*v, xt+u*v
			}
			root := math.Sqrt(xx) * math.Sqrt(tt)
			loss += float64(coef) * (1 - xt/root)
			a, c := float32(float64(coef)*(xt/root)/xx), float32(-float64(coef)/root)
			for i := p; i < p+s.C; i++ {
				want[i] = float64(a)*float64(x[i]) + float64(c*target[i])
			}
		}
		dx := b.NewArray(s)
		b.CosineLoss(dx, upload(b, s, x), upload(b, s, target), float64(coef), 4)
		// Numbers near 1, so that rounding in float64 is about 1e-16.
		if got := lossOf(b, 4); math.Abs(got-loss) > 1e-14*float64(s.Pixels()) {
			t.Errorf("loss is %.17g, want %.17g", got, loss)
		}
		sameFloats(t, "gradient", download(b, dx), want)
	})
}
