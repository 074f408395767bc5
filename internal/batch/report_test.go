package batch

import (
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/internal/farm"
)

func TestCommonFolder(t *testing.T) {
	job := func(paths ...string) farm.Job { return farm.Job{Outputs: paths} }
	for _, c := range []struct {
		want string
		jobs []farm.Job
	}{
		{"/a/b", []farm.Job{job("/a/b/x.png"), job("/a/b/c/y.png")}},
		{"/a", []farm.Job{job("/a/b/x.png"), job("/a/bc/y.png")}},
		{"/", []farm.Job{job("/a/x.png"), job("/b/y.png")}},
		{".", nil},
	} {
		if got := commonFolder(c.jobs); filepath.ToSlash(got) != c.want {
			t.Errorf("%v: got %q, want %q", c.jobs, got, c.want)
		}
	}
}
