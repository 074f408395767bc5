package batch

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// clashes refuses a batch in which a job writes what another job reads or writes.
// The order of jobs is not fixed, and the file may be the user's only copy.
func (b *Builder) clashes() (bad ui.Faults) {
	var reads, writes []overwrite.Use
	for i, j := range b.Batch.Jobs {
		for path := range j.Inputs {
			reads = append(reads, overwrite.Use{Path: path, Job: j.Name, Nth: i})
		}
		for _, path := range j.Outputs {
			writes = append(writes, overwrite.Use{Path: path, Job: j.Name, Nth: i})
		}
	}
	slices.SortFunc(reads, func(a, b overwrite.Use) int {
		return cmp.Or(cmp.Compare(a.Nth, b.Nth), cmp.Compare(a.Path, b.Path))
	})
	if b.path != ui.Stdout {
		reads = append(reads, overwrite.Use{Path: b.path, Nth: -1})
	}
	for _, c := range overwrite.Clashes(reads, writes) {
		where := fmt.Sprintf("%s:%d: job %q: output %q ", b.file, b.Batch.Entries[c.Written.Nth].Line, c.Written.Job, c.Written.Path)
		switch {
		case !c.Reads:
			bad.Add(ui.NewFault(ui.ExitOutput, "same_output", where+fmt.Sprintf("is also written by job %q", c.Other.Job)))
		case c.Other.Nth < 0:
			bad.Add(ui.NewFault(ui.ExitOutput, "same_file", where+"is the manifest itself"))
		case c.Other.Nth == c.Written.Nth:
			bad.Add(ui.NewFault(ui.ExitOutput, "same_file", where+"is also what it reads"))
		default:
			bad.Add(ui.NewFault(ui.ExitOutput, "same_file", where+fmt.Sprintf("is an input of job %q; jobs run in any order", c.Other.Job),
				fmt.Sprintf("needs: [%q]   (in job %q: it waits for this one)", c.Written.Job, c.Other.Job)))
		}
	}
	return bad
}

// CheckReport makes sure that a report and its contact sheet do not replace the manifest,
// a file that the jobs read or write, or a file that is no report of a batch.
func (b *Batch) CheckReport(path, manifest string, replace bool) error {
	set := overwrite.New(picture.Fail, false)
	for _, j := range b.Jobs {
		for input := range j.Inputs {
			set.Reads("an input of job "+strconv.Quote(j.Name), input)
		}
		for _, output := range j.Outputs {
			set.Reads("an output of job "+strconv.Quote(j.Name), output)
		}
	}
	if manifest != ui.Stdout {
		set.Reads("the manifest", manifest)
	}
	var bad ui.Faults
	for _, f := range []struct{ what, path string }{{"report", path}, {"contact sheet", sheetPath(path)}} {
		err := set.Writes(f.what, "--report", f.path)
		if info, statErr := os.Stat(f.path); err == nil && statErr == nil && info.Mode().IsRegular() && !replace && !isReport(f.path) {
			err = ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%s %q exists and is no report of a batch", f.what, f.path),
				"--report "+ui.ShellQuote(set.Free(path)), "-y   (replaces it)")
		}
		bad.Add(err)
	}
	return bad.Err()
}

// isReport reports whether a file is a report or contact sheet of a batch. The next
// run of the same batch may replace such a file.
func isReport(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 64<<10)
	n, _ := io.ReadFull(f, start) // a short file is read completely
	text := string(start[:n])
	if strings.HasPrefix(text, "<!doctype html>") {
		return strings.Contains(text, `<main class="cells">`)
	}
	return strings.HasPrefix(strings.TrimSpace(text), "{") && strings.Contains(text, `"program":`) && strings.Contains(text, `"batch":`)
}
