package picture

import "math"

// KeepColours returns the luma of out with the colours of content: Y of the
// one, U and V of the other (ITU-R BT.601, on sRGB codes), as neural-style's
// original_colors does. In R = Y + 1.140 V and its sisters Y has the weight 1
// in every channel, so the exchange is
//
//	rgb = content + (Y(out) - Y(content))
//
// clamped to 0..1. content is resized to out's size where it differs.
func KeepColours(out, content *Picture) *Picture {
	if content.W != out.W || content.H != out.H {
		content = content.Resize(out.W, out.H, Lanczos3)
	}
	q := out.Clone()
	from, to := content.Luma(), out.Luma()
	for i := range to {
		shift := to[i] - from[i]
		for c := 3 * i; c < 3*i+3; c++ {
			q.Pix[c] = clamp01(content.Pix[c] + shift)
		}
	}
	return q
}

// MatchColours returns style with its colours moved so that their mean and
// covariance are the content's, on sRGB codes (Gatys et al., "Preserving color
// in neural artistic style transfer", 2016). Of the linear maps that do so it
// takes the symmetric one,
//
//	T = S^-1/2 (S^1/2 C S^1/2)^1/2 S^-1/2     S, C: covariances of style, content
//	rgb = T (style - mean(style)) + mean(content)
//
// which is the optimal transport between the two Gaussians: no other moves the
// colours less. Results are clamped to 0..1.
func MatchColours(style, content *Picture) *Picture {
	ms, cs := style.moments()
	mc, cc := content.moments()
	for i := range 3 { // so that a single-coloured picture has an inverse; NeuralImageSynthesis uses the same
		cs[i][i] += 1e-5
		cc[i][i] += 1e-5
	}
	root := func(l float64) float64 { return math.Sqrt(math.Max(l, 0)) }
	s := cs.spectral(root)
	back := cs.spectral(func(l float64) float64 { return 1 / math.Sqrt(math.Max(l, 1e-6)) })
	t := back.mul(s.mul(cc).mul(s).spectral(root)).mul(back)

	q := style.Clone()
	parallelRows(style.H, func(y int) {
		for i := 3 * y * style.W; i < 3*(y+1)*style.W; i += 3 {
			r, g, b := float64(style.Pix[i])-ms[0], float64(style.Pix[i+1])-ms[1], float64(style.Pix[i+2])-ms[2]
			for c := range 3 {
				q.Pix[i+c] = clamp01(float32(t[c][0]*r + t[c][1]*g + t[c][2]*b + mc[c]))
			}
		}
	})
	return q
}

// moments returns mean and covariance (divided by H W) of the codes.
func (p *Picture) moments() (mean [3]float64, cov mat3) {
	n := float64(p.W * p.H)
	for i := 0; i < len(p.Pix); i += 3 {
		for c := range 3 {
			mean[c] += float64(p.Pix[i+c])
		}
	}
	for c := range 3 {
		mean[c] /= n
	}
	for i := 0; i < len(p.Pix); i += 3 {
		d := [3]float64{float64(p.Pix[i]) - mean[0], float64(p.Pix[i+1]) - mean[1], float64(p.Pix[i+2]) - mean[2]}
		for r := range 3 {
			for c := range 3 {
				cov[r][c] += d[r] * d[c]
			}
		}
	}
	for r := range 3 {
		for c := range 3 {
			cov[r][c] /= n
		}
	}
	return mean, cov
}
