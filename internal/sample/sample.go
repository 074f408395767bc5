// Package sample draws the pictures that come with the program: three scenes to
// paint and three paintings as styles, each with a map of its regions.
//
// Everything is computed and nothing is stored. A picture is a function of the
// position in it, so that it shows the same scene at every size. It uses fixed
// seeds, so that it is the same picture every time. The package imports only the
// standard library.
package sample

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// Kind says what a sample is for.
type Kind string

const (
	Content  Kind = "content"  // a photograph-like scene, to be painted
	Painting Kind = "painting" // a style to paint in
)

// Info names one sample picture.
type Info struct {
	Name  string // as Draw and Map spell it
	Kind  Kind
	Title string // a few words, for people
}

// maxSide limits the memory of Draw and Map: 256 Mpixel.
const maxSide = 1 << 14

// picture is one entry of the table of samples.
type picture struct {
	Info
	draw func(w, h int) *image.NRGBA
	// labels returns the function from a point of a w x h picture to its region.
	labels func(w, h int) func(p point) label
	// regions lists what labels can return.
	regions []label
}

var pictures = []picture{
	{Info{"valley", Content, "A mountain lake in the evening"}, scene(valleyScene).photograph(0.5, 0.35, 1.25), scene(valleyScene).labels, valleyRegions},
	{Info{"lighthouse", Content, "A lighthouse above the sea"}, scene(lighthouseScene).photograph(0.5, 0.3, 1.2), scene(lighthouseScene).labels, lighthouseRegions},
	{Info{"still-life", Content, "Fruit and a jug on a table"}, scene(stillLifeScene).photograph(0.45, 0.25, 1.2), scene(stillLifeScene).labels, stillLifeRegions},
	{Info{"strokes", Painting, "Fields and a turning sky, in thick brush strokes"}, drawStrokes, labelStrokes, strokesRegions},
	{Info{"woodblock", Painting, "A great wave, cut in wood"}, drawWoodblock, labelWoodblock, woodblockRegions},
	{Info{"mosaic", Painting, "Sun over the sea, laid in stone"}, drawMosaic, labelMosaic, mosaicRegions},
}

// Names lists the samples: scenes first, then paintings.
func Names() []Info {
	infos := make([]Info, len(pictures))
	for i, p := range pictures {
		infos[i] = p.Info
	}
	return infos
}

// Draw returns the sample of a name, w x h pixels, opaque, sRGB.
func Draw(name string, w, h int) (*image.NRGBA, error) {
	p, err := find(name, w, h)
	if err != nil {
		return nil, err
	}
	return p.draw(w, h), nil
}

// Map returns the regions of a sample in flat colours, w x h pixels without
// anti-aliasing, and the colour of each region by name. A region has the same
// colour in every sample.
func Map(name string, w, h int) (*image.NRGBA, map[string]color.NRGBA, error) {
	p, err := find(name, w, h)
	if err != nil {
		return nil, nil, err
	}
	at := p.labels(w, h)
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	f := newFrame(w, h)
	eachRow(h, func(y int) {
		for x := range w {
			im.SetNRGBA(x, y, at(f.at(float64(x)+0.5, float64(y)+0.5)).colour())
		}
	})
	legend := map[string]color.NRGBA{}
	for _, l := range p.regions {
		legend[l.String()] = l.colour()
	}
	return im, legend, nil
}

func find(name string, w, h int) (picture, error) {
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return picture{}, fmt.Errorf("sample size %dx%d is not within 1x1 to %dx%d", w, h, maxSide, maxSide)
	}
	known := make([]string, len(pictures))
	for i, p := range pictures {
		if p.Name == name {
			return p, nil
		}
		known[i] = p.Name
	}
	return picture{}, fmt.Errorf("unknown sample %q; there are %s", name, strings.Join(known, ", "))
}
