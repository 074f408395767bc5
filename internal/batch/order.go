package batch

import (
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/farm"
)

// GroupByPainting orders jobs so that those with the same weights, paintings and size
// follow each other and use the same cached statistics of paintings. Groups are in the
// order of their first jobs, and jobs keep their order in a group. The queue puts higher
// priorities first by itself.
func GroupByPainting(jobs []farm.Job) []farm.Job {
	first := map[string]int{}
	place := make(map[string]int, len(jobs))
	for i, j := range jobs {
		k := paintingsOf(j)
		if _, seen := first[k]; !seen {
			first[k] = i
		}
		place[j.ID] = first[k]
	}
	sorted := slices.Clone(jobs)
	slices.SortStableFunc(sorted, func(a, b farm.Job) int { return place[a.ID] - place[b.ID] })
	return sorted
}

// paintingsOf returns the words of a job that decide which statistics of paintings it uses.
func paintingsOf(j farm.Job) string {
	var key []string
	for _, step := range j.Steps {
		if len(step) == 0 {
			continue
		}
		key = append(key, step[0])
		arguments := false
		for _, w := range step[1:] {
			name, _, _ := strings.Cut(w, "=")
			arguments = arguments || w == "--"
			if arguments || name == "--weights" || name == "--style" || name == "--size" || name == "--style-scale" {
				key = append(key, w)
			}
		}
	}
	return strings.Join(key, "\x00")
}
