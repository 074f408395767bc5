package maps

import (
	"fmt"
	"image/color"
	"os"

	"github.com/impasto/impasto/internal/picture"
)

// Severity says what a finding means for painting.
type Severity string

const (
	Fault   Severity = "error"   // the map cannot be painted with, or not as intended
	Warning Severity = "warning" // the map can be painted with, but part of it will not work as intended
	Note    Severity = "note"    // worth knowing
)

// Finding is one thing that a check found in a map.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	File     string   `json:"file"`
	Message  string   `json:"message"`
	Try      []string `json:"try,omitempty"` // commands
}

// Side is one map with the picture that it belongs to.
type Side struct {
	Path    string
	Map     *Map
	Source  *Source
	Picture string // the picture it belongs to, "" if none is known
	W, H    int    // of the picture
}

const (
	// CoarsestCell is the side of the cells of relu4_1 in pixels, after three
	// poolings.
	CoarsestCell = 8
	// leastCover is the share that a region needs of at least one cell to have an
	// effect.
	leastCover = 0.5
	// leastWidth is the least width of a region in pixels. The first layer mixes
	// thinner regions with their neighbours.
	leastWidth = 3
	// manyRegions is the number of regions above which they are too small to be
	// useful.
	manyRegions = 16
	// muchRarer is the largest ratio of a region's share of the canvas to its share
	// of the painting. Above it, patches repeat visibly.
	muchRarer = 8
	// mostListed is the most findings of one kind that are listed for a map.
	// Further ones are only counted.
	mostListed = 4
	// sameWay is an angle in degrees. Programs that compare colours by their cosine
	// hardly distinguish two colours at a smaller angle.
	sameWay = 8
)

// SpeckSize returns the number of pixels below which a piece of a region counts as
// a slip of the brush: a five-thousandth of the map, but at least 12.
func (m *Map) SpeckSize() int { return max(12, len(m.Labels)/5000) }

// Check lists what is wrong with one map. The commands that it proposes name the
// files of s.
func Check(s Side) []Finding {
	l := linter{Side: s, q: picture.ShellWord(s.Path)}
	l.size()
	l.colours()
	l.regions()
	return l.found
}

// freeFolder returns name, with a number added if such a file exists.
func freeFolder(name string) string {
	free := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// linter collects the findings of one map.
type linter struct {
	Side
	q     string // the path as a shell takes it
	found []Finding
}

func (l *linter) add(s Severity, code, message string, try ...string) {
	l.found = append(l.found, Finding{s, code, l.Path, message, try})
}

// fix returns the command that writes a repaired copy of the map.
func (l *linter) fix() string { return fmt.Sprintf("impasto map repair %s -o %s", l.q, l.free()) }

// free returns an unused file name for a map made from this one.
func (l *linter) free() string { return picture.ShellWord(picture.FreePNG(l.Path)) }

// size compares the map with its picture.
func (l *linter) size() {
	if l.Picture == "" || l.W == 0 || l.Map.W == l.W && l.Map.H == l.H {
		return
	}
	fit := fmt.Sprintf("impasto map fit %s --to %s -o %s", l.q, picture.ShellWord(l.Picture), l.free())
	what := fmt.Sprintf("map %q is %dx%d but %q is %dx%d", l.Path, l.Map.W, l.Map.H, l.Picture, l.W, l.H)
	by := l.Map.Stretch(l.W, l.H)
	switch {
	case l.Map.W == l.H && l.Map.H == l.W:
		l.add(Fault, "turned", what+": one of them is turned by 90 degrees", fmt.Sprintf("%s %s -rotate 90 %s", picture.ImageMagick(), l.q, l.free()))
	case abs(l.Map.W-l.W) <= 1 && abs(l.Map.H-l.H) <= 1:
		l.add(Fault, "size", what+", one pixel off", fit)
	case by > 0.01:
		l.add(Fault, "size", fmt.Sprintf("%s; the proportions differ by %.0f %%", what, 100*by), fit+" --crop", fit+" --stretch")
	default:
		l.add(Fault, "size", what, fit)
	}
}

// colours checks how the map is drawn.
func (l *linter) colours() {
	m, src := l.Map, l.Source
	if src.EdgeColors > 0 {
		how := "soft brush?"
		if src.Format == picture.JPEG {
			how = "JPEG blends colours; maps are kept as PNG"
		}
		l.add(Fault, "edge_colours", fmt.Sprintf("%q has %d colours; %d of them lie on edges between %d regions, %s of the map (%s)",
			l.Path, src.Colours, src.EdgeColors, len(m.Regions), percent(float64(src.EdgePixels)/float64(len(m.Labels))), how), l.fix())
	} else if src.Format == picture.JPEG {
		l.add(Warning, "jpeg", fmt.Sprintf("%q is a JPEG; its flat colours are not exact and change each time it is saved", l.Path), l.fix())
	}
	for n, p := range src.Near {
		if n == mostListed {
			l.add(Warning, "near_colours", fmt.Sprintf("%q has %d more colours that are read as another", l.Path, len(src.Near)-n), l.fix())
			break
		}
		r := m.Regions[p.Region]
		l.add(Warning, "near_colours", fmt.Sprintf("%q: colours %s and %s (%s) are %.0f of 442 apart and are read as one region",
			l.Path, Hex(r.Colour), Hex(p.Colour), l.share(p.Pixels), Distance(r.Colour, p.Colour)), l.fix())
	}
	if src.Clear > 0 {
		l.add(Fault, "transparent", fmt.Sprintf("%q is transparent in %s pixels (%s); these pixels name no region", l.Path,
			thousands(src.Clear), l.share(src.Clear)), l.fix())
	}
	if src.Deep > src.Colours {
		l.add(Fault, "deep", fmt.Sprintf("%q has %d colours at 16 bits a channel, which become %d at the 8 bits of a map", l.Path, src.Deep, src.Colours),
			fmt.Sprintf("%s %s -auto-level %s", picture.ImageMagick(), l.q, l.free()))
	}
	free := m.FreeColour().Name
	for i, r := range m.Regions {
		if isBlack(r.Colour) {
			l.add(Warning, "black", fmt.Sprintf("%q: the region %s (%s) is black; it has no direction, and a comparison by cosine cannot distinguish it from any other",
				l.Path, Hex(r.Colour), percent(m.Share(i))),
				fmt.Sprintf("impasto map recolor %s '%s=%s' -o %s   (in both maps)", l.q, Hex(r.Colour), free, l.free()))
		}
	}
	l.directions(free)
}

// directions finds regions whose colours differ in little except brightness.
func (l *linter) directions(free string) {
	m, listed, more := l.Map, 0, 0
	for i, a := range m.Regions {
		for _, b := range m.Regions[i+1:] {
			if isBlack(a.Colour) || isBlack(b.Colour) || a.Colour.A < 255 || b.Colour.A < 255 {
				continue
			}
			d := angle(a.Colour, b.Colour)
			if d >= sameWay {
				continue
			}
			if listed == mostListed {
				more++
				continue
			}
			listed++
			l.add(Note, "same_direction", fmt.Sprintf("%q: %s and %s differ in little but brightness (%.0f degrees); neural-doodle's comparison hardly separates them",
				l.Path, a, b, d), fmt.Sprintf("impasto map recolor %s '%s=%s' -o %s   (in both maps)", l.q, Hex(b.Colour), free, l.free()))
		}
	}
	if more > 0 {
		l.add(Note, "same_direction", fmt.Sprintf("%q has %s more of regions that differ in little but brightness", l.Path, plural(more, "pair")))
	}
}

// regions checks the number, size and shape of the regions.
func (l *linter) regions() {
	m := l.Map
	switch n := len(m.Regions); {
	case n == 1:
		l.add(Fault, "one_region", fmt.Sprintf("%q has one region, %s; there is nothing to tell apart", l.Path, m.Regions[0]), l.derive())
	case n > manyRegions:
		l.add(Warning, "many_regions", fmt.Sprintf("%q has %d regions; the smallest, %s, covers %s", l.Path, n, m.Regions[n-1], percent(m.Share(n-1))),
			fmt.Sprintf("impasto map merge %s '%s' '%s' -o %s", l.q, Hex(m.Regions[n-2].Colour), Hex(m.Regions[n-1].Colour), l.free()))
	}
	pieces, _ := m.pieces()
	least, specks, area := m.SpeckSize(), 0, 0
	whole := make([]bool, len(m.Regions)) // has a piece that is not a speck
	for _, p := range pieces {
		whole[p.label] = whole[p.label] || p.pixels >= least
	}
	for _, p := range pieces {
		if p.pixels < least && whole[p.label] {
			specks++
			area += p.pixels
		}
	}
	if specks > 0 {
		l.add(Warning, "specks", fmt.Sprintf("%q has %s of fewer than %d pixels (%s)", l.Path, plural(specks, "piece"), least, l.share(area)), l.fix())
	}
	cover, coarse, width := m.Coverage(CoarsestCell), m.Coverage(4*CoarsestCell), m.Width()
	var leftovers []int
	for i, r := range m.Regions {
		merge := fmt.Sprintf("impasto map merge %s '%s' '%s' -o %s", l.q, Hex(m.Regions[m.Neighbour(i)].Colour), Hex(r.Colour), l.free())
		switch {
		case len(m.Regions) == 1:
		case cover[i] < leastCover && l.Source.Format == picture.JPEG:
			leftovers = append(leftovers, i)
		case cover[i] < leastCover:
			l.add(Fault, "vanishes", fmt.Sprintf("%q: region %s (%s) vanishes at relu4_1, where %d pixels are one cell: it fills %s of one at most",
				l.Path, r, percent(m.Share(i)), CoarsestCell, percent(cover[i])), merge)
		case width[i] < leastWidth:
			l.add(Warning, "thin", fmt.Sprintf("%q: region %s is at most %s wide", l.Path, r, plural(width[i], "pixel")), merge)
		case coarse[i] < leastCover:
			l.add(Note, "vanishes_early", fmt.Sprintf("%q: region %s (%s) guides the last scales only; at a quarter of the size it fills %s of a cell of relu4_1 at most",
				l.Path, r, percent(m.Share(i)), percent(coarse[i])))
		}
	}
	if len(leftovers) > 0 {
		l.add(Fault, "vanishes", fmt.Sprintf("%q: %s left between others too small to guide anything: %s", l.Path, plural(len(leftovers), "region"), m.list(leftovers)), l.fix())
	}
}

// derive returns the command that makes a map of the picture, if the picture is
// known.
func (l *linter) derive() string {
	if l.Picture == "" {
		return "impasto map derive --help   (makes one of the picture)"
	}
	return fmt.Sprintf("impasto map derive %s -o %s", picture.ShellWord(l.Picture), l.free())
}

// Neighbour returns the region that region i has the longest border with.
func (m *Map) Neighbour(i int) int {
	sides := make([]int, len(m.Regions))
	for p, l := range m.Labels {
		if int(l) == i {
			m.each4(p, func(j int) { sides[m.Labels[j]]++ })
		}
	}
	sides[i] = 0
	best := 0
	for j, n := range sides {
		if j != i && (n > sides[best] || best == i) {
			best = j
		}
	}
	return best
}

// CheckPair lists what is wrong with two maps together: the map of a painting, and
// the map of the canvas that is painted after it.
func CheckPair(style, canvas Side) []Finding {
	var found []Finding
	add := func(s Severity, code, file, message string, try ...string) {
		found = append(found, Finding{s, code, file, message, try})
	}
	a, b := style.Map, canvas.Map
	table, fromA, fromB := Shared(a, b)
	onStyle, onCanvas := make([]float64, len(table)), make([]float64, len(table))
	for i, t := range fromA {
		onStyle[t] = a.Share(i)
	}
	for i, t := range fromB {
		onCanvas[t] = b.Share(i)
	}
	cq, free := picture.ShellWord(canvas.Path), picture.ShellWord(picture.FreePNG(canvas.Path))
	if style.Source.Channels%2 != canvas.Source.Channels%2 {
		add(Fault, "channels", canvas.Path, fmt.Sprintf("%q has %s and %q has %s: one of them uses transparency", style.Path,
			channelWords(style.Source.Channels), canvas.Path, channelWords(canvas.Source.Channels)),
			RepairCommand(style.Path, canvas.Path))
	}
	if style.Path == canvas.Path {
		add(Note, "same_map", canvas.Path, fmt.Sprintf("%q is the style map and the canvas map", style.Path))
	}
	leftovers, area := 0, 0.0
	for t, r := range table {
		switch {
		case onCanvas[t] > 0 && onCanvas[t] < leftOver && onStyle[t] == 0 && canvas.Source.Format == picture.JPEG:
			leftovers++
			area += onCanvas[t]
		case onCanvas[t] > 0 && onStyle[t] == 0:
			to := closest(r.Colour, a)
			fix := fmt.Sprintf("impasto map recolor %s '%s=%s' -o %s", cq, Hex(r.Colour), Hex(to), free)
			if b.has(to) {
				fix = fmt.Sprintf("impasto map merge %s '%s' '%s' -o %s", cq, Hex(to), Hex(r.Colour), free)
			}
			add(Fault, "canvas_only", canvas.Path, fmt.Sprintf("colour %s (%s of the canvas) does not occur in the style map %q, which has %s",
				r, percent(onCanvas[t]), style.Path, a.list(nil)), fix)
		case onStyle[t] > 0 && onCanvas[t] == 0:
			add(Note, "style_only", style.Path, fmt.Sprintf("region %s (%s of the painting) does not occur in the canvas map %q and is not used",
				r, percent(onStyle[t]), canvas.Path))
		case onCanvas[t] > muchRarer*onStyle[t]:
			add(Warning, "rare", style.Path, fmt.Sprintf("region %s is %s of the painting and %s of the canvas: its few patches will repeat",
				r, percent(onStyle[t]), percent(onCanvas[t])), "--variety 0.2   (when painting)")
		}
	}
	if leftovers > 0 {
		add(Fault, "canvas_only", canvas.Path, fmt.Sprintf("%q has %s left between others (%s) that the style map %q lacks", canvas.Path,
			plural(leftovers, "colour"), percent(area), style.Path), RepairCommand(style.Path, canvas.Path))
	}
	return found
}

// RepairCommand returns the command that repairs maps that belong together, the
// painting's first, into a new folder.
func RepairCommand(paths ...string) string {
	words := "impasto map repair"
	for _, p := range paths {
		words += " " + picture.ShellWord(p)
	}
	return fmt.Sprintf("%s -o %s/", words, picture.ShellWord(freeFolder("repaired")))
}

// closest returns the colour of the region of m that is nearest to c.
func closest(c color.NRGBA, m *Map) color.NRGBA {
	at, _ := nearest(c, m.Regions)
	return m.Regions[at].Colour
}

// has reports whether a region of m has nearly the colour c.
func (m *Map) has(c color.NRGBA) bool { return Distance(c, closest(c, m)) <= Near }

// AreaRow is one line of the comparison of two maps.
type AreaRow struct {
	Region Region  `json:"-"`
	Label  string  `json:"region"`
	Colour string  `json:"colour"`
	Style  float64 `json:"style"` // share, 0..1
	Canvas float64 `json:"canvas"`
}

// Areas compares how much of each map every region covers.
func Areas(style, canvas *Map) []AreaRow {
	table, fromA, fromB := Shared(style, canvas)
	rows := make([]AreaRow, len(table))
	for t, r := range table {
		rows[t] = AreaRow{Region: r, Label: r.Label(), Colour: Hex(r.Colour)}
	}
	for i, t := range fromA {
		rows[t].Style = style.Share(i)
	}
	for i, t := range fromB {
		rows[t].Canvas = canvas.Share(i)
	}
	return rows
}
