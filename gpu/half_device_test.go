package gpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
)

// Half precision at the sizes that networks have: channels in several chunks and
// blocks, pictures of several tiles, and what only half precision does.

// onHalf runs f on software devices that compute in half precision, under each
// order of warps and blocks.
func onHalf(t *testing.T, f func(t *testing.T, b *Device)) {
	onHalfParts(t, func(t *testing.T, b *Device, _ int) { f(t, b) })
}

// onHalfParts tells f beside which of the three the device is, for tests of many
// cases: each device runs a third.
func onHalfParts(t *testing.T, f func(t *testing.T, b *Device, part int)) {
	testutil.NeedDevices(t)
	for part, order := range []emu.Schedule{emu.Forward, emu.Reverse, emu.Random} {
		t.Run("emu-"+order.String(), func(t *testing.T) {
			b := newHalf(emu.Options{Schedule: order, Seed: 3})
			f(t, b, part)
			if err := b.Err(); err != nil {
				t.Error(err)
			}
			b.Close()
		})
	}
}

// wideConvs are pictures, inputs and outputs. A block computes 64 outputs or 128,
// of inputs 32 at a time.
var wideConvs = []struct {
	size Shape
	c, k int
}{
	{Shape{9, 33, 0}, 40, 128}, {Shape{17, 18, 0}, 72, 136}, {Shape{8, 16, 0}, 8, 256}, {Shape{3, 5, 0}, 512, 64}, {Shape{25, 35, 0}, 24, 192}, {Shape{20, 17, 0}, 136, 128},
	{Shape{8*65 + 1, 2, 0}, 8, 8}, {Shape{2, 3, 0}, 8, 520}, // more than 64 rows of tiles, more than 512 outputs
}

func TestHalfConvWide(t *testing.T) {
	onHalfParts(t, func(t *testing.T, b *Device, part int) {
		for i, v := range wideConvs {
			if i%3 != part {
				continue
			}
			s, full := withChannels(v.size, v.c), withChannels(v.size, v.k)
			weight, bias := random(uint64(i), v.k*v.c*9, 1/math.Sqrt(float64(9*v.c))), random(9, v.k, 0.3)
			pool := []Pool{{Kind: MaxPool}, {Kind: MaxPool, Ceil: true, Scale: 2}, {Kind: AvgPool, Ceil: true}, {Kind: AvgPool}}[i%4]
			f := b.NewFilter(weight, bias, v.c, v.k)
			x := random(50, s.Len(), 1)
			what := fmt.Sprintf("%v to %d", s, v.k)
			out := ConvOut{Act: b.NewArray(full), Pooled: b.NewArray(pool.Out(full)), Mask: b.NewMask(full, pool), Pool: pool}
			b.Conv(out, upload(b, s, x), f, ZeroPad)
			act := download(b, out.Act)
			near(t, b, what, act, refReLU(refConv(x, s, weight, bias, v.k, ZeroPad)), 0, 0)
			near(t, b, what+" pooled", download(b, out.Pooled), refPool(wide(act), full, pool), 0, 0)

			dy, dp := random(51, full.Len(), 1), random(52, pool.Out(full).Len(), 1)
			gate := random(53, s.Len(), 1)
			lower := b.NewMask(s, Pool{})
			b.upload(lower.device.signs, packedSigns(gate))
			gated := func(want []float64) []float64 {
				for j := range want {
					if gate[j] <= 0 {
						want[j] = 0
					}
				}
				return want
			}
			dx := b.NewArray(s)
			b.ConvGrad(dx, upload(b, full, dy), f, ConvGradOptions{Gate: lower})
			near(t, b, what+" gradient", download(b, dx), gated(refConvGrad(wide(dy), s, weight, v.k, ZeroPad)), 0, 0)
			spread := refPoolGrad(wide(dp), wide(act), full, pool)
			for j := range spread {
				if act[j] <= 0 {
					spread[j] = 0
				}
			}
			b.ConvGrad(dx, upload(b, pool.Out(full), dp), f, ConvGradOptions{Unpool: out.Mask, Gate: lower})
			near(t, b, what+" gradient of the pooled", download(b, dx), gated(refConvGrad(spread, s, weight, v.k, ZeroPad)), 0, 0)
			b.FreeFilters(f)
			if t.Failed() {
				return
			}
		}
	})
}

// packedSigns packs signs as masks hold them: a byte for four channels.
func packedSigns(v []float32) []byte {
	out := make([]byte, len(v)/4)
	for i, e := range v {
		if e > 0 {
			out[i/4] |= 1 << (i % 4)
		}
	}
	return out
}

// TestHalfGramWide has tiles beside the diagonal, ranges of pixels that are no
// multiple of a slice, and sums longer than what tensor cores add up alone.
func TestHalfGramWide(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for _, s := range []Shape{{5, 7, 200}, {37, 61, 72}, {1, 33 * 1100, 8}, {2, 3, 512}} {
			f := relu(random(54, s.Len(), 1))
			feat, g := upload(b, s, f), b.NewArray(Matrix(s.C))
			b.Gram(g, feat, 1/float64(s.Pixels()))
			testutil.Close(t, fmt.Sprintf("%v", s), download(b, g), refGram(wide(f), s.C, 1/float64(s.Pixels())), 1e-5, 1e-4)
		}
		s := Shape{11, 13, 136}
		f, d, shift := random(55, s.Len(), 1), narrow(refGram(wide(random(56, 9*s.C, 1)), s.C, 1e-9)), random(57, s.C, 1e-8)
		want := make([]float64, s.Len())
		for p := 0; p < s.Len(); p += s.C {
			for i := range s.C {
				want[p+i] = float64(shift[i])
				for j := range s.C {
					want[p+i] += float64(d[i*s.C+j]) * float64(f[p+j])
				}
			}
		}
		// Gradients as small as these are stored with a scale.
		b.setScale(1 << 20)
		dx := b.NewArray(s)
		b.StyleGrad(dx, upload(b, s, f), upload(b, Matrix(s.C), d), upload(b, Vector(s.C), shift))
		got := wide(download(b, dx))
		for i := range got {
			got[i] /= 1 << 20
		}
		near(t, b, "gradient", got, want, 0, 0)
	})
}

// TestHalfMatchWide matches strips and segments of more than one block, and
// channels of several chunks. Inputs are exact in binary16, so only the order of
// sums differs from float64.
func TestHalfMatchWide(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for _, c := range []struct{ x, f Shape }{{Shape{4, 70, 40}, Shape{3, 131, 40}}, {Shape{matchRows + 7, 5, 72}, Shape{6, 9, 72}}, {Shape{5, 6, 259}, Shape{7, 6, 259}}, {Shape{3, 197, 8}, Shape{4, 70, 8}}, {Shape{4, 128, 8}, Shape{3, 110, 8}}} {
			for _, size := range []int{1, 3} {
				x, f := random(58, c.x.Len(), 1), random(59, c.f.Len(), 1)
				if c.x.W >= 128 { // sums of a part of a patch are higher than its own
					for i := range x {
						x[i] = float32(math.Abs(float64(x[i])))
					}
					for i := range f {
						f[i] = -float32(math.Abs(float64(f[i])))
					}
				}
				o := BankOptions{Size: size, Stride: 1}
				bank := b.NewBank(upload(b, c.f, f), o)
				m := b.NewMatches(bank.MatchGrid(c.x, 1))
				b.Match(m, upload(b, c.x, x), bank, MatchOptions{})
				checkMatches(t, fmt.Sprintf("%v in %v, size %d", c.x, c.f, size), b, m, refMatch(x, f, c.x, c.f, o, 1, nil), false)
			}
		}
	})
}

// TestHalfConvFirst takes the gradient of an image from gradients of features that are
// exact in binary16. So the sums must be as exact as in float32, though the weights are
// split. K is not always a multiple of the slices of 64.
func TestHalfConvFirst(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for i, k := range []int{8, 64, 72, 136} {
			for _, pad := range []Pad{ZeroPad, ReplicatePad} {
				image := Shape{9 + i, 18 - i, 3}
				weight, bias := testFilter(3, k)
				for n := range weight {
					weight[n] /= 3 // needs more bits than binary16 has
				}
				dy := random(70, image.Pixels()*k, 1)
				for n := range dy {
					dy[n] = float32(math.Round(float64(dy[n])*64) / 64)
				}
				dx := b.NewArray(image)
				b.ConvGrad(dx, upload(b, withChannels(image, k), dy), b.NewFilter(weight, bias, 3, k), ConvGradOptions{Pad: pad})
				if e := testutil.RelL2(download(b, dx), refConvGrad(wide(dy), image, weight, k, pad)); !(e < 3e-5) {
					t.Errorf("%v from %d, pad %d: relative error %.2g", image, k, pad, e)
				}
			}
		}
	})
}

// TestGradientScale drives gradients far below and far above what binary16 holds
// through a recorded program: the scale finds them before the first run counts.
func TestGradientScale(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		s, image := Shape{9, 7, 16}, Shape{9, 7, 3}
		weight, bias := testFilter(3, 16)
		f := b.NewFilter(weight, bias, 3, 16)
		feat, target := random(60, s.Len(), 1), random(61, s.Len(), 1)
		x, y, dx, dimage := upload(b, s, feat), upload(b, s, target), b.NewArray(s), b.NewArray(image)
		for _, coef := range []float64{1e-12, 1, 1e9} {
			dy := make([]float64, s.Len())
			for i := range dy {
				dy[i] = 2 * coef * (float64(feat[i]) - float64(target[i]))
			}
			p := b.Record(func() {
				b.Fill(dx, 0)
				b.ContentLoss(dx, x, y, coef, 0)
				b.ConvGrad(dimage, dx, f, ConvGradOptions{})
			})
			p.Run()
			near(t, b, fmt.Sprintf("coefficient %g", coef), download(b, dimage), refConvGrad(dy, image, weight, 16, ZeroPad), 0, 0)
			p.Close()
		}
	})
}

// scaleOf is the scale of gradients, its inverse and the largest noted.
func scaleOf(b *Device) (scale, inverse, largest float32) {
	v := make([]byte, 12)
	b.Sync()
	b.download(v, b.gradient)
	at := func(i int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(v[i:])) }
	return at(0), at(4), at(8)
}

// TestHalfScaleThresholds: a largest from 2^4 up to but without 2^13 keeps the
// scale, any other is brought to 2^10 .. 2^11, within 2^-60 .. 2^60.
func TestHalfScaleThresholds(t *testing.T) {
	below := func(v float32) float32 { return math.Nextafter32(v, 0) }
	onHalf(t, func(t *testing.T, b *Device) {
		for _, c := range []struct{ scale, largest, want float32 }{
			{1, 0, 1}, {0x1p9, 0, 0x1p9}, {1, 0x1p-149, 1},
			{1, 0x1p4, 1}, {1, below(0x1p4), 0x1p7}, {0x1p-5, 0x1p3, 0x1p2},
			{1, below(0x1p13), 1}, {1, 0x1p12, 1}, {1, 0x1p13, 0x1p-3}, {0x1p5, 0x1p14, 2},
			{0x1p50, 0x1p-20, 0x1p60}, {0x1p-50, 0x1p30, 0x1p-60}, {1, float32(math.Inf(1)), 0x1p-60},
		} {
			b.upload(b.gradient, floatBytes([]float32{c.scale, 1 / c.scale, c.largest}))
			b.launchGradientScale(cuda.Dim3{X: 1}, b.gradient)
			if scale, inverse, largest := scaleOf(b); scale != c.want || inverse != 1/c.want || largest != 0 {
				t.Errorf("scale %g, largest %g: scale %g, its inverse %g, largest %g; want scale %g", c.scale, c.largest, scale, inverse, largest, c.want)
			}
		}
	})
}

// TestHalfToSingle: features as float32 are all of them, in units, and
// nothing after them is touched.
func TestHalfToSingle(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		const n = 2*1024 + 8
		v := random(62, n, 1)
		got := make([]float32, n+300)
		dst, src := b.uploaded(make([]float32, n+300)), b.alloc(2*n)
		b.upload(src, halfBytes(v, 1))
		b.launchToSingle(blocksFor(n, 1024), dst, src, halfUnit, n)
		out := make([]byte, 4*len(got))
		b.Sync()
		b.download(out, dst)
		for i := range got {
			want := float32(0)
			if i < n {
				want = halfUnit * v[i]
			}
			if got := math.Float32frombits(binary.LittleEndian.Uint32(out[4*i:])); got != want {
				t.Fatalf("value %d of %d is %g, want %g", i, n, got, want)
			}
		}
		b.free(dst, src)
	})
}

// notes checks that the largest magnitude noted is that of dx.
func notes(t *testing.T, b *Device, what string, dx *Array) {
	t.Helper()
	most := 0.0
	for _, v := range download(b, dx) {
		most = max(most, math.Abs(float64(v))/halfUnit)
	}
	if _, _, got := scaleOf(b); !(math.Abs(float64(got)-most) <= 1e-3*most) || most == 0 {
		t.Errorf("%s: the largest noted is %g, want %g", what, got, most)
	}
	b.setScale(halfUnit * halfUnit)
}

// TestHalfConvNotes: the scale must know of gradients that only a convolution
// makes large, in 64 channels a block and in 128, plain and pooled.
func TestHalfConvNotes(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for _, size := range []Shape{{3, 5, 64}, {9, 33, 128}} {
			k := 8
			weight, bias := random(63, k*size.C*9, 100), random(64, k, 1)
			f := b.NewFilter(weight, bias, size.C, k)
			full, pool := withChannels(size, k), Pool{Kind: MaxPool}
			out := ConvOut{Act: b.NewArray(full), Pooled: b.NewArray(pool.Out(full)), Mask: b.NewMask(full, pool), Pool: pool}
			b.Conv(out, upload(b, size, random(65, size.Len(), 1)), f, ZeroPad)
			dx := b.NewArray(size)
			b.setScale(halfUnit * halfUnit)
			b.ConvGrad(dx, upload(b, full, random(66, full.Len(), 1)), f, ConvGradOptions{})
			notes(t, b, fmt.Sprintf("%v", size), dx)
			b.ConvGrad(dx, upload(b, pool.Out(full), random(67, pool.Out(full).Len(), 1)), f, ConvGradOptions{Unpool: out.Mask})
			notes(t, b, fmt.Sprintf("%v, pooled", size), dx)
			b.FreeFilters(f)
		}
	})
}

// TestHalfStyleGradNotes: the same of the gradient of a style loss.
func TestHalfStyleGradNotes(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		s := Shape{11, 13, 72}
		d := narrow(refGram(wide(random(68, 9*s.C, 1)), s.C, 1))
		dx := b.NewArray(s)
		b.setScale(halfUnit * halfUnit)
		b.StyleGrad(dx, upload(b, s, random(69, s.Len(), 1)), upload(b, Matrix(s.C), d), nil)
		notes(t, b, "style", dx)
	})
}

// TestHalfKeepsLarge: what no binary16 holds is kept at the largest, NaN stays.
func TestHalfKeepsLarge(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		s := Shape{1, 2, 8}
		v := []float32{2e6, -2e6, 16 * 65504, 16 * 65519, 16 * 65520, 1e-7, 9e-7, -9e-7, 0.333251953125, 1, 2, 3, 4, 5, 6, float32(nan())}
		const most, least = 16 * 65504, 16.0 / (1 << 24)
		want := []float64{most, -most, most, most, most, 0, least, -least, 0.333251953125, 1, 2, 3, 4, 5, 6}
		a, sum := upload(b, s, v), b.NewArray(s)
		b.Axpy(sum, 1, a)
		for _, got := range [][]float32{download(b, a), download(b, sum)} {
			testutil.Close(t, "stored", got[:15], want, 0, 0)
			if got[15] == got[15] {
				t.Errorf("NaN is stored as %g", got[15])
			}
		}
		b.Axpy(sum, 2, a)
		if v := download(b, sum); v[0] != most || v[1] != -most {
			t.Errorf("sums of the largest are %g and %g", v[0], v[1])
		}
	})
}

// TestHalfMemory: features take two bytes an element, all else four.
func TestHalfMemory(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for s, want := range map[Shape]int64{{16, 32, 64}: 2 * 16 * 32 * 64, {16, 32, 3}: 4 * 16 * 32 * 3, Matrix(64): 4 * 64 * 64, Vector(64): 4 * 64} {
			if got := b.Bytes(s); got != want {
				t.Errorf("%v takes %d bytes, want %d", s, got, want)
			}
		}
	})
}

func TestHalfNeedsTensorCores(t *testing.T) {
	b := NewDevice(emu.Open(emu.Options{Capability: 75}), DeviceOptions{Precision: Half})
	defer b.Close()
	if err := b.Err(); err == nil {
		t.Error("half precision on a device of capability 7.5 was accepted")
	}
}
