package render

import (
	"fmt"
	"io"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/report"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// frame is an intermediate picture, kept for the page.
type frame struct {
	iteration int
	picture   *picture.Picture
}

// frameShares are the shares of the planned iterations at which frames are kept.
// They are denser at the start, where the picture changes most.
var frameShares = []float64{0.01, 0.03, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8}

// keepFrame keeps the current picture if the next share is reached.
func (r *Prepared) keepFrame(e style.Event, snapshot func() *style.Picture) {
	if next := len(r.frames); next < len(frameShares) && float64(e.Done) >= frameShares[next]*float64(e.Planned) {
		r.frames = append(r.frames, frame{e.Done, (*picture.Picture)(snapshot().Clone())})
	}
}

// writeReport writes the page of a finished render.
func (r *Prepared) writeReport(res *style.Result, rec recipe.Recipe, why *patchReport) error {
	page := report.Page{
		Title: baseName(r.out.path), Lead: r.header(), Program: r.env.software(),
		Output: report.Figure{Caption: fmt.Sprintf("result, %dx%d", res.Picture.W, res.Picture.H), Picture: (*picture.Picture)(res.Picture)},
		Curves: curves(res),
		Timings: []report.Row{
			{Name: "time", Value: progress.Span(res.Elapsed)},
			{Name: "iterations", Value: fmt.Sprintf("%d of %d planned", res.Iterations, r.plan.Iterations())},
			{Name: "iterations a second", Value: fmt.Sprintf("%.2f", float64(res.Iterations)/max(res.Elapsed.Seconds(), 1e-9))},
			{Name: "loss", Value: fmt.Sprintf("%s (%s)", progress.Number(res.Losses.Total), LossText(res.Losses, ", "))},
		},
	}
	for _, c := range res.Patches {
		if c.Skipped > 0 {
			page.Timings = append(page.Timings, report.Row{Name: "matching " + c.Layer,
				Value: fmt.Sprintf("%.0f %% of the products left out: the maps rule them out", 100*c.Skipped)})
		}
	}
	for i, s := range r.plan.Scales {
		page.Timings = append(page.Timings, report.Row{Name: fmt.Sprintf("scale %d", i+1),
			Value: fmt.Sprintf("%dx%d, %s, %s", s.W, s.H, ui.Count(s.Iterations, "iteration"), progress.Span(scaleTime(res, i+1)))})
	}
	for _, f := range r.files {
		page.Inputs = append(page.Inputs, report.Figure{
			Caption: fmt.Sprintf("%s: %s, %dx%d", f.role, baseName(f.info.Name), f.picture.W, f.picture.H), Picture: f.picture})
		page.Sources = append(page.Sources, report.Row{Name: f.role, Value: fmt.Sprintf("%s  sha256 %x", baseName(f.info.Name), f.info.SHA256)})
	}
	page.Sources = append(page.Sources, report.Row{Name: "weights", Value: r.network.Name + "  sha256 " + r.network.Meta.SHA256})
	for _, f := range r.frames {
		page.Frames = append(page.Frames, report.Figure{Caption: ui.Count(f.iteration, "iteration"), Picture: f.picture})
	}
	for _, s := range settings.For(r.Request.Mode) {
		if !s.Option() {
			continue
		}
		value := settings.OptionText(&rec.Options, s.Name)
		if origin := r.values.Origin(s.Name); origin != settings.OriginDefault && origin != "" {
			value += "   (" + origin + ")"
		}
		page.Settings = append(page.Settings, report.Row{Name: s.Name, Value: value})
	}
	if text, err := rec.Canonical(); err == nil && !r.Request.Output.NoRecipe {
		page.Recipe = text
	}
	if why != nil {
		why.addTo(&page)
	}
	return picture.WriteFile(r.report, func(w io.Writer) error { return report.Write(w, page) })
}

// curves returns the losses over all iterations, with a mark where each scale
// begins.
func curves(res *style.Result) report.Chart {
	c := report.Chart{XLabel: "iteration"}
	series := []report.Series{{Name: "total"}, {Name: "style"}, {Name: "content"}, {Name: "tv"}}
	if len(res.Patches) > 0 {
		series = append(series, report.Series{Name: "patch"})
	}
	begin, scale, last := 0, 0, 0
	for _, s := range res.History {
		if s.Scale != scale {
			begin, scale = begin+last, s.Scale
			if scale <= len(res.Plan.Scales) {
				p := res.Plan.Scales[scale-1]
				c.Marks = append(c.Marks, report.Mark{X: float64(begin + 1), Label: fmt.Sprintf("%dx%d", p.W, p.H)})
			}
		}
		last = s.Iteration
		for i, v := range []float64{s.Losses.Total, s.Losses.Style, s.Losses.Content, s.Losses.TV, s.Losses.Patch}[:len(series)] {
			series[i].X = append(series[i].X, float64(begin+s.Iteration))
			series[i].Y = append(series[i].Y, v)
		}
	}
	c.Series = series
	return c
}

// scaleTime returns how long one scale took, as far as the history shows.
func scaleTime(res *style.Result, scale int) time.Duration {
	from, to := 0.0, 0.0
	for _, s := range res.History {
		if s.Scale < scale {
			from = s.Seconds
		}
		if s.Scale <= scale {
			to = s.Seconds
		}
	}
	return time.Duration((to - from) * float64(time.Second))
}
