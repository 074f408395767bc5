package maps

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/wording"
)

// Near is the distance (see Distance) up to which two colours count as one. JPEG
// and colour management move a flat colour by less. Colours that people tell apart
// in a map are several times farther apart.
const Near = 30.0

// Distance is the Euclidean distance of two colours in RGBA, each 0..255; black
// and white are 441.7 apart.
func Distance(a, b color.NRGBA) float64 {
	sq := func(x, y uint8) float64 { d := float64(x) - float64(y); return d * d }
	return math.Sqrt(sq(a.R, b.R) + sq(a.G, b.G) + sq(a.B, b.B) + sq(a.A, b.A))
}

// angle returns the angle between two colours as vectors, in degrees. neural-doodle
// compares maps by the cosine of this angle, so that it does not distinguish dark
// red from red. Black has no direction: its angle with any colour is 0.
func angle(a, b color.NRGBA) float64 {
	dot := float64(a.R)*float64(b.R) + float64(a.G)*float64(b.G) + float64(a.B)*float64(b.B)
	la := float64(a.R)*float64(a.R) + float64(a.G)*float64(a.G) + float64(a.B)*float64(a.B)
	lb := float64(b.R)*float64(b.R) + float64(b.G)*float64(b.G) + float64(b.B)*float64(b.B)
	if la == 0 || lb == 0 {
		return 0
	}
	return math.Acos(min(1, dot/math.Sqrt(la*lb))) * 180 / math.Pi
}

// isBlack reports whether a colour is too dark to have a direction.
func isBlack(c color.NRGBA) bool { return c.A == 255 && max(c.R, c.G, c.B) < 16 }

// Palette holds the colours of derived maps: sixteen bright colours. They are at
// least 127 apart, and their directions at least 18 degrees, so that neither a
// resize nor a comparison by cosine confuses two of them. Black is not among them.
var Palette = []Region{
	{Colour: rgb(0, 128, 255), Name: "azure"},
	{Colour: rgb(0, 0, 255), Name: "blue"},
	{Colour: rgb(0, 255, 0), Name: "green"},
	{Colour: rgb(255, 128, 0), Name: "orange"},
	{Colour: rgb(255, 0, 0), Name: "red"},
	{Colour: rgb(255, 255, 0), Name: "yellow"},
	{Colour: rgb(255, 255, 255), Name: "white"},
	{Colour: rgb(128, 0, 255), Name: "violet"},
	{Colour: rgb(0, 255, 255), Name: "cyan"},
	{Colour: rgb(255, 0, 255), Name: "magenta"},
	{Colour: rgb(128, 255, 0), Name: "lime"},
	{Colour: rgb(255, 0, 128), Name: "rose"},
	{Colour: rgb(0, 255, 128), Name: "mint"},
	{Colour: rgb(255, 128, 128), Name: "salmon"},
	{Colour: rgb(128, 128, 255), Name: "lavender"},
	{Colour: rgb(128, 255, 128), Name: "pale-green"},
}

// otherWords are the named colours that are not in the palette.
var otherWords = []Region{
	{Colour: rgb(0, 0, 0), Name: "black"},
	{Colour: rgb(128, 128, 128), Name: "grey"},
	{Colour: rgb(192, 192, 192), Name: "silver"},
	{Colour: rgb(128, 0, 0), Name: "dark-red"},
	{Colour: rgb(0, 96, 0), Name: "dark-green"},
	{Colour: rgb(0, 0, 128), Name: "navy"},
	{Colour: rgb(128, 128, 0), Name: "olive"},
	{Colour: rgb(128, 0, 128), Name: "purple"},
	{Colour: rgb(0, 128, 128), Name: "teal"},
	{Colour: rgb(128, 64, 0), Name: "brown"},
	{Colour: rgb(255, 200, 150), Name: "peach"},
}

// named are the colours that have a name.
var named = slices.Concat(Palette, otherWords)

func rgb(r, g, b uint8) color.NRGBA { return color.NRGBA{r, g, b, 255} }

// Hex writes a colour as "#0080ff", with alpha only where it is not opaque.
func Hex(c color.NRGBA) string {
	if c.A != 255 {
		return fmt.Sprintf("#%02x%02x%02x%02x", c.R, c.G, c.B, c.A)
	}
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// Word returns the name of the known colour nearest to c.
func Word(c color.NRGBA) string {
	if c.A < 128 {
		return "transparent"
	}
	at, _ := nearest(c, named)
	return named[at].Name
}

// nearest returns the first of the regions whose colour is nearest to c, and its
// distance. Without regions the distance is infinite.
func nearest(c color.NRGBA, regions []Region) (at int, distance float64) {
	distance = math.Inf(1)
	for i, r := range regions {
		if d := Distance(c, r.Colour); d < distance {
			at, distance = i, d
		}
	}
	return at, distance
}

// words lists the colours that ParseColour knows by name.
func words() []string {
	var list []string
	for _, k := range named {
		list = append(list, k.Name)
	}
	return list
}

// ParseColour reads "#0080ff", "#08f", "0,128,255" or a word such as "azure".
func ParseColour(text string) (color.NRGBA, error) {
	t := strings.ToLower(strings.TrimSpace(text))
	if i := slices.IndexFunc(named, func(k Region) bool { return k.Name == t }); i >= 0 {
		return named[i].Colour, nil
	}
	if hex, ok := strings.CutPrefix(t, "#"); ok {
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		if len(hex) == 6 {
			hex += "ff"
		}
		if v, err := strconv.ParseUint(hex, 16, 32); err == nil && len(hex) == 8 {
			return color.NRGBA{uint8(v >> 24), uint8(v >> 16), uint8(v >> 8), uint8(v)}, nil
		}
	}
	if parts := strings.Split(t, ","); len(parts) == 3 {
		var c [3]uint8
		ok := true
		for i, p := range parts {
			v, err := strconv.ParseUint(strings.TrimSpace(p), 10, 8)
			c[i], ok = uint8(v), ok && err == nil
		}
		if ok {
			return rgb(c[0], c[1], c[2]), nil
		}
	}
	if near := wording.Nearest(t, words()); near != "" {
		return color.NRGBA{}, inputError("colour", "%q is not a colour", text).Hint("did you mean %q?", near)
	}
	return color.NRGBA{}, inputError("colour", "%q is not a colour; one is written #0080ff, 0,128,255 or as a word: %s, ...", text, strings.Join(words()[:6], ", "))
}

// Find returns the region that text names: by its name, by its colour, or by the
// word for its colour if only one region has that word.
func (m *Map) Find(text string) (int, error) {
	t := strings.ToLower(strings.TrimSpace(text))
	var byWord []int
	var known []string
	for i, r := range m.Regions {
		if strings.ToLower(r.Name) == t || Hex(r.Colour) == t {
			return i, nil
		}
		if Word(r.Colour) == t {
			byWord = append(byWord, i)
		}
		if r.Name != "" {
			known = append(known, r.Name)
		}
		known = append(known, Word(r.Colour), Hex(r.Colour))
	}
	switch {
	case len(byWord) == 1:
		return byWord[0], nil
	case len(byWord) > 1:
		return 0, inputError("region", "%q fits %d regions: %s", text, len(byWord), m.list(byWord)).
			Hint("did you mean %q?", Hex(m.Regions[byWord[0]].Colour))
	}
	if c, err := ParseColour(t); err == nil {
		if at, d := nearest(c, m.Regions); d < Near+1 {
			return at, nil
		}
	}
	e := inputError("region", "the map has no region %q; it has %s", text, m.list(nil))
	if near := wording.Nearest(t, known); near != "" {
		e.Hint("did you mean %q?", near)
	}
	return 0, e
}

// list names the given regions, at most eight of them. If which is nil, it names
// those of the whole map.
func (m *Map) list(which []int) string {
	if which == nil {
		for i := range m.Regions {
			which = append(which, i)
		}
	}
	var parts []string
	for n, i := range which {
		if n == 8 {
			parts = append(parts, fmt.Sprintf("and %d more", len(which)-n))
			break
		}
		parts = append(parts, m.Regions[i].String())
	}
	return strings.Join(parts, ", ")
}
