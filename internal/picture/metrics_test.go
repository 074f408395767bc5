package picture

import (
	"math"
	"testing"
)

// refSSIM is the formula of the paper, one window after another.
func refSSIM(a, b *Picture, n int) float64 {
	gray := func(p *Picture, x, y int) float64 {
		i := 3 * (y*p.W + x)
		return 0.299*float64(p.Pix[i]) + 0.587*float64(p.Pix[i+1]) + 0.114*float64(p.Pix[i+2])
	}
	var total, count float64
	for y0 := 0; y0+n <= a.H; y0++ {
		for x0 := 0; x0+n <= a.W; x0++ {
			var sw, ma, mb, va, vb, cov float64
			weight := func(i, j int) float64 {
				di, dj := float64(i-n/2), float64(j-n/2)
				return math.Exp(-(di*di + dj*dj) / (2 * 1.5 * 1.5))
			}
			for j := range n {
				for i := range n {
					k := weight(i, j)
					sw += k
					ma += k * gray(a, x0+i, y0+j)
					mb += k * gray(b, x0+i, y0+j)
				}
			}
			ma, mb = ma/sw, mb/sw
			for j := range n {
				for i := range n {
					k := weight(i, j) / sw
					da, db := gray(a, x0+i, y0+j)-ma, gray(b, x0+i, y0+j)-mb
					va, vb, cov = va+k*da*da, vb+k*db*db, cov+k*da*db
				}
			}
			c1, c2 := math.Pow(0.01, 2), math.Pow(0.03, 2)
			total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			count++
		}
	}
	return total / count
}

func TestSSIM(t *testing.T) {
	for _, c := range []struct{ w, h, window int }{{29, 17, 11}, {11, 11, 11}, {12, 40, 11}, {10, 30, 9}, {3, 3, 3}, {2, 7, 1}, {1, 1, 1}} {
		a, b := smooth(c.w, c.h), smooth(c.w, c.h)
		for i, v := range noise(c.w, c.h, 8, false).Pix {
			b.Pix[i] = clamp01(b.Pix[i] + (v-0.5)/4)
		}
		got, err := SSIM(a, b)
		if want := refSSIM(a, b, c.window); err != nil || math.Abs(got-want) > 1e-6 {
			t.Errorf("%dx%d: got %.8f (%v), want %.8f", c.w, c.h, got, err, want)
		}
		if same, _ := SSIM(a, a); math.Abs(same-1) > 1e-12 {
			t.Errorf("%dx%d: a picture is %v like itself", c.w, c.h, same)
		}
	}
}

func TestPSNR(t *testing.T) {
	a, b := noise(19, 11, 8, false), noise(11, 19, 8, false)
	b.W, b.H = 19, 11
	var sum float64
	for i := range a.Pix {
		sum += math.Pow(255*float64(a.Pix[i])-255*float64(b.Pix[i]), 2)
	}
	want := 20*math.Log10(255) - 10*math.Log10(sum/float64(3*19*11)) // as written for 8-bit codes
	if got, err := PSNR(a, b); err != nil || math.Abs(got-want) > 1e-4 {
		t.Errorf("got %.6f dB (%v), want %.6f", got, err, want)
	}
	if got, _ := PSNR(a, a); !math.IsInf(got, 1) {
		t.Errorf("equal pictures: %v dB", got)
	}
	one := a.Clone()
	for i := range one.Pix { // one code everywhere: 48.13 dB, as everyone knows
		if one.Pix[i] >= 0.5 {
			one.Pix[i] -= 1. / 255
		} else {
			one.Pix[i] += 1. / 255
		}
	}
	if got, _ := PSNR(a, one); math.Abs(got-48.1308) > 1e-3 {
		t.Errorf("one code off: %.4f dB", got)
	}
}

func TestMeasuresNeedEqualSizes(t *testing.T) {
	a, b := New(4, 3), New(3, 4)
	const message = "the pictures differ in size: 4x3 and 3x4"
	_, err := MSE(a, b)
	wantError(t, err, Input, "size_differs", message)
	_, err = PSNR(a, b)
	wantError(t, err, Input, "size_differs", message)
	_, err = SSIM(a, b)
	wantError(t, err, Input, "size_differs", message)
	_, err = Difference(a, b, 1)
	wantError(t, err, Input, "size_differs", message)
}

func TestDifference(t *testing.T) {
	a, b := New(1, 1), New(1, 1)
	copy(a.Pix, []float32{0.5, 0.25, 1})
	copy(b.Pix, []float32{0.75, 0.25, 0})
	d, err := Difference(a, b, 2)
	if err != nil || d.Pix[0] != 0.5 || d.Pix[1] != 0 || d.Pix[2] != 1 {
		t.Errorf("got %v (%v)", d.Pix, err)
	}
}
