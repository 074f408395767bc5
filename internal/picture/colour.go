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
	// The variance is added so that a single-coloured picture has an inverse;
	// NeuralImageSynthesis adds the same.
	m := transport(momentsOf(style.Pix), momentsOf(content.Pix), 1e-5)
	q := style.Clone()
	parallelRows(style.H, func(y int) {
		for i := 3 * y * style.W; i < 3*(y+1)*style.W; i += 3 {
			m.move(q.Pix[i : i+3])
			for c := i; c < i+3; c++ {
				q.Pix[c] = clamp01(q.Pix[c])
			}
		}
	})
	return q
}

// colourMoments are the mean and covariance (divided by H W) of colours.
type colourMoments struct {
	mean [3]float64
	cov  mat3
}

// momentsOf returns the moments of colours (H, W, 3).
func momentsOf(pix []float32) (m colourMoments) {
	n := float64(len(pix) / 3)
	for i := 0; i < len(pix); i += 3 {
		for c := range 3 {
			m.mean[c] += float64(pix[i+c])
		}
	}
	for c := range 3 {
		m.mean[c] /= n
	}
	for i := 0; i < len(pix); i += 3 {
		d := [3]float64{float64(pix[i]) - m.mean[0], float64(pix[i+1]) - m.mean[1], float64(pix[i+2]) - m.mean[2]}
		for r := range 3 {
			for c := range 3 {
				m.cov[r][c] += d[r] * d[c]
			}
		}
	}
	for r := range 3 {
		for c := range 3 {
			m.cov[r][c] /= n
		}
	}
	return m
}

// colourMap is a linear map of colours about a mean: T (v - from) + to.
type colourMap struct {
	t        mat3
	from, to [3]float64
}

// transport returns the map of least movement that gives colours with moments from
// the moments to (see MatchColours). least is added to the variances.
func transport(from, to colourMoments, least float64) colourMap {
	for i := range 3 {
		from.cov[i][i] += least
		to.cov[i][i] += least
	}
	root := func(l float64) float64 { return math.Sqrt(math.Max(l, 0)) }
	s := from.cov.spectral(root)
	back := from.cov.spectral(func(l float64) float64 { return 1 / math.Sqrt(math.Max(l, least/10)) })
	return colourMap{back.mul(s.mul(to.cov).mul(s).spectral(root)).mul(back), from.mean, to.mean}
}

// move maps one colour.
func (m *colourMap) move(v []float32) {
	r, g, b := float64(v[0])-m.from[0], float64(v[1])-m.from[1], float64(v[2])-m.from[2]
	for c := range 3 {
		v[c] = float32(m.t[c][0]*r + m.t[c][1]*g + m.t[c][2]*b + m.to[c])
	}
}
