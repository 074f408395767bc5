package style

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/vgg"
)

func TestPresetsAreValid(t *testing.T) {
	for _, mode := range []Mode{ModeArt, ModeTexture, ModePatch, ModeDoodle, ModeAnalogy} {
		for _, name := range PresetsFor(mode) {
			o, err := Preset(name, mode)
			if err != nil {
				t.Fatalf("%s %s: %v", name, mode, err)
			}
			if err := o.Validate(); err != nil {
				t.Errorf("%s %s: %v", name, mode, err)
			}
			if o.Preset != name || o.Mode != mode {
				t.Errorf("preset %s for %s calls itself %s for %s", name, mode, o.Preset, o.Mode)
			}
		}
	}
}

func TestUnknownPresetSuggestsTheNearest(t *testing.T) {
	_, err := Preset("gatis", ModeArt)
	var problems Problems
	if !errors.As(err, &problems) || len(problems[0].Try) != 1 || problems[0].Try[0] != (Suggestion{"preset", "gatys", ""}) {
		t.Fatalf("got %#v", err)
	}
}

func TestValidateReportsAllProblemsAtOnce(t *testing.T) {
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.StyleWeight = math.NaN()
	o.ContentWeight = -1
	o.TVWeight = math.Inf(1)
	o.Color = "colour"
	o.StyleLayers = []LayerWeight{{"relu6_1", 1}, {"relu1_1", -2}, {"relu1_1", 1}}
	o.Iterations = nil
	o.Plateau = 2
	o.Size = "512y"
	err := o.Validate()
	for _, want := range []string{
		"style-weight is NaN", "content-weight is -1", "tv-weight is +Inf", `color "colour"`,
		`unknown layer "relu6_1"`, `layer "relu1_1" has weight -2`, `layer "relu1_1" is named twice`,
		"no iterations", "plateau is 2", `"512y" is not a size`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestValidateSingleFaults(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"unknown preset": func(o *Options) { o.Preset = "vangogh" },
		"nothing to paint": func(o *Options) {
			o.ContentWeight, o.StyleWeight = 0, 0
		},
		"no style layer":   func(o *Options) { o.StyleLayers = nil },
		"no content layer": func(o *Options) { o.ContentLayers = []LayerWeight{{"relu4_2", 0}} },
		"style weights are all 0": func(o *Options) {
			o.StyleWeights = []float64{0, 0}
		},
		"style weight 2":  func(o *Options) { o.StyleWeights = []float64{1, math.NaN()} },
		"a texture":       func(o *Options) { o.Mode = ModeTexture },
		"noise-range":     func(o *Options) { o.NoiseRange = Range{200, 100} },
		"history is 0":    func(o *Options) { o.History = 0 },
		"scale-step is 1": func(o *Options) { o.ScaleStep = 1 },
		"pool-scale is 0": func(o *Options) { o.PoolScale = 0 },
		"scale 2 are -1":  func(o *Options) { o.Iterations = []int{1, -1} },
	} {
		o := DefaultOptions(ModeArt, "cpu", "vgg19")
		spoil(&o)
		err := o.Validate()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	o := DefaultOptions(ModeArt, "cpu", "mini")
	o.StyleLayers = []LayerWeight{{"relu3_4", 1}}
	if err := o.Validate("relu3_1", "relu3_2", "relu4_2"); err == nil || !strings.Contains(err.Error(), `"relu3_4"`) {
		t.Errorf("a layer the network lacks: got %v", err)
	}
}

func TestOptionsSurviveJSON(t *testing.T) {
	for _, name := range PresetNames() {
		mode := cmp.Or(presetMode[name], ModeArt)
		o, err := Preset(name, mode)
		if err != nil {
			t.Fatal(err)
		}
		o.StyleWeights = []float64{0.25, 3}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var back Options
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(o, back) {
			t.Errorf("%s changed: %s", name, text)
		}
	}
}

func TestParseLayers(t *testing.T) {
	got, err := ParseLayers("relu1_1, 3_1:0.5,conv4_2:2,")
	want := []LayerWeight{{"relu1_1", 1}, {"relu3_1", 0.5}, {"relu4_2", 2}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ParseLayers("relu1_1:much"); err == nil {
		t.Error("a weight that is no number passed")
	}
	if err := new(Range).UnmarshalText([]byte("0-255")); err == nil {
		t.Error("a range without a colon passed")
	}
}

// TestPresetParameters holds the presets to the numbers the papers and the
// systems' sources give, in those systems' own words.
func TestPresetParameters(t *testing.T) {
	preset := func(name string) Options {
		o, err := Preset(name, ModeArt)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	gatys, jj, pt, cp := preset("gatys"), preset("jj"), preset("pt"), preset("cp")
	spst, fast := preset("spst"), preset("spst-fast")
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"gatys: alpha/beta = 1e-3", gatys.ContentWeight / gatys.StyleWeight, 1e-3},
		{"gatys: w_l = 1/5", gatys.StyleLayers[4].Weight, 0.2},
		{"gatys: average pooling", gatys.Pooling, vgg.PoolAvg},
		{"gatys: white noise", gatys.Init, InitNoise},
		{"jj: -content_weight 5e0", jj.ContentWeight, 5.0},
		{"jj: -style_weight 1e2", jj.StyleWeight, 100.0},
		{"jj: -tv_weight 1e-3", jj.TVWeight, 1e-3},
		{"jj: TVLoss adds to gradInput only", jj.TVInLoss, false},
		{"jj: -num_iterations 1000", jj.Iterations, []int{1000}},
		{"jj: torch.randn:mul(0.001)", jj.NoiseStd, 0.001},
		{"jj: img:mul(256.0)", jj.ImageRange, 256.0},
		{"jj: optim.lbfgs nCorrection 100", jj.History, 100},
		{"jj: -pooling max", jj.Pooling, vgg.PoolMax},
		{"jj: loadcaffe rounds up", jj.PoolRound, RoundCeil},
		{"jj: -image_size 512", jj.Size, "512"},
		{"jj: -content_layers relu4_2", jj.ContentLayers, []LayerWeight{{"relu4_2", 1}}},
		{"pt: |dx| + |dy|", pt.TV, TVL1},
		{"pt: loss += mod.loss for tv", pt.TVInLoss, true},
		{"pt: ToTensor * 255", pt.ImageRange, 255.0},
		{"pt: nn.MaxPool2d rounds down", pt.PoolRound, RoundFloor},
		{"cp: content_weight 0.015", cp.ContentWeight, 0.015},
		{"cp: tv_weight 2", cp.TVWeight, 2.0},
		{"cp: style_weights 256, ... 1", cp.StyleLayers[0].Weight / cp.StyleLayers[4].Weight, 256.0},
		{"cp: of sum 1", math.Abs(weightSum(cp.StyleLayers)-1) < 1e-12, true},
		{"cp: step_size 0.02 of 0..1", cp.LR, 5.1},
		{"cp: betas .9, .99", []float64{cp.Beta1, cp.Beta2}, []float64{0.9, 0.99}},
		{"cp: avg_decay 0.99", cp.Average, 0.99},
		{"cp: initial_iterations 1000, iterations 500", cp.Iterations, []int{1000, 500}},
		{"cp: scales sqrt 2 apart from 128", []float64{cp.ScaleStep * cp.ScaleStep, float64(cp.MinScale)}, []float64{2.0000000000000004, 128}},
		{"cp: padding_mode replicate", cp.Padding, PadReplicate},
		{"cp: clamp_(0, 1)", cp.Box, true},
		{"spst: content_weights 1e0", spst.ContentWeight, 1.0},
		{"spst: content_layers r42", spst.ContentLayers, []LayerWeight{{"relu4_2", 1}}},
		{"spst: style_layers r11 ... r51", []any{len(spst.StyleLayers), spst.StyleLayers[4].Layer}, []any{5, "relu5_1"}},
		{"spst: opt_img = content_image.clone()", spst.Init, InitContent},
		{"spst: 600, then 300", spst.Iterations, []int{600, 300}},
		{"spst-fast: max(600 // 3^s, 30)", fast.Iterations, []int{600, 200, 66, 30}},
		{"spst: optim.LBFGS without line search", []bool{spst.LineSearch, spst.Box}, []bool{false, false}},
		{"spst: pool max", spst.Pooling, vgg.PoolMax},
		{"spst: downscale_style by the short side", []any{spst.ScaleSide, spst.StyleScale, spst.StyleUpscale}, []any{SideShort, 1.0, false}},
		{"cp: never scales a style up", cp.StyleUpscale, false},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: have %v", c.what, c.got)
		}
	}
}

// TestScaleSide: spst begins at a short side of 512 to 1023 pixels and doubles,
// and brings paintings to the canvas's short side, but enlarges none.
func TestScaleSide(t *testing.T) {
	o, err := Preset("spst", ModeArt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ w, h, scales, first int }{
		{4000, 3000, 3, 750}, {600, 5000, 1, 600}, {2048, 1024, 2, 512}, {1022, 1022, 1, 1022}, {300, 200, 1, 200},
	} {
		list := o.scales(c.w, c.h, 2)
		if first := list[0]; len(list) != c.scales || min(first.W, first.H) != c.first {
			t.Errorf("%d x %d: %d scales from %d x %d", c.w, c.h, len(list), first.W, first.H)
		}
	}
	long := o
	long.ScaleSide = ""
	for _, c := range []struct {
		o          Options
		w, h, a, b int
	}{
		{o, 1600, 800, 1000, 500}, {o, 400, 900, 400, 900}, {long, 1600, 800, 700, 350},
	} {
		if w, h := c.o.styleSize(&Picture{W: c.w, H: c.h}, c.o.side(700, 500)); w != c.a || h != c.b {
			t.Errorf("a painting of %d x %d becomes %d x %d, want %d x %d", c.w, c.h, w, h, c.a, c.b)
		}
	}
}

// TestEveryNumberIsChecked: a value that no check refuses would be computed with.
func TestEveryNumberIsChecked(t *testing.T) {
	for _, name := range OptionNames() {
		o := DefaultOptions(ModePatch, "cpu", "vgg19")
		switch p := o.Field(name).(type) {
		case *float64:
			*p = math.NaN()
		case *int:
			*p = -1 << 40
		default:
			continue
		}
		var faults Problems
		errors.As(o.Validate(), &faults)
		if !slices.ContainsFunc(faults, func(f *OptionError) bool { return f.Option == name }) {
			t.Errorf("%s may be %v: %v", name, o.value(name), faults)
		}
	}
}

// The default style loss has the weights that go with it, and any way back to it
// leads to the defaults.
func TestStyleLossAndItsWeights(t *testing.T) {
	for _, mode := range []Mode{ModeArt, ModeTexture} {
		for _, network := range []string{"vgg19", "mini"} {
			o := DefaultOptions(mode, "cpu", network)
			back := o
			back.UseStyleLoss(LossW2, network)
			if changed := back.TVWeight != o.TVWeight; mode == ModeTexture && changed {
				t.Errorf("%s with %s: w2 changes tv-weight to %g", mode, network, back.TVWeight)
			}
			back.UseStyleLoss(o.StyleLoss, network)
			if !reflect.DeepEqual(back, o) {
				t.Errorf("%s with %s: %+v after w2, %+v before", mode, network, back.LossOptions, o.LossOptions)
			}
		}
	}
	moments, covariance := DefaultOptions(ModeArt, "cpu", "vgg19"), DefaultOptions(ModeArt, "cpu", "vgg19")
	covariance.UseStyleLoss(LossCovariance, "vgg19")
	if a, b := UsualTemporalWeight(moments), UsualTemporalWeight(covariance); !(a > b && b == 1) {
		t.Errorf("temporal weights %g and %g", a, b)
	}
	var j job
	j.options = moments
	WithStyleLoss(LossCovariance)(&j)
	if !reflect.DeepEqual(j.options, covariance) {
		t.Errorf("WithStyleLoss: %+v, want %+v", j.options.LossOptions, covariance.LossOptions)
	}
}
