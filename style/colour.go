package style

import "github.com/impasto/impasto/internal/picture"

// ColorSpace is where lightness and colour are told apart, for ColorContent and
// ColorMatch.
type ColorSpace string

// The colour spaces.
const (
	ColorYUV   ColorSpace = "yuv"   // of sRGB codes (neural-style); ColorMatch works on these codes themselves
	ColorOklab ColorSpace = "oklab" // Oklab: equal distances look equal
)

// keep is the lightness of p with the colours of content.
func (c ColorSpace) keep(p, content *Picture) *Picture {
	f := picture.KeepColours
	if c == ColorOklab {
		f = picture.KeepColoursOklab
	}
	return (*Picture)(f((*picture.Picture)(p), (*picture.Picture)(content)))
}

// match is a painting recoloured to the content's mean and covariance.
func (c ColorSpace) match(painting, content *Picture) *Picture {
	f := picture.MatchColours
	if c == ColorOklab {
		f = picture.MatchColoursOklab
	}
	return (*Picture)(f((*picture.Picture)(painting), (*picture.Picture)(content)))
}

// finishColours gives p colours as the paintings have them.
func finishColours(p *Picture, paintings []*Picture) *Picture {
	list := make([]*picture.Picture, len(paintings))
	for i, s := range paintings {
		list[i] = (*picture.Picture)(s)
	}
	return (*Picture)(picture.FinishColours((*picture.Picture)(p), list))
}
