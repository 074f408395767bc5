package style

import (
	"math"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// TestHalfGradients compares the gradient of a whole pass in bfloat16 with that in
// single precision and, along directions, with the derivative of the float64 reference's
// loss. The loss in half precision is compared with the reference over steps that move it
// by far more than rounding does.
//
// A stored value is rounded by at most u = 2^-8 of itself.
// Four layers round their weights, their features, and on the way back the weights again
// and the gradients. So a gradient is off by about the root of 16 times u/sqrt(3), the size
// of such an error: 2.3 u. Losses of statistics compare sums, whose errors cancel; where
// the sums are nearly equal, their differences are off by more. 8 u allows for that. A
// gradient without one of its layers or a loss with another weight is off by far more.
func TestHalfGradients(t *testing.T) {
	for _, loss := range []StyleLoss{LossGram, LossMoments, LossCovariance} {
		t.Run(string(loss), func(t *testing.T) { halfGradient(t, loss) })
	}
}

func halfGradient(t *testing.T, loss StyleLoss) {
	const u = 0x1p-8
	const w, h = 14, 10
	n := tinyNetwork(7)
	b := gpu.NewCPU(gpu.CPUOptions{Threads: 2, Precision: gpu.Half})
	defer b.Close()
	content, style, x := noisePicture(w, h, 1), smoothPicture(w, h, 2), noisePicture(w, h, 3)
	o := tinyPreset(t, "default")
	o.StyleLoss, o.Pooling, o.TVWeight = loss, vgg.PoolAvg, 0 // smooth; an image's smoothness is float32
	ob := engineObjectiveIn(t, Env{Backend: b, Network: n}, o, x, content, style)
	single := engineObjective(t, n, o, x, content, style)
	got, want := wide(ob.gradient()), wide(single.gradient())
	size := math.Sqrt(dot64(want, want)) / single.unit
	off := 0.0
	for i := range got {
		got[i], want[i] = got[i]/ob.unit, want[i]/single.unit
		off += (got[i] - want[i]) * (got[i] - want[i])
	}
	off = math.Sqrt(off) / size
	t.Logf("the gradient is off by %.2g, %.1f u", off, off/u)
	if !(off <= 8*u) {
		t.Errorf("the gradient is off by %.2g of its size from that in single precision, want at most %.2g", off, 8*u)
	}
	// Along the gradient and along a wave, steps move the loss by far more than rounding.
	wave := make([]float64, len(got))
	for i := range wave {
		wave[i] = math.Sin(0.9*float64(i/3%w)) * math.Cos(0.7*float64(i/3/w)+float64(i%3))
	}
	start := asGrid(x, n, o)
	for name, direction := range map[string][]float64{"gradient": want, "wave": wave} {
		length := math.Sqrt(dot64(direction, direction))
		at := func(loss func(grid) float64, step float64) float64 {
			y := newGrid(start.h, start.w, start.c)
			for i, d := range direction {
				y.v[i] = start.v[i] + step*d/length
			}
			return loss(y)
		}
		inHalf := func(y grid) float64 {
			ob.b.Upload(ob.x, narrow(y.v))
			ob.b.ResetStatus()
			ob.evaluate()
			ob.b.Sync()
			return ob.report(ob.b.Status()).Total
		}
		inDouble := func(y grid) float64 {
			c, s, _ := referenceLosses(n, o, y, asGrid(content, n, o), []grid{asGrid(style, n, o)}, []float64{1})
			return c + s
		}
		slope := func(loss func(grid) float64, step float64) float64 {
			return (at(loss, step) - at(loss, -step)) / (2 * step)
		}
		along, exact := dot64(got, direction)/length, slope(inDouble, 1e-3)
		const far = 30 // levels of 255, over 420 values: 1.5 each
		half, double := slope(inHalf, far), slope(inDouble, far)
		t.Logf("along the %s: the gradient is off by %.1f u of its size, the loss's slope by %.1f u", name, math.Abs(along-exact)/size/u, math.Abs(half-double)/size/u)
		if !(math.Abs(along-exact) <= 8*u*size) {
			t.Errorf("along the %s the gradient is %.4g, want %.4g (its size is %.4g)", name, along, exact, size)
		}
		if !(math.Abs(half-double) <= 8*u*size) {
			t.Errorf("along the %s the loss in half precision rises by %.4g, want %.4g (the gradient's size is %.4g)", name, half, double, size)
		}
	}
}

func narrow(v []float64) []float32 {
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return w
}
