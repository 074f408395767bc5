package gpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// Kernels add and scale in float64 in sums over many terms and in differences of nearly
// equal numbers. The tests of this file check that, with operands that need all 24 bits.
// A sum or a product in float32 is wrong by 1e-8 of the result. A value that a kernel
// stores as float32 must be the float64 result rounded once.

// onADevice runs f as a sub-test on one device in single precision.
func onADevice(t *testing.T, f func(t *testing.T, b *Device)) {
	onDevices(t, func(t *testing.T, b *Device) {
		if !b.half && b.Name() != "emu-forward" && b.Name() != "emu-random" {
			f(t, b)
		}
	})
}

// ragged returns n values around 0 that need all 24 bits of a float32.
func ragged(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 29))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// whole returns n whole numbers of 0 to most.
func whole(seed uint64, n, most int) []float32 {
	r := rand.New(rand.NewPCG(seed, 31))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.IntN(most + 1))
	}
	return v
}

// sameDouble checks that got is want, but for the order of a float64 sum.
func sameDouble(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*math.Abs(want)) {
		t.Errorf("%s is %.17g, want %.17g", what, got, want)
	}
}

// sameFloats checks that each value of got is that of want rounded once.
func sameFloats(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	wrong := 0
	for i, v := range got {
		if v != float32(want[i]) {
			if wrong == 0 {
				t.Errorf("%s: value %d is %.9g, want %.9g", what, i, v, want[i])
			}
			wrong++
		}
	}
	if wrong > 1 {
		t.Errorf("%s: %d of %d values are not rounded once", what, wrong, len(got))
	}
}

// doubles reads n float64 of device memory.
func doubles(b *Device, p cuda.Ptr, n int) []float64 {
	raw, v := make([]byte, 8*n), make([]float64, n)
	b.download(raw, p)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return v
}

// newDoubles copies v to new device memory.
func newDoubles(b *Device, v ...float64) cuda.Ptr {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
	}
	p := b.alloc(int64(len(raw)))
	b.upload(p, raw)
	return p
}

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

func TestDoubleGram(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		// Sums of 66 products of whole numbers are exact, those of all 2100 pixels
		// are more than a float32 holds.
		s := Shape{1, 2100, 16}
		f, norm := whole(504, s.Len(), 500), float32(1)/7
		g := b.NewArray(Matrix(s.C))
		b.Gram(g, upload(b, s, f), float64(norm))
		sameFloats(t, "Gram matrix", download(b, g), refGram(wide(f), s.C, float64(norm)))

		const c, c1, c2 = 44, 0.375, 0.8125
		values, first, second := ragged(505, c*c), ragged(506, c*c), ragged(507, c*c)
		want := 0.0
		for i, v := range values {
			d1, d2 := float64(v-first[i]), float64(v-second[i])
			want += c1*d1*d1 + c2*d2*d2
		}
		b.GramLoss(nil, upload(b, Matrix(c), values), []GramTarget{{upload(b, Matrix(c), first), c1}, {upload(b, Matrix(c), second), c2}}, 1, 4)
		sameDouble(t, "loss", lossOf(b, 4), want)
	})
}

func TestDoubleMean(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 2101, 132}
		f, want := whole(508, s.Len(), 1<<24), make([]float64, s.C)
		for i, v := range f {
			want[i%s.C] += float64(v)
		}
		for c := range want {
			want[c] /= float64(s.Pixels())
		}
		m := b.NewArray(Vector(s.C))
		b.Mean(m, upload(b, s, f))
		sameFloats(t, "mean", download(b, m), want)
		// What the first kernel passes to the second.
		splits, pixels := splitPixels(s.Pixels())
		part := b.alloc(8 * int64(splits*s.C))
		b.launchMeanPartial(cuda.Dim3{X: splits, Y: chunks(s.C, 128)}, upload(b, s, f).at, part, s.Pixels(), s.C, pixels)
		sum := 0.0
		for p := range pixels {
			sum += float64(f[p*s.C])
		}
		sameDouble(t, "sum of a range", doubles(b, part, 1)[0], sum)
	})
}

func TestDoubleW2(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const c, pixels, coef, norm = 36, 7, 0.375, 2.2500000001
		at := func(s Shape, v []float32) cuda.Ptr { return upload(b, s, v).at }
		mean, mean2 := ragged(510, c), ragged(511, c)
		cov, cov2, root, inverse := ragged(512, c*c), ragged(513, c*c), ragged(514, c*c), ragged(515, c*c)
		m, m2, n := at(Vector(c), mean), at(Vector(c), mean2), newDoubles(b, norm)

		const eps = float32(0.3)
		wantCov := make([]float64, c*c)
		for i := range wantCov {
			wantCov[i] = float64(cov[i]) - float64(mean[i/c])*float64(mean[i%c])
			if i/c == i%c {
				wantCov[i] += float64(eps)
			}
		}
		got := b.NewArray(Matrix(c))
		b.covariance(got, upload(b, Vector(c), mean), upload(b, Matrix(c), cov), float64(eps))
		sameFloats(t, "covariance", download(b, got), wantCov)

		squares := 0.0
		for _, v := range cov {
			squares += float64(v) * float64(v)
		}
		length, y, z := b.alloc(8), b.NewArray(Matrix(c)), b.NewArray(Matrix(c))
		b.launchNewtonSchulzStart(cuda.Dim3{X: 1}, length, y.at, z.at, at(Matrix(c), cov), c)
		sameDouble(t, "norm", doubles(b, length, 1)[0], math.Sqrt(squares))
		unit := wide(cov)
		for i := range unit {
			unit[i] /= math.Sqrt(squares)
		}
		sameFloats(t, "start", download(b, y), unit)

		r := rand.New(rand.NewPCG(516, 1))
		for range 40 { // of which some have a root that a float32 norm changes
			v := 1 + 3*r.Float64()
			one := upload(b, Vector(1), []float32{1})
			b.launchScaleRoot(cuda.Dim3{X: 1}, one.at, newDoubles(b, v), 1)
			sameFloats(t, "scaled root", download(b, one), []float64{math.Sqrt(v)})
		}

		loss := 0.0
		wantD, wantShift := make([]float64, c*c), make([]float64, c)
		for i := range c {
			e := float64(mean[i]) - float64(mean2[i])
			loss += coef / c * (e*e + float64(cov[i*c+i]) + float64(cov2[i*c+i]) - 2*math.Sqrt(norm)*float64(root[i*c+i]))
			shift := 2 * coef / c * e
			for j := range c {
				g := -(float64(inverse[i*c+j]) + float64(inverse[j*c+i])) / 2 / math.Sqrt(norm)
				if i == j {
					g++
				}
				wantD[i*c+j] = 2 * coef / c * g / pixels
				shift -= 2 * coef / c * g * float64(mean[j])
			}
			wantShift[i] = shift / pixels
		}
		b.launchW2Loss(cuda.Dim3{X: 1}, b.slot(4), m, m2, at(Matrix(c), cov), at(Matrix(c), cov2), at(Matrix(c), root), n, c, coef)
		sameDouble(t, "loss", lossOf(b, 4), loss)
		d, shift := b.NewArray(Matrix(c)), b.NewArray(Vector(c))
		b.launchW2Grad(cuda.Dim3{X: c}, d.at, shift.at, at(Matrix(c), inverse), n, m, m2, c, pixels, coef)
		sameFloats(t, "gradient", download(b, d), wantD)
		sameFloats(t, "shift", download(b, shift), wantShift)
	})
}

func TestDoubleCovarianceLoss(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const c, pixels = 36, 7
		const meanShare, covShare = float32(0.3), float32(0.7)
		at := func(s Shape, v []float32) cuda.Ptr { return upload(b, s, v).at }
		mean, mean2, weight := ragged(520, c), ragged(521, c), ragged(522, c)
		second, cov2 := ragged(523, c*c), ragged(524, c*c)
		loss, wantD, wantShift := make([]float64, c), make([]float64, c*c), make([]float64, c)
		for i := range c {
			wi, e := float64(weight[i]), float64(mean[i])-float64(mean2[i])
			loss[i] = float64(meanShare) * wi * e * e
			slope := float64(meanShare) * wi * e
			for j := range c {
				e := float64(second[i*c+j]) - float64(mean[i])*float64(mean[j]) - float64(cov2[i*c+j])
				g := wi * float64(weight[j]) * e
				loss[i] += float64(covShare) * g * e
				wantD[i*c+j] = 2.0 / pixels * 2 * float64(covShare) * g
				slope -= 2 * float64(covShare) * g * float64(mean[j])
			}
			wantShift[i] = 2.0 / pixels * slope
		}
		d, shift, part := b.NewArray(Matrix(c)), b.NewArray(Vector(c)), b.alloc(8*c)
		b.launchCovarianceLoss(cuda.Dim3{X: c}, d.at, shift.at, part, at(Vector(c), mean), at(Matrix(c), second),
			at(Vector(c), mean2), at(Matrix(c), cov2), at(Vector(c), weight), c, pixels, meanShare, covShare)
		for i, v := range doubles(b, part, c) {
			if math.Abs(v-loss[i]) > 1e-13*c*c {
				t.Errorf("loss of row %d is %.17g, want %.17g", i, v, loss[i])
			}
		}
		sameFloats(t, "gradient", download(b, d), wantD)
		sameFloats(t, "shift", download(b, shift), wantShift)
	})
}

func TestDoubleMomentsLoss(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const c, pixels = 36, 7
		const floor, gram, means, deviations = float32(0.01), float32(0.3), float32(0.7), float32(1.1)
		at := func(s Shape, v []float32) cuda.Ptr { return upload(b, s, v).at }
		mean, mean2, deviation2 := ragged(530, c), ragged(531, c), ragged(532, c)
		second, second2 := ragged(533, c*c), ragged(534, c*c)
		for i := range c { // a variance that is a difference of nearly equal numbers
			second[i*c+i] = mean[i]*mean[i] + 0.001*float32(i)
		}
		loss, wantD, wantShift := make([]float64, c), make([]float64, c*c), make([]float64, c)
		for i := range c {
			mu := float64(mean[i])
			e, variance := mu-float64(mean2[i]), float64(second[i*c+i])-mu*mu
			sigma := math.Sqrt(math.Max(variance, 0) + float64(floor))
			r := sigma - float64(deviation2[i])
			for j := range c {
				e := float64(second[i*c+j]) - float64(second2[i*c+j])
				loss[i] += float64(gram) * e * e
				d := 4 * float64(gram) * e
				if i == j {
					d += 2 * float64(deviations) * r / sigma
				}
				wantD[i*c+j] = 1.0 / pixels * d
			}
			loss[i] += float64(means)*e*e + float64(deviations)*r*r
			wantShift[i] = 1.0 / pixels * 2 * (float64(means)*e - float64(deviations)*mu*r/sigma)
		}
		d, shift, part := b.NewArray(Matrix(c)), b.NewArray(Vector(c)), b.alloc(8*c)
		b.launchMomentsLoss(cuda.Dim3{X: c}, d.at, shift.at, part, at(Vector(c), mean), at(Matrix(c), second),
			at(Vector(c), mean2), at(Matrix(c), second2), at(Vector(c), deviation2), c, pixels, floor, gram, means, deviations)
		for i, v := range doubles(b, part, c) {
			sameDouble(t, "loss", v, loss[i])
		}
		sameFloats(t, "gradient", download(b, d), wantD)
		sameFloats(t, "shift", download(b, shift), wantShift)
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

func TestDoubleJoin(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 40, 72}
		const scale = float32(0.3)
		f, want := ragged(550, s.Len()), make([]float64, s.Len())
		for p := 0; p < len(f); p += s.C {
			squares := 0.0
			for _, v := range f[p:][:s.C] {
				squares += float64(v) * float64(v)
			}
			k := float32(float64(scale) / math.Sqrt(squares))
			for i, v := range f[p:][:s.C] {
				want[p+i] = float64(k * v)
			}
		}
		dst := b.NewArray(s)
		b.Join(dst, upload(b, s, f), nil, float64(scale), true)
		sameFloats(t, "features", download(b, dst), want)
	})
}

func TestDoubleMatch(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{8, 9, 44}
		for _, size := range []float32{1, 1e-7, 0} { // squares as small as the 1e-12 added to them, and none
			f, grid := ragged(551, s.Len()), Shape{6, 7, 1}
			for i := range f {
				f[i] *= size
			}
			score, index := ragged(552, grid.Len()), make([]int32, grid.Len())
			cosines, norms := make([]float64, grid.Len()), make([]float64, s.Pixels())
			for p := range cosines {
				squares, corner := 0.0, p/grid.W*s.W+p%grid.W
				for y := range 3 {
					for _, v := range f[(corner+y*s.W)*s.C:][:3*s.C] {
						squares += float64(v) * float64(v)
					}
				}
				if squares > 0 {
					cosines[p] = float64(score[p]) / math.Sqrt(squares)
				}
				norms[corner] = 1 / math.Sqrt(squares+1e-12)
			}
			inv := b.NewArray(withChannels(s, 1))
			b.launchPatchNorm(blocksFor(s.Pixels(), 4), inv.at, upload(b, s, f).at, s.H, s.W, s.C, 3)
			sameFloats(t, "norms", download(b, inv), norms)
			m := b.NewMatches(grid)
			b.UploadMatches(m, index, score)
			b.Cosines(m, upload(b, s, f), 3, 1)
			b.DownloadMatches(index, score, m)
			sameFloats(t, "cosines", score, cosines)
		}
	})
}

func TestDoublePatch(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{3, 3, 260}
		const coef = 0.375
		f, painting, want := ragged(553, s.Len()), ragged(554, s.Len()), 0.0
		for i, v := range f {
			want += coef * sq(float64(v-painting[i]))
		}
		m := b.NewMatches(Shape{1, 1, 1})
		b.UploadMatches(m, []int32{0}, []float32{1})
		b.PatchLoss(nil, upload(b, s, f), m, []PatchSource{{F: upload(b, s, painting), Stride: 1}}, PatchOptions{}, coef, 4)
		sameDouble(t, "loss", lossOf(b, 4), want)
	})
}

func TestDoublePool(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{30, 60, 3}
		x := whole(555, s.Len(), 1<<24)
		for _, kind := range []PoolKind{AvgPool, L2Pool} {
			p := Pool{Kind: kind, Size: 10}
			y, want := b.NewArray(p.Out(s)), make([]float64, p.Out(s).Len())
			for i, v := range x {
				c, px, py := i%3, i/3%s.W, i/3/s.W
				at := (py/10*6+px/10)*3 + c
				if kind == AvgPool {
					want[at] += float64(v)
				} else {
					want[at] += float64(v) * float64(v)
				}
			}
			for i := range want {
				if kind == L2Pool {
					want[i] = math.Sqrt(want[i])
				} else {
					want[i] /= 100
				}
				want[i] = float64(float32(p.scale()) * float32(want[i]))
			}
			b.Pool(y, upload(b, s, x), p)
			sameFloats(t, "pooled", download(b, y), want)
		}
	})
}

func TestDoubleVectors(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 3*chunkLen + 5, 1}
		x, y, dot, abs := ragged(556, s.Len()), ragged(557, s.Len()), 0.0, 0.0
		for i := range x {
			y[i] = float32(math.Copysign(float64(y[i]), float64(x[i]))) // no cancellation
			dot += float64(x[i]) * float64(y[i])
			abs += math.Abs(float64(x[i]))
		}
		sameDouble(t, "dot", b.Dot(upload(b, s, x), upload(b, s, y)), dot)
		part := b.alloc(8)
		b.launchAbsSumPartial(cuda.Dim3{X: 1}, upload(b, s, x).at, part, 1000)
		first := 0.0
		for _, v := range x[:1000] {
			first += math.Abs(float64(v))
		}
		sameDouble(t, "sum of magnitudes", doubles(b, part, 1)[0], first)
		b.AddLoss(4, 1+0x1p-40)
		b.AddLoss(5, 0x1p-41)
		b.MoveLoss(4, 5)
		if v := b.Loss(4); v != 1+0x1p-40+0x1p-41 {
			t.Errorf("moved loss is %.17g", v)
		}

		// Divided by the norm, also by norms as small as the number added to them.
		for _, size := range []float64{1, 1e-12, 0x1p-126} {
			for k := range 24 {
				a, v := float32(0.1*float64(k+1)), ragged(uint64(600+k), 37)
				norm, want := 0.0, make([]float64, len(v))
				for i := range v {
					v[i] = float32(size * float64(v[i]))
					norm += math.Abs(float64(v[i]))
				}
				g := float32(float64(a) / (norm + 1e-8))
				for i := range v {
					want[i] = float64(g) * float64(v[i])
				}
				dst := b.NewArray(Vector(len(v)))
				b.AddNormalized(dst, float64(a), upload(b, dst.Shape, v))
				sameFloats(t, "normalised", download(b, dst), want)
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

func TestDoubleSliced(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		const n, m, coef, share = 300, 37, float32(0.3), float32(0.7)
		words := func(v ...uint32) cuda.Ptr {
			var raw []byte
			for _, w := range v {
				raw = binary.LittleEndian.AppendUint32(raw, w)
			}
			p := b.alloc(int64(len(raw)))
			b.upload(p, raw)
			return p
		}
		key := func(v []float32) []uint32 { // unsigned numbers in the same order
			keys := make([]uint32, len(v))
			for i, x := range v {
				if u := math.Float32bits(x); u>>31 == 1 {
					keys[i] = ^u
				} else {
					keys[i] = u | 1<<31
				}
			}
			return keys
		}
		values, quantiles, painting := ragged(560, n), ragged(561, n), ragged(562, m)
		order, loss, slope := make([]uint32, n), 0.0, make([]float64, n)
		for i := range n {
			order[i] = uint32(n - 1 - i)
			e := float64(values[i]) - float64(quantiles[i])
			loss += e * e
			slope[n-1-i] = 2 * float64(coef) * e
		}
		got, part := b.NewArray(Vector(n)), b.alloc(8)
		b.launchSlicedLoss(cuda.Dim3{X: 1}, got.at, part, words(key(values)...), words(order...), upload(b, Vector(n), quantiles).at, n, coef)
		sameDouble(t, "loss", doubles(b, part, 1)[0], float64(coef)*loss)
		sameFloats(t, "slope", download(b, got), slope)

		slices.Sort(painting)
		want := make([]float64, n)
		for i := range n {
			at := min(max((float64(i)+0.5)*m/n-0.5, 0), m-1)
			low := int(at)
			x, y := float64(painting[low]), float64(painting[min(low+1, m-1)])
			want[i] = float64(share * float32(x+(at-float64(low))*(y-x)))
		}
		b.Fill(got, 0)
		b.launchSlicedQuantiles(cuda.Dim3{X: 1, Y: 1}, got.at, words(key(painting)...), words(n), words(m), words(math.Float32bits(share)), n, m)
		sameFloats(t, "quantiles", download(b, got), want)
	})
}
