package style

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// patchyTrust is a map of trust with zeros, ones and values between.
func patchyTrust(w, h int) *Map {
	m := &Map{W: w, H: h, C: 1, Pix: make([]float32, w*h)}
	for i := range m.Pix {
		m.Pix[i] = float32(i%5) / 4
	}
	return m
}

// referenceTemporal is weight / D * sum c (x - w)^2 in float64, of values 0..1
// times the balance under relative losses and 0..255 under others.
func referenceTemporal(o Options, x, before grid, trust *Map) float64 {
	sum := 0.0
	for i := range x.v {
		c := 1.0
		if trust != nil {
			c = float64(trust.Pix[i/3])
		}
		d := x.v[i] - before.v[i]
		sum += c * d * d
	}
	mean := sum / float64(len(x.v))
	if o.LossScale == ScaleRelative {
		mean *= temporalBalance / (o.ImageRange * o.ImageRange)
	}
	return o.TemporalWeight * mean
}

// TestTemporalTerm compares the term and its gradient with the formula and its
// central differences, on each backend.
func TestTemporalTerm(t *testing.T) {
	backends := map[string]func(*testing.T) Env{
		"cpu":    func(*testing.T) Env { return tinyEnv(2) },
		"device": func(t *testing.T) Env { env, _ := deviceEnv(t); return env },
	}
	const w, h = 13, 7
	x, before := noisePicture(w, h, 3), smoothPicture(w, h, 4)
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			env := open(t)
			px := pixels{mean: env.Network.Mean, white: 255}
			for _, trust := range []*Map{nil, patchyTrust(w, h), Uniform(w, h, 0)} {
				for _, scale := range []LossScale{ScaleRelative, ScaleMean} {
					o := tinyOptions(ModeArt)
					o.TemporalWeight, o.LossScale = 0.7, scale
					ob := newObjective(env.Backend, o, nil, env.Backend.NewArray(gpu.Shape{H: h, W: w, C: 3}))
					ob.addTemporal(px, &Earlier{Picture: before, Trust: trust})
					env.Backend.Upload(ob.x, px.fromPicture(x))
					env.Backend.ResetStatus()
					ob.temporalLoss(ob.temporal)
					at, was := asGrid(x, env.Network, o), asGrid(before, env.Network, o)
					losses := func(y grid) float64 { return referenceTemporal(o, y, was, trust) }
					near(t, "temporal loss", ob.report(env.Backend.Status()).Temporal, losses(at), 1e-5)
					checkDirections(t, "temporal term, "+string(scale), ob, at, losses, smoothLoss)
					ob.temporal.free(env.Backend)
					env.Backend.Free(ob.x, ob.g)
				}
			}
		})
	}
}

// TestTemporalBesideTheOthers: the gradient of all terms together is that of
// their sum.
func TestTemporalBesideTheOthers(t *testing.T) {
	n := tinyNetwork(7)
	for i := range n.Layers { // keep every feature positive: no kinks
		for j := range n.Layers[i].Bias {
			n.Layers[i].Bias[j] += 6
		}
	}
	const w, h = 18, 14
	content, style, x, before := noisePicture(w, h, 1), noisePicture(w, h, 2), noisePicture(w, h, 3), noisePicture(w, h, 4)
	o := tinyPreset(t, "default")
	o.Pooling, o.TemporalWeight = vgg.PoolAvg, 2
	trust := patchyTrust(w, h)
	ob := engineObjective(t, n, o, x, content, style)
	ob.addTemporal(pixels{mean: n.Mean, white: 255}, &Earlier{before, trust})
	ob.evaluate()
	losses := func(y grid) float64 {
		c, s, tv := referenceLosses(n, o, y, asGrid(content, n, o), []grid{asGrid(style, n, o)}, []float64{1})
		return c + s + tv + referenceTemporal(o, y, asGrid(before, n, o), trust)
	}
	checkDirections(t, "all terms", ob, asGrid(x, n, o), losses, smoothLoss)
	l := ob.report(ob.b.Status())
	near(t, "total", l.Total, l.Content+l.Style+l.TV+l.Temporal, 1e-9)
}

// TestTemporalPulls: the picture stays near the frame before where that is
// trusted, the more so with more weight, and only there.
func TestTemporalPulls(t *testing.T) {
	in := tinyInputs()
	before := smoothPicture(48, 40, 9)
	left := Uniform(48, 40, 0)
	for i := range left.Pix {
		if i%48 < 24 {
			left.Pix[i] = 1
		}
	}
	in.Earlier = &Earlier{Picture: before, Trust: left}
	distance := func(p *Picture, from, to int) float64 {
		sum := 0.0
		for i, v := range p.Pix {
			if x := i / 3 % 48; x >= from && x < to {
				sum += math.Abs(float64(v - before.Pix[i]))
			}
		}
		return sum / float64(3*40*(to-from))
	}
	paint := func(weight float64) *Result {
		o := tinyOptions(ModeArt)
		o.Size, o.TemporalWeight = "48x40", weight
		r, err := Art(context.Background(), in, o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	free, held, tight := paint(0), paint(1), paint(100)
	f, a, b := distance(free.Picture, 0, 20), distance(held.Picture, 0, 20), distance(tight.Picture, 0, 20)
	t.Logf("distance where trusted: %.4f without, %.4f at weight 1, %.4f at 100; elsewhere %.4f and %.4f",
		f, a, b, distance(free.Picture, 28, 48), distance(tight.Picture, 28, 48))
	if !(a < 0.8*f && b < 0.5*a) {
		t.Errorf("distances are %.4f, %.4f and %.4f at weights 0, 1 and 100", f, a, b)
	}
	if u, v := distance(free.Picture, 28, 48), distance(tight.Picture, 28, 48); v < 0.7*u {
		t.Errorf("what is not trusted was pulled from %.4f to %.4f", u, v)
	}
	if free.Losses.Temporal != 0 || held.Losses.Temporal == 0 {
		t.Errorf("temporal losses %g and %g", free.Losses.Temporal, held.Losses.Temporal)
	}
	// no frame before: the weight changes nothing
	in.Earlier = nil
	if r := paint(7); !slices.Equal(r.Picture.Pix, free.Picture.Pix) {
		t.Error("without a frame before the weight paints another picture")
	}
}

// TestDevicePaintsTheCPUsFrame: the same with the iteration recorded.
func TestDevicePaintsTheCPUsFrame(t *testing.T) {
	in := tinyInputs()
	in.Earlier = &Earlier{smoothPicture(40, 33, 9), patchyTrust(40, 33)}
	o := tinyOptions(ModeArt)
	o.Size, o.Iterations, o.Scales, o.TemporalWeight = "40x33", []int{6}, 1, 1
	want, err := Art(context.Background(), in, o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	env, _ := deviceEnv(t)
	got, err := Art(context.Background(), in, o, env)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first temporal loss", got.History[0].Losses.Temporal, want.History[0].Losses.Temporal, 1e-4)
	if p := psnr(got.Picture.Pix, want.Picture.Pix); !(p >= 45) {
		t.Errorf("the pictures differ by %.1f dB", p)
	}
}

func TestBadEarlier(t *testing.T) {
	for want, e := range map[string]*Earlier{
		"holds no picture":       {},
		"holds 3 values":         {Picture: smoothPicture(8, 8, 1), Trust: &Map{W: 2, H: 2, C: 1, Pix: make([]float32, 3)}},
		"more than one channel":  {Picture: smoothPicture(8, 8, 1), Trust: Uniform(8, 8, 1, 1)},
		"value that is not fini": {Picture: smoothPicture(8, 8, 1), Trust: Uniform(8, 8, float32(math.NaN()))},
	} {
		in := tinyInputs()
		in.Earlier = e
		_, err := Art(context.Background(), in, tinyOptions(ModeArt), tinyEnv(1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	o := tinyOptions(ModeArt)
	o.TemporalWeight = -1
	if err := o.Validate("relu1_1", "relu2_1", "relu3_1"); err == nil {
		t.Error("a negative temporal weight is taken")
	}
}

// TestTemporalMemory: the term's arrays are in the plan, and a frame leaves
// nothing behind on the device: films have thousands.
func TestTemporalMemory(t *testing.T) {
	o := tinyOptions(ModeArt)
	env := tinyEnv(1)
	plain, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	o.TemporalWeight = 1
	with, err := NewPlan(96, 80, o, env)
	if err != nil {
		t.Fatal(err)
	}
	image := env.Backend.Bytes(gpu.Shape{H: with.H(), W: with.W(), C: 3})
	if more := with.PeakBytes - plain.PeakBytes; more < 3*image || more > 5*image {
		t.Errorf("the plan has %d bytes more, an image is %d", more, image)
	}
	env, meter := deviceEnv(t)
	o.Size, o.Iterations, o.Scales = "24", []int{1}, 1
	growth := func(e *Earlier, change func(*Options)) (bytes int64) {
		in, o := tinyInputs(), o
		in.Earlier = e
		change(&o)
		for range 2 { // the first prepares what is kept
			before := int64(meter.Calls().Live)
			if _, err := Art(context.Background(), in, o, env); err != nil {
				t.Fatal(err)
			}
			bytes = int64(meter.Calls().Live) - before
		}
		return bytes
	}
	for name, change := range map[string]func(*Options){
		"covariance": func(*Options) {},
		"gram":       func(o *Options) { o.StyleLoss = LossGram },
		"w2":         func(o *Options) { o.StyleLoss = LossW2 },
		"losses":     func(o *Options) { o.StyleBlend, o.ContentLayers = BlendLosses, []LayerWeight{{"relu1_2", 1}} },
	} {
		if n := growth(&Earlier{smoothPicture(40, 33, 9), patchyTrust(40, 33)}, change); n != 0 {
			t.Errorf("%s: a frame leaves %d bytes behind", name, n)
		}
	}
}
