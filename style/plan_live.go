package style

import (
	"encoding/binary"
	"math"

	"github.com/impasto/impasto/gpu"
)

// Where maps divide a canvas and a painting into regions, most pairs of patches need not
// be compared (see gpu.NewPruning). The search skips whole tiles of pairs: some patches
// side by side on the canvas with as many of the painting. So this file counts the pairs
// of tiles that have a region in common.

// liveTile is how many positions lie side by side in a tile, those of patches that
// reach beyond it included.
const liveTile = 16 + 2

// mostNames is the most different values of a map that are regions.
const mostNames = 64

// liveShare returns the share of the pairs of patches that are compared, of a canvas and
// a painting whose features at a layer have these shapes.
func (c counter) liveShare(painting int, canvas, view gpu.Shape) float64 {
	guides := c.in.guided(c.Options)
	if c.Match != MatchPixel || c.Variety > 0 || len(guides) == 0 || painting >= len(c.in.Styles) {
		return 1
	}
	names := map[string]int{}
	of := tileRegions(guides, c.MapForm == MapLabels, func(g Guide) *Map { return g.Canvas }, canvas, names)
	in := tileRegions(guides, c.MapForm == MapLabels, func(g Guide) *Map { return g.Styles[painting] }, view, names)
	if len(names) > mostNames {
		return 1
	}
	live, all := 0.0, 0.0
	for a, n := range of {
		for b, m := range in {
			all += n * m
			if a&b != 0 {
				live += n * m
			}
		}
	}
	return live / all
}

// appendRegion appends the region of a pixel of a map to its name: the largest channel if
// channels are labels, else the value.
func appendRegion(name []byte, value []float32, labels bool) []byte {
	if labels {
		largest := 0
		for i, v := range value {
			if v > value[largest] {
				largest = i
			}
		}
		return append(name, byte(largest))
	}
	for _, v := range value {
		name = binary.LittleEndian.AppendUint32(name, math.Float32bits(v))
	}
	return name
}

// tileRegions counts the tiles of a layer by the set of their regions, which names
// numbers.
func tileRegions(guides []Guide, labels bool, pick func(Guide) *Map, f gpu.Shape, names map[string]int) map[uint64]float64 {
	tiles, name := map[uint64]float64{}, []byte{}
	for y := range f.H {
		for x := 0; x < f.W; x += liveTile {
			set := uint64(0)
			for u := x; u < min(x+liveTile, f.W); u++ {
				name = name[:0]
				for _, g := range guides {
					m := pick(g)
					at := ((2*y+1)*m.H/(2*f.H)*m.W + (2*u+1)*m.W/(2*f.W)) * m.C
					name = appendRegion(name, m.Pix[at:at+m.C], labels)
				}
				n, known := names[string(name)]
				if !known {
					if n = len(names); n <= mostNames {
						names[string(name)] = n
					}
				}
				set |= 1 << (n % mostNames)
			}
			tiles[set]++
		}
	}
	return tiles
}
