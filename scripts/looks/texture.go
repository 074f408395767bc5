package main

import (
	"math"

	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/style"
)

// paintings are our own drawings that textures are made of.
var paintings = []string{"mosaic", "strokes", "woodblock"}

// readPaintings reads what textures are made of, at most that many of our own.
func readPaintings(most int, files []string) ([]pair, error) {
	var list []pair
	for _, name := range paintings[:min(most, len(paintings))] {
		img, err := sample.Draw(name, 720, 480)
		if err != nil {
			return nil, err
		}
		list = append(list, pair{name: name, painting: style.FromImage(img)})
	}
	for _, f := range files {
		p, err := style.Open(f)
		if err != nil {
			return nil, err
		}
		list = append(list, pair{name: stem(f), painting: p})
	}
	return list, nil
}

// likeness names the column of what a picture is like.
func likeness(pairs []pair) string {
	if len(pairs) > 0 && pairs[0].texture() {
		return "copy"
	}
	return "SSIM"
}

// small is the long side of the pictures that copied compares, in pixels.
const small = 32

// copied is the largest correlation of luma between a painting and a part of a
// texture as large as it, anywhere in the texture repeated. Only large shapes count,
// because both are made small. 1 is a copy, moved.
func copied(texture, painting *style.Picture) float64 {
	t, _, _ := split(long(texture, small))
	p, _, _ := split(long(painting, small))
	best := -1.0
	for dy := range t.h {
		for dx := range t.w {
			best = max(best, correlation(p, func(x, y int) float64 { return t.v[(y+dy)%t.h*t.w+(x+dx)%t.w] }))
		}
	}
	return best
}

// correlation is that of p with q over p's pixels.
func correlation(p plane, q func(x, y int) float64) float64 {
	var n, sp, sq, spp, sqq, spq float64
	for y := range p.h {
		for x := range p.w {
			a, b := p.at(x, y), q(x, y)
			n, sp, sq, spp, sqq, spq = n+1, sp+a, sq+b, spp+a*a, sqq+b*b, spq+a*b
		}
	}
	return (spq - sp*sq/n) / math.Sqrt(max((spp-sp*sp/n)*(sqq-sq*sq/n), 1e-30))
}
