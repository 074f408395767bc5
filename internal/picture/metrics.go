package picture

import "math"

// The measures in this file compare sRGB codes of 0..1 and ignore alpha.

// sameSize returns an error if two pictures cannot be compared because their sizes
// differ.
func sameSize(a, b *Picture) error {
	if a.W != b.W || a.H != b.H {
		return InputError("size_differs", "the pictures differ in size: %dx%d and %dx%d", a.W, a.H, b.W, b.H)
	}
	return nil
}

// MSE returns the mean squared difference over all pixels and channels.
func MSE(a, b *Picture) (float64, error) {
	if err := sameSize(a, b); err != nil {
		return 0, err
	}
	var sum float64
	for i, v := range a.Pix {
		d := float64(v) - float64(b.Pix[i])
		sum += d * d
	}
	return sum / float64(len(a.Pix)), nil
}

// PSNR returns 10 log10(1/MSE) in dB: the peak is 1, the code 255 of 8 bits.
// It is +Inf for equal pictures.
func PSNR(a, b *Picture) (float64, error) {
	mse, err := MSE(a, b)
	if err != nil {
		return 0, err
	}
	return -10 * math.Log10(mse), nil
}

// SSIM returns the mean structural similarity of the luma (Wang, Bovik,
// Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004):
//
//	(2 ma mb + C1)(2 cov + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2))
//
// with means, variances and covariance under an 11x11 Gaussian window of
// sigma 1.5, C1 = 0.01^2, C2 = 0.03^2, averaged over the windows that lie
// inside the picture, at the given size (Wang's program first shrinks to 256).
// Pictures under 11 pixels get the largest odd window that fits.
func SSIM(a, b *Picture) (float64, error) {
	if err := sameSize(a, b); err != nil {
		return 0, err
	}
	const c1, c2 = 0.01 * 0.01, 0.03 * 0.03
	w, h := a.W, a.H
	window := gaussian(min(11, (w-1)|1, (h-1)|1), 1.5)
	la, lb := a.Luma(), b.Luma()
	x, y := make([]float64, w*h), make([]float64, w*h)
	xx, yy, xy := make([]float64, w*h), make([]float64, w*h), make([]float64, w*h)
	for i := range x {
		x[i], y[i] = float64(la[i]), float64(lb[i])
		xx[i], yy[i], xy[i] = x[i]*x[i], y[i]*y[i], x[i]*y[i]
	}
	ma, mb := filterInside(x, w, h, window), filterInside(y, w, h, window)
	maa, mbb, mab := filterInside(xx, w, h, window), filterInside(yy, w, h, window), filterInside(xy, w, h, window)
	var sum float64
	for i := range ma {
		va, vb, cov := maa[i]-ma[i]*ma[i], mbb[i]-mb[i]*mb[i], mab[i]-ma[i]*mb[i]
		sum += (2*ma[i]*mb[i] + c1) * (2*cov + c2) / ((ma[i]*ma[i] + mb[i]*mb[i] + c1) * (va + vb + c2))
	}
	return sum / float64(len(ma)), nil
}

// gaussian returns n samples of a Gaussian with sum 1. n is odd.
func gaussian(n int, sigma float64) []float64 {
	g := make([]float64, n)
	var sum float64
	for i := range g {
		d := float64(i - n/2)
		g[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += g[i]
	}
	for i := range g {
		g[i] /= sum
	}
	return g
}

// filterInside correlates src (h, w) with window x window at the positions where
// the window lies inside: (h-n+1, w-n+1).
func filterInside(src []float64, w, h int, window []float64) []float64 {
	n := len(window)
	ow, oh := w-n+1, h-n+1
	mid := make([]float64, h*ow)
	parallelRows(h, func(y int) {
		row := src[y*w : (y+1)*w]
		for x := range ow {
			var sum float64
			for k, v := range row[x : x+n] {
				sum += window[k] * v
			}
			mid[y*ow+x] = sum
		}
	})
	dst := make([]float64, oh*ow)
	parallelRows(oh, func(y int) {
		out := dst[y*ow : (y+1)*ow]
		for k, g := range window {
			for x, v := range mid[(y+k)*ow:][:ow] {
				out[x] += g * v
			}
		}
	})
	return dst
}

// Difference returns
// a - b
// for each channel, times gain, clamped to 0..1. It is black where the pictures
// agree. It is not a perceptual measure that forgives antialiasing, because the
// pictures compared here (a replay and its original, or two precisions) should
// agree to the code. The colour of a difference shows which channel differs.
func Difference(a, b *Picture, gain float32) (*Picture, error) {
	if err := sameSize(a, b); err != nil {
		return nil, err
	}
	q := New(a.W, a.H)
	for i, v := range a.Pix {
		q.Pix[i] = clamp01(gain * max(v-b.Pix[i], b.Pix[i]-v))
	}
	return q, nil
}
