package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/style"
)

// Side and Iterations are the values for which other programs publish their times:
// a picture of 512 pixels, and 500 evaluations of its losses at one scale.
const (
	Side       = 512
	Iterations = 500
)

// Case is one kind of image whose time is measured. It has a preset, an optimiser,
// a size and a number of iterations.
type Case struct {
	Name    string
	Options style.Options // of the whole image
	Side    int           // of its square inputs, in pixels
}

// ThroughputPresets returns the presets whose images are measured, in the order of
// a report. It omits cnnmrf, which differs from cnnmrf-trans only in turned and
// scaled views. They make it many times slower.
func ThroughputPresets() []string {
	return []string{"default", "gatys", "jj", "pt", "cp", "cnnmrf-trans", "nd", "ia"}
}

// Cases makes the cases of presets. Presets without patches have one scale of
// iterations (0: Iterations) at side (0: Side), once with L-BFGS and once with
// Adam, so that all do the same number of evaluations of the same canvas. Presets
// that match patches keep their own schedule and optimiser, for which figures were
// published. For them, side 0 means their own side, and iterations are those of
// each scale.
func Cases(presets []string, side, iterations int) ([]Case, error) {
	var all []Case
	for _, preset := range presets {
		mode := modeOf(preset)
		o, err := style.Preset(preset, mode)
		if err != nil {
			return nil, err
		}
		o.Plateau = 0 // it ends a run early when the loss stops falling, which depends on the picture
		if mode != style.ModeArt {
			all = append(all, patchCase(o, side, iterations))
			continue
		}
		o.Scales, o.Iterations = 1, []int{cmp.Or(iterations, Iterations)}
		for _, optimizer := range []style.Optimizer{style.OptimizerLBFGS, style.OptimizerAdam} {
			o := o
			if o.Optimizer != optimizer {
				o.Optimizer, o.LR = optimizer, 0 // a learning rate belongs to one optimiser
			}
			o.LineSearch = false // it may stop early on some pictures, and costs nothing otherwise
			all = append(all, newCase(o, cmp.Or(side, Side)))
		}
	}
	return all, nil
}

func patchCase(o style.Options, side, iterations int) Case {
	own := Side
	if o.Preset == "cnnmrf-trans" {
		own = 384
	}
	if iterations > 0 {
		o.Iterations = []int{iterations}
	}
	return newCase(o, cmp.Or(side, own))
}

func newCase(o style.Options, side int) Case {
	o.Size = fmt.Sprintf("%dx%d", side, side)
	return Case{Name: o.Preset + ", " + optimizerName(o.Optimizer), Options: o, Side: side}
}

func modeOf(preset string) style.Mode {
	for _, mode := range []style.Mode{style.ModePatch, style.ModeDoodle, style.ModeAnalogy} {
		if known := style.PresetsFor(mode); preset != "default" && slices.Contains(known, preset) {
			return mode
		}
	}
	return style.ModeArt
}

func optimizerName(optimizer style.Optimizer) string {
	if optimizer == style.OptimizerLBFGS {
		return "L-BFGS"
	}
	return "Adam"
}

// atMost returns the case's options with at most n iterations at any scale; 0: all.
func (c Case) atMost(n int) style.Options {
	o := c.Options
	o.Iterations = slices.Clone(o.Iterations)
	for i, all := range o.Iterations {
		if n > 0 {
			o.Iterations[i] = min(all, n)
		}
	}
	return o
}

// pictures are the files that images are painted from: a scene and a painting drawn
// by the program, in JPEG like those of a camera.
type pictures struct{ content, style string }

// draw writes the pictures, side pixels wide, into dir.
func draw(dir string, side int) (pictures, error) {
	p := pictures{fmt.Sprintf("%s/content-%d.jpg", dir, side), fmt.Sprintf("%s/style-%d.jpg", dir, side)}
	for path, name := range map[string]string{p.content: "valley", p.style: "strokes"} {
		img, err := sample.Draw(name, side, side)
		if err != nil {
			return p, err
		}
		if err := style.Save(path, style.FromImage(img)); err != nil {
			return p, err
		}
	}
	return p, nil
}

// inputs reads the pictures for a mode. The map of a doodle is the picture itself
// with few colours, because its values do not affect the time. For an analogy, A is
// the scene as well.
func (p pictures) inputs(mode style.Mode) (style.Inputs, error) {
	content, err := style.Open(p.content)
	if err != nil {
		return style.Inputs{}, err
	}
	painting, err := style.Open(p.style)
	if err != nil {
		return style.Inputs{}, err
	}
	in := style.Inputs{Content: content, Styles: []*style.Picture{painting}}
	switch mode {
	case style.ModeDoodle:
		in.Guides = []style.Guide{{Canvas: style.MapOf(content), Styles: []*style.Map{style.MapOf(painting)}}}
	case style.ModeAnalogy:
		in.Content, in.A, in.B = nil, content, content
	}
	return in, nil
}

// layers names the layers that a case uses, for the report.
func (c Case) layers() string {
	var names []string
	add := func(what string, weight float64, list []style.LayerWeight) {
		var its []string
		for _, l := range list {
			if weight > 0 && l.Weight > 0 {
				its = append(its, l.Layer)
			}
		}
		if len(its) > 0 {
			names = append(names, what+" "+strings.Join(its, " "))
		}
	}
	o := c.Options
	add("content", o.ContentWeight, o.ContentLayers)
	add("style", o.StyleWeight, o.StyleLayers)
	add("patches", o.PatchWeight+o.AnalogyWeight, o.PatchLayers)
	return strings.Join(names, "; ")
}
