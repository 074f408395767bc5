package render

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// guideFile is a map that was read.
type guideFile struct {
	role, path string
	labels     *maps.Map // with --map-form labels
	raw        *style.Map
	side       maps.Side
}

// readGuides reads the maps and the protection mask. complete says that all
// pictures were read, so that maps can be compared with them.
func (r *Prepared) readGuides(in Inputs, complete bool) ui.Faults {
	var bad ui.Faults
	if in.Protect != "" {
		m, err := r.readProtect(in.Protect)
		bad.Add(err)
		r.inputs.Protect = m
	}
	if r.Request.Mode == style.ModeAnalogy && complete {
		bad.Add(r.checkAnalogy(in))
	}
	if len(in.Maps)+len(in.StyleMaps) == 0 || r.Request.Mode == style.ModeDoodle && r.values.Options.MapWeight == 0 {
		return bad
	}
	if len(in.StyleMaps) != len(in.Maps)*len(in.Styles) {
		if r.Request.Mode == style.ModeArt {
			bad.Add(ui.UsageFault(fmt.Sprintf("%s and %s for %s: art needs --style-map once for each painting and --map",
				ui.Count(len(in.Maps), "map"), ui.Count(len(in.StyleMaps), "style map"), ui.Count(len(in.Styles), "painting")),
				"impasto art --help-all   (--map FILE --style-map FILE)"))
			return bad
		}
		bad.Add(ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("%s of the canvas and %s for %s: each painting needs a map for each of the canvas's",
			ui.Count(len(in.Maps), "map"), ui.Count(len(in.StyleMaps), "style map"), ui.Count(len(in.Styles), "painting")),
			"--map-weight 0   (ignores maps)", "impasto map derive "+ui.ShellQuote(in.Styles[0])))
		return bad
	}
	var read []guideFile
	one := func(role, path, picturePath string, p *style.Picture) {
		g, err := r.readGuide(role, path)
		if err != nil {
			bad.Add(err)
			return
		}
		g.side.Picture = picturePath
		if p != nil {
			g.side.W, g.side.H = p.W, p.H
		}
		read = append(read, g)
	}
	for i, path := range in.Maps {
		one("map", path, in.Content, r.inputs.Content)
		for j, s := range in.Styles {
			var p *style.Picture
			if j < len(r.inputs.Styles) {
				p = r.inputs.Styles[j]
			}
			one("style-map", in.StyleMaps[i*len(in.Styles)+j], s, p)
		}
	}
	if len(bad) > 0 || !complete {
		return bad
	}
	per := 1 + len(in.Styles)
	for i := range in.Maps {
		bad = append(bad, r.checkGuide(read[i*per:(i+1)*per])...)
	}
	if len(bad) > 0 {
		return bad
	}
	for i := range in.Maps {
		r.inputs.Guides = append(r.inputs.Guides, r.guide(read[i*per:(i+1)*per]))
	}
	bad.Add(r.regionStyles(read[0]))
	return bad
}

// checkAnalogy compares the sizes of A and A'.
func (r *Prepared) checkAnalogy(in Inputs) error {
	a, prime := r.inputs.A, r.inputs.Styles[0]
	if a.W == prime.W && a.H == prime.H {
		return nil
	}
	return ui.NewFault(ui.ExitInput, "map_size", fmt.Sprintf("A, %q, is %dx%d but A', %q, is %dx%d; they must show the same things at the same places",
		in.A, a.W, a.H, in.Styles[0], prime.W, prime.H), fitPicture(a, in.A, in.Styles[0], prime.W, prime.H))
}

// readGuide reads one map, as labels or as a plain picture.
func (r *Prepared) readGuide(role, path string) (guideFile, error) {
	g := guideFile{role: role, path: path, side: maps.Side{Path: path}}
	p, info, err := r.env.Library.Read(path, picture.ReadOptions{Role: strings.ReplaceAll(role, "-", " "), MaxPixels: r.values.Number("max-pixels", 0), MaxBytes: r.pictureLimit(), Stdin: r.env.Stdin})
	if err != nil {
		return g, err
	}
	r.files = append(r.files, inputFile{role, path, info, p})
	if form := r.values.Options.MapForm; form != style.MapLabels && form != "" {
		g.raw = style.MapOf((*style.Picture)(p))
		return g, nil
	}
	g.side.Map, g.side.Source, err = r.env.ReadMap(path, strings.ReplaceAll(role, "-", " "))
	g.labels = g.side.Map
	return g, err
}

// checkGuide returns what is wrong with the maps of one guide: first that of the
// canvas, then those of the paintings.
func (r *Prepared) checkGuide(files []guideFile) ui.Faults {
	how := cmp.Or(r.values.Text("map-check"), "error")
	if files[0].labels == nil {
		return r.checkRaw(files)
	}
	var bad ui.Faults
	var found []maps.Finding
	for i, g := range files {
		found = append(found, maps.Check(g.side)...)
		if i > 0 {
			found = append(found, maps.CheckPair(g.side, files[0].side)...)
		}
	}
	repairAll := ""
	if len(files) == 2 && files[0].path != files[1].path && !files[0].side.Source.Exact && !files[1].side.Source.Exact {
		repairAll = maps.RepairCommand(files[1].path, files[0].path)
	}
	for _, f := range found {
		if repairAll != "" && len(f.Try) > 0 && strings.HasPrefix(f.Try[0], "impasto map repair ") {
			f.Try[0] = repairAll // one command for both
		}
		switch {
		case f.Code == "black": // here black is a region like any other, with a channel of its own
		case f.Severity == maps.Fault && how == "error":
			bad.Add(ui.NewFault(ui.ExitInput, "map_"+f.Code, f.Message, append(f.Try, "--map-check warn   (goes on as well as it can)")...))
		case f.Severity != maps.Note && how != "off":
			r.Notes = append(r.Notes, f.Message)
		}
	}
	return bad
}

// checkRaw checks maps whose colours are used without regions.
func (r *Prepared) checkRaw(files []guideFile) ui.Faults {
	var bad ui.Faults
	for _, g := range files {
		if g.side.W > 0 && (g.raw.W != g.side.W || g.raw.H != g.side.H) {
			bad.Add(ui.NewFault(ui.ExitInput, "map_size", fmt.Sprintf("map %q is %dx%d but %q is %dx%d", g.path, g.raw.W, g.raw.H, g.side.Picture, g.side.W, g.side.H),
				fitCommand(g.path, g.raw.W, g.raw.H, g.side.Picture, g.side.W, g.side.H)))
		}
		if g.raw.C != files[0].raw.C {
			bad.Add(ui.NewFault(ui.ExitInput, "map_channels", fmt.Sprintf("%q has %d channels and %q has %d: one of them uses transparency", g.path, g.raw.C, files[0].path, files[0].raw.C),
				maps.RepairCommand(g.path, files[0].path)))
		}
	}
	return bad
}

// guide makes one guide of checked maps. Regions of the same colour share a
// channel.
func (r *Prepared) guide(files []guideFile) style.Guide {
	g := style.Guide{Canvas: files[0].raw}
	if files[0].labels == nil {
		for _, f := range files[1:] {
			g.Styles = append(g.Styles, f.raw)
		}
		return g
	}
	// All maps share one table. The regions of each painting are joined to those
	// found so far.
	canvas := files[0].labels
	var others []*maps.Map
	for _, f := range files[1:] {
		others = append(others, f.labels)
	}
	table, places := maps.Joined(canvas, others...)
	planes := len(table)
	g.Canvas = &style.Map{W: canvas.W, H: canvas.H, C: planes, Pix: canvas.OneHot(nil, planes)}
	for i, m := range others {
		if s := r.inputs.Styles[i]; m.W != s.W || m.H != s.H {
			m = m.Resize(s.W, s.H) // --map-check allowed another size
		}
		g.Styles = append(g.Styles, &style.Map{W: m.W, H: m.H, C: planes, Pix: m.OneHot(places[i], planes)})
	}
	return g
}

// regionStyles adds the guide that restricts paintings to regions.
func (r *Prepared) regionStyles(canvas guideFile) error {
	text := r.values.Options.RegionStyles
	if text == "" {
		return nil
	}
	if canvas.labels == nil {
		return ui.UsageFault("--region-styles needs a map of labels", "--map-form labels")
	}
	m, styles := canvas.labels, len(r.inputs.Styles)
	of := make([]int, len(m.Regions))
	for i := range of {
		of[i] = -1 // any painting
	}
	for _, pair := range settings.SplitList(text) {
		name, number, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > styles {
			return ui.UsageFault(fmt.Sprintf("--region-styles %q: %q is not the number of a painting, 1 to %d", text, number, styles), "--region-styles sky=1")
		}
		region, err := m.Find(name)
		if err != nil {
			return err
		}
		of[region] = n - 1
	}
	regions := &style.Map{W: m.W, H: m.H, C: styles, Pix: make([]float32, m.W*m.H*styles)}
	for i, l := range m.Labels {
		if of[l] >= 0 {
			regions.Pix[i*styles+of[l]] = 1
			continue
		}
		for s := range styles { // at the same distance from each painting
			regions.Pix[i*styles+s] = 1 / float32(styles)
		}
	}
	r.inputs.Guides = append(r.inputs.Guides, style.StylePerRegion(regions, r.inputs.Styles))
	return nil
}

// fitPicture returns a command that brings A to the size of A'. A map is fitted as
// a map. A photograph is resized with ImageMagick, because its colours must be
// blended.
func fitPicture(a *style.Picture, path, to string, toW, toH int) string {
	if _, _, err := maps.FromPicture((*picture.Picture)(a), path); err == nil {
		return fitCommand(path, a.W, a.H, to, toW, toH)
	}
	return fmt.Sprintf("%s %s -resize '%dx%d!' %s", picture.ImageMagick(), ui.ShellQuote(path), toW, toH, ui.ShellQuote(freePNG(path)))
}

// fitCommand returns a command that writes a map or mask at the size of a picture,
// to a new file.
func fitCommand(path string, w, h int, to string, toW, toH int) string {
	stretch := ""
	if by := float64(w) * float64(toH) / (float64(h) * float64(toW)); by < 0.99 || by > 1.01 {
		stretch = " --stretch"
	}
	return fmt.Sprintf("impasto map fit %s --to %s%s -o %s", ui.ShellQuote(path), ui.ShellQuote(to), stretch, ui.ShellQuote(freePNG(path)))
}

// freePNG returns an unused name for a PNG made from a file.
func freePNG(path string) string { return picture.FreePNG(strings.TrimPrefix(path, SamplePrefix)) }

// readProtect reads the protection mask: white is protected, black is painted.
func (r *Prepared) readProtect(path string) (*style.Map, error) {
	p, info, err := r.env.Library.Read(path, picture.ReadOptions{Role: "protect image", MaxPixels: r.values.Number("max-pixels", 0), MaxBytes: r.pictureLimit(), Stdin: r.env.Stdin})
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, inputFile{"protect", path, info, p})
	if c := r.inputs.Content; c != nil && (p.W != c.W || p.H != c.H) {
		return nil, ui.NewFault(ui.ExitInput, "map_size", fmt.Sprintf("%q, which says what to protect, is %dx%d but the content is %dx%d", path, p.W, p.H, c.W, c.H),
			fitCommand(path, p.W, p.H, r.Request.Inputs.Content, c.W, c.H))
	}
	m := &style.Map{W: p.W, H: p.H, C: 1, Pix: make([]float32, p.W*p.H)}
	for i := range m.Pix {
		m.Pix[i] = (p.Pix[3*i] + p.Pix[3*i+1] + p.Pix[3*i+2]) / 3
	}
	return m, nil
}
