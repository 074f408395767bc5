package binary16

import (
	"math"
	"testing"
)

// halfValue is the definition of binary16, in float64.
func halfValue(h uint16) float64 {
	s, e, f := 1.0, int(h>>10&0x1f), float64(h&0x3ff)
	if h>>15 == 1 {
		s = -1
	}
	switch e {
	case 0:
		return s * f * math.Pow(2, -24)
	case 31:
		if f != 0 {
			return math.NaN()
		}
		return math.Inf(int(s))
	}
	return s * (1 + f/1024) * math.Pow(2, float64(e-15))
}

func TestExactBothWays(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		want, got := halfValue(h), Widen(h)
		if math.IsNaN(want) {
			if got == got || Round(got)&0x7fff <= 0x7c00 {
				t.Fatalf("%#04x: NaN is lost", h)
			}
			continue
		}
		if float64(got) != want || math.Signbit(float64(got)) != (h>>15 == 1) {
			t.Fatalf("Widen(%#04x) = %g, want %g", h, got, want)
		}
		if back := Round(got); back != h {
			t.Fatalf("Round(Widen(%#04x)) = %#04x", h, back)
		}
	}
}

// TestRoundsToNearestEven tries the midpoint of every two neighbours and
// the float32 on either side of it.
func TestRoundsToNearestEven(t *testing.T) {
	for i := range 0x7bff {
		lo, hi := uint16(i), uint16(i+1)
		mid := float32((halfValue(lo) + halfValue(hi)) / 2) // exact
		even := lo
		if lo&1 == 1 {
			even = hi
		}
		below, above := math.Nextafter32(mid, 0), math.Nextafter32(mid, math.MaxFloat32)
		if Round(mid) != even || Round(below) != lo || Round(above) != hi || Round(-mid) != even|0x8000 {
			t.Fatalf("near %g: got %#04x %#04x %#04x, want %#04x %#04x %#04x", mid,
				Round(below), Round(mid), Round(above), lo, even, hi)
		}
	}
	for f, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, 1e-30: 0} {
		if got := Round(f); got != want {
			t.Errorf("Round(%g) = %#04x, want %#04x", f, got, want)
		}
	}
}
