package gpu

import (
	"slices"
	"testing"
)

func TestWindows(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []int{1, 3, 17} {
			large := Shape{37, 29, c}
			for _, w := range []struct{ y, x, h, w int }{{0, 0, 37, 29}, {0, 0, 1, 1}, {36, 28, 1, 1}, {5, 0, 20, 29}, {3, 7, 33, 11}} {
				v := random(70, large.Len(), 3)
				small := Shape{w.h, w.w, c}
				dst := b.NewArray(small)
				b.CopyWindow(dst, upload(b, large, v), w.y, w.x)
				var want []float32
				for y := range w.h {
					from := ((w.y+y)*large.W + w.x) * c
					want = append(want, v[from:from+w.w*c]...)
				}
				if !slices.Equal(download(b, dst), want) {
					t.Errorf("the copy of %+v of %v is wrong", w, large)
				}
				add := random(71, small.Len(), 3)
				sum := upload(b, large, v)
				b.AddWindow(sum, upload(b, small, add), w.y, w.x)
				for i, e := range add {
					at := ((w.y+i/(w.w*c))*large.W+w.x)*c + i%(w.w*c)
					v[at] += e
				}
				if !slices.Equal(download(b, sum), v) {
					t.Errorf("adding %+v to %v is wrong", w, large)
				}
			}
		}
	})
}

func TestMoveLoss(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		f := upload(b, Shape{1, 1, 2}, []float32{3, 4})
		zero := b.NewArray(f.Shape)
		b.ContentLoss(nil, f, zero, 1, 5)
		b.ContentLoss(nil, f, zero, 2, 9)
		b.MoveLoss(5, 9)
		if got := []float64{lossOf(b, 5), lossOf(b, 9)}; got[0] != 75 || got[1] != 0 {
			t.Errorf("25 and 50 became %v", got)
		}
	})
}

func TestWindowsAreChecked(t *testing.T) {
	b := NewCPU(CPUOptions{Threads: 1})
	large, small := b.NewArray(Shape{4, 5, 2}), b.NewArray(Shape{3, 3, 2})
	for what, f := range map[string]func(){
		"below":    func() { b.CopyWindow(small, large, 2, 0) },
		"right":    func() { b.AddWindow(large, small, 0, 3) },
		"negative": func() { b.AddWindow(large, small, -1, 0) },
		"channels": func() { b.CopyWindow(b.NewArray(Shape{1, 1, 3}), large, 0, 0) },
		"slot":     func() { b.MoveLoss(0, Slots) },
		"itself":   func() { b.MoveLoss(1, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}
