package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Demo is what the command demo paints: one sample in the style of another.
type Demo struct {
	Content, Style string // names of samples; "" for the usual
	Doodle         bool   // paint the map of Content, without Content
}

// Request returns the request for the demo, with the settings of a command line,
// and its title.
func (d Demo) Request(given settings.Given) (r Request, title string, err error) {
	mode, chosen := style.ModeArt, settings.Demo
	content, painting := "lighthouse", DemoPainting
	if d.Doodle {
		mode, chosen = style.ModeDoodle, settings.DemoDoodle
		content, painting = "valley", "strokes"
	}
	content, painting = cmp.Or(d.Content, content), cmp.Or(d.Style, painting)
	v, bad := settings.Resolve(mode, given, chosen)
	bad.Add(checkSample(content, sample.Content))
	bad.Add(checkSample(painting, sample.Painting))
	if len(bad) > 0 {
		return r, "", bad
	}
	if d.Doodle {
		v.SetText("map", SamplePrefix+content+maps.Suffix, "demo")
		// The samples were drawn independently, so a region that only one of them
		// has is no fault.
		v.SetText("map-check", "off", "demo")
	} else {
		v.SetText("content", SamplePrefix+content, "demo")
	}
	return NewRequest(v, nil, SamplePrefix+painting), sampleTitle(content) + ", after " + sampleTitle(painting), nil
}

// DemoPainting is the default painting of a demo.
const DemoPainting = "woodblock"

// SampleNames lists the samples of a kind.
func SampleNames(kind sample.Kind) []string {
	var names []string
	for _, i := range sample.Names() {
		if i.Kind == kind {
			names = append(names, i.Name)
		}
	}
	return names
}

// sampleTitle returns the name of a sample with its title.
func sampleTitle(name string) string {
	for _, i := range sample.Names() {
		if i.Name == name {
			return fmt.Sprintf("%s (%q)", name, i.Title)
		}
	}
	return name
}

// checkSample refuses a name that is not a sample, or a sample of the other kind.
func checkSample(name string, kind sample.Kind) error {
	known := SampleNames(kind)
	if slices.Contains(known, name) {
		return nil
	}
	f := ui.UsageFault(fmt.Sprintf("%q is no %s sample; there are %s", name, kind, strings.Join(known, ", ")))
	if near := ui.Nearest(name, known); near != "" {
		f.Try = []string{fmt.Sprintf("did you mean %q?", near)}
	}
	return f
}
