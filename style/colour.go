package style

import "github.com/impasto/impasto/internal/picture"

// ColorSpace is the space in which lightness and colour are separated, for ColorContent
// and ColorMatch.
type ColorSpace string

// The colour spaces.
const (
	ColorYUV   ColorSpace = "yuv"   // of sRGB codes (neural-style); ColorMatch works on these codes themselves
	ColorOklab ColorSpace = "oklab" // Oklab: equal distances look equal
)

// keep returns a picture with the lightness of p and the colours of content.
func (c ColorSpace) keep(p, content *Picture) *Picture {
	f := picture.KeepColours
	if c == ColorOklab {
		f = picture.KeepColoursOklab
	}
	return (*Picture)(f((*picture.Picture)(p), (*picture.Picture)(content)))
}

// match returns a painting recoloured to the content's mean and covariance.
func (c ColorSpace) match(painting, content *Picture) *Picture {
	f := picture.MatchColours
	if c == ColorOklab {
		f = picture.MatchColoursOklab
	}
	return (*Picture)(f((*picture.Picture)(painting), (*picture.Picture)(content)))
}

// finishColours returns p with the colours of the paintings.
func finishColours(p *Picture, paintings []*Picture) *Picture {
	list := make([]*picture.Picture, len(paintings))
	for i, s := range paintings {
		list[i] = (*picture.Picture)(s)
	}
	return (*Picture)(picture.FinishColours((*picture.Picture)(p), list))
}
