package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/impasto/impasto/style"
)

// way is a way to paint: a preset and options on top of it.
type way struct{ name, preset, options string }

// usual are the ways compared where none is named. The first is today's default.
var usual = []way{
	{"default", "default", ""},
	{"best", "best", ""},
	{"covariance", "default", "style-loss=covariance"},
	{"gram", "default", "style-loss=gram content-weight=1 tv-weight=1 tv-spare=0"},
	{"w2", "default", "style-loss=w2"},
	{"jj", "jj", "iterations=[300]"},
	{"cp", "cp", "iterations=[200,100]"},
}

// ways is a flag that may be given several times.
type ways []way

func (w *ways) String() string { return "" }

func (w *ways) Set(text string) error {
	name, options, _ := strings.Cut(text, ":")
	preset, rest, named := strings.Cut(options, "@")
	if !named {
		preset, rest = "default", options
	}
	*w = append(*w, way{name, strings.TrimSpace(preset), rest})
	return nil
}

// given returns the value of an option that the way sets, or "".
func (w way) given(option string) string {
	value := ""
	for word := range strings.FieldsSeq(w.options) {
		if v, ok := strings.CutPrefix(word, option+"="); ok {
			value = v
		}
	}
	return value
}

// resolve returns the way's options. As in the command, a mode, a style loss and a
// method bring the options that go with them, and the way's other options replace these.
func (w way) resolve(painter *style.Painter, network string, texture bool) (style.Options, error) {
	mode := style.ModeArt
	if texture {
		mode = style.ModeTexture
	}
	switch m := style.Mode(w.given("mode")); m {
	case "", style.ModeArt:
	case style.ModePatch:
		mode = m
	default:
		return style.Options{}, fmt.Errorf("mode %s is not compared; there are %s and %s", m, style.ModeArt, style.ModePatch)
	}
	o := painter.Defaults(mode)
	if loss := w.given("style-loss"); loss != "" {
		o.UseStyleLoss(style.StyleLoss(loss), network)
	}
	switch w.preset {
	case "default", "":
	case "best":
		o = style.Best(o)
	default:
		var err error
		if o, err = style.Preset(w.preset, mode); err != nil {
			return o, err
		}
	}
	if method := w.given("method"); method != "" {
		o.UseMethod(style.Method(method), network)
	}
	for word := range strings.FieldsSeq(w.options) {
		name, value, _ := strings.Cut(word, "=")
		field := o.Field(name)
		if field == nil {
			return o, fmt.Errorf("no option is called %q", name)
		}
		if json.Unmarshal([]byte(value), field) != nil {
			if err := json.Unmarshal(fmt.Appendf(nil, "%q", value), field); err != nil {
				return o, fmt.Errorf("option %s: %w", name, err)
			}
		}
	}
	return o, nil
}

// shortened returns o with a share of its iterations, at least one at each scale.
func shortened(o style.Options, share float64) style.Options {
	part := func(n int) int { return max(1, int(math.Round(share*float64(n)))) }
	o.Iterations = slices.Clone(o.Iterations)
	for i, n := range o.Iterations {
		o.Iterations[i] = part(n)
	}
	if o.Refine > 0 {
		o.Refine = part(o.Refine)
	}
	return o
}

// Shares of the iterations with which the time of a way is measured.
const fewer, more = 0.02, 0.06

// shareFor returns the share of o's iterations that takes a number of seconds. seconds
// paints with o and returns the time. Two short runs tell the time of an iteration from
// the time before the first.
func shareFor(o style.Options, want float64, seconds func(style.Options) (float64, error)) (float64, error) {
	var took, done [2]float64
	for i, share := range []float64{fewer, more} {
		short := shortened(o, share)
		var err error
		if took[i], err = seconds(short); err != nil {
			return 0, err
		}
		done[i] = float64(short.Iterations[0]) / float64(o.Iterations[0]) // share rounded to whole iterations
	}
	all := (took[1] - took[0]) / (done[1] - done[0])
	if all <= 0 { // so short that the time before the first iteration hides them
		return want / took[1] * done[1], nil
	}
	return math.Max((want-took[0])/all+done[0], fewer), nil
}
