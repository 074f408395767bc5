package batch

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/farm"
)

// TestNeighbours: jobs of one painting, size and network follow each other,
// otherwise nothing moves.
func TestNeighbours(t *testing.T) {
	var jobs []farm.Job
	for _, line := range []string{
		"a art --content=1 --size=64 --style=x", "b art --content=1 --size=64 --style=y", "c art --content=2 --size=64 --style=x",
		"d art --content=2 --size=32 --style=x", "e art --content=3 --size=64 --style=y --seed=4", "f art --content=4 --size=64 --style=x --weights=mini",
		"g art --content=5 --size=64 --style=x", "h texture --size=9 -- y", "i texture --size=9 -- x", "j texture --size=9 -- y",
	} {
		words := strings.Fields(line)
		jobs = append(jobs, farm.Job{ID: words[0], Steps: [][]string{words[1:]}})
	}
	order := ""
	for _, j := range GroupByPainting(jobs) {
		order += j.ID
	}
	if order != "acgbedfhji" {
		t.Errorf("the order is %s, want acgbedfhji", order)
	}
	if jobs[1].ID != "b" {
		t.Error("the jobs themselves were moved")
	}
}
