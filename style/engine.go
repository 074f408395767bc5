package style

import (
	"context"
	"crypto/sha256"
	"runtime/debug"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// Inputs are the pictures a run starts from. They are not changed.
type Inputs struct {
	Content *Picture   // the photograph; not used for textures
	Styles  []*Picture // the paintings; none if the style weight is 0
	Init    *Picture   // the picture to begin with, for InitFile

	Guides  []Guide  // maps that guide the matching of patches, in addition to features, and divide what LossSliced compares
	Protect *Map     // one channel, 0..1: how far each pixel of the content is kept
	A, B    *Picture // for an analogy; Styles holds A'

	Earlier *Earlier // the frame of a film before this one, for temporal-weight
}

// Env is what a run uses and does not own.
type Env struct {
	Backend  gpu.Backend
	Others   []gpu.Backend // compute tiles too, if the picture has tiles; each needs as much memory as Backend
	Network  *vgg.Network
	MaxBytes int64       // limit of memory, in bytes; a plan that needs more even in tiles is refused; 0: no limit
	Pictures int64       // memory of the pictures that the caller holds, counted in the plan
	Progress func(Event) // called with the progress; nil: no reports
	Every    int         // report at least at multiples of this number of iterations; 0: off

	Cache *Cache // statistics of paintings from earlier runs; nil: nothing is kept

	Saving Saving      // where to write checkpoints
	Resume *Checkpoint // continue from it; inputs, options and network must be those it was written with

	// Plan is the result of NewPlan for these inputs, options and Env. If it is nil, the
	// run makes a plan.
	Plan *Plan

	inputs *Inputs // what is known of the pictures when a run is planned; see Inputs.Plan
}

// Art paints the content in the look of the styles. With a style weight of 0 it
// reproduces only the content's features, with a content weight of 0 only the styles'.
// If ctx is cancelled, it finishes the iteration, writes a checkpoint if env.Saving
// says so, and returns the picture so far with ctx.Err(). If the loss stops being
// finite, it returns the last good picture and a *DivergedError.
func Art(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	o.Mode = ModeArt
	return Paint(ctx, in, o, env)
}

// Texture makes a picture of any size with the look of the styles and nothing else.
// Results and errors are as for Art.
func Texture(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	o.Mode = ModeTexture
	return Paint(ctx, in, o, env)
}

// Paint paints in the mode of o: it does what Art, Texture, Patch, Doodle or Analogy
// does.
func Paint(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	if o.Mode == ModeDoodle && in.Content == nil { // there is no content to compare with
		o.ContentWeight, o.ContentLayers = 0, nil
	}
	if err := checkInputs(in, o); err != nil {
		return nil, err
	}
	plan, err := env.planFor(in, o)
	if err != nil {
		return nil, err
	}
	r := newRun(in, plan, env)
	defer r.release()
	first := 0
	if c := env.Resume; c != nil {
		if err := c.fits(plan); err != nil {
			return nil, err
		}
		r.continueFrom(c)
		first = c.Scale
	}
	for i := first; i < len(plan.Scales); i++ {
		if err = r.scale(ctx, i); err != nil {
			break
		}
	}
	r.freeOptimizer() // its memory is needed for the picture
	return r.result(), err
}

// planFor returns the plan of a run: env.Plan, or a new one if that is nil.
func (env Env) planFor(in Inputs, o Options) (Plan, error) {
	if env.Plan != nil {
		return *env.Plan, nil
	}
	return in.Plan(o, env)
}

// run is the state of painting one picture, from scale to scale.
type run struct {
	env     Env
	o       Options
	plan    Plan
	px      pixels
	content *Picture // without alpha; nil for textures
	alpha   *Picture // the content if it has alpha
	styles  []*Picture
	init    *Picture

	guides        []Guide
	regions       *regions // of a guided sliced loss
	protect       *Map
	before, after *Picture // A and B of an analogy
	earlier       *Earlier
	patches       []Correspondence // of the last scale that was painted

	image     *gpu.Array // result of the scale done last
	optimizer gpu.Optimizer
	keeper    keeper

	started   time.Time
	iterating time.Duration
	done      int // iterations, over all scales
	rollbacks int
	losses    Losses
	history   []Sample
}

func newRun(in Inputs, plan Plan, env Env) *run {
	o := plan.Options
	r := &run{
		env: env, o: o, plan: plan, started: time.Now(),
		px:     pixels{mean: env.Network.Mean, white: float32(o.ImageRange)},
		keeper: keeper{Saving: env.Saving, last: time.Now()},
	}
	r.guides, r.protect, r.earlier = in.guided(o), in.Protect, in.Earlier
	if o.Mode == ModeAnalogy {
		r.before, r.after = in.A.Flatten(), in.B.Flatten()
		if in.Content == nil {
			in.Content = in.B
		}
	}
	if in.Content != nil && o.Mode != ModeTexture {
		r.content = in.Content.Flatten()
		if in.Content.Alpha != nil {
			r.alpha = in.Content
		}
	}
	for _, s := range in.Styles {
		s = s.Flatten()
		if o.Color == ColorMatch {
			s = o.ColorSpace.match(s, r.content)
		}
		r.styles = append(r.styles, s)
	}
	r.regions = o.newRegions(in.slicedGuides(o), len(r.styles))
	if o.Init == InitFile {
		r.init = in.Init.Flatten()
	}
	return r
}

// scale paints scale i (from 0) to its end.
func (r *run) scale(ctx context.Context, i int) error {
	if r.o.Method == MethodNNST {
		return r.scaleOfNeighbours(ctx, i)
	}
	s, b := r.plan.Scales[i], r.env.Backend
	// This comes before the pass is made, so that the pass can use the paintings'
	// memory.
	paintings, err := r.measureStyles(r.o.side(s.W, s.H), s.cut)
	if err != nil {
		return err
	}
	patches, err := r.look(r.o.side(s.W, s.H), s.cut)
	if err != nil {
		return err
	}
	seenW, seenH := r.o.seen(r.env.Network, s.W, s.H)
	t, err := r.o.newTiling(b, r.env.Network, seenH, seenW, s.cut, true)
	if err != nil {
		return err
	}
	defer t.free()
	x := b.NewArray(gpu.Shape{H: s.H, W: s.W, C: 3})
	content := r.content
	if content != nil {
		content = content.Resize(s.W, s.H)
	}
	ob := newObjective(b, r.o, t, x)
	ob.styleLayers, ob.regions = r.crowding(s.W, s.H), r.regions
	if err := r.setTargets(ob, content, paintings, s.recompute && t.cut()); err != nil {
		return err
	}
	ob.drop(paintings)
	if err := r.setPatches(ob, patches, s.cut); err != nil {
		return err
	}
	if t.cut() {
		var others []*tiling
		for _, b := range r.env.Others {
			t, err := r.o.newTiling(b, r.env.Network, seenH, seenW, s.cut, true)
			if err != nil {
				return err
			}
			others = append(others, t)
		}
		ob.join(others)
	}
	optimizer := r.o.newOptimizer(b, x.Shape, r.px)
	l := &loop{run: r, index: i, ob: ob, bytes: t.bytes() + optimizer.Bytes()}
	b.ResetStatus()
	if c := r.env.Resume; c != nil && c.Scale == i && r.image == nil {
		if err := l.resume(c, optimizer); err != nil {
			return err
		}
	} else {
		r.begin(x, content)
		ob.keepProtected(r.px, content)
	}
	if r.optimizer != nil && r.o.CarryState {
		gradient := 1.0 // relative losses count every pixel
		if r.o.LossScale != ScaleRelative {
			gradient = float64(r.image.Shape.Pixels()) / float64(x.Shape.Pixels())
		}
		optimizer.Carry(r.optimizer, gradient)
	}
	r.freeOptimizer()
	r.optimizer = optimizer
	b.Free(r.image)
	r.image, content = x, nil
	settle(x.Shape)

	err = l.iterate(ctx)
	r.iterating += time.Since(l.begun)

	optimizer.Result(x)
	r.patches = ob.correspondences(r.block)
	ob.free()
	return err
}

// begin writes to x the image that this scale starts from: the result of the scale
// before, enlarged, or the initial picture.
func (r *run) begin(x *gpu.Array, content *Picture) {
	if r.image != nil {
		r.env.Backend.Resample(x, r.image, gpu.Bicubic)
		return
	}
	fit := func(p *Picture) *Picture {
		if p == nil {
			return nil
		}
		return p.Resize(x.Shape.W, x.Shape.H)
	}
	var style *Picture
	if r.o.Init == InitStyle {
		style = fit(r.styles[0])
	}
	r.env.Backend.Upload(x, r.px.start(r.o, x.Shape.W, x.Shape.H, content, style, fit(r.init)))
}

// setTargets computes the photograph's features at this scale and sets the targets,
// with the moments of the paintings by layer. If recompute is set, the photograph's
// features are not kept.
func (r *run) setTargets(ob *objective, content *Picture, paintings map[string][]moments, recompute bool) error {
	if r.o.ContentWeight > 0 {
		r.px.upload(r.env.Backend, ob.x, content)
	}
	if r.o.ContentWeight > 0 && r.o.ContentLoss == ContentSelfSim {
		ob.addSelfSims(r.o.ContentLayers)
	} else if r.o.ContentWeight > 0 {
		targets := ob.t.contentTargets(ob.x, r.o.ContentLayers, !recompute)
		if recompute {
			ob.photo = r.env.Backend.NewArray(ob.x.Shape)
			r.env.Backend.Copy(ob.photo, ob.x)
		}
		for _, l := range r.o.ContentLayers {
			if l.Weight > 0 {
				ob.addContent(l, targets[l.Layer])
			}
		}
	}
	if r.o.StyleWeight > 0 {
		for _, l := range ob.styleLayers {
			if l.Weight > 0 {
				ob.addStyle(l, paintings[l.Layer])
			}
		}
	}
	ob.addTemporal(r.px, r.earlier)
	ob.addTV()
	ob.addSpare(content)
	return r.env.Backend.Err()
}

// measureStyles computes the moments of all paintings for a canvas with that
// scale-side.
func (r *run) measureStyles(canvas int, cut Cut) (layers map[string][]moments, err error) {
	layers = make(map[string][]moments)
	if r.o.StyleWeight > 0 {
		for i, s := range r.styles {
			if r.regions != nil {
				err = r.measureRegions(i, canvas, cut, layers)
			} else {
				err = r.measureStyle(s, canvas, cut, layers)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return layers, nil
}

// measureStyle appends to layers the moments of one painting. Its scale-side is
// style-scale times the canvas's.
func (r *run) measureStyle(s *Picture, canvas int, cut Cut, layers map[string][]moments) error {
	w, h := r.o.styleSize(s, canvas)
	kept, err := r.cached(func() [sha256.Size]byte { return r.styleKey(s, w, h, cut) }, func(all map[string][]*gpu.Array) error {
		return r.withFeatures(s.Resize(w, h), cut, func(t *tiling, x *gpu.Array) {
			for layer, m := range t.measure(r.o, x) {
				all[layer] = m.arrays()
			}
		})
	})
	if err != nil {
		return err
	}
	for _, l := range r.o.StyleLayers {
		if l.Weight > 0 {
			layers[l.Layer] = append(layers[l.Layer], r.o.momentsFrom(kept[l.Layer]))
			delete(kept, l.Layer)
		}
	}
	for _, arrays := range kept { // of taps that carry other losses
		r.env.Backend.Free(arrays...)
	}
	return nil
}

// withFeatures uploads picture p to the backend as x. It calls do with x and a tiling
// for its size.
func (r *run) withFeatures(p *Picture, cut Cut, do func(t *tiling, x *gpu.Array)) error {
	b := r.env.Backend
	t, err := r.o.newTiling(b, r.env.Network, p.H, p.W, cut, false)
	if err != nil {
		return err
	}
	defer t.free()
	x := b.NewArray(gpu.Shape{H: p.H, W: p.W, C: 3})
	defer b.Free(x)
	r.px.upload(b, x, p)
	do(t, x)
	return b.Err()
}

// cached returns the arrays that measure makes for each layer, or copies of those that
// an earlier run made for the same key.
func (r *run) cached(key func() [sha256.Size]byte, measure func(all map[string][]*gpu.Array) error) (map[string][]*gpu.Array, error) {
	all := map[string][]*gpu.Array{}
	c, b := r.env.Cache, r.env.Backend
	if c == nil {
		return all, measure(all)
	}
	k := key()
	if kept := c.find(b, k); kept != nil {
		return kept, b.Err()
	}
	err := measure(all)
	if err == nil {
		c.keep(b, r.env.Network, k, all)
	}
	return all, err
}

// result returns the picture as it is now.
func (r *run) result() *Result {
	return &Result{
		Picture: r.picture(r.image), Options: r.o, Plan: r.plan,
		Iterations: r.done, Losses: r.losses, History: r.history,
		Rollbacks: r.rollbacks, Elapsed: time.Since(r.started), Iterating: r.iterating, Patches: r.patches,
	}
}

// picture downloads an image and reduces it to the size of the result. It takes the
// content's colours if they are kept, and the content's alpha if there is one.
func (r *run) picture(image *gpu.Array) *Picture {
	if image == nil {
		return nil
	}
	p := r.px.download(r.env.Backend, image)
	if w, h := r.o.reduced(p.W, p.H); w < p.W || h < p.H {
		p = p.Resize(w, h)
	}
	switch {
	case r.o.Color == ColorContent:
		p = r.o.ColorSpace.keep(p, r.content)
	case r.o.ColorFinish:
		p = finishColours(p, r.styles)
	}
	if r.protect != nil {
		p = keep(p, r.content, r.protect)
	}
	if r.alpha != nil {
		p.Alpha = r.alpha.Resize(p.W, p.H).Alpha
	}
	return p
}

func (r *run) freeOptimizer() {
	if r.optimizer != nil {
		r.optimizer.Free()
		r.optimizer = nil
	}
}

func (r *run) release() {
	r.env.Backend.Free(r.image)
	r.freeOptimizer()
}

// settle returns to the system the memory that preparing a large image has left unused.
// Without it the program would keep that memory for a long time.
func settle(image gpu.Shape) {
	if image.Pixels() >= 1<<16 {
		debug.FreeOSMemory()
	}
}
