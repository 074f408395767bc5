package vgg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// smallNetwork has three blocks of narrow layers and random weights.
func smallNetwork() *Network { return randomNetwork(5, 8, 9) }

// randomNetwork has two, three and two layers of these widths.
func randomNetwork(widths ...int) *Network {
	r := rand.New(rand.NewPCG(3, 4))
	n := &Network{Name: "small", Pool: PoolAvg}
	for _, s := range topology([]int{2, 3, 2}, widths) {
		l := Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out,
			Weight: make([]float32, s.in*s.out*9), Bias: make([]float32, s.out)}
		for i := range l.Weight {
			l.Weight[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(9*s.in)))
		}
		for i := range l.Bias {
			l.Bias[i] = float32(0.2 * r.NormFloat64())
		}
		n.Layers = append(n.Layers, l)
	}
	return n
}

// volume is an array (h, w, c) in float64.
type volume struct {
	h, w, c int
	v       []float64
}

func (a volume) at(y, x, c int) float64 { return a.v[(y*a.w+x)*a.c+c] }

// refForward computes every layer's features in float64, by the definitions.
func refForward(n *Network, img volume, o PassOptions) map[string]volume {
	out := map[string]volume{}
	in := img
	for i, l := range n.Layers {
		act := volume{in.h, in.w, l.Out, make([]float64, in.h*in.w*l.Out)}
		for y := range in.h {
			for x := range in.w {
				for k := range l.Out {
					s := float64(l.Bias[k])
					for t := range 9 {
						yy, xx := y+t/3-1, x+t%3-1
						if i == 0 && o.Pad == gpu.ReplicatePad {
							yy, xx = min(max(yy, 0), in.h-1), min(max(xx, 0), in.w-1)
						}
						if yy < 0 || xx < 0 || yy >= in.h || xx >= in.w {
							continue
						}
						for c := range l.In {
							s += in.at(yy, xx, c) * float64(l.Weight[(k*l.In+c)*9+t])
						}
					}
					act.v[(y*in.w+x)*l.Out+k] = math.Max(s, 0)
				}
			}
		}
		out[l.Tap()] = act
		in = act
		if i+1 < len(n.Layers) && n.Layers[i+1].Block != l.Block {
			in = refPooled(act, o)
		}
	}
	return out
}

func refPooled(a volume, o PassOptions) volume {
	h, w := max(1, a.h/2), max(1, a.w/2)
	if o.Ceil {
		h, w = (a.h+1)/2, (a.w+1)/2
	}
	scale := o.PoolScale
	if scale == 0 {
		scale = 1
	}
	p := volume{h, w, a.c, make([]float64, h*w*a.c)}
	for y := range h {
		for x := range w {
			for c := range a.c {
				top, sum, squares, n := math.Inf(-1), 0.0, 0.0, 0.0
				for yy := 2 * y; yy < min(2*y+2, a.h); yy++ {
					for xx := 2 * x; xx < min(2*x+2, a.w); xx++ {
						v := a.at(yy, xx, c)
						top, sum, squares, n = math.Max(top, v), sum+v, squares+v*v, n+1
					}
				}
				v := top
				switch o.Pool {
				case PoolAvg:
					v = sum / n
				case PoolL2:
					v = math.Sqrt(squares)
				}
				p.v[(y*w+x)*a.c+c] = v * scale
			}
		}
	}
	return p
}

// TestPassGradient takes a random linear functional of the taps as the loss and
// holds features and image gradient (at most forty-one of its elements) against
// float64 and its differences.
func TestPassGradient(t *testing.T) {
	n := smallNetwork()
	tapSets := [][]string{
		{"1_1"}, {"relu1_2"}, {"3_2"}, {"conv1_1", "1_2", "2_1", "2_3", "3_1"}, {"2_2"}, {"1_1", "3_2"}, {"3_1", "2_3"},
	}
	options := []PassOptions{
		{Pool: PoolMax}, {Pool: PoolAvg, Ceil: true, PoolScale: 2}, {Pool: PoolL2, Ceil: true, PoolScale: 0.78},
		{Pool: PoolMax, Ceil: true, Pad: gpu.ReplicatePad}, {Pool: PoolL2}, {Pool: PoolAvg},
	}
	b := gpu.NewCPU(gpu.CPUOptions{})
	for _, size := range [][2]int{{9, 7}, {4, 4}, {1, 1}, {2, 5}} {
		for _, o := range options {
			for _, taps := range tapSets {
				o.Taps, o.Grad = taps, true
				what := fmt.Sprintf("%dx%d %s ceil %v pad %d %s", size[0], size[1], o.Pool, o.Ceil, o.Pad, strings.Join(taps, ","))
				r := rand.New(rand.NewPCG(5, 6))
				img := volume{size[0], size[1], 3, make([]float64, size[0]*size[1]*3)}
				x32 := make([]float32, len(img.v))
				for i := range x32 {
					x32[i] = float32(r.NormFloat64())
					img.v[i] = float64(x32[i])
				}
				want := refForward(n, img, o)
				pass, err := n.NewPass(b, img.h, img.w, o)
				if err != nil {
					t.Fatal(err)
				}
				functional := map[string][]float32{}
				for _, tap := range pass.Taps() {
					v := make([]float32, pass.Shape(tap).Len())
					for i := range v {
						v[i] = float32(r.NormFloat64())
					}
					functional[tap] = v
				}
				loss := func(x []float64) float64 {
					acts := refForward(n, volume{img.h, img.w, 3, x}, o)
					s := 0.0
					for tap, v := range functional {
						for i, c := range v {
							s += float64(c) * acts[tap].v[i]
						}
					}
					return s
				}
				x, dx := b.NewArray(gpu.Shape{H: img.h, W: img.w, C: 3}), b.NewArray(gpu.Shape{H: img.h, W: img.w, C: 3})
				b.Upload(x, x32)
				b.Fill(dx, 7)
				pass.Forward(x, nil)
				var seen []string
				pass.Backward(dx, func(tap string, act *gpu.Array, grad *Gradient) {
					seen = append(seen, tap)
					got := make([]float32, act.Shape.Len())
					b.Download(got, act)
					testutil.Close(t, what+" "+tap, got, want[tap].v, 1e-5, 1e-4)
					g := b.NewArray(act.Shape)
					b.Upload(g, functional[tap])
					b.Axpy(grad.Array(), 1, g)
				})
				slices.Reverse(seen)
				if !slices.Equal(seen, pass.Taps()) {
					t.Fatalf("%s: saw %v of %v", what, seen, pass.Taps())
				}
				got := make([]float32, len(x32))
				b.Download(got, dx)
				for i := 0; i < len(img.v); i += 1 + len(img.v)/40 {
					keep := img.v[i]
					const h = 1e-6
					img.v[i] = keep + h
					up := loss(img.v)
					img.v[i] = keep - h
					down := loss(img.v)
					img.v[i] = keep
					fd := (up - down) / (2 * h)
					if d := math.Abs(float64(got[i]) - fd); !(d <= 1e-4+1e-4*math.Abs(fd)) {
						t.Fatalf("%s: gradient %d is %g, finite differences give %g", what, i, got[i], fd)
					}
				}
			}
		}
	}
}

func TestPassWithoutGradient(t *testing.T) {
	n := smallNetwork()
	b := gpu.NewCPU(gpu.CPUOptions{})
	o := PassOptions{Taps: []string{"1_2", "2_3", "3_2"}, Pool: PoolMax}
	bare, err := n.PassBytes(b, 40, 50, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Grad = true
	full, err := n.PassBytes(b, 40, 50, o)
	if err != nil {
		t.Fatal(err)
	}
	pass, err := n.NewPass(b, 40, 50, o)
	if err != nil {
		t.Fatal(err)
	}
	if pass.Bytes() != full || bare >= full {
		t.Errorf("%d bytes without gradient, %d planned and %d taken with", bare, full, pass.Bytes())
	}
}

// TestPassAllocatesNothing once it is made.
func TestPassAllocatesNothing(t *testing.T) {
	n := smallNetwork()
	b := gpu.NewCPU(gpu.CPUOptions{Threads: 2})
	pass, err := n.NewPass(b, 21, 17, PassOptions{Taps: []string{"1_1", "2_2", "3_1"}, Grad: true})
	if err != nil {
		t.Fatal(err)
	}
	x, dx := b.NewArray(gpu.Shape{H: 21, W: 17, C: 3}), b.NewArray(gpu.Shape{H: 21, W: 17, C: 3})
	visit := func(tap string, act *gpu.Array, grad *Gradient) { b.Axpy(grad.Array(), 1, act) }
	once := func() {
		pass.Forward(x, nil)
		pass.Backward(dx, visit)
	}
	once()
	if allocs := testing.AllocsPerRun(5, once); allocs != 0 {
		t.Errorf("%g allocations per pass", allocs)
	}
}

func TestPassErrors(t *testing.T) {
	n := smallNetwork()
	b := gpu.NewCPU(gpu.CPUOptions{Threads: 1})
	for _, c := range []struct {
		h, w int
		o    PassOptions
		want string
	}{
		{0, 5, PassOptions{Taps: []string{"1_1"}}, "5 x 0"},
		{5, 5, PassOptions{}, "no layer"},
		{5, 5, PassOptions{Taps: []string{"4_1"}}, `"4_1"`},
		{5, 5, PassOptions{Taps: []string{"1_1"}, Pool: "median"}, `"median"`},
	} {
		if _, err := n.NewPass(b, c.h, c.w, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

// TestPack places random lives and looks for two that share time and memory.
func TestPack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var spans []*span
		for range 1 + r.IntN(30) {
			from := r.IntN(20)
			spans = append(spans, &span{from: from, to: from + r.IntN(6), bytes: 64 * int64(1+r.IntN(50))})
		}
		size := pack(spans)
		var load [32]int64 // what any plan needs at each step
		for i, a := range spans {
			for step := a.from; step <= a.to; step++ {
				load[step] += a.bytes
			}
			if a.at < 0 || a.at%64 != 0 || a.at+a.bytes > size {
				t.Fatalf("a span of %d bytes at %d in an arena of %d", a.bytes, a.at, size)
			}
			for _, b := range spans[:i] {
				if a.from <= b.to && b.from <= a.to && a.at < b.at+b.bytes && b.at < a.at+a.bytes {
					t.Fatalf("%+v and %+v overlap", *a, *b)
				}
			}
		}
		if least := slices.Max(load[:]); size > least*3/2 {
			t.Errorf("%d bytes where %d are alive at once", size, least)
		}
	}
}
