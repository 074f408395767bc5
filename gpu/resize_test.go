package gpu

import (
	"fmt"
	"github.com/impasto/impasto/internal/testutil"
	"math"
	"testing"
)

// Resize moves some channels into some others, resized; its transpose is held to
// <R a, b> = <a, R' b>.
func TestResize(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		cases := []struct{ to, from Shape }{
			{Shape{2, 3, 0}, Shape{7, 11, 0}}, {Shape{7, 5, 0}, Shape{3, 3, 0}}, {Shape{4, 4, 0}, Shape{4, 4, 0}},
			{Shape{1, 1, 0}, Shape{5, 6, 0}}, {Shape{3, 2, 0}, Shape{1, 1, 0}}, {Shape{33, 18, 0}, Shape{17, 9, 0}},
		}
		for _, i := range share(b, len(cases)) {
			for _, filter := range []ResampleFilter{Bilinear, Bicubic} {
				c := cases[i]
				testResize(t, b, c.to, c.from, filter)
			}
		}
	})
}

func testResize(t *testing.T, b Backend, to, from Shape, filter ResampleFilter) {
	const channels = 8
	o := ResizeOptions{To: 16, From: 8, Channels: channels, Scale: 0.5}
	what := fmt.Sprintf("%v %v to %v", filter, from, to)
	dst, src := withChannels(to, 32), withChannels(from, 24)
	before, v := random(300, dst.Len(), 1), random(301, src.Len(), 1)
	r := b.NewResizer(to, from, filter)
	defer b.FreeResizers(r)
	want, cut := wide(before), make([]float64, from.Pixels()*channels)
	for p := range from.Pixels() {
		for c := range channels {
			cut[p*channels+c] = float64(v[p*src.C+o.From+c])
		}
	}
	if to == from {
		filter = Bilinear // any is the identity
	}
	made := refResample(cut, withChannels(to, channels), withChannels(from, channels), filter)
	for _, add := range []bool{true, false} {
		for p := range to.Pixels() {
			for c := range channels {
				at := p*dst.C + o.To + c
				want[at] = o.Scale * made[p*channels+c]
				if add {
					want[at] += float64(before[at])
				}
			}
		}
		o.Add = add
		a := upload(b, dst, before)
		b.Resize(a, upload(b, src, v), r, o)
		near(t, b, what, download(b, a), want, 2e-6, 1e-5)
	}
	// All channels there and back.
	u, w := random(302, 8*to.Pixels(), 1), random(303, 8*from.Pixels(), 1)
	there, back := b.NewArray(withChannels(to, 8)), b.NewArray(withChannels(from, 8))
	b.Resize(there, upload(b, withChannels(from, 8), w), r, ResizeOptions{})
	b.Resize(back, upload(b, withChannels(to, 8), u), r.Back(), ResizeOptions{})
	var one, two, size float64
	for i, e := range download(b, there) {
		one += float64(e) * float64(u[i])
		size += math.Abs(float64(e) * float64(u[i]))
	}
	for i, e := range download(b, back) {
		two += float64(e) * float64(w[i])
	}
	slack := 1e-6
	if isHalf(b) {
		slack = 4e-3
	}
	testutil.Close(t, what+" transposed", []float64{two}, []float64{one}, slack*size, 0)
}
