package style

import (
	"cmp"
	"math"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
)

// Earlier is what a frame of a film should stay close to: the frame painted before it,
// moved to where this frame shows the same things.
type Earlier struct {
	Picture *Picture
	Trust   *Map // one channel, 0..1: 0 where nothing is known of the pixel (it was hidden before); nil: 1 everywhere
}

// temporalBalance is the factor of the temporal loss with which temporal weight 1 and
// style weight 1 look balanced. See docs/video.md for what other weights do to flicker
// and to style.
const temporalBalance = 50

// UsualTemporalWeight returns the default temporal weight for these options. With
// relative losses it is 1, or 4 with the moments loss, which is a sum of three. With
// other loss scales it is the published program's 1000, which goes with a style weight
// of 100 and a content weight of 5.
func UsualTemporalWeight(o Options) float64 {
	switch {
	case o.LossScale != ScaleRelative:
		return 1000
	case o.StyleLoss == LossMoments:
		return 4
	}
	return 1
}

// temporalTerm is the short-term consistency loss of Ruder, Dosovitskiy and Brox,
// "Artistic style transfer for videos", GCPR 2016, section 4.2. With x the image (H, W,
// 3), w the warped result of the frame before, c the trust in each pixel and D = 3 H W
// it is
//
//	weight / D * sum c (x - w)^2
//
// Under relative losses pixel values are 0..1 and the term is multiplied by
// temporalBalance. Under all others they are 0..255, as in the paper.
type temporalTerm struct {
	root   *gpu.Array // (H, W, 1), the square root of c; nil: 1
	target *gpu.Array // (H, W, 3), root * w
	moved  *gpu.Array // root * x; nil if root is
	alone  *gpu.Array // the term's own gradient; nil if root is
	coef   float64
	slot   int
}

// addTemporal adds the temporal term, whose target is the frame before at this scale.
func (ob *objective) addTemporal(px pixels, e *Earlier) {
	if e == nil || ob.o.TemporalWeight == 0 {
		return
	}
	s := ob.x.Shape
	t := &temporalTerm{target: ob.b.NewArray(s), slot: ob.newSlot("temporal", "")}
	t.coef = ob.o.TemporalWeight * ob.unit / float64(s.Len())
	if ob.o.LossScale == ScaleRelative {
		t.coef *= temporalBalance / float64(px.white*px.white)
	}
	px.upload(ob.b, t.target, e.Picture.Flatten().Resize(s.W, s.H))
	if e.Trust != nil {
		root := picture.Resample(e.Trust.Pix, e.Trust.W, e.Trust.H, 1, s.W, s.H, picture.Area)
		for i, c := range root {
			root[i] = float32(math.Sqrt(float64(min(max(c, 0), 1))))
		}
		t.root = gpu.ArrayOf(ob.b, gpu.Shape{H: s.H, W: s.W, C: 1}, root)
		ob.b.Weigh(t.target, t.root)
		t.moved, t.alone = ob.b.NewArray(s), ob.b.NewArray(s)
	}
	ob.temporal = t
}

// temporalLoss adds the temporal loss and its gradient. If there is a map of trust,
// both pictures are multiplied by the root of the trust, and so is the gradient of
// their distance.
func (ob *objective) temporalLoss(t *temporalTerm) {
	if t.root == nil {
		ob.b.ContentLoss(ob.g, ob.x, t.target, t.coef, t.slot)
		return
	}
	ob.b.Copy(t.moved, ob.x)
	ob.b.Weigh(t.moved, t.root)
	ob.b.Fill(t.alone, 0)
	ob.b.ContentLoss(t.alone, t.moved, t.target, t.coef, t.slot)
	ob.b.Weigh(t.alone, t.root)
	ob.b.Axpy(ob.g, 1, t.alone)
}

func (t *temporalTerm) free(b gpu.Backend) {
	if t != nil {
		b.Free(t.root, t.target, t.moved, t.alone)
	}
}

// temporalBytes returns the memory of the temporal term for an image.
func (o Options) temporalBytes(b gpu.Backend, s gpu.Shape) int64 {
	if o.TemporalWeight == 0 {
		return 0
	}
	return 3*b.Bytes(s) + b.Bytes(gpu.Shape{H: s.H, W: s.W, C: 1})
}

// temporal checks the frame before.
func (c *checker) temporal(in Inputs) {
	e := in.Earlier
	if e == nil {
		return
	}
	switch p := e.Picture; {
	case p == nil || p.W < 1 || p.H < 1 || len(p.Pix) != p.W*p.H*3:
		c.add("temporal-weight", nil, "the frame before holds no picture")
	case e.Trust != nil:
		if fault := e.Trust.check(); fault != "" || e.Trust.C != 1 {
			c.add("temporal-weight", nil, "the map of trust %s", cmp.Or(fault, "has more than one channel"))
		}
	}
}
