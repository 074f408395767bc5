package gpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/impasto/impasto/cuda"
)

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
		const c, rank, pixels, coef, norm = 36, 35, 7, 0.375, 2.2500000001
		at := func(s Shape, v []float32) cuda.Ptr { return upload(b, s, v).at }
		mean, mean2 := ragged(510, c), ragged(511, c)
		cov, variance2, root, inverse := ragged(512, c*c), ragged(513, c), ragged(514, rank*rank), ragged(515, c*c)
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
			loss += coef / c * (e*e + float64(cov[i*c+i]) + float64(variance2[i]))
			if i < rank {
				loss -= coef / c * 2 * math.Sqrt(norm) * float64(root[i*rank+i])
			}
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
		b.launchW2Loss(cuda.Dim3{X: 1}, b.slot(4), m, m2, at(Matrix(c), cov), at(Vector(c), variance2), at(Matrix(rank), root), n, c, rank, coef)
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
