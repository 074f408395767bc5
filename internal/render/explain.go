package render

import (
	"encoding/hex"
	"fmt"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/report"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// patchReport says where the patches of a picture came from.
type patchReport struct {
	explanation *explain.Explanation
	sheets      []explain.Sheet
}

// explainPatches measures and draws the matches of a finished picture. It returns
// nil if there are none.
func (r *Prepared) explainPatches(res *style.Result) *patchReport {
	if len(res.Patches) == 0 {
		return nil
	}
	in := explain.Inputs{Patches: res.Patches}
	for _, s := range r.inputs.Styles {
		in.Styles = append(in.Styles, (*picture.Picture)(s))
	}
	in.CanvasMap, in.StyleMaps = r.regionMaps()
	return &patchReport{explain.Explain(in), explain.Sheets(in)}
}

// regionMaps returns the maps of the canvas and the paintings, if the run has maps
// that can be read as regions. They are the maps of the first guide, or B and A of
// an analogy of maps.
func (r *Prepared) regionMaps() (canvas *maps.Map, paintings []*maps.Map) {
	for _, f := range r.files {
		switch f.role {
		case "map", "b":
			if canvas == nil {
				canvas = r.asMap(f)
			}
		case "style-map", "a":
			if len(paintings) < len(r.inputs.Styles) {
				paintings = append(paintings, r.asMap(f))
			}
		}
	}
	return canvas, paintings
}

// asMap reads a file again, as regions with their names. It returns nil if that
// fails.
func (r *Prepared) asMap(f inputFile) *maps.Map {
	if f.path == ui.Stdout {
		m, _, _ := maps.FromPicture(f.picture, f.path) // nil after an error
		return m
	}
	m, _, err := r.env.ReadMap(f.path, f.role)
	if err != nil {
		return nil
	}
	return m
}

// writeExplanation writes the files of --explain.
func (r *Prepared) writeExplanation(dir string, a *patchReport, res *style.Result) error {
	if a == nil {
		return ui.NewFault(ui.ExitFailure, "no_patches", "--explain has nothing to explain: the painting is too small for a patch at any layer", "--size 512")
	}
	var paintings []explain.Painting
	for _, f := range r.files {
		if f.role == "style" {
			paintings = append(paintings, explain.Painting{Name: baseName(f.info.Name), W: f.picture.W, H: f.picture.H, SHA256: hex.EncodeToString(f.info.SHA256[:])})
		}
	}
	return explain.Write(dir, a.explanation, a.sheets, r.env.software(), paintings, res.Patches)
}

// addTo adds the matches to a page.
func (a *patchReport) addTo(page *report.Page) {
	for _, s := range a.sheets {
		page.Patches = append(page.Patches, report.Figure{Caption: s.Caption, Picture: s.Picture})
	}
	for _, l := range a.explanation.Layers {
		page.Matches = append(page.Matches, report.Row{Name: l.Name, Value: fmt.Sprintf(
			"%.0f %% of %d patches repeat one used before; %.0f %% of the painting's were used; scores %.3f to %.3f, half above %.3f",
			100*l.Reuse, l.Patches, 100*l.Used, l.Confidence.Least, l.Confidence.Most, l.Confidence.Median)})
		for _, leak := range l.Leaks {
			text := fmt.Sprintf("%.0f %% from its own region", 100*leak.Own)
			for _, from := range leak.From {
				if from.Share >= 0.005 {
					text += fmt.Sprintf(" · %.0f %% from %s", 100*from.Share, from.Region)
				}
			}
			page.Matches = append(page.Matches, report.Row{Name: l.Name + " " + leak.Region, Value: text})
		}
	}
	for _, row := range a.explanation.Areas {
		page.Matches = append(page.Matches, report.Row{Name: "area of " + row.Label, Value: fmt.Sprintf(
			"%.1f %% of the painting, %.1f %% of the canvas", 100*row.Style, 100*row.Canvas)})
	}
}
