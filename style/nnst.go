package style

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest-neighbour style transfer (Kolkin, Kucera, Paris, Sykora, Shechtman,
// Shakhnarovich, "Neural Neighbor Style Transfer", 2022) uses no statistics of
// paintings. Each position of the canvas gets the features of the most similar position
// of the paintings.
//
//  - H(x) joins the features of many layers. Each is divided by its number of
//    channels and resized to a quarter of the picture's sides (nnst_features.go).
//  - Once a scale, each position of (1 - a) canvas + a content finds the position
//    of the paintings whose H has the highest cosine, after the mean of each H is
//    subtracted. These are the targets T, and the loss is the mean of
//    1 - cos(H(x)_p, T_p). At the first scale a is 1.
//  - At full size, refine further iterations find new neighbours in each step,
//    layer by layer, on a grid that is shifted each time (nnst_refine.go).
//  - The variables are the bands of a Laplacian pyramid, which Adam optimises
//    (nnst_bands.go).
//  - The result gets its colours from the paintings (picture.MatchChroma).
//
// The option content-weight is a. There is no content term.

// Method is the way in which the picture is found.
type Method string

// The methods.
const (
	MethodLosses Method = "losses" // by the losses of LossOptions
	MethodNNST   Method = "nnst"   // by nearest neighbours
)

// NeighbourLayers are the layers whose features nearest-neighbour style transfer joins.
var NeighbourLayers = VGG19Layers[:slices.Index(VGG19Layers, "relu4_3")+1]

// UseMethod sets the method and the options that go with it on a network, "vgg19" or
// "mini". MethodNNST has its own schedule, optimiser and layers.
func (o *Options) UseMethod(m Method, network string) {
	o.Method = m
	if m != MethodNNST {
		return
	}
	o.StyleWeight, o.ContentWeight, o.TVWeight = 1, 0.75, 0
	o.ContentLayers, o.StyleLayers = nil, nil
	for _, name := range layersOf(network, NeighbourLayers) {
		o.StyleLayers = append(o.StyleLayers, LayerWeight{name, 1})
	}
	o.LossScale, o.Normalize = ScaleRelative, NormalizeOff
	o.Iterations, o.Refine = []int{200}, 200
	o.MinScale, o.ScaleStep, o.ScaleFrom, o.Supersample, o.Plateau, o.CarryState = 64, 2, 0, 0, 0, false
	o.Optimizer, o.LR, o.LineSearch, o.Box, o.Average = OptimizerAdam, 2e-3*255, false, false, 0
	o.Beta1, o.Beta2, o.Epsilon = 0.9, 0.999, 1e-8
	o.ColorFinish = true
}

// layersOf returns those of the names that a loss takes from a network, "vgg19" or "mini":
// of mini it takes the first two layers of a block.
func layersOf(network string, names []string) []string {
	if network != "mini" {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasSuffix(name, "_3") || strings.HasSuffix(name, "_4")
	})
}

// neighbours checks the options of nearest-neighbour style transfer.
func (c *checker) neighbours(o Options) {
	if o.Refine < 0 || o.Refine > 1_000_000 {
		c.add("refine", nil, "refine is %d; it must lie from 0 to 1000000", o.Refine)
	}
	if o.Method != MethodNNST {
		if o.StyleTurns {
			c.add("style-turns", []Suggestion{{"method", string(MethodNNST), ""}}, "only method %s turns paintings", MethodNNST)
		}
		if o.ColorFinish {
			c.add("color-finish", []Suggestion{{"method", string(MethodNNST), ""}}, "only method %s finishes colours", MethodNNST)
		}
		return
	}
	if o.Mode != ModeArt {
		c.add("method", []Suggestion{{"mode", string(ModeArt), ""}}, "method %s paints in mode %s alone, not in %s", o.Method, ModeArt, o.Mode)
	}
	if o.ContentWeight > 1 {
		c.add("content-weight", []Suggestion{{"content-weight", "0.75", ""}}, "content-weight is %g; for method %s it is the share of the photograph in what is matched, from 0 to 1", o.ContentWeight, o.Method)
	}
	if o.StyleWeight == 0 {
		c.add("style-weight", []Suggestion{{"style-weight", "1", ""}}, "method %s needs a style weight above 0", o.Method)
	}
	if len(o.ContentLayers) > 0 {
		c.add("content-layers", nil, "method %s has no content loss, so no content layers", o.Method)
	}
	if o.Optimizer != OptimizerAdam {
		c.add("optimizer", []Suggestion{{"optimizer", string(OptimizerAdam), ""}}, "method %s matches anew in each step; only the optimizer adam goes with that", o.Method)
	}
	for _, unfit := range []struct {
		option string
		given  bool
		value  string
	}{
		{"temporal-weight", o.TemporalWeight > 0, "0"}, {"average", o.Average > 0, "0"}, {"box", o.Box, ""},
		{"carry-state", o.CarryState, ""}, {"normalize-gradients", o.Normalize != NormalizeOff, string(NormalizeOff)},
		{"style-weights", len(o.StyleWeights) > 0, ""},
	} {
		if !unfit.given {
			continue
		}
		var try []Suggestion
		if unfit.value != "" {
			try = []Suggestion{{unfit.option, unfit.value, ""}}
		}
		c.add(unfit.option, try, "%s does not go with method %s", unfit.option, o.Method)
	}
}

// refined appends the scale at full size that finds new matches in each iteration.
func (o Options) refined(scales []Scale) []Scale {
	if o.Method != MethodNNST || o.Refine == 0 {
		return scales
	}
	last := scales[len(scales)-1]
	last.Iterations, last.refine = o.Refine, true
	return append(scales, last)
}

// neighbourShare returns the share of the photograph in the image that a scale matches.
func (o Options) neighbourShare(scale int) float64 {
	if scale == 0 {
		return 1
	}
	return o.ContentWeight
}

// tilesOfNeighbours returns the reason why a picture of this method is not cut.
func tilesOfNeighbours(size TileSize) string {
	return fmt.Sprintf("method %s compares features of the whole picture at once, not in tiles of %v", MethodNNST, size)
}
