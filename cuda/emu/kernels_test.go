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

// shipped loads a module of kernels and returns a function that launches one.
func shipped(t *testing.T, d *Device, name string) func(kernel string, grid cuda.Dim3, args *cuda.Args) {
	t.Helper()
	src, err := kernels.PTX(name, 75)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return func(kernel string, grid cuda.Dim3, args *cuda.Args) {
		t.Helper()
		k, err := m.Kernel(kernel)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Launch(k, grid, cuda.Dim3{}, 0, args); err != nil {
			t.Fatal(err)
		}
	}
}

func randoms(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

func downloadFloats(t *testing.T, d *Device, p cuda.Ptr, n int) []float32 {
	t.Helper()
	raw := make([]byte, 4*n)
	if err := d.Download(raw, p); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// TestShippedGram runs gram_partial and gram_finish: g (C, C) = norm * f^T f.
func TestShippedGram(t *testing.T) {
	const n, c, splits, perSplit, norm = 77, 68, 3, 32, 0.125
	f := randoms(1, n*c)
	want := make([]float64, c*c)
	for i := range c {
		for j := range c {
			for p := range n {
				want[i*c+j] += norm * float64(f[p*c+i]) * float64(f[p*c+j])
			}
		}
	}
	const pairs = 3 // tiles of 64x64 on and above the diagonal
	for _, o := range schedules {
		d := open(t, o)
		launch := shipped(t, d, "gram")
		x, partial, g := upload(t, d, floats32(f)), alloc(t, d, 4*splits*pairs*64*64), alloc(t, d, 4*c*c)
		launch("gram_partial", cuda.Dim3{X: splits, Y: pairs}, new(cuda.Args).Ptr(x).Ptr(partial).Int(n).Int(c).Int(perSplit))
		launch("gram_finish", cuda.Dim3{X: 16, Y: pairs}, new(cuda.Args).Ptr(partial).Ptr(g).Int(splits).Int(c).Float(norm))
		const tolerance = n * norm * 0x1p-23
		testutil.Close(t, "gram, schedule "+o.Schedule.String(), downloadFloats(t, d, g, c*c), want, 4*tolerance, 0x1p-20)
	}
}

// TestShippedMatch runs ncc_match3: for each patch of the canvas the style patch
// with the largest inner product times inv, both named by their upper left corner.
func TestShippedMatch(t *testing.T) {
	const h, w, hs, ws, c = 5, 7, 6, 66, 8
	canvas, style := randoms(2, h*w*c), randoms(3, hs*ws*c)
	inv := make([]float32, hs*ws)
	for y := range hs - 2 {
		for x := range ws - 2 {
			sum := 0.0
			for dy := range 3 {
				for _, v := range style[((y+dy)*ws+x)*c : ((y+dy)*ws+x+3)*c] {
					sum += float64(v) * float64(v)
				}
			}
			inv[y*ws+x] = float32(1 / math.Sqrt(sum))
		}
	}
	score := func(py, px, qy, qx int) (sum float64) {
		for dy := range 3 {
			for i := range 3 * c {
				sum += float64(canvas[((py+dy)*w+px)*c+i]) * float64(style[((qy+dy)*ws+qx)*c+i])
			}
		}
		return sum * float64(inv[qy*ws+qx])
	}
	for _, o := range schedules {
		d := open(t, o)
		launch := shipped(t, d, "ncc")
		f, s, i, best := upload(t, d, floats32(canvas)), upload(t, d, floats32(style)), upload(t, d, floats32(inv)), upload(t, d, make([]byte, 8*h*w))
		const rows = 2
		grid := cuda.Dim3{X: (h + hs - 1) * ((h + rows - 1) / rows), Y: (w + 61) / 62, Z: (ws + 61) / 62}
		launch("ncc_match3", grid, new(cuda.Args).Ptr(f).Ptr(s).Ptr(i).Ptr(0).Ptr(best).
			Int(h).Int(w).Int(hs).Int(ws).Int(c).Int(rows).Int(1).Int(1))
		raw := make([]byte, 8*h*w)
		if err := d.Download(raw, best); err != nil {
			t.Fatal(err)
		}
		for py := range h {
			for px := range w {
				key := binary.LittleEndian.Uint64(raw[8*(py*w+px):])
				if py > h-3 || px > w-3 {
					if key != 0 {
						t.Errorf("no patch begins at (%d, %d), but it has match %#x", py, px, key)
					}
					continue
				}
				q := int(^uint32(key))
				top := math.Inf(-1)
				for qy := range hs - 2 {
					for qx := range ws - 2 {
						top = max(top, score(py, px, qy, qx))
					}
				}
				if q/ws > hs-3 || q%ws > ws-3 || top-score(py, px, q/ws, q%ws) > 1e-5 {
					t.Fatalf("schedule %v: patch (%d, %d) matches %d, %d, want a score of %v", o.Schedule, py, px, q/ws, q%ws, top)
				}
			}
		}
	}
}
