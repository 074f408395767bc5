package batch

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/picture"
)

// A Report says what became of a batch, as report.json. Fields are only ever
// added.
type Report struct {
	Version int         `json:"version"`
	Program string      `json:"program"`
	Batch   string      `json:"batch"`
	Ended   time.Time   `json:"ended"`
	Seconds float64     `json:"seconds"` // this run took
	Total   int         `json:"total"`
	Done    int         `json:"done"`
	Failed  int         `json:"failed"`
	Skipped int         `json:"skipped"`      // left alone, for their outputs exist
	Work    float64     `json:"work_seconds"` // that attempts took together
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

// ReportPath returns the place of the report: given, or report.json in the folder
// of the results. It is absolute, for the links of the sheet start there.
func (b *Batch) ReportPath(given string) (string, error) {
	if given == "" {
		given = filepath.Join(commonFolder(b.Jobs), "report.json")
	}
	return filepath.Abs(given)
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
	if folder == "" {
		return "."
	}
	return folder
}
