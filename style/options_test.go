package style

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestPresetsAreValid(t *testing.T) {
	for _, name := range PresetNames() {
		for _, mode := range []string{ModeArt, ModeTexture} {
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
	if !errors.As(err, &problems) || len(problems[0].Try) != 1 || problems[0].Try[0] != "--preset gatys" {
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
	err := o.Validate()
	for _, want := range []string{
		"style-weight is NaN", "content-weight is -1", "tv-weight is +Inf", `color "colour"`,
		`unknown layer "relu6_1"`, `layer "relu1_1" has weight -2`, `layer "relu1_1" is named twice`,
		"no iterations", "plateau is 2",
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
		o, err := Preset(name, ModeArt)
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
