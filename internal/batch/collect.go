package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// MovedTo returns a job with all its results in one folder, by their own names.
func MovedTo(st farm.Status, folder string) (farm.Status, error) {
	results, outputs := map[string]string{}, []string{}
	for _, path := range st.Job.Outputs {
		to := filepath.Join(folder, baseName(path))
		if _, twice := results[to]; twice {
			return st, ui.NewFault(ui.ExitOutput, "same_name", fmt.Sprintf("job %s has two results called %q", st.Job.ID, baseName(path)))
		}
		results[to] = st.Results[path]
		outputs = append(outputs, to)
	}
	st.Results, st.Job.Outputs = results, outputs
	return st, nil
}

// Collect writes the results of a job that is done.
func Collect(ctx context.Context, q farm.Queue, st farm.Status, replace bool) error {
	_, err := farm.Collect(ctx, q, st, replace)
	return collectFault(err, st)
}

// collectFault turns an error of farm.Collect into faults.
func collectFault(err error, st farm.Status) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*farm.UnreachableError](err); ok {
		return QueueFault(err)
	}
	var bad ui.Faults
	for _, f := range ui.FaultsOf(err) {
		f.Exit, f.Code = ui.ExitOutput, "output"
		bad.Add(f)
	}
	var exists *farm.ExistsError
	switch {
	case errors.As(err, &exists):
		bad[0].Code, bad[0].Try = "exists", []string{"-y   (replaces it)"}
	case errors.Is(err, fs.ErrNotExist):
		return ui.NewFault(ui.ExitInput, "no_result", fmt.Sprintf("the results of job %s (%s) are not in the queue any more", st.Job.ID, st.Job.Name),
			"impasto queue retry "+st.Job.ID)
	}
	return bad
}

// baseName returns the last part of a path of any operating system, because a job
// may come from another one.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
