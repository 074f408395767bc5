package gpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
)

// The gradient of a style loss as part of a convolution's.

// refStyleGrad is d f(p) + shift for f (n, c); shift may be nil.
func refStyleGrad(f, d, shift []float64, c int) []float64 {
	out := make([]float64, len(f))
	for p := 0; p < len(f); p += c {
		for i := range c {
			if shift != nil {
				out[p+i] = shift[i]
			}
			for j := range c {
				out[p+i] += d[i*c+j] * f[p+j]
			}
		}
	}
	return out
}

// styleCase is a convolution of features (h, w, c) with k outputs, on its way back.
type styleCase struct {
	size  Shape
	c, k  int
	pool  Pool // of the outputs; NoPool: none
	add   bool // dx holds a gradient
	gate  bool
	shift bool    // the style term has one
	over  bool    // dx holds the features
	scale float64 // of the matrix
}

// symmetric is a random symmetric matrix (c, c) whose rows differ in size.
func symmetric(seed uint64, c int, scale float64) []float32 {
	d := random(seed, c*c, scale)
	for i := range c {
		for j := range i {
			d[i*c+j] *= float32(math.Exp2(float64((i+j)%7 - 3)))
			d[j*c+i] = d[i*c+j]
		}
	}
	return d
}

// check holds ConvGrad to the float64 reference under the masks that b computed.
// What is stored, and returned, is s times the gradient.
func (v styleCase) check(t *testing.T, b Backend, what string, s float64) (dx []float32) {
	t.Helper()
	lower, full := withChannels(v.size, v.c), withChannels(v.size, v.k)
	weight, bias := random(70, v.k*v.c*9, 1/math.Sqrt(float64(9*v.k))), random(71, v.k, 0.3)
	filter := b.NewFilter(weight, bias, v.c, v.k)
	defer b.FreeFilters(filter)
	f := relu(random(72, lower.Len(), 1))
	features := upload(b, lower, f)
	o := ConvGradOptions{Add: v.add}
	dy := random(73, full.Len(), 1)
	want := wide(dy)
	if v.pool.Kind != NoPool {
		o.Unpool = b.NewMask(full, v.pool)
		act := b.NewArray(full)
		b.Conv(ConvOut{Act: act, Mask: o.Unpool, Pool: v.pool}, features, filter, ZeroPad)
		a := download(b, act)
		dy = random(73, v.pool.Out(full).Len(), 1)
		want = refPoolGrad(wide(dy), largestOf(b, act, features, weight, bias), full, v.pool)
		for i := range want {
			if a[i] <= 0 {
				want[i] = 0
			}
		}
	}
	want = refConvGrad(want, lower, weight, v.k, ZeroPad)
	d := symmetric(74, v.c, v.scale)
	o.Style = StyleTerm{F: features, D: upload(b, Matrix(v.c), d)}
	var shift []float64
	if v.shift {
		values := random(75, v.c, 3*v.scale)
		shift, o.Style.Shift = wide(values), upload(b, Vector(v.c), values)
	}
	before := random(76, lower.Len(), 1)
	gates := random(77, lower.Len(), 1)
	for i, g := range refStyleGrad(wide(f), wide(d), shift, v.c) {
		want[i] += s * g
		if v.add {
			want[i] += float64(before[i])
		}
	}
	if v.gate {
		o.Gate = b.NewMask(lower, Pool{})
		setSigns(b, o.Gate, gates)
		for i := range want {
			if gates[i] <= 0 {
				want[i] = 0
			}
		}
	}
	to := upload(b, lower, before)
	if v.over {
		to, o.Style.F = features, features
	} else if !v.add {
		b.Fill(to, float32(math.NaN())) // nothing of what lies there counts
	}
	from := full
	if o.Unpool != nil {
		from = v.pool.Out(full)
	}
	b.ConvGrad(to, upload(b, from, dy), filter, o)
	dx = download(b, to)
	near(t, b, what, dx, want, 2e-4, 1e-4)
	return dx
}

// setSigns gives a mask the signs of values.
func setSigns(b Backend, m *Mask, v []float32) {
	if d, ok := b.(*Device); ok {
		d.upload(m.device.signs, packedSigns(v))
		return
	}
	c := m.Shape.C
	identity := make([]float32, c*c*9)
	for i := range c {
		identity[(i*c+i)*9+4] = 1
	}
	b.Conv(ConvOut{Mask: m}, upload(b, m.Shape, v), b.NewFilter(identity, make([]float32, c), c, c), ZeroPad)
}

func TestConvGradStyle(t *testing.T) {
	pools := []Pool{{}, {Kind: MaxPool}, {Kind: AvgPool, Ceil: true, Scale: 2}}
	onEach(t, func(t *testing.T, b Backend) {
		for i, size := range sizes(b) {
			for _, n := range share(b, 2*len(pools)) {
				v := styleCase{size: size, c: 16, k: 24, pool: pools[n%3], add: n < 3, gate: (n+i)%2 == 0, shift: (n+i)%3 > 0, scale: 0.2}
				if n%2 == 1 {
					v.c, v.k = 40, 8
				}
				v.check(t, b, fmt.Sprintf("%+v", v), 1)
				if t.Failed() {
					return
				}
			}
		}
	})
}

// wideStyles are of every size that a network has: channels in one block of 64
// or 128 and in several, chunks of 32 that are even and odd in number, one short.
var wideStyles = []styleCase{
	{size: Shape{9, 33, 0}, c: 128, k: 40, scale: 0.1, shift: true},
	{size: Shape{17, 18, 0}, c: 136, k: 72, scale: 0.1, pool: Pool{Kind: MaxPool}, add: true, gate: true},
	{size: Shape{3, 5, 0}, c: 512, k: 64, scale: 0.05, shift: true, gate: true},
	{size: Shape{25, 35, 0}, c: 192, k: 24, scale: 0.1, pool: Pool{Kind: AvgPool, Ceil: true}, shift: true},
	{size: Shape{20, 17, 0}, c: 64, k: 136, scale: 0.1, add: true},
	{size: Shape{8, 17, 0}, c: 512, k: 8, scale: 0.05, pool: Pool{Kind: MaxPool, Ceil: true, Scale: 2}, shift: true},
	{size: Shape{16, 32, 0}, c: 104, k: 32, scale: 0.1, shift: true, gate: true},
	{size: Shape{1, 1, 0}, c: 8, k: 8, scale: 1, shift: true},
	{size: Shape{11, 34, 0}, c: 256, k: 16, scale: 0.1, pool: Pool{Kind: MaxPool}, gate: true},
	{size: Shape{9, 34, 0}, c: 128, k: 72, scale: 0.1, add: true, shift: true},
	{size: Shape{10, 33, 0}, c: 112, k: 40, scale: 0.1, pool: Pool{Kind: MaxPool}, shift: true},
	{size: Shape{7, 18, 0}, c: 72, k: 16, scale: 0.1, gate: true},
}

// TestHalfConvStyleWide takes turns between two stages of weights and three, where
// gradients are stored with a scale.
func TestHalfConvStyleWide(t *testing.T) {
	onHalfParts(t, func(t *testing.T, b *Device, part int) {
		for i, v := range wideStyles {
			if i%3 != part {
				continue
			}
			const s = 1 << 10
			b.stages = 2 + i%2
			b.setScale(s)
			v.scale /= s
			v.check(t, b, fmt.Sprintf("%d stages, %+v", b.stages, v), s)
		}
	})
}

// TestHalfConvStyleNotes: the scale of gradients knows of a style loss's, which the
// convolution adds, and the next scale is chosen for it.
func TestHalfConvStyleNotes(t *testing.T) {
	onHalf(t, func(t *testing.T, b *Device) {
		for _, size := range []Shape{{3, 5, 64}, {17, 33, 128}} {
			const k = 8
			filter := b.NewFilter(random(78, k*size.C*9, 0.1), make([]float32, k), size.C, k)
			dx := b.NewArray(size)
			b.setScale(halfUnit * halfUnit)
			b.scaled = false
			b.ConvGrad(dx, b.NewArray(withChannels(size, k)), filter, ConvGradOptions{
				Style: StyleTerm{F: upload(b, size, relu(random(79, size.Len(), 1))), D: upload(b, Matrix(size.C), symmetric(80, size.C, 10))}})
			if !b.scaled {
				t.Error("gradients of a style loss began unnoticed")
			}
			notes(t, b, fmt.Sprintf("%v", size), dx)
			b.FreeFilters(filter)
		}
	})
}

// TestHalfTwoStages holds the convolutions of two stages to those of three, which
// other tests hold to float64: the same products in the same order.
func TestHalfTwoStages(t *testing.T) {
	onHalfParts(t, func(t *testing.T, b *Device, part int) {
		for i, v := range wideConvs[:3] {
			if i != part {
				continue
			}
			s, full, pool := withChannels(v.size, v.c), withChannels(v.size, v.k), Pool{Kind: MaxPool}
			f := b.NewFilter(random(81, v.k*v.c*9, 1/math.Sqrt(float64(9*v.c))), random(82, v.k, 0.3), v.c, v.k)
			x, dy, dp := upload(b, s, random(83, s.Len(), 1)), upload(b, full, random(84, full.Len(), 1)), upload(b, pool.Out(full), random(85, pool.Out(full).Len(), 1))
			var all [2][]float64
			for n, stages := range []int{3, 2} {
				b.stages = stages
				act, pooled, mask, dx := b.NewArray(full), b.NewArray(pool.Out(full)), b.NewMask(full, pool), b.NewArray(s)
				b.Conv(ConvOut{Act: act, Pooled: pooled, Mask: mask, Pool: pool}, x, f, ZeroPad)
				all[n] = append(wide(download(b, act)), wide(download(b, pooled))...)
				b.ConvGrad(dx, dy, f, ConvGradOptions{})
				all[n] = append(all[n], wide(download(b, dx))...)
				b.ConvGrad(dx, dp, f, ConvGradOptions{Unpool: mask, Add: true})
				all[n] = append(all[n], wide(download(b, dx))...)
			}
			testutil.Close(t, fmt.Sprintf("%v to %d", s, v.k), all[1], all[0], 0, 0)
			b.FreeFilters(f)
		}
	})
}

// TestDeviceStages: what the options ask for is what runs.
func TestDeviceStages(t *testing.T) {
	testutil.NeedDevices(t)
	for asked, want := range map[int]int{0: convStages, 2: 2, 3: 3} {
		b := NewDevice(testutil.Driver(emu.Open(emu.Options{Capability: 80})), DeviceOptions{Precision: Half, Stages: asked})
		if b.stages != want {
			t.Errorf("%d stages for %d, want %d", b.stages, asked, want)
		}
		b.Close()
	}
}
