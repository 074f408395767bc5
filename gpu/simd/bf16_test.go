package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// eachBF16 runs f for every implementation that this machine can run.
func eachBF16(t *testing.T, f func(t *testing.T, k *BF16Kernels)) {
	for _, k := range AllBF16() {
		t.Run(k.Name, func(t *testing.T) { f(t, k) })
	}
}

// bf16Product is one call of BF16Kernels.Mul and its operands. NaN lies around the pixels
// that it may read, bf16Canary around the values that it may write.
type bf16Product struct {
	m, stride, crs int
	acc            bool
	a              []uint16
	first          int // where in a the first pixel lies
	offsets        []int
	b              []uint16
	c              []float32
}

const (
	bf16NaN    = 0x7fc1
	bf16Before = 64 // canaries before and after
	bf16Canary = 7
)

// newBF16Product draws operands: steps of 32 inputs among blocks, in any order.
func newBF16Product(r *rand.Rand, m, steps int, acc bool) *bf16Product {
	blocks := 1 + r.IntN(3)
	p := &bf16Product{m: m, acc: acc, stride: 32*blocks + 2*r.IntN(5), crs: 32 + r.IntN(9), first: bf16Before}
	taps := 1 + r.IntN(3) // a row of the kernel reaches into the next pixels
	p.a = make([]uint16, 2*bf16Before+(m+taps)*p.stride)
	for i := range p.a {
		p.a[i] = bf16NaN
	}
	for range steps {
		p.offsets = append(p.offsets, r.IntN(taps)*p.stride+32*r.IntN(blocks))
	}
	for _, off := range p.offsets {
		for i := range m {
			for q := range 32 {
				p.a[p.first+i*p.stride+off+q] = RoundBF16(float32(r.NormFloat64()))
			}
		}
	}
	p.b = make([]uint16, steps*BF16Step)
	for i := range p.b {
		p.b[i] = RoundBF16(float32(r.NormFloat64()))
	}
	p.c = make([]float32, 2*bf16Before+m*p.crs)
	for i := range p.c {
		p.c[i] = bf16Canary
	}
	return p
}

// run multiplies into a copy of c and returns it.
func (p *bf16Product) run(k *BF16Kernels) []float32 {
	c := append([]float32(nil), p.c...)
	k.Mul(p.m, &p.a[p.first], p.stride, &p.offsets[0], len(p.offsets), &p.b[0], &c[bf16Before], p.crs, p.acc)
	return c
}

// want is one result in float64, and the sum of the terms' sizes.
func (p *bf16Product) want(i, j int) (sum, size float64) {
	if p.acc {
		sum = float64(p.c[bf16Before+i*p.crs+j])
		size = math.Abs(sum)
	}
	for s, off := range p.offsets {
		for q := range 32 {
			x := wide64(p.a[p.first+i*p.stride+off+q]) * wide64(p.b[s*1024+(j/16*16+q/2)*32+j%16*2+q%2])
			sum += x
			size += math.Abs(x)
		}
	}
	return sum, size
}

func wide64(x uint16) float64 { return float64(math.Float32frombits(uint32(x) << 16)) }

// check compares every value of c with float64, and what lies between and around.
func (p *bf16Product) check(c []float32) error {
	for at, got := range c {
		i, j := (at-bf16Before)/p.crs, (at-bf16Before)%p.crs
		if at < bf16Before || i >= p.m || j >= 32 {
			if got != bf16Canary {
				return fmt.Errorf("c[%d] was overwritten with %g", at-bf16Before, got)
			}
			continue
		}
		want, size := p.want(i, j)
		if !near(got, want, size) {
			return fmt.Errorf("c(%d, %d) = %g, want %g", i, j, got, want)
		}
	}
	return nil
}

func TestBF16Mul(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(21, 22))
		for m := 1; m <= 70; m++ {
			for _, steps := range []int{1, 2, 3, 9, 1 + r.IntN(20)} {
				if m > 34 && steps != 3 {
					continue
				}
				p := newBF16Product(r, m, steps, r.IntN(2) == 1)
				if err := p.check(p.run(k)); err != nil {
					t.Fatalf("m=%d steps=%d stride=%d offsets=%d crs=%d acc=%v: %v",
						m, steps, p.stride, p.offsets, p.crs, p.acc, err)
				}
			}
		}
	})
}

// TestBF16MulSpecial: infinity and NaN reach the sums they are part of, and no others; numbers
// below 2^-126 change a sum by no more than their size.
func TestBF16MulSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	const tiny = 0x0001 // 2^-133
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, m := range []int{1, 5, 16, 19, 32, 33} {
			p := newBF16Product(r, m, 4, false)
			p.offsets = []int{0, 0, 0, 0}
			set := func(i, q int, x uint16) { p.a[p.first+i*p.stride+q] = x }
			for i := range m {
				for q := range 32 {
					set(i, q, RoundBF16(float32(r.Float64()+1)))
				}
			}
			for s := range p.offsets { // all inputs weigh 1; output 3 ignores input 5
				for q := range 32 {
					for j := range 32 {
						p.b[s*BF16Step+BF16Index(q, j)] = 0x3f80
					}
				}
				p.b[s*BF16Step+BF16Index(5, 3)] = 0
			}
			clean := p.run(k)
			last := m - 1
			set(last, 5, RoundBF16(inf))
			c := p.run(k)
			for at := range c {
				i, j := (at-bf16Before)/p.crs, (at-bf16Before)%p.crs
				switch {
				case at < bf16Before || i != last || j >= 32:
					if c[at] != clean[at] {
						t.Fatalf("m=%d: infinity at pixel %d changed c(%d, %d)", m, last, i, j)
					}
				case j == 3: // infinity times zero
					if c[at] == c[at] {
						t.Fatalf("m=%d: infinity times zero gave %g", m, c[at])
					}
				case c[at] != inf:
					t.Fatalf("m=%d: infinity gave c(%d, %d) = %g", m, i, j, c[at])
				}
			}
			set(last, 5, bf16NaN)
			if c = p.run(k); c[bf16Before+last*p.crs+31] == c[bf16Before+last*p.crs+31] {
				t.Fatalf("m=%d: NaN was lost", m)
			}
			set(last, 5, tiny)
			c = p.run(k)
			set(last, 5, 0)
			if zero := p.run(k); c[bf16Before+last*p.crs] != zero[bf16Before+last*p.crs] {
				t.Fatalf("m=%d: 2^-133 changed a sum of ones", m)
			}
		}
	})
}

func TestBF16MulRepeats(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		p := newBF16Product(rand.New(rand.NewPCG(25, 26)), 45, 18, true)
		first := p.run(k)
		for range 3 {
			for i, x := range p.run(k) {
				if x != first[i] {
					t.Fatalf("c[%d] = %g, before %g", i, x, first[i])
				}
			}
		}
	})
}

// TestBF16MulTogether multiplies in more goroutines than threads while memory is collected
// and goroutines move: no call sees another's tiles.
func TestBF16MulTogether(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		stop, collected := make(chan bool), make(chan bool)
		go func() {
			defer close(collected)
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		}()
		var wg sync.WaitGroup
		for g := range 4 * runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				p := newBF16Product(rand.New(rand.NewPCG(27, uint64(g))), 17+g%30, 1+g%9, g%2 == 0)
				first := p.run(k)
				if err := p.check(first); err != nil {
					t.Error(err)
				}
				for range 20 {
					runtime.Gosched()
					for i, x := range p.run(k) {
						if x != first[i] {
							t.Errorf("goroutine %d: c[%d] = %g, before %g", g, i, x, first[i])
							return
						}
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		<-collected
	})
}

// TestBF16Round compares every bfloat16 and what lies around it with rounding in float64.
func TestBF16Round(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		src := make([]float32, 0, 16<<16)
		for hi := range uint32(1 << 16) {
			for _, lo := range []uint32{0, 1, 0x2345, 0x7fff, 0x8000, 0x8001, 0xcdef, 0xffff} {
				src = append(src, math.Float32frombits(hi<<16|lo))
			}
		}
		dst := make([]uint16, len(src)+32)
		for i := range dst {
			dst[i] = bf16NaN
		}
		k.Round(&dst[16], &src[0], len(src))
		for i := range 16 {
			if dst[i] != bf16NaN || dst[len(src)+16+i] != bf16NaN {
				t.Fatal("Round wrote beyond its values")
			}
		}
		for i, x := range src {
			got := dst[16+i]
			switch {
			case x != x:
				if wide64(got) == wide64(got) || got>>15 != uint16(math.Float32bits(x)>>31) {
					t.Fatalf("NaN %#x became %#x", math.Float32bits(x), got)
				}
			case wide64(got) != nearestBF16(float64(x)) || got>>15 != uint16(math.Float32bits(x)>>31):
				t.Fatalf("%g (%#x) became %g, want %g", x, math.Float32bits(x), wide64(got), nearestBF16(float64(x)))
			}
		}
	})
}

// nearestBF16 rounds by scaling to an integer of 8 bits.
func nearestBF16(x float64) float64 {
	if math.Abs(x) < 0x1p-126 {
		return 0
	}
	if math.IsInf(x, 0) {
		return x
	}
	fraction, exponent := math.Frexp(x)
	x = math.Ldexp(math.RoundToEven(fraction*256), exponent-8)
	if math.Abs(x) >= 0x1p128 {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return x
}

func TestBF16Widen(t *testing.T) {
	eachBF16(t, func(t *testing.T, k *BF16Kernels) {
		src := make([]uint16, 1<<16)
		for i := range src {
			src[i] = uint16(i)
		}
		dst := make([]float32, len(src)+32)
		k.Widen(&dst[16], &src[0], len(src))
		for i := range 16 {
			if dst[i] != 0 || dst[len(src)+16+i] != 0 {
				t.Fatal("Widen wrote beyond its values")
			}
		}
		for i, x := range src {
			if got := math.Float32bits(dst[16+i]); got != uint32(x)<<16 {
				t.Fatalf("%#x became %#x", x, got)
			}
		}
	})
}

// BenchmarkBF16Mul multiplies a row of pixels after ReLU by a panel of filters, on each
// implementation and in float32. It reports the median and the best of its calls: AMX has
// a fast state and a slow one, which last seconds. The values are random, because zeros
// are multiplied faster.
func BenchmarkBF16Mul(b *testing.B) {
	const m = 64
	report := func(b *testing.B, steps int, f func()) {
		var took []time.Duration
		for b.Loop() {
			start := time.Now()
			f()
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		rate := func(d time.Duration) float64 { return 2 * float64(m*32*32*steps) / d.Seconds() / 1e9 }
		b.ReportMetric(rate(took[len(took)/2]), "GFLOP/s")
		b.ReportMetric(rate(took[0]), "best-GFLOP/s")
	}
	r := rand.New(rand.NewPCG(29, 30))
	for _, channels := range []int{64, 256, 512} {
		offsets := make([]int, 0, channels/32*9)
		for tap := range 9 {
			for block := range channels / 32 {
				offsets = append(offsets, (tap/3*(m+2)+tap%3)*channels+32*block)
			}
		}
		steps := len(offsets)
		a, panel, c := newBF16s(r, 3*(m+2)*channels), newBF16s(r, steps*BF16Step), Floats(m*32)
		for i, x := range a {
			a[i] = x &^ uint16(int16(x)>>15) // negative values become zero
		}
		for _, k := range AllBF16() {
			b.Run(k.Name+"/"+strconv.Itoa(channels), func(b *testing.B) {
				report(b, steps, func() { k.Mul(m, &a[0], channels, &offsets[0], steps, &panel[0], &c[0], 32, false) })
			})
		}
		k := All()[len(All())-1]
		x, y := Floats(m*32*steps), Floats(32*steps*k.NR)
		for i := range x {
			x[i] = widen(a[i%len(a)])
		}
		for i := range y {
			y[i] = widen(panel[i%len(panel)])
		}
		b.Run("float32-"+k.Name+"/"+strconv.Itoa(channels), func(b *testing.B) {
			report(b, steps, func() {
				for p := 0; p < 32; p += k.NR {
					k.Gemm(m, 32*steps, &x[0], 32*steps, 1, &y[0], &c[p], 32, false, nil, 0)
				}
			})
		})
	}
}

// TestBF16WithoutTiles: AMX names a reason exactly where the tile instructions are not offered.
func TestBF16WithoutTiles(t *testing.T) {
	all := AllBF16()
	offered := all[len(all)-1].Name == "amx"
	if err := AMX(); offered != (err == nil) {
		t.Errorf("the last of %d is %s, AMX says %v", len(all), all[len(all)-1].Name, err)
	}
}

// TestBestBF16: one variable chooses both sets of kernels, and a set that the named one
// does not include is the plainest (bfloat16) or the fastest (float32).
func TestBestBF16(t *testing.T) {
	for _, k := range All() {
		t.Setenv("IMPASTO_SIMD", k.Name)
		if got, err := BestBF16(); got != genericBF16 || err != nil {
			t.Errorf("%s: bfloat16 by %s, %v", k.Name, got.Name, err)
		}
	}
	for _, k := range AllBF16()[1:] {
		t.Setenv("IMPASTO_SIMD", k.Name)
		if got, err := BestBF16(); got.Name != k.Name || err != nil {
			t.Errorf("%s: bfloat16 by %s, %v", k.Name, got.Name, err)
		}
		if got, err := Best(); got.Name != All()[len(All())-1].Name || err != nil {
			t.Errorf("%s: float32 by %s, %v", k.Name, got.Name, err)
		}
	}
	t.Setenv("IMPASTO_SIMD", "abacus")
	if got, err := BestBF16(); got != genericBF16 || err == nil {
		t.Errorf("abacus: %s, %v", got.Name, err)
	}
}
