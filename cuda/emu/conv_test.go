package emu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/testutil"
	"github.com/impasto/impasto/kernels"
)

func floats32(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// convolution is one call of the shipped kernel conv3x3_fwd; see kernels/conv.cu.
type convolution struct {
	h, w, cin, cout int
	x, weights      []float32 // (H, W, Cin), (3, 3, Cin, Cout)
	bias            []float32
}

func newConvolution(h, w, cin, cout int) *convolution {
	rng := rand.New(rand.NewPCG(7, uint64(h*w)))
	c := &convolution{h: h, w: w, cin: cin, cout: cout}
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	c.x, c.weights, c.bias = random(h*w*cin), random(9*cin*cout), random(cout)
	return c
}

// packed is the kernel's order of weights: (blocks of 64 output channels, chunks
// of 4 input channels, 9 taps, 4, 64).
func (c *convolution) packed() []float32 {
	blocks, chunks := (c.cout+63)/64, c.cin/4
	p := make([]float32, blocks*chunks*9*4*64)
	for tap := range 9 {
		for ci := range c.cin {
			for k := range c.cout {
				p[(((k/64*chunks+ci/4)*9+tap)*4+ci%4)*64+k%64] = c.weights[(tap*c.cin+ci)*c.cout+k]
			}
		}
	}
	return p
}

// prepare loads the kernel and returns its launch and the address of the
// activation (H, W, Cout).
func (c *convolution) prepare(t testing.TB, d *Device) (launch func() error, y cuda.Ptr) {
	src, err := kernels.PTX("conv", 75)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	k, err := m.Kernel("conv3x3_fwd")
	if err != nil {
		t.Fatal(err)
	}
	y = alloc(t, d, 4*c.h*c.w*c.cout)
	x, w, b := upload(t, d, floats32(c.x)), upload(t, d, floats32(c.packed())), upload(t, d, floats32(c.bias))
	tilesX, tilesY := (c.w+15)/16, (c.h+7)/8
	args := new(cuda.Args).Ptr(x).Ptr(w).Ptr(b).Ptr(y).Ptr(0).Ptr(0).Ptr(0).
		Int(int32(c.h)).Int(int32(c.w)).Int(int32(c.cin)).Int(int32(c.cout)).Int(int32(tilesX)).Int(0).Int(0).Int(0).Int(0).Float(0)
	return func() error {
		return d.Launch(k, cuda.Dim3{X: tilesX * tilesY, Y: (c.cout + 63) / 64}, cuda.Dim3{}, 0, args)
	}, y
}

// launch runs the kernel and returns the activation.
func (c *convolution) launch(t testing.TB, d *Device) []float32 {
	launch, y := c.prepare(t, d)
	if err := launch(); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, c.h*c.w*c.cout)
	raw := make([]byte, 4*len(out))
	if err := d.Download(raw, y); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// TestShippedConvolution runs the committed convolution at an odd size against
// float64, under every schedule and to the same bits.
func TestShippedConvolution(t *testing.T) {
	c := newConvolution(9, 19, 8, 68)
	want := make([]float64, c.h*c.w*c.cout)
	for y := range c.h {
		for x := range c.w {
			for k := range c.cout {
				sum := float64(c.bias[k])
				for tap := range 9 {
					iy, ix := y+tap/3-1, x+tap%3-1
					if iy < 0 || iy >= c.h || ix < 0 || ix >= c.w {
						continue
					}
					for ci := range c.cin {
						sum += float64(c.x[(iy*c.w+ix)*c.cin+ci]) * float64(c.weights[(tap*c.cin+ci)*c.cout+k])
					}
				}
				want[(y*c.w+x)*c.cout+k] = max(sum, 0)
			}
		}
	}
	const tolerance = 72 * 0x1p-23 // 72 products of magnitude about 1, in float32
	var first []float32
	for _, o := range schedules {
		got := c.launch(t, open(t, o))
		testutil.Close(t, "conv3x3_fwd, schedule "+o.Schedule.String(), got, want, tolerance, tolerance)
		if first == nil {
			first = got
		}
		for i := range got {
			if got[i] != first[i] {
				t.Fatalf("schedule %v: value %d is %v, was %v", o.Schedule, i, got[i], first[i])
			}
		}
	}
}

// BenchmarkConvolution is the speed of the device on the kernel that takes most
// of a network's time, in lane operations a second of processor time.
func BenchmarkConvolution(b *testing.B) {
	c := newConvolution(16, 32, 64, 64)
	d := Open(Options{Serial: true})
	launch, _ := c.prepare(b, d)
	b.ResetTimer()
	start := cpuSeconds()
	for range b.N {
		if err := launch(); err != nil {
			b.Fatal(err)
		}
	}
	lanes := int64(0)
	for _, k := range d.Counters() {
		lanes += k.Total().Lanes
	}
	b.ReportMetric(float64(lanes)/(cpuSeconds()-start)/1e9, "Glane/s")
}
