package batch

import (
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
)

// TestShotNames: the jobs of a film say which shot and which frames they are of,
// and are listed in the order of the film.
func TestShotNames(t *testing.T) {
	var shots []film.Shot
	var list []farm.Status
	for i := range 11 {
		shots = append(shots, film.Shot{First: 3 * i, Last: 3*i + 2})
	}
	shots = append(shots, film.Shot{First: 33, Last: 33})
	for i := range slices.Backward(shots) {
		list = append(list, farm.Status{State: farm.Done, Job: farm.Job{Name: shotName("coast.mp4", shots, i)}})
	}
	Sort(list)
	for place, want := range map[int]string{
		0: "coast.mp4: shot 1 of 12, frames 1 to 3", 1: "coast.mp4: shot 2 of 12, frames 4 to 6",
		9: "coast.mp4: shot 10 of 12, frames 28 to 30", 11: "coast.mp4: shot 12 of 12, frame 34",
	} {
		if got := list[place].Job.Name; got != want {
			t.Errorf("line %d is %q, want %q", place+1, got, want)
		}
	}
}

// TestShotsText: shots that were painted before are told apart from those to paint.
func TestShotsText(t *testing.T) {
	for _, c := range []struct {
		frames, shots, missing int
		want                   string
	}{
		{50, 5, 5, "50 frames in 5 shots, 5 to paint"},
		{50, 5, 3, "50 frames in 5 shots: 2 shots painted before, 3 to paint"},
		{50, 5, 4, "50 frames in 5 shots: 1 shot painted before, 4 to paint"},
		{1, 1, 0, "1 frame in 1 shot: 1 shot painted before, 0 to paint"},
	} {
		if got := shotsText(c.frames, c.shots, c.missing); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
