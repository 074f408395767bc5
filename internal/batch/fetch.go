package batch

import (
	"context"
	"fmt"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// Fetch writes the results of a job into a folder, or to the paths in its record if
// into is "". Anybody with access to the queue can have written the record. So
// Fetch writes to its paths only if this user submitted the job or yes is set.
// Afterwards st.Job.Outputs are the written files.
func Fetch(ctx context.Context, q farm.Queue, own farm.Own, st *farm.Status, into string, yes bool) error {
	if into != "" {
		moved, err := MovedTo(*st, into)
		if err != nil {
			return err
		}
		*st = moved
		_, err = farm.CollectAt(ctx, q, *st, yes)
		return collectFault(err, *st)
	}
	mine, err := own.Has(st.Job)
	if err != nil {
		return err
	}
	if !mine && !yes {
		return ui.NewFault(ui.ExitOutput, "not_yours", fmt.Sprintf("job %s (%s) was not submitted by this user here, and would write %s", st.Job.ID, st.Job.Name, placesOf(st.Job)),
			"impasto queue fetch "+st.Job.ID+" --into fetched", "-y   (writes it there)")
	}
	return Collect(ctx, q, *st, yes)
}

// placesOf names the outputs of a job. If there are many, it names the first few.
func placesOf(j farm.Job) string {
	var names []string
	for _, path := range j.Outputs[:min(3, len(j.Outputs))] {
		names = append(names, fmt.Sprintf("%q", path))
	}
	if more := len(j.Outputs) - len(names); more > 0 {
		names = append(names, ui.Count(more, "other file"))
	}
	return strings.Join(names, ", ")
}
