package main

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// batchReport is what became of a batch, as report.json. Fields are only ever
// added.
type batchReport struct {
	Version int         `json:"version"`
	Program string      `json:"program"`
	Batch   string      `json:"batch"`
	Ended   time.Time   `json:"ended"`
	Seconds float64     `json:"seconds"` // this run took
	Total   int         `json:"total"`
	Done    int         `json:"done"`
	Failed  int         `json:"failed"`
	Skipped int         `json:"skipped"` // left alone, for their outputs exist
	Jobs    []jobReport `json:"jobs"`
}

// jobReport is a job with what its last step said of the picture: losses,
// recipe hash, size, iterations.
type jobReport struct {
	batch.View
	Outcome json.RawMessage `json:"outcome,omitempty"`
}

// writeBatchReport writes the report and the contact sheet and returns where.
func (s *session) writeBatchReport(c *cli.Context, b *jobList, e *batch.Submission, f *batch.Follower) (path, sheet string, err error) {
	if path, err = reportPath(c, b); err != nil {
		return "", "", err
	}
	counts := f.Totals()
	r := batchReport{Version: 1, Program: shortVersion(), Batch: b.name, Ended: time.Now().UTC(), Seconds: time.Since(f.Begun).Seconds(),
		Total: counts.Total + len(e.Skipped), Done: counts.Done, Failed: counts.Failed, Skipped: len(e.Skipped)}
	left := map[string]farm.Status{}
	for _, st := range e.Skipped {
		left[st.Job.ID] = st
	}
	for _, j := range b.jobs { // in the order of the manifest
		st, ok := f.Jobs[j.ID]
		if !ok {
			st = left[j.ID]
		}
		v := jobReport{batch.ViewOf(st), st.Outcome}
		if err := f.Uncollected[j.ID]; err != nil {
			v.State, v.Error = farm.Failed, err.Error()
		}
		r.Jobs = append(r.Jobs, v)
	}
	err = picture.WriteFile(path, func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(r)
	})
	if err == nil {
		sheet, err = s.writeSheet(b, r, path)
	}
	return path, sheet, err
}

// reportPath is where the report goes. It is absolute, for the sheet's links
// start from its folder.
func reportPath(c *cli.Context, b *jobList) (string, error) {
	path := ui.Home(flagText(c, "report"))
	if path == "" {
		path = filepath.Join(commonFolder(b.jobs), "report.json")
	}
	return filepath.Abs(path)
}

// commonFolder is the deepest folder that holds all outputs.
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
	return either(folder, ".")
}
