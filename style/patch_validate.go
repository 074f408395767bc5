package style

import "math"

// patches checks the options of patch losses.
func (c *checker) patches(o Options, layers []string) {
	if !matches(o.Mode) && o.PatchWeight+o.AnalogyWeight == 0 {
		return
	}
	c.layers("patch-layers", o.PatchLayers, layers)
	c.layers("map-layers", o.MapLayers, layers)
	c.intervals([]interval{
		{"patch-weight", o.PatchWeight, 0, 1e12, false},
		{"analogy-weight", o.AnalogyWeight, 0, 1e12, false},
		{"map-weight", o.MapWeight, 0, 1e6, false},
		{"patch-size", float64(o.PatchSize), 1, 5, false},
		{"rematch", float64(o.Rematch), 1, 1e6, false},
		{"confidence", o.Confidence, 0, 1, false},
		{"variety", o.Variety, 0, 100, false},
		{"style-rotations", float64(o.StyleRotations), 0, 12, false},
		{"style-scales", float64(o.StyleScales), 0, 20, false},
		{"scale-from", o.ScaleFrom, 0, 1, false},
	}...)
	c.weights("map-weights", "map weight", o.MapWeights)
	c.strides("patch-stride", o.PatchStride)
	c.strides("style-stride", o.StyleStride)
	c.choices(o, true)
	switch {
	case o.PatchWeight+o.AnalogyWeight > 0 && weightSum(o.PatchLayers) == 0:
		c.add("patch-layers", []Suggestion{{"patch-layers", "relu3_1,relu4_1", ""}}, "patches have weight %g but no patch layer has any", math.Max(o.PatchWeight, o.AnalogyWeight))
	case matches(o.Mode) && o.PatchWeight+o.AnalogyWeight == 0 && !o.guidedAlone():
		c.add("patch-weight", []Suggestion{{"patch-weight", "1", ""}}, "patches have weight 0; that is what %s paints with", o.Mode)
	}
	if o.Variety > 0 && o.Match != MatchPixel {
		c.add("variety", []Suggestion{{"match", string(MatchPixel), ""}}, "variety %g needs scores that can be compared between patches", o.Variety)
	}
	if o.Mode == ModeArt || o.Mode == ModeTexture {
		c.add("patch-weight", []Suggestion{{"mode", string(ModePatch), ""}}, "%s does not paint with patches", o.Mode)
	}
	if o.AnalogyWeight > 0 && o.Mode != ModeAnalogy {
		c.add("analogy-weight", []Suggestion{{"mode", string(ModeAnalogy), ""}}, "analogy has weight %g, but only an analogy has A and B", o.AnalogyWeight)
	}
	if o.Normalize != NormalizeOff {
		c.add("normalize-gradients", []Suggestion{{"normalize-gradients", string(NormalizeOff), ""}}, "gradients of patches are not normalised")
	}
}

func (c *checker) strides(option string, strides []int) {
	for _, s := range strides {
		if s < 1 || s > 64 {
			c.add(option, nil, "%s %d does not lie from 1 to 64", option, s)
		}
	}
}
