package gpu

import (
	"fmt"
	"math"
	"testing"
)

// refTV is the total variation of x by its definition, each pixel's term times
// its weight; nil: 1.
func refTV(x, weight []float64, s Shape, kind TVKind) float64 {
	at := func(y, xx, c int) float64 {
		return x[(min(max(y, 0), s.H-1)*s.W+min(max(xx, 0), s.W-1))*s.C+c]
	}
	v := 0.0
	for c := range s.C {
		for y := range s.H {
			for xx := range s.W {
				dx, dy := at(y, xx+1, c)-at(y, xx, c), at(y+1, xx, c)-at(y, xx, c)
				w := 1.0
				if weight != nil {
					w = weight[y*s.W+xx]
				}
				switch kind {
				case TVL1:
					v += w * (math.Abs(dx) + math.Abs(dy))
				case TVL2:
					v += w * (dx*dx + dy*dy)
				case TVPower:
					v += w * math.Pow(dx*dx+dy*dy, 1.25)
				case TVInner: // x[:-1, :-1] - x[1:, :-1] and x[:-1, :-1] - x[:-1, 1:]
					if y+1 < s.H && xx+1 < s.W {
						v += w * math.Pow(dx*dx+dy*dy, 1.25)
					}
				}
			}
		}
	}
	if kind != TVStencil {
		return v
	}
	// style-transfer-pytorch: pad by repeating, four means of squares.
	var d1, d2, d3, d4 float64
	for c := range s.C {
		for y := range s.H {
			for xx := range s.W {
				d1 += sq(at(y, xx+1, c) - at(y, xx, c))
				d2 += sq(at(y+1, xx, c) - at(y, xx, c))
			}
		}
		for y := -1; y < s.H; y++ {
			for xx := -1; xx < s.W; xx++ {
				d3 += sq(at(y+1, xx+1, c) - at(y, xx, c))
				d4 += sq(at(y+1, xx, c) - at(y, xx+1, c))
			}
		}
	}
	n, m := float64(s.Len()), float64((s.H+1)*(s.W+1)*s.C)
	return n * 2 * (d1/n/3 + d2/n/3 + d3/m/12 + d4/m/12)
}

func sq(v float64) float64 { return v * v }

func TestTV(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, kind := range []TVKind{TVL1, TVL2, TVPower, TVInner, TVStencil} {
			for _, size := range sizes(b) {
				for _, weighted := range []bool{false, true} {
					if weighted && (kind == TVStencil || size.Pixels() > 200) { // sizes say nothing more of weights
						continue
					}
					if !t.Failed() {
						testTV(t, b, withChannels(size, 3), kind, weighted)
					}
				}
			}
		}
	})
}

// testTV compares value and gradient with the definition and its slopes.
func testTV(t *testing.T, b Backend, s Shape, kind TVKind, weighted bool) {
	x := random(50, s.Len(), 20)
	const coef = 0.013
	var weight []float64
	var w *Array
	if weighted {
		w = upload(b, withChannels(s, 1), random(52, s.Pixels(), 1))
		weight = wide(download(b, w))
	}
	loss := func(x []float64) float64 { return coef * refTV(x, weight, s, kind) }
	before := random(51, s.Len(), 1)
	dx := upload(b, s, before)
	b.TV(dx, upload(b, s, x), w, kind, coef, 2)
	what := fmt.Sprintf("%v of %v, weighted %t", kind, s, weighted)
	near(t, b, what, []float64{lossOf(b, 2)}, []float64{loss(wide(x))}, 1e-5*coef*refTV(wide(x), nil, s, kind)+1e-7, 1e-5)
	fd := slopes(loss, wide(x), 1e-4)
	got := wide(download(b, dx))
	for i := range got {
		got[i] -= float64(before[i])
	}
	near(t, b, what+" gradient", got, fd, 1e-5*largest(fd)+1e-6, 1e-4)
	b.TV(nil, upload(b, s, x), w, kind, coef, 6)
	if v := lossOf(b, 6); v != lossOf(b, 2) {
		t.Errorf("%s: %g with and %g without gradient", what, lossOf(b, 2), v)
	}
}
