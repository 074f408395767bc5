package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
)

// A Report is the outcome of a batch, in the form of report.json. Later versions
// only add fields.
type Report struct {
	Version int         `json:"version"`
	Program string      `json:"program"`
	Batch   string      `json:"batch"`
	Ended   time.Time   `json:"ended"`
	Seconds float64     `json:"seconds"` // this run took
	Total   int         `json:"total"`
	Done    int         `json:"done"`
	Failed  int         `json:"failed"`
	Skipped int         `json:"skipped"`      // not painted, because their outputs exist
	Work    float64     `json:"work_seconds"` // total time of all attempts
	Bill    farm.Bill   `json:"bill"`
	Jobs    []JobReport `json:"jobs"`
}

// A JobReport is a job with the outcome of its last step: losses, recipe hash,
// size, iterations.
type JobReport struct {
	View
	Outcome json.RawMessage `json:"outcome,omitempty"`
}

// WriteReport writes the report of a batch and the contact sheet beside it, and
// returns the name of the sheet.
func (b *Batch) WriteReport(path, program string, e *Submission, f *Follower) (sheet string, err error) {
	counts := f.Totals()
	r := Report{Version: 1, Program: program, Batch: b.Name, Ended: time.Now().UTC(), Seconds: time.Since(f.Begun).Seconds(),
		Total: counts.Total + len(e.Skipped), Done: counts.Done, Failed: counts.Failed, Skipped: len(e.Skipped)}
	left := map[string]farm.Status{}
	for _, st := range e.Skipped {
		left[st.Job.ID] = st
	}
	for _, j := range b.Jobs { // in the order of the manifest
		st, ok := f.Jobs[j.ID]
		if !ok {
			st = left[j.ID]
		}
		v := JobReport{ViewOf(st), st.Outcome}
		r.Work += st.Seconds
		r.Bill.Add(st.Bill)
		if err := f.Uncollected[j.ID]; err != nil {
			v.State, v.Error = farm.Failed, err.Error()
		}
		r.Jobs = append(r.Jobs, v)
	}
	removeLeft(f.Begun, path, sheetPath(path))
	err = picture.WriteFile(path, func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(r)
	})
	if err == nil {
		sheet, err = b.writeSheet(r, path)
	}
	return sheet, err
}

// removeLeft removes the temporary files of paths that were left by writers which were
// killed before this run began. Later ones may still be written by another run.
func removeLeft(begun time.Time, paths ...string) {
	for _, path := range paths {
		left, _ := filepath.Glob(path + ".tmp-????????")
		for _, name := range left {
			if info, err := os.Lstat(name); err == nil && info.ModTime().Before(begun) {
				_ = os.Remove(name)
			}
		}
	}
}

// FollowOptions say what is done with the results of a batch.
type FollowOptions struct {
	Replace bool   // files at the outputs that are not results of this batch
	Report  string // file of the report; "": beside the results
	Program string // that writes it
}

// Follow waits for the jobs of a batch, writes their results as they arrive, and
// finally writes the report.
func (b *Batch) Follow(ctx context.Context, q farm.Queue, e *Submission, r progress.Reporter, o FollowOptions) error {
	r.Event(progress.Start, fmt.Sprintf("%s: %s", b.Name, e), map[string]any{"batch": b.Name, "jobs": len(e.Jobs)})
	f := Follow(r, e.Jobs)
	f.Weights, f.Budget = b.Seconds, b.Terms.Budget
	f.Collect = func(ctx context.Context, st farm.Status) error {
		return Collect(ctx, q, st, o.Replace || Replaces(st.Job))
	}
	if err := f.Run(ctx, q); err != nil {
		return err
	}
	path, err := b.ReportPath(o.Report)
	if err != nil {
		return err
	}
	sheet, err := b.WriteReport(path, o.Program, e, f)
	if err != nil {
		return err
	}
	counts, passed := f.Totals(), time.Since(f.Begun)
	total := counts.Total + len(e.Skipped)
	message := endedText(total, counts)
	if len(e.Skipped) > 0 {
		message += fmt.Sprintf(", %d left alone", len(e.Skipped))
	}
	message += " in " + progress.Span(passed) + BillText(f.Bill()) + " · report " + path + ", pictures " + sheet
	r.Event(progress.Result, message, map[string]any{"total": total, "done": counts.Done, "failed": counts.Failed, "skipped": len(e.Skipped),
		"seconds": passed.Seconds(), "report": path, "sheet": sheet})
	r.Close()
	return f.Fault()
}

// ReportPath returns the path of the report: given, or report.json in the folder of
// the results. It is absolute, because the links of the sheet are relative to it.
func (b *Batch) ReportPath(given string) (string, error) {
	if given == "" {
		given = filepath.Join(commonFolder(b.Jobs), "report.json")
	}
	return filepath.Abs(given)
}

// commonFolder returns the deepest folder that holds all outputs.
func commonFolder(jobs []farm.Job) string {
	folder := ""
	for _, j := range jobs {
		for _, path := range j.Outputs {
			dir := filepath.Dir(path)
			if folder == "" {
				folder = dir
			}
			for folder != filepath.Dir(folder) && dir != folder && !strings.HasPrefix(dir, folder+string(filepath.Separator)) {
				folder = filepath.Dir(folder)
			}
		}
	}
	if folder == "" {
		return "."
	}
	return folder
}
