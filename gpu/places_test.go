package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// somePlaces returns n different positions of features s in random order.
func somePlaces(s Shape, n int) []int32 {
	var at []int32
	for _, p := range rand.New(rand.NewPCG(9, uint64(s.Len()))).Perm(s.Pixels())[:n] {
		at = append(at, int32(p))
	}
	return at
}

// Features are gathered window by window, each with a part of its own, and scattered to
// windows that overlap.
func TestPlaces(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []struct {
			s Shape
			n int
		}{{Shape{1, 1, 8}, 1}, {Shape{3, 5, 4}, 15}, {Shape{9, 11, 20}, 40}, {Shape{6, 13, 136}, 30}} {
			s, at := c.s, somePlaces(c.s, c.n)
			all := upload(b, s, random(500, s.Len(), 3))
			f := download(b, all) // as stored
			p := b.NewPlaces(s, at)
			rows := upload(b, p.Rows(), random(501, p.Rows().Len(), 1))
			b.Fill(rows, -7)
			cut := s.H/2 + 1
			upper, lower := b.NewArray(Shape{min(s.H, cut+1), s.W, s.C}), b.NewArray(Shape{s.H - cut/2, s.W, s.C})
			b.CopyWindow(upper, all, 0, 0)
			b.CopyWindow(lower, all, cut/2, 0)
			b.Gather(rows, upper, p, Rect{0, 0, cut, s.W}, 0, 0)
			before := download(b, rows)
			for i, q := range at {
				for ch := range s.C {
					want := f[int(q)*s.C+ch]
					if int(q)/s.W >= cut {
						want = -7
					}
					if got := before[i*s.C+ch]; got != want {
						t.Fatalf("%v: row %d of the upper window is %g, want %g", s, i, got, want)
					}
				}
			}
			if cut < s.H {
				b.Gather(rows, lower, p, Rect{cut - cut/2, 0, s.H - cut, s.W}, cut/2, 0)
			}
			got := download(b, rows)
			for i, q := range at {
				for ch := range s.C {
					if got[i*s.C+ch] != f[int(q)*s.C+ch] {
						t.Fatalf("%v: row %d is %g, want %g", s, i, got[i*s.C+ch], f[int(q)*s.C+ch])
					}
				}
			}
			// The left column of a window that does not begin at the border is not its own.
			if s.W > 2 {
				narrow := b.NewArray(Shape{s.H, s.W - 1, s.C})
				b.CopyWindow(narrow, all, 0, 1)
				right := upload(b, p.Rows(), make([]float32, p.Rows().Len()))
				b.Gather(right, narrow, p, Rect{0, 1, s.H, s.W - 2}, 0, 1)
				for i, v := range download(b, right) {
					want := got[i]
					if int(at[i/s.C])%s.W < 2 {
						want = 0
					}
					if v != want {
						t.Fatalf("%v: row %d of the right window is %g, want %g", s, i/s.C, v, want)
					}
				}
				b.Free(narrow, right)
			}
			// A window without the first row and column, where there are others.
			y, x := min(1, s.H-1), min(1, s.W-1)
			part := Shape{s.H - y, s.W - x, s.C}
			dx := upload(b, part, random(502, part.Len(), 1))
			want := wide(download(b, dx))
			for i, q := range at {
				if py, px := int(q)/s.W-y, int(q)%s.W-x; py >= 0 && px >= 0 {
					for ch := range s.C {
						want[(py*part.W+px)*s.C+ch] += float64(got[i*s.C+ch])
					}
				}
			}
			b.Scatter(dx, rows, p, y, x)
			near(t, b, fmt.Sprint(s, " scattered"), download(b, dx), want, 1e-6, 1e-6)
			b.FreePlaces(p, nil)
			b.Free(all, rows, upper, lower, dx)
		}
	})
}

func TestPlacesChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		s := Shape{3, 4, 8}
		p, f := b.NewPlaces(s, []int32{5, 0}), b.NewArray(s)
		rows := b.NewArray(p.Rows())
		for what, call := range map[string]func(){
			"no positions":                 func() { b.NewPlaces(s, nil) },
			"a position outside":           func() { b.NewPlaces(s, []int32{12}) },
			"a position twice":             func() { b.NewPlaces(s, []int32{3, 3}) },
			"rows of other positions":      func() { b.Gather(b.NewArray(Shape{3, 8, 1}), f, p, s.Whole(), 0, 0) },
			"a part beyond the window":     func() { b.Gather(rows, f, p, Rect{0, 0, 4, 4}, 0, 0) },
			"a window beyond the layer":    func() { b.Scatter(f, rows, p, 1, 0) },
			"a window with other channels": func() { b.Scatter(b.NewArray(Shape{3, 4, 4}), rows, p, 0, 0) },
		} {
			mustPanic(t, what, call)
		}
	})
}

func mustPanic(t *testing.T, what string, call func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s was taken", what)
		}
	}()
	call()
}
