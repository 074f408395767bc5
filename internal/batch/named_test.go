package batch

import (
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// TestNamed: jobs are found by ID, its beginning or name, and come with all that is
// known of them.
func TestNamed(t *testing.T) {
	q := farm.Memory(time.Minute)
	defer q.Close()
	var jobs []farm.Job
	for _, name := range []string{"coast", "sea"} {
		j := farm.Job{Name: name, Class: farm.ClassCPU, Steps: [][]string{{"art", "--output=/o/" + name + ".png"}}, Outputs: []string{"/o/" + name + ".png"}}
		j.Identify()
		jobs = append(jobs, j)
	}
	if _, err := q.Submit(t.Context(), jobs...); err != nil {
		t.Fatal(err)
	}
	a, b := jobs[0].ID, jobs[1].ID
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{a}, []string{a}}, {[]string{b, a}, []string{b, a}}, {[]string{a, a}, []string{a}},
		{[]string{"sea", a}, []string{b, a}}, {[]string{b[:8]}, []string{b}}, {[]string{"nothing"}, nil}, {[]string{a, "nothing"}, nil},
	} {
		found, err := Named(t.Context(), q, c.args)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%v: %v", c.args, err)
		}
		var got []string
		for _, st := range found {
			got = append(got, st.Job.ID)
			if len(st.Job.Outputs) != 1 {
				t.Errorf("%v: the record of %s is not whole", c.args, st.Job.Name)
			}
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%v: got %v, want %v", c.args, got, c.want)
		}
	}
}
