package style

import (
	"cmp"
	"context"
)

// Patch paints the content with patches of the styles. Each patch of features is pulled
// towards the most similar patch of the styles (Li & Wand, "Combining Markov Random
// Fields and Convolutional Neural Networks", CVPR 2016). Results and errors are as for
// Art.
func Patch(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	o.Mode = ModePatch
	return Paint(ctx, in, o, env)
}

// Doodle paints from maps. Patches come from places where the painting's map has the
// same region as the canvas's map (Champandard, "Semantic Style Transfer and Turning
// Two-Bit Doodles into Fine Artworks", 2016). With a content picture it is semantic
// style transfer. Without maps only the patches count, and with only a style it paints
// a texture. Results and errors are as for Art.
func Doodle(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	o.Mode = ModeDoodle
	return Paint(ctx, in, o, env)
}

// Analogy paints B in the way in which the style A' was made of A: A is to A' as B is
// to the result (Hertzmann et al., "Image Analogies", 2001). A and B may be photographs
// or maps of regions. Their colours guide the matching, and so do the features of
// photographs. Results and errors are as for Art.
func Analogy(ctx context.Context, in Inputs, o Options, env Env) (*Result, error) {
	o.Mode = ModeAnalogy
	return Paint(ctx, in, o, env)
}

// matches reports whether a mode matches patches.
func matches(mode Mode) bool {
	return mode == ModePatch || mode == ModeDoodle || mode == ModeAnalogy
}

// guided returns the guides of a run; in an analogy A and B are a guide.
func (in Inputs) guided(o Options) []Guide {
	guides := in.Guides
	if o.Mode == ModeAnalogy && o.MapWeight > 0 && in.A != nil && in.B != nil {
		guides = append(guides[:len(guides):len(guides)], Guide{Canvas: MapOf(in.B.Flatten()), Styles: []*Map{MapOf(in.A.Flatten())}})
	}
	if o.MapWeight == 0 || o.PatchWeight == 0 {
		return nil
	}
	return guides
}

// Canvas returns the size of the picture from which the result takes its proportions.
func (in Inputs) Canvas(mode Mode) (w, h int) {
	switch {
	case mode == ModeAnalogy && in.B != nil:
		return in.B.W, in.B.H
	case mode != ModeTexture && in.Content != nil:
		return in.Content.W, in.Content.H
	case mode == ModeDoodle && len(in.Guides) > 0 && in.Guides[0].Canvas != nil:
		return in.Guides[0].Canvas.W, in.Guides[0].Canvas.H
	}
	return in.Styles[0].W, in.Styles[0].H
}

// checkModes checks the inputs of the modes that match patches.
func (c *checker) modes(in Inputs, o Options) {
	for i, g := range in.Guides {
		c.guide(i, g, in)
	}
	c.slicedGuides(in, o)
	if o.Mode == ModePatch && in.Content == nil {
		c.add("content", nil, "patch needs a content picture")
	}
	if matches(o.Mode) && len(in.Styles) == 0 {
		c.add("style", nil, "no style picture given")
	}
	if o.Mode == ModeAnalogy {
		if in.A == nil || in.B == nil || len(in.Styles) != 1 {
			c.add("style", nil, "an analogy needs A, B and one style A'")
		} else if s := in.Styles[0]; in.A.W != s.W || in.A.H != s.H {
			c.add("style", nil, "A is %dx%d but A' is %dx%d; they must show the same things at the same places", in.A.W, in.A.H, s.W, s.H)
		}
	}
	if o.Mode == ModeDoodle && in.Content == nil {
		if o.Init == InitContent || o.Color != ColorStyle {
			c.add("init", []Suggestion{{"init", string(InitNoise), ""}, {"color", string(ColorStyle), ""}}, "there is no content picture to start from or take colours from")
		}
	}
	if p := in.Protect; p != nil {
		if fault := p.check(); fault != "" || p.C != 1 {
			c.add("protect", nil, "the map of what to protect %s", cmp.Or(fault, "has more than one channel"))
		} else if in.Content == nil || o.Init != InitContent {
			c.add("protect", []Suggestion{{"init", string(InitContent), ""}}, "what is protected is kept from the content, which the picture must begin with")
		}
	}
}

func (c *checker) guide(i int, g Guide, in Inputs) {
	if fault := g.Canvas.check(); fault != "" {
		c.add("map", nil, "map %d of the canvas %s", i+1, fault)
		return
	}
	if len(g.Styles) != len(in.Styles) {
		c.add("style-map", nil, "%d maps for %d paintings", len(g.Styles), len(in.Styles))
		return
	}
	for j, m := range g.Styles {
		if fault := m.check(); fault != "" {
			c.add("style-map", nil, "the map of painting %d %s", j+1, fault)
			continue
		}
		if m.C != g.Canvas.C {
			c.add("style-map", nil, "the map of painting %d has %d channels, that of the canvas %d", j+1, m.C, g.Canvas.C)
		}
		if s := in.Styles[j]; s != nil && (m.W != s.W || m.H != s.H) {
			c.add("style-map", nil, "the map of painting %d is %dx%d, the painting %dx%d", j+1, m.W, m.H, s.W, s.H)
		}
	}
	if !(g.Weight >= 0) || g.Weight > 1e12 {
		c.add("map-weight", nil, "map %d has weight %g; weights are numbers from 0", i+1, g.Weight)
	}
}

// keep restores the content's pixels where they are protected. protect is the protected
// share of each pixel.
func keep(of, content *Picture, protect *Map) *Picture {
	mask := newPicture(protect.W, protect.H)
	for i, v := range protect.Pix {
		mask.Pix[3*i] = v
	}
	mask, content = mask.Resize(of.W, of.H), content.Resize(of.W, of.H)
	out := of.Clone()
	for i := range out.Pix {
		p := min(max(mask.Pix[i/3*3], 0), 1)
		out.Pix[i] += float32(p * (content.Pix[i] - out.Pix[i]))
	}
	return out
}
