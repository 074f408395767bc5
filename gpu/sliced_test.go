package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

// refPainting is a SlicedPainting in float64: rows (m, c).
type refPainting struct {
	rows   []float64
	ends   []int32
	weight float64
}

// refSliced is the sliced Wasserstein distance by its formula in float64, and its
// gradient by the features x (n, c).
func refSliced(x []float64, ends []int32, u []float64, c int, paintings []refPainting) (loss float64, dx []float64) {
	n, count := len(x)/c, len(u)/c
	dx = make([]float64, len(x))
	along := func(rows []float64, p, d int) (v float64) {
		for ch := range c {
			v += rows[p*c+ch] * u[d*c+ch]
		}
		return v
	}
	for d := range count {
		from := 0
		for r, end := range ends {
			to := int(end)
			want, weights := make([]float64, to-from), 0.0
			for _, p := range paintings {
				first := 0
				if r > 0 {
					first = int(p.ends[r-1])
				}
				var s []float64
				for q := first; q < int(p.ends[r]); q++ {
					s = append(s, along(p.rows, q, d))
				}
				if len(s) == 0 {
					continue
				}
				weights += p.weight
				sort.Float64s(s)
				for i := range want {
					at := math.Max(0, math.Min((float64(i)+0.5)/float64(len(want))*float64(len(s))-0.5, float64(len(s)-1)))
					low := int(math.Floor(at))
					high := min(low+1, len(s)-1)
					want[i] += p.weight * (s[low]*(1-(at-float64(low))) + s[high]*(at-float64(low)))
				}
			}
			var order []int
			for p := from; p < to; p++ {
				order = append(order, p)
			}
			sort.SliceStable(order, func(i, j int) bool { return along(x, order[i], d) < along(x, order[j], d) })
			for i, p := range order {
				e := along(x, p, d) - want[i]/weights
				loss += e * e / float64(count*n)
				for ch := range c {
					dx[p*c+ch] += 2 * e * u[d*c+ch] / float64(count*n)
				}
			}
			from = to
		}
	}
	return loss, dx
}

// unitDirections returns random directions (count, c) of length 1.
func unitDirections(seed uint64, count, c int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 3))
	u := make([]float32, count*c)
	for d := range count {
		squares := 0.0
		for i := range c {
			v := rng.NormFloat64()
			u[d*c+i] = float32(v)
			squares += v * v
		}
		for i := range c {
			u[d*c+i] /= float32(math.Sqrt(squares))
		}
	}
	return u
}

var slicedCases = []struct {
	n, c, directions int
	ends             []int32
	paintings        [][]int32 // where their regions end
	weights          []float64
}{
	{1, 4, 1, []int32{1}, [][]int32{{1}}, []float64{1}},
	{1, 8, 3, []int32{1}, [][]int32{{7}}, []float64{1}},
	{5, 4, 2, []int32{5}, [][]int32{{1}}, []float64{1}},
	{37, 12, 12, []int32{37}, [][]int32{{37}}, []float64{2}},
	{300, 8, 2, []int32{300}, [][]int32{{211}}, []float64{1}},
	{61, 36, 35, []int32{61}, [][]int32{{40}, {97}}, []float64{3, 1}},
	{90, 8, 5, []int32{0, 50, 51, 90}, [][]int32{{3, 20, 60, 61}, {0, 44, 44, 50}}, []float64{1, 2}},
	{513, 4, 2, []int32{260, 513}, [][]int32{{100, 700}}, []float64{1}},
}

func TestSlicedLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range slicedCases {
			what := fmt.Sprintf("%d positions of %d channels in %v", c.n, c.c, c.ends)
			const coef = 0.7
			u := unitDirections(uint64(c.n), c.directions, c.c)
			x := random(510, c.n*c.c, 2)
			target := b.NewSlicedTarget(c.n, c.c, c.directions, c.ends)
			var paintings []SlicedPainting
			var refs []refPainting
			for i, ends := range c.paintings {
				m := int(ends[len(ends)-1])
				v := random(uint64(511+i), m*c.c, 3)
				paintings = append(paintings, SlicedPainting{upload(b, Shape{m, c.c, 1}, v), ends, c.weights[i]})
				refs = append(refs, refPainting{wide(v), ends, c.weights[i]})
			}
			if c.n == 37 {
				b.Aim(target, unitDirections(1, c.directions, c.c), paintings) // and then another way
			}
			b.Aim(target, u, paintings)
			rows := upload(b, Shape{c.n, c.c, 1}, x)
			b.SlicedLoss(rows, target, coef, 9)
			loss, dx := refSliced(wide(x), c.ends, wide(u), c.c, refs)
			for i := range dx {
				dx[i] *= coef
			}
			near(t, b, what+" loss", []float64{lossOf(b, 9)}, []float64{coef * loss}, 1e-6, 1e-5)
			near(t, b, what+" gradient", download(b, rows), dx, 1e-5, 1e-4)

			// The reference's gradient is the slope of its loss.
			direction, want := random(520, len(x), 1), 0.0
			for i, d := range direction {
				want += float64(d) * dx[i]
			}
			at := func(step float64) float64 {
				y := wide(x)
				for i, d := range direction {
					y[i] += step * float64(d)
				}
				loss, _ := refSliced(y, c.ends, wide(u), c.c, refs)
				return coef * loss
			}
			const step = 1e-6
			if got := (at(step) - at(-step)) / (2 * step); math.Abs(got-want) > 1e-4*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: a slope of %g, want %g", what, got, want)
			}
			b.FreeSlicedTargets(target, nil)
			b.Free(rows)
		}
	})
}

// A painting has no loss against itself in any order, nor against its features taken
// twice. Equal values keep their order. NaN reaches the loss.
func TestSlicedLossOfItself(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		const n, c, count = 50, 8, 6
		x := random(530, n*c, 2)
		for i := range 10 * c { // ten equal positions, and zeros of both signs
			x[i] = float32(math.Copysign(0, float64(1-2*(i/c%2))))
		}
		var turned []float32
		for p := range n {
			turned = append(turned, x[(p*7%n)*c:][:c]...)
		}
		u := unitDirections(2, count, c)
		painting := []SlicedPainting{{upload(b, Shape{n, c, 1}, turned), []int32{n}, 1}}
		target := b.NewSlicedTarget(n, c, count, []int32{n})
		b.Aim(target, u, painting)
		rows := upload(b, Shape{n, c, 1}, x)
		b.SlicedLoss(rows, target, 1, 3)
		if v := lossOf(b, 3); v != 0 {
			t.Errorf("a loss of %g", v)
		}
		for _, v := range download(b, rows) {
			if v != 0 {
				t.Fatalf("a gradient of %g", v)
			}
		}
		moved := slices.Clone(x)
		moved[17*c] = float32(math.NaN())
		b.Upload(rows, moved)
		b.SlicedLoss(rows, target, 1, 3)
		if v := lossOf(b, 3); !math.IsNaN(v) {
			t.Errorf("a loss of %g where a feature is no number", v)
		}
		// Equal positions are given the quantiles in their order.
		first := b.NewSlicedTarget(n, c, 1, []int32{n})
		b.Aim(first, append([]float32{1}, make([]float32, c-1)...), painting)
		b.Upload(rows, make([]float32, n*c))
		b.SlicedLoss(rows, first, 1, 3)
		g := download(b, rows)
		for p := 1; p < n; p++ {
			if g[p*c] > g[(p-1)*c] {
				t.Fatalf("of equal positions, %d has the slope %g and %d has %g", p-1, g[(p-1)*c], p, g[p*c])
			}
		}
	})
}

// TestSorter sorts few and many values of all kinds and compares with package slices.
func TestSorter(t *testing.T) {
	var s sorter
	for _, n := range []int{0, 1, 2, 255, 2047, 2048, 70000} {
		v := random(uint64(540+n), n, 10)
		for i := range v {
			switch i % 7 {
			case 0:
				v[i] = float32(i % 3)
			case 1:
				v[i] = float32(math.Inf(1 - 2*(i%2)))
			case 2:
				v[i] = float32(math.Copysign(0, float64(i%2)-0.5))
			case 3:
				v[i] = math.Float32frombits(uint32(i)) // subnormal
			}
		}
		want := make([]int, n)
		for i := range want {
			want[i] = i
		}
		sort.SliceStable(want, func(i, j int) bool { return v[want[i]] < v[want[j]] })
		keys, order := s.sort(v)
		for i, p := range want {
			if int(order[i]) != p || valueOf(keys[i]) != v[p] {
				t.Fatalf("of %d values, the %dth is %g from %d, want %g from %d", n, i, valueOf(keys[i]), order[i], v[p], p)
			}
		}
	}
}

func TestSlicedLossChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		target := b.NewSlicedTarget(3, 4, 2, []int32{2, 3})
		u, rows := make([]float32, 8), b.NewArray(Shape{5, 4, 1})
		for what, call := range map[string]func(){
			"no positions":               func() { b.NewSlicedTarget(0, 4, 2, nil) },
			"no directions":              func() { b.NewSlicedTarget(3, 4, 0, []int32{3}) },
			"regions of fewer positions": func() { b.NewSlicedTarget(3, 4, 2, []int32{2}) },
			"regions that go back":       func() { b.NewSlicedTarget(3, 4, 2, []int32{4, 3}) },
			"directions of others":       func() { b.Aim(target, u[:4], nil) },
			"a painting of one region":   func() { b.Aim(target, u, []SlicedPainting{{rows, []int32{5}, 1}}) },
			"a region no painting has":   func() { b.Aim(target, u, []SlicedPainting{{rows, []int32{0, 5}, 1}}) },
			"features of others":         func() { b.SlicedLoss(rows, target, 1, 0) },
			"a slot out of range":        func() { b.SlicedLoss(b.NewArray(Shape{3, 4, 1}), target, 1, Slots) },
		} {
			mustPanic(t, what, call)
		}
	})
}
