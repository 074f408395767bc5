package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/report"
	"github.com/impasto/impasto/internal/ui"
)

// sheetPath returns the path of the contact sheet of a report: report.html for
// report.json. If the report itself has that name, it is report-sheet.html.
func sheetPath(report string) string {
	name := strings.TrimSuffix(report, filepath.Ext(report))
	if path := name + ".html"; path != report {
		return path
	}
	return name + "-sheet.html"
}

// writeSheet writes the contact sheet of a batch beside its report.
func (b *Batch) writeSheet(r Report, reportPath string) (string, error) {
	path := sheetPath(reportPath)
	choices := map[string][]report.Row{}
	for i, j := range b.Jobs {
		for _, v := range b.Entries[i].Values {
			choices[j.ID] = append(choices[j.ID], report.Row{Name: v.Key, Value: v.Text})
		}
	}
	lead := fmt.Sprintf("%s: %d done, %d failed", ui.Count(r.Total, "job"), r.Done, r.Failed)
	if r.Skipped > 0 {
		lead += fmt.Sprintf(", %d left alone", r.Skipped)
	}
	sheet := report.Sheet{
		Title: b.Name, Program: "Impasto " + r.Program, Cells: len(r.Jobs), Flow: b.flowOf(r.Jobs),
		Lead: lead + ", in " + progress.Seconds(r.Seconds) + "; machine time " + progress.Seconds(r.Work) + BillText(r.Bill),
		Cell: func(i int) report.Cell { return cellOf(r.Jobs[i], choices[r.Jobs[i].ID], filepath.Dir(path)) },
	}
	return path, picture.WriteFile(path, func(w io.Writer) error { return report.WriteSheet(w, sheet) })
}

// cellOf returns the cell of a job on a sheet in folder. Its picture is the one
// that the last step wrote.
func cellOf(j JobReport, choices []report.Row, folder string) report.Cell {
	c := report.Cell{Name: j.Name, State: string(j.State), Fault: j.Error, Choices: choices}
	var o render.Result
	var v render.FilmResult
	switch {
	case json.Unmarshal(j.Outcome, &v) == nil && v.Frames > 0:
		c.Facts = append(c.Facts,
			report.Row{Name: "size", Value: fmt.Sprintf("%dx%d", v.W, v.H)},
			report.Row{Name: "frames", Value: fmt.Sprintf("%d in %s", v.Frames, ui.Count(v.Shots, "shot"))})
		if v.Flicker != nil {
			c.Facts = append(c.Facts, report.Row{Name: "flicker", Value: fmt.Sprintf("%.2f of 255", *v.Flicker)})
		}
	case json.Unmarshal(j.Outcome, &o) == nil && o.W > 0:
		c.Facts = append(c.Facts, report.Row{Name: "size", Value: fmt.Sprintf("%dx%d", o.W, o.H)})
		if o.Recipe == "" { // a map
			break
		}
		c.Facts = append(c.Facts,
			report.Row{Name: "iterations", Value: fmt.Sprint(o.Iterations)},
			report.Row{Name: "loss", Value: fmt.Sprintf("%s (%s)", progress.Number(o.Losses.Total), render.LossText(o.Losses, ", "))},
			report.Row{Name: "recipe", Value: o.Recipe[:min(8, len(o.Recipe))]})
	}
	if on := j.painter.text(); on != "" {
		c.Facts = append(c.Facts, report.Row{Name: "painted on", Value: on})
	}
	if j.Seconds > 0 {
		c.Facts = append(c.Facts, report.Row{Name: "time", Value: progress.Seconds(j.Seconds) + BillText(j.Bill)})
	}
	if j.Attempts > 0 {
		c.Facts = append(c.Facts, report.Row{Name: "attempts", Value: fmt.Sprint(j.Attempts)})
	}
	if j.State == Skipped {
		c.Fault = "it was there before"
	}
	if j.State != farm.Done && j.State != Skipped || len(j.Outputs) == 0 {
		return c
	}
	file := j.Outputs[len(j.Outputs)-1]
	c.Picture = firstPicture(file)
	c.Link = file
	if relative, err := filepath.Rel(folder, file); err == nil {
		c.Link = relative
	}
	return c
}

// firstPicture returns a picture, or the first frame of a film. It returns nil if
// there is none, because the file may have been moved.
func firstPicture(file string) *picture.Picture {
	var source film.Source
	var err error
	ctx := context.Background()
	switch {
	case film.IsArchive(file):
		source, err = film.OpenArchive(file, film.Selection{})
	case film.IsFilm(file):
		source, err = film.Find().OpenFilm(ctx, file, film.Selection{})
	default:
		p, _, err := picture.Read(file, picture.ReadOptions{})
		if err != nil {
			return nil
		}
		return p
	}
	if err != nil {
		return nil
	}
	cursor := film.NewCursor(source)
	defer cursor.Close()
	p, err := cursor.Frame(ctx, 0)
	if err != nil {
		return nil
	}
	return p
}
