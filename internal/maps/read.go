package maps

import (
	"bytes"
	"image"
	"image/color"

	"github.com/impasto/impasto/internal/picture"
)

// Source describes the picture that a map was read from.
type Source struct {
	Name       string
	Format     picture.Format // 0 when the picture did not come from a file
	Channels   int            // used channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
	Colours    int            // number of different colours, at 8 bits a channel
	Deep       int            // number of different colours in the file, if it has 16 bits a channel
	Clear      int            // pixels that are not opaque
	EdgeColors int            // colours that occur only between regions: a soft brush, a resize, JPEG
	EdgePixels int            // number of pixels of these colours
	Near       []NearPair     // solid colours read as one region
	Exact      bool           // every pixel has the colour of its region
}

// NearPair is a solid colour so near to that of a region that it counts as the
// same.
type NearPair struct {
	Region int
	Colour color.NRGBA
	Pixels int
}

// Read reads a map from a picture file ("-" is standard input), and its legend if
// there is one beside it. Errors are those of picture.Read, or an *Error for a
// picture that is not a map.
func Read(path string, o picture.ReadOptions) (*Map, *Source, error) {
	if o.Role == "" {
		o.Role = "map"
	}
	p, info, err := picture.Read(path, o)
	if err != nil {
		return nil, nil, err
	}
	m, src, err := fromPicture(p, info)
	if err != nil {
		return nil, nil, err
	}
	if path != "-" {
		err = m.readLegend(LegendPath(path))
	}
	return m, src, err
}

func fromPicture(p *picture.Picture, info *picture.Info) (*Map, *Source, error) {
	m, src, err := FromPicture(p, info.Name)
	if err != nil {
		return nil, nil, err
	}
	src.Format = info.Format
	return m, src, nil
}

// FromPicture finds the regions of a picture that was drawn as a map. Flat colours
// become regions, and nearly equal ones become one region. Colours that occur only
// between two regions (from anti-aliasing, soft brushes or JPEG) go to the adjacent
// region of the most similar colour. name is used in messages.
func FromPicture(p *picture.Picture, name string) (*Map, *Source, error) {
	c := newCensus(p)
	src := &Source{Name: name, Channels: channels(c.pixels), Colours: len(c.list)}
	if p.Depth == 16 {
		src.Deep = deepColours(p)
	}
	if p.Alpha != nil {
		for _, a := range p.Alpha {
			if a < 1 {
				src.Clear++
			}
		}
	}
	if c.isPhotograph() {
		return nil, nil, inputError("photograph", "%q has %d colours and no flat regions: a picture, not a map", name, len(c.list)).
			Hint("impasto map derive %s -o %s", picture.ShellWord(name), picture.ShellWord(MapPath(name)))
	}
	if !c.lead() {
		return nil, nil, inputError("regions", "%q has more than %d regions", name, MaxRegions).
			Hint("impasto map derive %s -k 8 -o %s", picture.ShellWord(name), picture.ShellWord(MapPath(name)))
	}
	m := c.assign(src)
	return m, src, nil
}

// codes is a colour at 8 bits a channel: R, G, B, A.
type codes [4]uint8

// channels returns the number of channels that are used.
func channels(pixels []codes) int {
	n, alpha := 1, 0
	for _, c := range pixels {
		if c[0] != c[1] || c[1] != c[2] {
			n = 3
		}
		if c[3] != 255 {
			alpha = 1
		}
	}
	return n + alpha
}

// deepColours counts the colours of a picture at 16 bits a channel.
func deepColours(p *picture.Picture) int {
	img := p.Image(16).(*image.NRGBA64)
	seen := map[[8]byte]bool{}
	for i := 0; i < len(img.Pix); i += 8 {
		seen[[8]byte(img.Pix[i:i+8])] = true
	}
	return len(seen)
}

// Encode returns the map as PNG, the only format in which maps are written. JPEG
// would blend its colours.
func (m *Map) Encode() ([]byte, error) {
	var b bytes.Buffer
	err := picture.Encode(&b, m.Picture(), picture.PNG, picture.WriteOptions{})
	return b.Bytes(), err
}
