package studio

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/maps"
)

// pair is the header of two maps that are checked together.
type pair struct {
	Canvas   mapHeader  `json:"canvas"`
	Painting *mapHeader `json:"painting"`
	Side     string     `json:"side,omitempty"` // "canvas" or "painting": the map to repair
	Code     string     `json:"code,omitempty"`
	Region   string     `json:"region"` // its colour
}

// finding is what the page shows of a maps.Finding.
type finding struct {
	Severity maps.Severity `json:"severity"`
	Code     string        `json:"code"`
	Side     string        `json:"side"`             // "canvas" or "painting"
	Region   string        `json:"region,omitempty"` // the colour of the region it is about
	Message  string        `json:"message"`
	Mend     string        `json:"mend,omitempty"` // what the button says
}

// mends are the findings that a button can repair, and the button's text. Other
// findings need a person to paint.
var mends = map[string]string{
	"specks":         "Clear the specks",
	"vanishes":       "Merge with its neighbour",
	"thin":           "Merge with its neighbour",
	"canvas_only":    "Use the nearest region",
	"black":          "Give it a bright colour",
	"same_direction": "Give it another colour",
}

// canvasSide and paintingSide are the sides as findings name them. The page has
// words of its own.
const canvasSide, paintingSide = "canvas", "painting"

func (s *Studio) takePair(r *http.Request) (p pair, canvas, painting *maps.Map, err error) {
	if err = takeHeader(r.Body, &p); err != nil {
		return
	}
	if canvas, err = takeMap(r.Body, p.Canvas); err != nil {
		return
	}
	if p.Painting != nil {
		painting, err = takeMap(r.Body, *p.Painting)
	}
	return
}

// exact returns a source that says that the colours of m are exact, since it was
// made of labels.
func exact(m *maps.Map) *maps.Source {
	return &maps.Source{Channels: 3, Colours: len(m.Regions), Exact: true}
}

// lint says what is wrong with the two maps that are being painted.
func (s *Studio) lint(r *http.Request) (any, error) {
	_, canvas, painting, err := s.takePair(r)
	if err != nil {
		return nil, err
	}
	defer s.decode()()
	return lintPair(canvas, painting), nil
}

func lintPair(canvas, painting *maps.Map) map[string]any {
	canvas = used(canvas)
	c := maps.Side{Path: canvasSide, Map: canvas, Source: exact(canvas)}
	found := []finding{}
	add := func(list []maps.Finding) {
		for _, f := range list {
			found = append(found, describe(f, canvas, painting))
		}
	}
	if painting != nil {
		painting = used(painting)
		p := maps.Side{Path: paintingSide, Map: painting, Source: exact(painting)}
		add(maps.CheckPair(p, c))
		add(maps.Check(p))
	}
	add(maps.Check(c))
	answer := map[string]any{"findings": found}
	if painting != nil {
		answer["areas"] = maps.Areas(painting, canvas)
	}
	return answer
}

// quotedSide matches a side where a message names it as a file.
var quotedSide = regexp.MustCompile(`^"(canvas|painting)"(:| has)`)

// describe writes a finding in the words of the page and finds the region that it
// is about.
func describe(f maps.Finding, canvas, painting *maps.Map) finding {
	t := finding{Severity: f.Severity, Code: f.Code, Side: f.File, Mend: mends[f.Code]}
	m := canvas
	if f.File == paintingSide {
		m = painting
	}
	at := -1
	for _, r := range m.Regions {
		// If the message names several regions, the first is meant. If two are
		// alike, the second is meant, because the larger region keeps its colour.
		n := strings.Index(f.Message, maps.Hex(r.Colour))
		if n >= 0 && (at < 0 || n < at != (f.Code == "same_direction")) {
			at, t.Region = n, maps.Hex(r.Colour)
		}
	}
	text := f.Message
	text = strings.ReplaceAll(text, `the style map "painting"`, "the painting's map")
	text = strings.ReplaceAll(text, `the canvas map "canvas"`, "the canvas")
	text = quotedSide.ReplaceAllString(text, "The $1$2")
	t.Message = strings.ToUpper(text[:1]) + text[1:]
	if t.Region == "" && f.Code != "specks" {
		t.Mend = ""
	}
	return t
}

// mend repairs a finding, as far as that needs no decision, and sends the map that
// changed.
func (s *Studio) mend(w http.ResponseWriter, r *http.Request) error {
	p, canvas, painting, err := s.takePair(r)
	if err != nil {
		return err
	}
	defer s.decode()()
	m, name, other := canvas, p.Canvas.Name, painting
	if p.Side == paintingSide && painting != nil {
		m, name, other = painting, p.Painting.Name, canvas
	}
	m = used(m)
	region := slices.IndexFunc(m.Regions, func(r maps.Region) bool { return maps.Hex(r.Colour) == p.Region })
	if p.Code != "specks" && region < 0 {
		return bad(http.StatusBadRequest, "there is no such region any more")
	}
	switch p.Code {
	case "specks":
		m.MergeSpecks(m.SpeckSize())
	case "vanishes", "thin":
		m.Merge([]int{m.Neighbour(region), region})
	case "canvas_only":
		if other == nil {
			return bad(http.StatusBadRequest, "the painting has no map yet")
		}
		useNearest(m, region, used(other))
	case "black", "same_direction":
		free := m.FreeColour()
		if err := m.Recolor(region, free.Colour); err != nil {
			return err
		}
	default:
		return bad(http.StatusBadRequest, "this takes a person's brush")
	}
	return sendMap(w, name, m)
}

// useNearest gives a region of m the colour and name of the nearest region of
// other. If a region of m has that colour already, it joins the two.
func useNearest(m *maps.Map, region int, other *maps.Map) {
	best := 0
	for i, r := range other.Regions {
		if maps.Distance(r.Colour, m.Regions[region].Colour) < maps.Distance(other.Regions[best].Colour, m.Regions[region].Colour) {
			best = i
		}
	}
	to := other.Regions[best]
	for i, r := range m.Regions {
		if i != region && maps.Distance(r.Colour, to.Colour) <= maps.Near {
			m.Merge([]int{i, region})
			return
		}
	}
	m.Regions[region].Colour = to.Colour
	if to.Name != "" {
		m.Regions[region].Name = to.Name
	}
}
