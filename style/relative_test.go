package style

import (
	"math"
	"testing"

	"github.com/impasto/impasto/vgg"
)

// TestRelativeLossesHaveNoUnits: features eight times as large, as another
// network might make them, leave our losses as they are.
func TestRelativeLossesHaveNoUnits(t *testing.T) {
	const w, h, factor = 20, 16, 8
	n := tinyNetwork(4)
	louder := &vgg.Network{Name: n.Name, Mean: n.Mean, Pool: n.Pool, Layers: append([]vgg.Layer(nil), n.Layers...)}
	for i := range louder.Layers {
		louder.Layers[i].Bias = times(n.Layers[i].Bias, factor)
	}
	louder.Layers[0].Weight = times(n.Layers[0].Weight, factor)
	content, style, x := smoothPicture(w, h, 1), smoothPicture(w, h, 2), smoothPicture(w, h, 3)
	for i, loss := range []StyleLoss{LossGram, LossCovariance, LossMoments, LossW2, LossSliced} {
		o := tinyPreset(t, "default")
		o.StyleLoss = loss
		if i == 0 {
			o.ContentLoss = ContentSelfSim
		}
		a, b := engineObjective(t, n, o, x, content, style), engineObjective(t, louder, o, x, content, style)
		want, got := a.report(a.b.Status()), b.report(b.b.Status())
		near(t, string(loss)+" content", got.Content, want.Content, 1e-4)
		near(t, string(loss)+" style", got.Style, want.Style, 2e-3)
		g, k := a.gradient(), b.gradient()
		for i := range g {
			if d := math.Abs(float64(g[i] - k[i])); d > 2e-2*math.Abs(float64(g[i]))+1e-4 {
				t.Fatalf("%s: the gradient's element %d is %g and %g", loss, i, g[i], k[i])
			}
		}
	}
}

// TestRelativeLossesHaveNoSize: a canvas of four copies of everything has the
// losses and, a pixel, the gradient of one, but for the share of its border.
// Waves of whole periods make the copies join.
func TestRelativeLossesHaveNoSize(t *testing.T) {
	n := tinyNetwork(4)
	tile := func(p *Picture) *Picture {
		q := newPicture(2*p.W, 2*p.H)
		for i := range q.W * q.H {
			copy(q.Pix[3*i:3*i+3], p.Pix[3*((i/q.W%p.H)*p.W+i%q.W%p.W):])
		}
		return q
	}
	waves := func(a, b, shift float64) *Picture {
		p := newPicture(64, 64)
		for i := range p.Pix {
			x, y, c := float64(i/3%64)*2*math.Pi/64, float64(i/3/64)*2*math.Pi/64, float64(i%3)
			p.Pix[i] = float32(0.5 + 0.3*math.Sin(a*x+c+shift) + 0.15*math.Cos(b*y-a*x+2*c))
		}
		return p
	}
	content, style, x := waves(1, 2, 0), waves(4, 3, 1), waves(2, 5, 2)
	o := tinyPreset(t, "default")
	o.StyleLoss = LossGram      // covariance weighs quiet channels, which the border moves most
	o.Optimizer = OptimizerAdam // gradients a pixel; L-BFGS's are of the whole
	small := engineObjective(t, n, o, x, content, style)
	large := engineObjective(t, n, o, tile(x), tile(content), tile(style))
	want, got := small.report(small.b.Status()), large.report(large.b.Status())
	near(t, "content", got.Content, want.Content, 0.05)
	near(t, "style", got.Style, want.Style, 0.05)
	near(t, "tv", got.TV, want.TV, 0.2)
	g, k := small.gradient(), large.gradient()
	sum, difference := 0.0, 0.0
	for y := 16; y < 48; y++ {
		for i := 16 * 3; i < 48*3; i++ {
			a, b := float64(g[y*64*3+i]), float64(k[y*128*3+i])
			sum += a * a
			difference += (a - b) * (a - b)
		}
	}
	// a loss that grew with the canvas would make it 4 or 1/4, so off by 3 or 0.75
	if r := math.Sqrt(difference / sum); r > 0.25 {
		t.Errorf("gradients of a pixel differ by %.2g", r)
	}
}
