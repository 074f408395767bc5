package picture

import (
	"math"
	"testing"
)

// uneven is a picture of many colours, none of them near the end of the range.
func uneven(w, h int, shift float64) *Picture {
	p := New(w, h)
	for i := range p.Pix {
		y, x, c := float64(i/(3*w)), float64(i/3%w), float64(i%3)
		p.Pix[i] = float32(0.5 + 0.12*math.Sin(0.31*x+0.17*y*(c+1)+shift) + 0.1*math.Cos(0.05*x*y+2*c+shift))
	}
	return p
}

// TestOklab: white, grey and the primaries are where the space's author puts them,
// and all colours come back.
func TestOklab(t *testing.T) {
	p := New(6, 1)
	p.Pix = []float32{1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0.5}
	want := []float64{1, 0, 0, 0, 0, 0, 0.627955, 0.224863, 0.125846, 0.866440, -0.233888, 0.179498, 0.452014, -0.032457, -0.311528, 0.598181, 0, 0}
	for i, v := range p.oklab() {
		if math.Abs(float64(v)-want[i]) > 2e-4 {
			t.Errorf("value %d is %.6f, want %.6f", i, v, want[i])
		}
	}
	p = uneven(23, 17, 0)
	q := p.Clone()
	q.setOklab(p.oklab())
	for i, v := range q.Pix {
		if math.Abs(float64(v-p.Pix[i])) > 1e-4 {
			t.Fatalf("value %d was %g and came back as %g", i, p.Pix[i], v)
		}
	}
}

// TestOklabOutOfGamut: a colour that cannot be shown keeps its lightness and its
// hue.
func TestOklabOutOfGamut(t *testing.T) {
	p := New(2, 1)
	lab := []float32{0.7, 0.3, 0.2, 0.4, -0.2, -0.3}
	p.setOklab(lab)
	got := p.oklab()
	for i := 0; i < len(lab); i += 3 {
		if math.Abs(float64(got[i]-lab[i])) > 2e-3 {
			t.Errorf("lightness %g became %g", lab[i], got[i])
		}
		was, is := math.Atan2(float64(lab[i+2]), float64(lab[i+1])), math.Atan2(float64(got[i+2]), float64(got[i+1]))
		if math.Abs(was-is) > 0.02 {
			t.Errorf("hue %g became %g", was, is)
		}
		if c := math.Hypot(float64(got[i+1]), float64(got[i+2])); c < 0.05 {
			t.Errorf("chroma fell to %g", c)
		}
	}
}

// TestColoursInOklab: lightness of one with the chroma of the other, and moments
// of one brought to the other's.
func TestColoursInOklab(t *testing.T) {
	a, b := uneven(31, 19, 0), uneven(31, 19, 2)
	kept, la, lb := KeepColoursOklab(a, b).oklab(), a.oklab(), b.oklab()
	for i := 0; i < len(kept); i += 3 {
		if math.Abs(float64(kept[i]-la[i])) > 1e-3 || math.Abs(float64(kept[i+1]-lb[i+1])) > 1e-3 || math.Abs(float64(kept[i+2]-lb[i+2])) > 1e-3 {
			t.Fatalf("%v of %v and %v", kept[i:i+3], la[i:i+3], lb[i:i+3])
		}
	}
	got, want := momentsOf(MatchColoursOklab(a, b).oklab()), momentsOf(lb)
	for r := range 3 {
		if math.Abs(got.mean[r]-want.mean[r]) > 1e-3 {
			t.Errorf("mean %v, want %v", got.mean, want.mean)
		}
		for c := range 3 {
			if math.Abs(got.cov[r][c]-want.cov[r][c]) > 2e-4 {
				t.Errorf("covariance %v, want %v", got.cov, want.cov)
			}
		}
	}
}

// TestFinishColours: lightness stays, mean chroma is that of the paintings
// together, and no chroma lies beyond theirs.
func TestFinishColours(t *testing.T) {
	p, one, two := uneven(41, 23, 0), uneven(17, 29, 1), uneven(33, 9, 2.5)
	got := FinishColours(p, []*Picture{one, two}).oklab()
	was, m := p.oklab(), momentsOf(got)
	a, b := momentsOf(one.oklab()), momentsOf(two.oklab())
	lo, hi := [3]float32{9, 9, 9}, [3]float32{-9, -9, -9}
	for _, v := range [][]float32{one.oklab(), two.oklab()} {
		for i := range v {
			lo[i%3], hi[i%3] = min(lo[i%3], v[i]), max(hi[i%3], v[i])
		}
	}
	for i, v := range got {
		if i%3 == 0 {
			if math.Abs(float64(v-was[i])) > 2e-3 {
				t.Fatalf("lightness %g became %g", was[i], v)
			}
		} else if v < lo[i%3]-1e-3 || v > hi[i%3]+1e-3 {
			t.Fatalf("chroma %g, the paintings have %g to %g", v, lo[i%3], hi[i%3])
		}
	}
	for c := 1; c < 3; c++ {
		if want := (a.mean[c] + b.mean[c]) / 2; math.Abs(m.mean[c]-want) > 5e-3 {
			t.Errorf("mean chroma %g, want %g", m.mean[c], want)
		}
	}
}

// TestSmoothChroma: where lightness is even, chroma becomes its mean nearby; across
// an edge of lightness it does not mix.
func TestSmoothChroma(t *testing.T) {
	const w, h = 200, 30
	lab := make([]float32, w*h*3)
	for i := 0; i < len(lab); i += 3 {
		x := i / 3 % w
		lab[i], lab[i+1] = 0.2, 0.1
		if x >= w/2 {
			lab[i], lab[i+1] = 0.8, -0.1
		}
		lab[i+2] = 0.05 * float32(1-2*((i/3/w+x)%2)) // stripes that lightness does not show
	}
	smoothChroma(lab, w, h)
	for i := 0; i < len(lab); i += 3 {
		x := i / 3 % w
		want := float32(0.1)
		if x >= w/2 {
			want = -0.1
		}
		if math.Abs(float64(lab[i+1]-want)) > 0.01 {
			t.Fatalf("column %d: chroma %g, want %g", x, lab[i+1], want)
		}
		if math.Abs(float64(lab[i+2])) > 0.02 {
			t.Fatalf("column %d: stripes of %g stay", x, lab[i+2])
		}
	}
}

// TestBoxMean against the sum by its definition.
func TestBoxMean(t *testing.T) {
	const w, h, reach = 7, 5, 2
	v := make([]float64, w*h)
	for i := range v {
		v[i] = math.Sin(float64(i * i))
	}
	for i, got := range boxMean(v, w, h, reach) {
		sum, n := 0.0, 0.0
		for y := max(0, i/w-reach); y <= min(h-1, i/w+reach); y++ {
			for x := max(0, i%w-reach); x <= min(w-1, i%w+reach); x++ {
				sum, n = sum+v[y*w+x], n+1
			}
		}
		if math.Abs(got-sum/n) > 1e-12 {
			t.Errorf("value %d is %g, want %g", i, got, sum/n)
		}
	}
}
