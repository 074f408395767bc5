package batch

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/report"
)

// flowOf draws which entries of the manifest need which, with the states of their jobs.
func (b *Batch) flowOf(jobs []JobReport) report.Flow {
	var f report.Flow
	place := map[int]int{} // of an entry of the file
	tally := map[int]Tally{}
	entry := map[string]int{} // by ID of the job
	for i, j := range b.Jobs {
		entry[j.ID] = b.Entries[i].Nth
	}
	for i, e := range b.Entries {
		at, known := place[e.Nth]
		if !known {
			at = len(f.Boxes)
			place[e.Nth], tally[at] = at, Tally{}
			f.Boxes = append(f.Boxes, report.Box{Name: cmp.Or(e.Group, fmt.Sprintf("%s:%d", b.Name, e.Line))})
		}
		tally[at][jobs[i].State]++
		for _, n := range b.Jobs[i].Needs {
			k := place[entry[n.ID]]
			if box := &f.Boxes[at]; k != at && !slices.Contains(box.Needs, k) {
				box.Needs = append(box.Needs, k)
			}
		}
	}
	for at := range f.Boxes {
		f.Boxes[at].Text, f.Boxes[at].State = tally[at].brief()
	}
	return f
}

// brief returns the tally in a few words for a box, and the state that determines
// its colour.
func (t Tally) brief() (text, state string) {
	n := t.total()
	switch {
	case t[farm.Failed] > 0:
		state = string(farm.Failed)
	case t[farm.Done] == n:
		state = string(farm.Done)
	}
	if n > 1 && t[Skipped] < n {
		return t.String(), state
	}
	for one := range t {
		text = string(one)
	}
	return text, state
}
