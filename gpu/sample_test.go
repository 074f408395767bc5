package gpu

import (
	"fmt"
	"testing"
)

func TestSample(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []struct {
			all, few Shape
			g        Grid
		}{
			{Shape{1, 1, 8}, Shape{1, 1, 8}, Grid{0, 0, 1}}, {Shape{7, 5, 8}, Shape{3, 2, 8}, Grid{1, 2, 2}},
			{Shape{9, 13, 16}, Shape{2, 4, 16}, Grid{3, 0, 4}}, {Shape{6, 6, 8}, Shape{6, 6, 8}, Grid{0, 0, 1}},
			{Shape{31, 23, 8}, Shape{15, 11, 8}, Grid{1, 0, 2}},
		} {
			v, w := random(320, c.all.Len(), 1), random(321, c.few.Len(), 1)
			few, all := make([]float64, c.few.Len()), wide(v)
			for y := range c.few.H {
				for x := range c.few.W {
					for ch := range c.few.C {
						i, j := (y*c.few.W+x)*c.few.C+ch, ((c.g.Y+y*c.g.Step)*c.all.W+c.g.X+x*c.g.Step)*c.all.C+ch
						few[i] = float64(v[j])
						all[j] += float64(w[i])
					}
				}
			}
			a, s := upload(b, c.all, v), b.NewArray(c.few)
			b.Sample(s, a, c.g)
			near(t, b, fmt.Sprint(c, " sample"), download(b, s), few, 0, 0)
			b.AddSample(a, upload(b, c.few, w), c.g)
			near(t, b, fmt.Sprint(c, " added"), download(b, a), all, 0, 1e-6)
		}
	})
}

func TestAddChannels(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		s := Shape{5, 7, 24}
		v, m := random(322, s.Len(), 1), random(323, s.C, 1)
		want := wide(v)
		for i := range want {
			want[i] -= 0.5 * float64(m[i%s.C])
		}
		a := upload(b, s, v)
		b.AddChannels(a, -0.5, upload(b, Vector(s.C), m))
		near(t, b, "channels", download(b, a), want, 1e-6, 1e-6)
	})
}

func TestSampleChecks(t *testing.T) {
	onCPU(t, func(t *testing.T, b Backend) {
		all, few := b.NewArray(Shape{4, 4, 8}), b.NewArray(Shape{2, 2, 8})
		for what, call := range map[string]func(){
			"a grid beyond the array":     func() { b.Sample(few, all, Grid{2, 2, 2}) },
			"a grid of other channels":    func() { b.Sample(b.NewArray(Shape{2, 2, 4}), all, Grid{0, 0, 1}) },
			"a grid without a step":       func() { b.AddSample(all, few, Grid{}) },
			"a vector of other channels":  func() { b.AddChannels(all, 1, b.NewArray(Vector(4))) },
			"features of another size":    func() { b.CosineLoss(nil, all, few, 1, 0) },
			"channels beyond the array":   func() { b.Resize(few, all, b.NewResizer(few.Shape, all.Shape, Bilinear), ResizeOptions{To: 4}) },
			"a resizer of another size":   func() { b.Resize(few, all, b.NewResizer(all.Shape, all.Shape, Bilinear), ResizeOptions{}) },
			"a resizer of nothing at all": func() { b.NewResizer(Shape{}, all.Shape, Bilinear) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s was taken", what)
					}
				}()
				call()
			}()
		}
	})
}
