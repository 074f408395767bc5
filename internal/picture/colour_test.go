package picture

import (
	"math"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// TestKeepColours goes through YUV and back as BT.601 defines it.
func TestKeepColours(t *testing.T) {
	out, content := noise(13, 9, 8, false), smooth(13, 9)
	got := KeepColours(out, content)
	yuv := func(p *Picture, i int) (y, u, v float64) {
		r, g, b := float64(p.Pix[3*i]), float64(p.Pix[3*i+1]), float64(p.Pix[3*i+2])
		y = 0.299*r + 0.587*g + 0.114*b
		return y, 0.492 * (b - y), 0.877 * (r - y)
	}
	var want []float64
	for i := range 13 * 9 {
		y, _, _ := yuv(out, i)
		_, u, v := yuv(content, i)
		r, b := y+v/0.877, y+u/0.492
		g := (y - 0.299*r - 0.114*b) / 0.587
		want = append(want, clamp64(r), clamp64(g), clamp64(b))
	}
	testutil.Close(t, "rgb", got.Pix, want, 1e-5, 0)
	testutil.Close(t, "own colours", KeepColours(out, out).Pix, out.Pix, 1e-6, 0)
	if q := KeepColours(out, smooth(40, 25)); q.W != 13 || q.H != 9 {
		t.Errorf("content of another size gives %dx%d", q.W, q.H)
	}
}

// refMoments accumulates raw second moments, unlike the product.
func refMoments(p *Picture) (mean [3]float64, cov mat3) {
	n := float64(p.W * p.H)
	var raw mat3
	for i := 0; i < len(p.Pix); i += 3 {
		for a := range 3 {
			mean[a] += float64(p.Pix[i+a]) / n
			for b := range 3 {
				raw[a][b] += float64(p.Pix[i+a]) * float64(p.Pix[i+b]) / n
			}
		}
	}
	for a := range 3 {
		for b := range 3 {
			cov[a][b] = raw[a][b] - mean[a]*mean[b]
		}
	}
	return mean, cov
}

// narrow returns a picture with correlated colours around a mid tone, so that
// no result is clamped.
func narrow(w, h int, base [3]float32, mix mat3) *Picture {
	p := noise(w, h, 16, false)
	for i := 0; i < len(p.Pix); i += 3 {
		v := [3]float64{float64(p.Pix[i]) - 0.5, float64(p.Pix[i+1]) - 0.5, float64(p.Pix[i+2]) - 0.5}
		for c, d := range times(mix, v) {
			p.Pix[i+c] = base[c] + float32(d)
		}
	}
	return p
}

func TestMatchColours(t *testing.T) {
	style := narrow(61, 47, [3]float32{0.5, 0.5, 0.5}, mat3{{.35, .1, 0}, {.35, -.1, 0}, {0, 0, .15}})
	content := narrow(53, 31, [3]float32{0.5, 0.48, 0.5}, mat3{{.1, 0, 0}, {0, .35, .1}, {0, .35, -.1}})
	before := style.Clone()
	got := MatchColours(style, content)
	testutil.Close(t, "style is left alone", style.Pix, before.Pix, 0, 0)
	mean, cov := refMoments(got)
	wantMean, wantCov := refMoments(content)
	testutil.Close(t, "mean", mean[:], wantMean[:], 1e-6, 0)
	for r := range 3 {
		testutil.Close(t, "covariance", cov[r][:], wantCov[r][:], 3e-5, 0) // 1e-5 is added to both
	}

	// Optimal transport: the map is symmetric and positive, so its squared
	// distance is the Bures distance tr(S + C - 2 (S^1/2 C S^1/2)^1/2), here by
	// Newton's iteration for the square root.
	_, s := refMoments(style)
	_, c := refMoments(content)
	root := refRoot(s)
	cross := refRoot(root.mul(c).mul(root))
	var bures, moved float64
	for i := range 3 {
		bures += s[i][i] + c[i][i] - 2*cross[i][i]
	}
	ms, _ := refMoments(style)
	for i := 0; i < len(style.Pix); i += 3 {
		for k := range 3 {
			d := float64(got.Pix[i+k]) - mean[k] - (float64(style.Pix[i+k]) - ms[k])
			moved += d * d / float64(style.W*style.H)
		}
	}
	if math.Abs(moved-bures) > 6e-5 { // the 1e-5 again
		t.Errorf("colours moved by %.6f, the least possible is %.6f", moved, bures)
	}
}

// refRoot is the matrix square root by the Denman-Beavers iteration.
func refRoot(a mat3) mat3 {
	y, z := a, mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for range 40 {
		yi, zi := refInverse(y), refInverse(z)
		for r := range 3 {
			for c := range 3 {
				y[r][c], z[r][c] = (y[r][c]+zi[r][c])/2, (z[r][c]+yi[r][c])/2
			}
		}
	}
	return y
}

// TestMatchColoursDegenerate: single-coloured and grey pictures are no trap.
func TestMatchColoursDegenerate(t *testing.T) {
	flat := New(4, 4)
	for i := range flat.Pix {
		flat.Pix[i] = 0.25
	}
	grey := smooth(9, 9)
	for i := range 81 {
		grey.Pix[3*i+1], grey.Pix[3*i+2] = grey.Pix[3*i], grey.Pix[3*i]
	}
	for _, pair := range [][2]*Picture{{flat, smooth(5, 5)}, {smooth(5, 5), flat}, {flat, flat}, {grey, smooth(5, 5)}, {smooth(5, 5), grey}, {New(1, 1), New(1, 1)}} {
		q := MatchColours(pair[0], pair[1])
		for i, v := range q.Pix {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("value %d is %v", i, v)
			}
		}
	}
	testutil.Close(t, "to one colour", MatchColours(smooth(5, 5), flat).Pix, flat.Clone().Resize(5, 5, Nearest).Pix, 0.03, 0)
}

func TestEigen(t *testing.T) {
	for _, a := range []mat3{
		{{2, 1, 0}, {1, 2, 0}, {0, 0, 5}}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {},
		{{4, -2, 1}, {-2, 3, .5}, {1, .5, 1e-6}}, {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
	} {
		back := a.spectral(func(l float64) float64 { return l })
		_, v := a.eigen()
		identity := v.mul(v.transpose())
		for r := range 3 {
			testutil.Close(t, "V L V'", back[r][:], a[r][:], 1e-12, 1e-12)
			want := [3]float64{}
			want[r] = 1
			testutil.Close(t, "V V'", identity[r][:], want[:], 1e-12, 0)
		}
	}
}
